// `annals reference`: the pages of docs/reference, made from the catalogues.

#include "http/route_list.hpp"
#include "server/commands/commands.hpp"

namespace annals::server {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (char character : text) out += character == '|' ? "\\|" : std::string(1, character);
  return out;
}

std::string settings_page() {
  std::string page =
      "# Settings\n\nMade by `annals reference settings` from the catalogue in `src/server/settings.cpp`; do not "
      "edit.\n\n"
      "A flag goes before an environment variable, that before the configuration file, that before the default.\n\n"
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
      "wherever asks for the postgres store when nothing else names a store.\n";
  page +=
      "\n## Models\n\nA model is a table `[model.NAME]`, NAME of the form `[a-z][a-z0-9_]*`. Without any, the model "
      "`config` is served at `/config` and `/v1/config`.\n\n"
      "| attribute | what it is |\n| --- | --- |\n"
      "| `profile` | `\"kv\"`: text values under names. Required. |\n"
      "| `path` | Where it is served, such as `\"/config\"`, or a list of such paths. Required. |\n"
      "| `consistency` | `\"live\"` (default): visible before the success is reported; `\"eventual\"`: soon after; "
      "`\"restart\"`: the state at the last start or refresh. |\n"
      "| `refresh_every` | With `consistency = \"restart\"`: refresh by itself this often. |\n"
      "| `value_bytes_max` | The largest value; 1 MiB at most. Default: the setting `kv.value_bytes_max`. |\n";
  return page;
}

std::string routes_page() {
  std::string page =
      "# Routes\n\nMade by `annals reference routes` from the catalogue in `src/http/routes/catalogue.cpp`; do not "
      "edit.\n\n`MODEL` is the path of a model, such as `/config`. HEAD works wherever GET does.\n\n"
      "| method | path | what it is |\n| --- | --- | --- |\n";
  for (const http::RouteLine& route : http::route_list()) {
    page += "| " + route.method + " | `" + route.path + "` | " + escaped(route.sentence) + " |\n";
  }
  return page;
}

}  // namespace

int print_reference(const std::string& page) {
  if (page == "settings") return print_or_report(settings_page());
  if (page == "routes") return print_or_report(routes_page());
  return report(Error(ErrorKind::usage, "there is no page \"" + page.substr(0, 100) +
                                            "\" of the reference; there are settings and routes"));
}

}  // namespace annals::server
