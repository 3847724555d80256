// Reading annals.toml.

#include <algorithm>
#include <string>
#include <utility>

#include "base/did_you_mean.hpp"
#include "http/route_list.hpp"
#include "model/model_file.hpp"
#include "server/settings.hpp"
#include "server/shown_text.hpp"

namespace annals::server {
namespace {

using model::Declared;
using model::DeclaredMember;

/// An error about the value of a setting, with the line that it stands on: of a text, which may be anything, without
/// it.
std::unexpected<Error> refuse_value(const Setting& setting, const Declared& value, const std::string& what) {
  const bool is_text = value.as<std::string>() || value.as<Declared::List>() || value.as<Declared::Table>();
  const bool may_be_secret = setting.secret || (setting.type == SettingType::text && is_text);
  return may_be_secret ? refuse(value.place, what) : model::refuse_harmless(value.place, what);
}

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
    return refuse_value(setting, value,
                        std::string(setting.key) + " is of type " + std::string(value.kind()) + "; expected " +
                            expected_form(setting) + (wants_text ? " in quotes" : ""));
  }
  const auto [other, first] =
      given.try_emplace(std::string(setting.key), Given{text, value.place.to_text(), value.place});
  if (first) return {};
  return refuse_value(setting, value, std::string(setting.key) + " is set at " + other->second.where + " already");
}

/// The known name that is nearest; else one that is called so in another table.
std::string probably_meant(const std::string& key) {
  std::vector<std::string> names{"model", "include"};
  for (const Setting& one : settings_catalogue()) {
    names.emplace_back(one.key);
    if (const std::size_t dot = one.key.find('.'); dot != std::string_view::npos)
      names.emplace_back(one.key.substr(0, dot));
  }
  if (std::string near = did_you_mean(key, names); !near.empty()) return near;
  const auto last_of = [](std::string_view name) { return name.substr(name.rfind('.') + 1); };
  for (const std::string& name : names) {
    if (name.contains('.') && !did_you_mean(last_of(key), {std::string(last_of(name))}).empty())
      return "; did you mean \"" + name + "\"?";
  }
  return "";
}

Result<> read_settings(const Declared::Table& members, const std::string& prefix, GivenSettings& given) {
  const auto known = settings_catalogue();
  for (const DeclaredMember& member : members) {
    const std::string key = prefix + member.name;
    if (prefix.empty() && (key == "model" || key == "include")) continue;
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
    return refuse(member.place, "\"" + key + "\" is not a setting" + probably_meant(key));
  }
  return {};
}

constexpr std::size_t files_max = 100;

/// Reads a file and those that it includes, one after another.
class FilesReader {
 public:
  FilesReader(GivenSettings& settings, const ReadFile& read) : settings_(settings), read_(read) {
    models_.value = Declared::Table{};
  }

  [[nodiscard]] Result<> read(std::string text, const std::string& path) {
    files_.push_back(path);
    const Declared root = TRY(model::read_declarations(std::move(text), path));
    TRY(read_settings(*root.as<Declared::Table>(), "", settings_));
    if (const Declared* models = root.find("model")) TRY(take_models(*models));
    const Declared* include = root.find("include");
    if (include == nullptr) return {};
    const auto* several = include->as<Declared::List>();
    if (several == nullptr) return read_included(*include, path);
    for (const Declared& one : *several) TRY(read_included(one, path));
    return {};
  }

  /// The models of all files as of one; nullptr when there are none.
  [[nodiscard]] const Declared* models() const {
    return std::get<Declared::Table>(models_.value).empty() ? nullptr : &models_;
  }

 private:
  Result<> take_models(const Declared& models) {
    const auto* members = models.as<Declared::Table>();
    if (members == nullptr) {
      return refuse(models.place, "\"model\" is " + std::string(models.kind()) + "; declare a model as [model.NAME]");
    }
    auto& all = std::get<Declared::Table>(models_.value);
    for (const DeclaredMember& member : *members) {
      const auto other = std::ranges::find(all, member.name, &DeclaredMember::name);
      if (other != all.end())
        return refuse(member.place, "model " + member.name + " is declared at " + other->place.to_text() + " already");
      all.push_back(member);
    }
    return {};
  }

  Result<> read_included(const Declared& name, const std::string& from) {
    const auto* given = name.as<std::string>();
    if (given == nullptr || given->empty())
      return refuse(name.place, "include is the path of a file in quotes, or a list of them");
    const std::size_t slash = from.rfind('/');
    const bool absolute = given->front() == '/';
    const std::string path = absolute || slash == std::string::npos ? *given : from.substr(0, slash + 1) + *given;
    if (is_no_name(*given)) {
      return refuse(name.place,
                    "include is " + in_quotes(*given) + "; expected the name of a file" + advice_on_paths(*given));
    }
    if (std::ranges::find(files_, path) != files_.end())
      return model::refuse_harmless(name.place, path + " is read already; include a file once");
    if (files_.size() == files_max)
      return refuse(name.place, "these are more than " + std::to_string(files_max) + " files");
    auto text = read_(path);
    if (!text) {
      return refuse(name.place, "the file cannot be included: " + without_passwords(std::move(text).error().message));
    }
    return read(*std::move(text), path);
  }

  GivenSettings& settings_;
  const ReadFile& read_;
  std::vector<std::string> files_;
  Declared models_;
};

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

Result<FileContents> read_settings_file(std::string_view text, const std::string& path, const ReadFile& read) {
  FileContents contents;
  FilesReader files(contents.settings, read);
  TRY(files.read(std::string(text), path));
  const Declared* models = files.models();
  if (models == nullptr) return contents;
  std::vector<model::DeclaredModel> all = TRY(model::read_models(*models));
  for (model::DeclaredModel& declared : all) {
    TRY(check_not_our_own(declared));
    contents.models.push_back(std::move(declared.model));
  }
  return contents;
}

}  // namespace annals::server
