// Reading annals.toml.

#include <algorithm>
#include <string>

#include "base/did_you_mean.hpp"
#include "http/route_list.hpp"
#include "model/model_file.hpp"
#include "server/settings.hpp"

namespace annals::server {
namespace {

using model::Declared;
using model::DeclaredMember;

Result<> read_setting(const Setting& setting, const Declared& value, GivenSettings& given) {
  std::string text;
  const bool wants_text = setting.type == SettingType::text || setting.type == SettingType::choice;
  const bool wants_number = setting.type == SettingType::number || setting.type == SettingType::bytes ||
                            setting.type == SettingType::duration;
  if (const auto* string = value.as<std::string>();
      string && setting.type != SettingType::boolean && setting.type != SettingType::number) {
    text = *string;
  } else if (const auto* integer = value.as<std::int64_t>(); integer && wants_number) {
    text = std::to_string(*integer);
  } else if (const auto* flag = value.as<bool>(); flag && setting.type == SettingType::boolean) {
    text = *flag ? "true" : "false";
  } else {
    return refuse(value.place, std::string(setting.key) + " is of type " + std::string(value.kind()) + "; expected " +
                                   expected_form(setting) + (wants_text ? " in quotes" : ""));
  }
  given.insert_or_assign(std::string(setting.key), Given{text, value.place.to_text()});
  return {};
}

Result<> read_settings(const Declared::Table& members, const std::string& prefix, GivenSettings& given) {
  const auto known = settings_catalogue();
  for (const DeclaredMember& member : members) {
    const std::string key = prefix + member.name;
    if (prefix.empty() && key == "model") continue;
    const auto setting = std::ranges::find(known, std::string_view(key), &Setting::key);
    if (setting != known.end()) {
      TRY(read_setting(*setting, member.value, given));
      continue;
    }
    const bool section = std::ranges::any_of(known, [&](const Setting& one) { return one.key.starts_with(key + "."); });
    const auto* table = member.value.as<Declared::Table>();
    if (section && table) {
      TRY(read_settings(*table, key + ".", given));
      continue;
    }
    if (section)
      return refuse(member.value.place, key + " is a table of settings, not " + std::string(member.value.kind()));
    std::vector<std::string> names{"model"};
    for (const Setting& one : known) {
      names.emplace_back(one.key);
      if (const std::size_t dot = one.key.find('.'); dot != std::string_view::npos)
        names.emplace_back(one.key.substr(0, dot));
    }
    return refuse(member.place, "\"" + key + "\" is not a setting" + did_you_mean(key, names));
  }
  return {};
}

/// What the server serves itself is no model's.
Result<> check_not_our_own(const model::DeclaredModel& declared) {
  for (std::size_t number = 0; number < declared.model.paths.size(); ++number) {
    const std::string& path = declared.model.paths[number];
    for (const http::RouteLine& route : http::route_list()) {
      if (!route.path.starts_with('/')) continue;  // it follows a model's
      // All of /-/ is kept for the server.
      const std::string own = route.path.starts_with("/-/") ? "/-" : route.path;
      if (!model::paths_overlap(path, own)) continue;
      return refuse(declared.path_places[number], "model." + declared.model.name + ".path: \"" + path +
                                                      "\" lies with \"" + own +
                                                      "\", which is the server's own; choose paths apart");
    }
  }
  return {};
}

}  // namespace

Result<FileContents> read_settings_file(std::string_view text, const std::string& path) {
  const Declared root = TRY(model::read_declarations(std::string(text), path));
  FileContents contents;
  TRY(read_settings(*root.as<Declared::Table>(), "", contents.settings));
  const Declared* models = root.find("model");
  if (models == nullptr) return contents;
  std::vector<model::DeclaredModel> all = TRY(model::read_models(*models));
  for (model::DeclaredModel& declared : all) {
    TRY(check_not_our_own(declared));
    contents.models.push_back(std::move(declared.model));
  }
  return contents;
}

}  // namespace annals::server
