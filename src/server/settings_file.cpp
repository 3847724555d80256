// Reading annals.toml.

#include <algorithm>
#include <sstream>
#include <string>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "server/settings.hpp"

namespace annals::server {
namespace {

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {}

  [[nodiscard]] Result<FileContents> read(std::string_view text) {
    const toml::parse_result parsed = toml::parse(text, path_);
    if (!parsed) {
      const toml::parse_error& error = parsed.error();
      return fail(ErrorKind::usage, place(error.source()) + ": not TOML: " + std::string(error.description()));
    }
    TRY(read_table(parsed.table(), ""));
    return std::move(contents_);
  }

 private:
  [[nodiscard]] std::string place(const toml::source_region& region) const {
    return path_ + ":" + std::to_string(region.begin.line) + ":" + std::to_string(region.begin.column);
  }

  [[nodiscard]] std::unexpected<Error> refuse(const toml::node& node, const std::string& what) const {
    return fail(ErrorKind::usage, place(node.source()) + ": " + what);
  }

  static bool overlap(const std::string& one, const std::string& other) {
    return one == other || one.starts_with(other + "/") || other.starts_with(one + "/");
  }

  static std::string name_of(const toml::node& node) {
    std::ostringstream name;
    name << node.type();
    return name.str();
  }

  Result<> read_table(const toml::table& table, const std::string& prefix) {
    for (const auto& [name, node] : table) {
      const std::string key = prefix + std::string(name.str());
      if (prefix.empty() && key == "model") {
        TRY(read_models(node));
        continue;
      }
      const auto known = settings_catalogue();
      const auto setting = std::ranges::find(known, std::string_view(key), &Setting::key);
      if (setting != known.end()) {
        TRY(read_setting(*setting, node));
        continue;
      }
      const bool section =
          std::ranges::any_of(known, [&](const Setting& one) { return one.key.starts_with(key + "."); });
      if (section && node.is_table()) {
        TRY(read_table(*node.as_table(), key + "."));
        continue;
      }
      if (section) return refuse(node, key + " is a table of settings, not " + name_of(node));
      std::vector<std::string> names{"model"};
      for (const Setting& one : known) names.emplace_back(one.key);
      for (const char* one : {"server", "store", "writer", "idempotency", "kv", "audit", "log"})
        names.emplace_back(one);
      return refuse(node, "\"" + key + "\" is not a setting" + did_you_mean(key, names));
    }
    return {};
  }

  Result<> read_setting(const Setting& setting, const toml::node& node) {
    std::string text;
    const bool wants_text = setting.type == SettingType::text || setting.type == SettingType::choice;
    const bool wants_number = setting.type == SettingType::number || setting.type == SettingType::bytes ||
                              setting.type == SettingType::duration;
    if (const auto* string = node.as_string();
        string && setting.type != SettingType::boolean && setting.type != SettingType::number) {
      text = string->get();
    } else if (const auto* integer = node.as_integer(); integer && wants_number) {
      text = std::to_string(integer->get());
    } else if (const auto* flag = node.as_boolean(); flag && setting.type == SettingType::boolean) {
      text = flag->get() ? "true" : "false";
    } else {
      return refuse(node, std::string(setting.key) + " is of type " + name_of(node) + "; expected " +
                              expected_form(setting) + (wants_text ? " in quotes" : ""));
    }
    contents_.settings.insert_or_assign(std::string(setting.key), Given{text, place(node.source())});
    return {};
  }

  Result<> read_models(const toml::node& node) {
    const toml::table* table = node.as_table();
    if (table == nullptr) return refuse(node, "\"model\" is " + name_of(node) + "; declare a model as [model.NAME]");
    for (const auto& [name, declaration] : *table) {
      const toml::table* members = declaration.as_table();
      if (members == nullptr)
        return refuse(declaration,
                      "model." + std::string(name.str()) + " is " + name_of(declaration) + "; a table is expected");
      if (auto good = model::check_model_name(name.str()); !good) return refuse(declaration, good.error().message);
      model::Model model = model::Model::kv(std::string(name.str()), {});
      model.value_bytes_max = 0;  // the setting kv.value_bytes_max
      TRY(read_model(model, *members));
      for (const model::Model& other : contents_.models) {
        for (const std::string& path : model.paths) {
          for (const std::string& taken : other.paths) {
            if (overlap(path, taken)) {
              return refuse(declaration, "model " + model.name + " is at \"" + path + "\", which lies with model " +
                                             other.name + " at \"" + taken + "\"; choose paths apart");
            }
          }
        }
      }
      contents_.models.push_back(std::move(model));
    }
    return {};
  }

