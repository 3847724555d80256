// `annals reference`: the pages of docs/reference, made from the catalogues.

#include "expression/function.hpp"
#include "expression/syntax.hpp"
#include "http/route_list.hpp"
#include "model/attribute.hpp"
#include "model/model_attribute.hpp"
#include "server/commands/commands.hpp"
#include "server/shown_text.hpp"

namespace annals::server {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (char character : text) out += character == '|' ? "\\|" : std::string(1, character);
  return out;
}

/// What the fields of a resource may be.
std::string fields_text() {
  std::string text =
      "\n## Fields of a resource\n\nA field is a line of `[model.NAME.fields]`, such as `price = { type = \"decimal\", "
      "min "
      "= 0 }`. Its name is of the form `[a-z][a-z0-9_]*`.\n\n| type | a value is |\n| --- | --- |\n";
  for (const model::FieldTypeLine& line : model::field_types()) {
    text += "| `" + std::string(line.name) + "` | " + escaped(line.expected) + " |\n";
  }
  text +=
      "\nAn `enum` says its texts, `values = [\"new\", \"paid\"]`; a `list` what it is a list of, `of = "
      "\"string\"`.\n\n"
      "| attribute | what it is | accepted | refused |\n| --- | --- | --- | --- |\n";
  for (const model::Attribute* attribute : model::attributes()) {
    text += "| `" + std::string(attribute->name) + "` | " + escaped(attribute->sentence) + " | `" +
            std::string(attribute->accepted) + "` | `" + std::string(attribute->refused) + "` |\n";
  }
  return text;
}

std::string profiles_of(const model::ModelAttribute& attribute) {
  if (attribute.of_kv && attribute.of_resource) return "kv, resource";
  return attribute.of_kv ? "kv" : "resource";
}

/// Lines of TOML in a cell of a table.
std::string lines_of(std::string_view example) {
  std::string text = "`";
  for (const char character : example) text += character == '\n' ? std::string("`<br>`") : std::string(1, character);
  return text + "`";
}

std::string settings_page() {
  std::string page =
      "# Settings\n\nMade by `annals reference settings` from the catalogue in `src/server/settings.cpp`; do not "
      "edit.\n\n"
      "A flag goes before an environment variable, that before the configuration file, that before the default. "
      "`include = [\"FILE\", ...]` at the top of the file reads others, whose paths count from its folder, as if they "
      "stood there; a key or a model stands in one of them only.\n\n"
      "| key in `annals.toml` | flag | environment | default | what it is | expected |\n"
      "| --- | --- | --- | --- | --- | --- |\n";
  for (const Setting& setting : settings_catalogue()) {
    const std::string default_text(setting.default_text.empty() ? " " : setting.default_text);
    page += "| `" + std::string(setting.key) + "` | `" + std::string(setting.flag) + "` | `" +
            environment_name(setting) + "` | `" + default_text + "` | " + escaped(setting.sentence) + " | " +
            escaped(expected_form(setting)) + " |\n";
  }
  page +=
      "\n`DATABASE_URL` in the environment is `store.database_url` when nothing else gives that; and a `database_url` "
      "from "
      "wherever asks for the postgres store when nothing else names a store. Another variable that begins with "
      "`ANNALS_` is ignored, and told of with the nearest that there is.\n";
  page +=
      "\n## Models\n\nA model is a table `[model.NAME]`, NAME of the form `[a-z][a-z0-9_]*`. Without any, the model "
      "`config` is served at `/config` and `/v1/config`.\n\n"
      "| attribute | profiles | what it is | accepted | refused |\n| --- | --- | --- | --- | --- |\n";
  for (const model::ModelAttribute* attribute : model::model_attributes()) {
    const std::string operations = attribute->declare_for ? " May be said of single operations." : "";
    page += "| `" + std::string(attribute->name) + "` | " + profiles_of(*attribute) + " | " +
            escaped(attribute->sentence) + operations + " | " + lines_of(attribute->accepted) + " | " +
            lines_of(attribute->refused) + " |\n";
  }
  return page + fields_text();
}

