#include "model/shown_line.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "model/attribute.hpp"
#include "model/model_attribute.hpp"

namespace annals::model {
namespace {

/// The last line of a file, as it is shown.
std::string last_line(std::string_view file) {
  return shown_line(file, static_cast<std::size_t>(std::ranges::count(file, '\n')) + 1, 1).text;
}

TEST(shown_line, keys_are_shown_and_values_are_not) {
  for (const auto& [line, shown] : {
           std::pair<std::string_view, std::string_view>{"pasword = \"hunter2\"", "pasword = ****"},
           {"pasword = 'hunter2'  # was: hunter1", "pasword = ****  #****"},
           {"pin = 123456", "pin = ****"},
           {"at = 2026-01-01 00:00:00", "at = ****"},
           {"insecure = true", "insecure = true"},
           {"store.pasword = \"hunter2\"", "store.pasword = ****"},
           {"store = { pasword = \"hun,t}er2\", init = true, port = 1 }",
            "store = { pasword = ****, init = true, port = **** }"},
           {"hosts = [\"u:hunter2@h\", 'x' , [ 1 ] ]", "hosts = [****, **** , [ **** ] ]"},
           {"\"quoted key\".x = \"hunter2\"", "\"quoted key\".x = ****"},
           {"[store]", "[store]"},
           {"[[ a.\"b\" ]]", "[[ a.\"b\" ]]"},
           {"# pasword = hunter2", "#****"},
           {"text = \"\"\"hunter2\"\"\"", "text = ****"},
           {"text = \"a\\\"hunter2\"", "text = ****"},
           {"", ""},
       }) {
    EXPECT_EQ(last_line(line), shown);
  }
}

TEST(shown_line, what_is_not_as_toml_has_it_is_hidden_from_there_on) {
  for (const auto& [line, shown] : {
           std::pair<std::string_view, std::string_view>{"pasword = hunter2", "pasword = ****"},
           {"pasword = hun#ter2", "pasword = ****"},
           {"pasword = \"hunter2", "pasword = ****"},
           {"pasword = \"hun\"ter2", "pasword = ****"},
           {"pasword \"hunter2\"", "****"},
           {"pasword: hunter2", "****"},
           {"hunter2", "****"},
           {"postgres://u:hunter2@h/db", "****"},
           {"\"postgres://u:hunter2@h/db\" = 1", "**** = ****"},
           {"[store] pasword = hunter2", "[store] ****"},
           {"[store pasword = hunter2", "[store ****"},
           {"[store", "[store"},
           {"store = { pasword = \"hunter2\" sync = \"hunter2\" }", "store = { pasword = **** ****"},
           {"store = { pasword = hunter2, x", "store = { pasword = ****, ****"},
           {"hosts = [\"hunter2\" \"hunter2\"]", "hosts = [**** ****"},
           {"a = ", "a = "},
       }) {
    EXPECT_EQ(last_line(line), shown);
  }
  EXPECT_EQ(last_line("[model.a]\nmethods = [GET\", x = \"hunter2\""), "methods = [****");
  EXPECT_EQ(last_line("[model.a]\ncache = 300s"), "cache = 300s");
  EXPECT_EQ(last_line("a = 'x\nb = \"hunter2\""), "****") << "nor are the lines behind it";
  EXPECT_EQ(last_line("a = " + std::string(100'000, '[') + "\n1"), "****");
}

TEST(shown_line, a_value_of_several_lines_is_hidden_on_each) {
  EXPECT_EQ(last_line("text = \"\"\"\nhunter2"), "****");
  EXPECT_EQ(last_line("text = \"\"\"\nhunter2\"\"\" # x"), "**** #****");
  EXPECT_EQ(last_line("text = '''\nhunter2'''''"), "****");
  EXPECT_EQ(last_line("text = \"\"\"\n\\\"\"\"hunter2"), "****");
  EXPECT_EQ(last_line("hosts = [\n  \"hunter2\","), "  ****,");
  EXPECT_EQ(last_line("hosts = [ # all\n  # none\n]"), "]");
  EXPECT_EQ(last_line("text = '''\nhunter2'''\nkey = 'hunter2'"), "key = ****");
}

TEST(shown_line, what_is_said_of_models_and_fields_is_shown) {
  for (const ModelAttribute* attribute : model_attributes()) {
    const std::string line = std::string(attribute->name) + " = 'x'";
    EXPECT_EQ(last_line("[model.a]\n" + line), line);
    EXPECT_EQ(last_line("[model]\na." + line), "a." + line);
    EXPECT_EQ(last_line("[modle.a]\n" + line), std::string(attribute->name) + " = ****");
    EXPECT_EQ(last_line("[model.a.operations.update]\n" + line),
              attribute->declare_for ? line : std::string(attribute->name) + " = ****");
  }
  for (const Attribute* attribute : attributes()) {
    const std::string line = "f = { type = \"string\", " + std::string(attribute->name) + " = [1, \"x\"] }";
    EXPECT_EQ(last_line("[model.a.fields]\n" + line),
              attribute->name == "secret" ? "f = { type = \"string\", secret = [****, ****] }" : line);
  }
  EXPECT_EQ(last_line("[model.a]\nperformance = { batch_size = 5 }"), "performance = { batch_size = 5 }");
  EXPECT_EQ(last_line("[model.a.fields]\nf.upcast = { string = \"integer(value)\" }"),
            "f.upcast = { string = \"integer(value)\" }");
  EXPECT_EQ(last_line("[model.a.fields]\nf = { type = \"json\", default = { a = [\"x\"] } }"),
            "f = { type = \"json\", default = { a = [\"x\"] } }");
  EXPECT_EQ(last_line("[model.a.fields]\nf = { type = \"string\" required = true }"), "f = { type = \"string\" ****");
}

TEST(shown_line, what_does_not_belong_to_a_model_is_hidden_in_its_tables_too) {
  EXPECT_EQ(last_line("[model.a]\npassword = \"hunter2\""), "password = ****");
  EXPECT_EQ(last_line("[model.a]\nhostname = \"hunter2\""), "hostname = ****");
  EXPECT_EQ(last_line("[model.a.fields]\npassword = \"hunter2\""), "password = ****");
  EXPECT_EQ(last_line("[model.a.fields]\nf = { type = \"string\", pasword = \"hunter2\" }"),
            "f = { type = \"string\", pasword = **** }");
  EXPECT_EQ(last_line("[model.a]\npath = \"postgres://u:hunter2@h/db\""), "path = ****");
  EXPECT_EQ(last_line("[model.a]\npath = \"Password=hunter2\""), "path = ****");
  EXPECT_EQ(last_line("type = \"hunter2\""), "type = ****") << "outside of them";
  EXPECT_EQ(last_line("[model.a]\ntype = \"hunter2\""), "type = ****") << "it is of fields";
}

TEST(shown_line, values_of_a_field_that_is_to_be_secret_are_hidden) {
  EXPECT_EQ(last_line("[model.a.fields]\nf = { type = \"string\", default = \"1234\", secret = true }"),
            "f = { type = \"string\", default = ****, secret = true }");
  const std::string_view apart = "[model.a.fields.f]\ndefault = \"1234\"\n[model.a.fields]\nf.secret = true\n";
  EXPECT_EQ(shown_line(apart, 2, 1).text, "default = ****");
  EXPECT_EQ(last_line("[model.a.fields]\nf = { one_of = [\"1234\"] secret = true }"), "f = { one_of = [****] ****");
  EXPECT_EQ(last_line("[model.a.fields]\nf = { default = \"1234\", secrte = true }"),
            "f = { default = ****, secrte = true }");
  EXPECT_EQ(last_line("[model.a.fields]\ng.secret = true\nf = { default = \"1234\" }"), "f = { default = \"1234\" }");
}

TEST(shown_line, the_caret_stands_where_it_did) {
  const auto caret = [](std::string_view file, std::size_t column,
                        ValueAtPlace value = ValueAtPlace::as_the_rule_says) {
    const ShownLine line = shown_line(file, 1, column, value);
    return line.text + "\n" + std::string(line.column - 1, ' ') + "^" + (line.is_hidden ? "?" : "");
  };
  const std::string_view line = "a = { b = \"hunter2hunter2\", ü = 1, c = \"x\" }";
  EXPECT_EQ(caret(line, 1), "a = { b = ****, ****\n^");
  const std::string_view good = "a = { b = \"hünter2hunter2\", \"ü\" = 1, c = \"x\" }";
  EXPECT_EQ(caret(good, 7), "a = { b = ****, \"ü\" = ****, c = **** }\n      ^");
  EXPECT_EQ(caret(good, 11), "a = { b = ****, \"ü\" = ****, c = **** }\n          ^?");
  EXPECT_EQ(caret(good, 20), "a = { b = ****, \"ü\" = ****, c = **** }\n          ^?");
  EXPECT_EQ(caret(good, 29), "a = { b = ****, \"ü\" = ****, c = **** }\n                ^");
  EXPECT_EQ(caret(good, 38), "a = { b = ****, \"ü\" = ****, c = **** }\n                            ^");
  EXPECT_EQ(caret(good, 42, ValueAtPlace::shown),
            "a = { b = ****, \"ü\" = ****, c = \"x\" }\n                                ^");
  EXPECT_EQ(caret("a = ", 5), "a = \n    ^");
  EXPECT_EQ(caret("a = [", 7), "a = [\n      ^") << "behind the end";
  EXPECT_EQ(caret("a = 'x'\r\nb = 1", 1), "a = ****\n^");
  EXPECT_EQ(caret("\xEF\xBB\xBF[model.a]\n", 2), "[model.a]\n ^") << "a byte order mark is no character of the line";
  EXPECT_EQ(shown_line("a = 1", 2, 1).text, "");
  EXPECT_EQ(shown_line("a = 1", 0, 1).text, "");
}

}  // namespace
}  // namespace annals::model
