// annals.toml: what is accepted resolves to settings within their limits that mean the same when they are given again;
// what is refused is refused with its place.

#include <set>

#include "base/invariant.hpp"
#include "server/settings.hpp"

namespace {

using namespace annals;
using namespace annals::server;

const char* nothing(const char*) {
  return nullptr;
}

void check_models(const std::vector<model::Model>& models) {
  std::set<std::string> paths;
  for (const model::Model& model : models) {
    INVARIANT(model::check_model_name(model.name).has_value(), "a model has a good name");
    INVARIANT(!model.paths.empty(), "a model is somewhere");
    for (const std::string& path : model.paths) {
      INVARIANT(path.starts_with('/') && !path.ends_with('/'), "a path is a path");
      INVARIANT(paths.insert(path).second, "no path is two models'");
    }
  }
}

void check_resolved(const Settings& settings) {
  GivenSettings again;
  for (const Setting& setting : settings_catalogue()) {
    const Settings::Value& value = settings.value(setting.key);
    again[std::string(setting.key)] = {value.text, "flag"};
    const bool number = setting.type == SettingType::number || setting.type == SettingType::bytes;
    if (number) {
      const std::uint64_t found = settings.number(setting.key);
      INVARIANT(found >= static_cast<std::uint64_t>(setting.min) && found <= static_cast<std::uint64_t>(setting.max),
                "a number is within its limits");
    }
    if (setting.type == SettingType::duration) {
      const std::int64_t found = settings.duration(setting.key).count();
      INVARIANT(found >= setting.min && found <= setting.max, "a time is within its limits");
    }
  }
  const auto same = Settings::resolve(again, nothing, {}, {});
  INVARIANT(same.has_value(), "what was accepted is accepted again");
  for (const Setting& setting : settings_catalogue()) {
    INVARIANT(same->text(setting.key) == settings.text(setting.key), "and means the same");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = read_settings_file(text, "annals.toml", [](const std::string& path) -> Result<std::string> {
    return fail(ErrorKind::not_found, path);
  });
  if (!file) {
    INVARIANT(file.error().kind == ErrorKind::usage, "what is wrong with the file is the user's to mend");
    INVARIANT(file.error().message.starts_with("annals.toml:"), "a refusal says where");
    return 0;
  }
  check_models(file->models);
  const auto settings = Settings::resolve({}, nothing, file->settings, file->models);
  if (!settings) {
    INVARIANT(settings.error().kind == ErrorKind::usage, "what is wrong with a setting is the user's to mend");
    INVARIANT(settings.error().message.find("annals.toml:") != std::string::npos, "a refusal says where");
    return 0;
  }
  check_resolved(*settings);
  return 0;
}
