// `annals reference`: the pages of docs/reference, made from the catalogues.

#include <cstdio>

#include "http/route_list.hpp"
#include "server/commands/commands.hpp"

namespace annals::server {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (char character : text) out += character == '|' ? "\\|" : std::string(1, character);
  return out;
}

void print_settings_page() {
  std::printf("# Settings\n\n");
  std::printf("Made by `annals reference settings` from the catalogue in `src/server/settings.cpp`; do not edit.\n\n");
  std::printf(
      "A flag goes before an environment variable, that before the configuration file, that before the default.\n\n");
  std::printf(
      "| key in `annals.toml` | flag | environment | default | what it is | expected |\n| --- | --- | --- | --- | --- "
      "| --- |\n");
  for (const Setting& setting : settings_catalogue()) {
    std::printf("| `%s` | `%s` | `%s` | `%s` | %s | %s |\n", std::string(setting.key).c_str(),
                std::string(setting.flag).c_str(), environment_name(setting).c_str(),
                setting.default_text.empty() ? " " : std::string(setting.default_text).c_str(),
                escaped(setting.sentence).c_str(), escaped(expected_form(setting)).c_str());
  }
  std::printf(
      "\n## Models\n\nA model is a table `[model.NAME]`, NAME of the form `[a-z][a-z0-9_]*`. Without any, the model "
      "`config` is served at `/config` and `/v1/config`.\n\n");
  std::printf("| attribute | what it is |\n| --- | --- |\n");
  std::printf("| `profile` | `\"kv\"`: text values under names. Required. |\n");
  std::printf("| `path` | Where it is served, such as `\"/config\"`, or a list of such paths. Required. |\n");
  std::printf(
      "| `consistency` | `\"live\"` (default): visible before the success is reported; `\"eventual\"`: soon after; "
      "`\"restart\"`: the state at the last start or refresh. |\n");
  std::printf("| `refresh_every` | With `consistency = \"restart\"`: refresh by itself this often. |\n");
  std::printf("| `value_bytes_max` | The largest value; 1 MiB at most. Default: the setting `kv.value_bytes_max`. |\n");
}

void print_routes_page() {
  std::printf(
      "# Routes\n\nMade by `annals reference routes` from the catalogue in `src/http/routes/catalogue.cpp`; do not "
      "edit.\n\n");
  std::printf("`MODEL` is the path of a model, such as `/config`. HEAD works wherever GET does.\n\n");
  std::printf("| method | path | what it is |\n| --- | --- | --- |\n");
  for (const http::RouteLine& route : http::route_list()) {
    std::printf("| %s | `%s` | %s |\n", route.method.c_str(), route.path.c_str(), escaped(route.sentence).c_str());
  }
}

}  // namespace

int print_reference(const std::string& page) {
  if (page == "settings") {
    print_settings_page();
  } else if (page == "routes") {
    print_routes_page();
  } else {
    return report(
        Error(ErrorKind::usage, "there is no page \"" + page + "\" of the reference; there are settings and routes"));
  }
  return done;
}

}  // namespace annals::server
