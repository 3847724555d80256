// `annals settings`, `annals check`: what is set, and what would be served.

#include <algorithm>

#include "model/methods.hpp"
#include "server/commands/commands.hpp"
#include "server/secrets.hpp"
#include "server/shown_text.hpp"
#include "server/wiring.hpp"

namespace annals::server {

int print_settings(const Settings& settings) {
  std::string text;
  for (const Setting& setting : settings_catalogue()) {
    const Settings::Value& value = settings.value(setting.key);
    const bool quoted = setting.type != SettingType::number && setting.type != SettingType::boolean;
    const std::string shown = settings.shown(setting);
    std::string line = std::string(setting.key) + " = " + (quoted ? "\"" + shown + "\"" : shown);
    line.resize(std::max<std::size_t>(line.size(), 48), ' ');
    text += line + "  # " + value.source + "\n";
  }
  return print_or_report(text);
}

int check(const Settings& settings) {
  const auto address = listen_address(settings);
  if (!address) return report(address.error());
  const auto pair = tls_pair(settings, platform::posix_files(), Pipes::waited_for);
  if (!pair) return report(pair.error());
  const auto keys = with_secret_keys(settings, platform::system_random());
  if (!keys) return report(keys.error());
  std::string store = settings.text("store.kind");
  if (store == "embedded")
    store += " in " + shown_name(settings.text("store.directory")) + ", sync " + settings.text("store.sync");
  if (store == "postgres") {
    const auto database = store::postgres_database_name(store_options(settings).postgres);
    if (!database) return report(database.error());
    store += " in the database " + *database + ", schema " + settings.text("store.schema");
  }
  std::string text = "listen  " + address->url() + "\nstore   " + store + "\n";
  for (const model::Model& model : settings.models()) {
    std::string paths;
    for (const std::string& path : model.paths) paths.append(paths.empty() ? "" : ", ").append(path);
    text += "model   " + model.name + " (" + std::string(to_string(model.profile)) + ", " +
            std::string(to_string(model.consistency)) + ") at " + paths +
            (model.methods.empty() ? "" : " with " + model::served_methods(model)) + "\n";
  }
  return print_or_report(text + "The configuration is good.\n");
}

}  // namespace annals::server
