// `annals settings`, `annals check`: what is set, and what would be served.

#include <algorithm>
#include <cstdio>

#include "server/commands/commands.hpp"
#include "server/wiring.hpp"

namespace annals::server {

int print_settings(const Settings& settings) {
  for (const Setting& setting : settings_catalogue()) {
    const Settings::Value& value = settings.value(setting.key);
    const bool quoted = setting.type != SettingType::number && setting.type != SettingType::boolean;
    const std::string shown = setting.secret && !value.text.empty() ? "****" : value.text;
    std::string line = std::string(setting.key) + " = " + (quoted ? "\"" + shown + "\"" : shown);
    line.resize(std::max<std::size_t>(line.size(), 48), ' ');
    std::printf("%s  # %s\n", line.c_str(), value.source.c_str());
  }
  return done;
}

int check(const Settings& settings) {
  const auto address = listen_address(settings);
  if (!address) return report(address.error());
  std::printf("listen  %s\n", address->url().c_str());
  std::string store = settings.text("store.kind");
  if (store == "embedded") store += " in " + settings.text("store.directory") + ", sync " + settings.text("store.sync");
  std::printf("store   %s\n", store.c_str());
  for (const model::Model& model : settings.models()) {
    std::string paths;
    for (const std::string& path : model.paths) paths.append(paths.empty() ? "" : ", ").append(path);
    std::printf("model   %s (kv, %s) at %s\n", model.name.c_str(), std::string(to_string(model.consistency)).c_str(),
                paths.c_str());
  }
  std::printf("The configuration is good.\n");
  return done;
}

}  // namespace annals::server