  Result<> read_model(model::Model& model, const toml::table& members) {
    const std::string name = "model." + model.name;
    for (const auto& [member, node] : members) {
      const std::string_view key = member.str();
      if (key == "profile") {
        if (node.value<std::string>() != "kv")
          return refuse(node, name + ".profile: this version has the profile \"kv\" only");
      } else if (key == "path") {
        TRY(read_paths(model, node));
      } else if (key == "consistency") {
        const auto text = node.value<std::string>();
        if (text == "live") {
          model.consistency = model::Consistency::live;
        } else if (text == "eventual") {
          model.consistency = model::Consistency::eventual;
        } else if (text == "restart") {
          model.consistency = model::Consistency::restart;
        } else {
          return refuse(node, name + ".consistency: expected \"live\", \"eventual\" or \"restart\"");
        }
      } else if (key == "refresh_every") {
        const auto time = duration_from_text(node.value<std::string>().value_or(""));
        if (!time || *time < std::chrono::milliseconds(10))
          return refuse(node, name + ".refresh_every: expected a time in quotes, such as \"30s\", 10ms at least");
        model.refresh_every = *time;
      } else if (key == "value_bytes_max") {
        auto count =
            node.is_integer() ? node.value<std::int64_t>() : bytes_from_text(node.value<std::string>().value_or(""));
        if (!count || *count < 1 || *count > 1 << 20)
          return refuse(node, name + ".value_bytes_max: expected a size from 1 to 1MiB");
        model.value_bytes_max = static_cast<std::size_t>(*count);
      } else {
        return refuse(node,
                      "\"" + std::string(key) + "\" is not an attribute of a model of profile kv" +
                          did_you_mean(key, {"profile", "path", "consistency", "refresh_every", "value_bytes_max"}));
      }
    }
    if (members.get("profile") == nullptr) return refuse(members, name + " has no profile; write profile = \"kv\"");
    if (model.paths.empty()) return refuse(members, name + " has no path; write path = \"/" + model.name + "\"");
    if (model.refresh_every.count() > 0 && model.consistency != model::Consistency::restart) {
      return refuse(members, name + ".refresh_every goes with consistency = \"restart\" only");
    }
    return {};
  }

  Result<> read_paths(model::Model& model, const toml::node& node) {
    if (const auto* one = node.as_string()) return read_path(model, *one, one->get());
    const toml::array* several = node.as_array();
    if (several == nullptr || several->empty())
      return refuse(node, "model." + model.name + ".path: expected a path in quotes, or a list of them");
    for (const toml::node& element : *several) {
      const auto* one = element.as_string();
      if (one == nullptr) return refuse(element, "model." + model.name + ".path: expected a path in quotes");
      TRY(read_path(model, *one, one->get()));
    }
    return {};
  }

  Result<> read_path(model::Model& model, const toml::node& node, const std::string& path) {
    bool good = path.size() >= 2 && path.size() <= 200 && path.front() == '/' && path.back() != '/' &&
                path.find("//") == std::string::npos;
    for (char character : path) {
      good = good && ((character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
                      (character >= '0' && character <= '9') ||
                      std::string_view("/-_.~").find(character) != std::string_view::npos);
    }
    if (!good)
      return refuse(node, "model." + model.name + ".path: \"" + path.substr(0, 100) +
                              "\" is not a path such as \"/config\" (letters, digits and -_.~ between slashes)");
    for (const char* taken : {"/health", "/v1/health", "/livez", "/readyz", "/-"}) {
      if (path == taken || path.starts_with(std::string(taken) + "/"))
        return refuse(node, "model." + model.name + ".path: \"" + path + "\" is the server's own");
    }
    for (const std::string& taken : model.paths) {
      if (overlap(path, taken))
        return refuse(node, "model." + model.name + ".path: \"" + path + "\" lies with \"" + taken +
                                "\" of the same model; choose paths apart");
    }
    model.paths.push_back(path);
    return {};
  }

  const std::string path_;
  FileContents contents_;
};

}  // namespace

Result<FileContents> read_settings_file(std::string_view text, const std::string& path) {
  return Reader(path).read(text);
}

}  // namespace annals::server