std::string routes_page() {
  std::string page =
      "# Routes\n\nMade by `annals reference routes` from the catalogue in `src/http/routes/catalogue.cpp`; do not "
      "edit.\n\n`MODEL` is the path of a model, such as `/config`; `RESOURCE` that of a model of profile resource, "
      "which has routes of "
      "its own in the place of `MODEL`, `MODEL/:name` (but for DELETE) and `MODEL/:name/diff`. HEAD works wherever GET "
      "does.\n\n"
      "| method | path | what it is |\n| --- | --- | --- |\n";
  for (const http::RouteLine& route : http::route_list()) {
    page += "| " + route.method + " | `" + route.path + "` | " + escaped(route.sentence) + " |\n";
  }
  return page;
}

std::string expressions_page() {
  std::string page =
      "# Expressions\n\nMade by `annals reference expressions` from the catalogue in `src/expression/function.cpp`; do "
      "not "
      "edit.\n\n"
      "The small language of `computed` and `upcast` ([declared models](../guide/models.md)). It makes a value from a "
      "few "
      "others, and nothing else: no loops, no time, no chance. Types are checked when the file is read.\n\n"
      "```\n"
      "round(price * stock * 1.19, 2)\n"
      "upper(trim(coalesce(name, 'none'))) + if(stock = 0, ' (sold out)', '')\n"
      "```\n\n"
      "| written | what it is |\n| --- | --- |\n"
      "| `12`, `7.50`, `'text'`, `\"text\"`, `true`, `false`, `null` | values; within a text its quote is written "
      "twice "
      "|\n"
      "| `price` | a field, of `upcast` only `value`; not one that is called `and`, `or`, `not`, `true`, `false` or "
      "`null` "
      "|\n"
      "| `+` `-` `*` `/` | of integers and decimals; `+` joins texts as well |\n"
      "| `=` `!=` `<` `<=` `>` `>=` | of values of one type; not chained |\n"
      "| `and` `or` `not` | of conditions; the closest is `not`, then `and` |\n"
      "| `( )` | what belongs together |\n\n"
      "## Types\n\n"
      "Fields of type string, text, uuid and enum are texts; integer, decimal, double, boolean, date and timestamp are "
      "what they are; json and lists are not known here. An integer goes with a decimal and becomes one; nothing else "
      "is "
      "converted unasked: write `date('2026-01-01')`, `string(stock)`, `decimal(ratio)`. A double is compared and "
      "converted, not reckoned with, because it is not exact.\n\n"
      "## Numbers\n\n"
      "Integers have 64 bits, decimals 38 digits on each side of the point. Sums and differences are exact; products "
      "and "
      "quotients are rounded at the 38th digit behind the point, halves away from zero. `/` always gives a decimal: `1 "
      "/ "
      "2` is `0.5`. Division by zero is null.\n\n"
      "## Null\n\n"
      "What is made from null is null: `price * stock` without a price, `name + ' '` without a name (write "
      "`coalesce(name, '') + ' '`). What is asked is never null: `=` and `!=` take null for a value like any other, so "
      "`state != 'sold'` is true without a state, as in filters; `<`, `<=`, `>`, `>=`, `contains` and `starts_with` "
      "are "
      "false where one side is null; `and`, `or`, `not` and `if` take null for false.\n\n"
      "## When there is no value\n\n"
      "A number beyond its type, a text that is longer than there is room for (1 MiB for all that one evaluation "
      "makes), "
      "and a conversion of what is no such value (`integer('lamp')`) are no values. `if`, `coalesce`, `and` and `or` "
      "look "
      "no further than they must, so `if(contains(code, 'x'), 0, integer(code))` converts what it has to.\n\n"
      "## Functions\n\n| function | what it gives |\n| --- | --- |\n";
  for (const expression::Function& function : expression::functions())
    page += "| `" + std::string(function.usage) + "` | " + escaped(function.sentence) + " |\n";
  return page + "\n## Limits\n\nAn expression has up to " + std::to_string(expression::source_bytes_max) + " bytes, " +
         std::to_string(expression::nodes_max) + " parts, and parts within parts up to " +
         std::to_string(expression::depth_max) +
         " deep. A chain such as `a + b - c * d` is one deeper than its deepest part, however long it is.\n";
}

}  // namespace

int print_reference(const std::string& page) {
  if (page == "settings") return print_or_report(settings_page());
  if (page == "routes") return print_or_report(routes_page());
  if (page == "expressions") return print_or_report(expressions_page());
  return report(Error(ErrorKind::usage, "there is no page " + in_quotes(page) +
                                            " of the reference; there are settings, routes and expressions"));
}

}  // namespace annals::server
