#pragma once
// Settings: one catalogue, written by hand, of everything that can be set. A flag goes before an environment variable,
// that before the configuration file, that before the default. Help, `annals settings`, the reference page and the
// checks are all made from the catalogue. Immutable once resolved.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/instant.hpp"
#include "base/result.hpp"
#include "model/declaration.hpp"
#include "model/model.hpp"
#include "server/environment.hpp"

namespace annals::server {

enum class SettingType : std::uint8_t { text, choice, boolean, number, bytes, duration };

struct Setting {
  std::string_view
      key;  ///< "store.directory": in the file [store] directory, in the environment ANNALS_STORE_DIRECTORY
  std::string_view flag;  ///< "--data"
  SettingType type;
  std::string_view default_text;
  std::string_view sentence;
  std::int64_t min = 0;  ///< for numbers, bytes, and durations in microseconds
  std::int64_t max = 0;
  std::string_view choices = {};  ///< "group|periodic|memory"
  bool secret = false;            ///< masked wherever settings are printed
};

[[nodiscard]] std::span<const Setting> settings_catalogue();
[[nodiscard]] std::string environment_name(const Setting& setting);
/// "a duration from 1ms to 1h", "one of group, periodic, memory", ...
[[nodiscard]] std::string expected_form(const Setting& setting);

/// A value given on the command line or found in the file, before it is checked.
struct Given {
  std::string text;
  std::string where;                       ///< "flag --data", "annals.toml:3:8"
  std::optional<model::Place> place = {};  ///< in a file
};
using GivenSettings = std::map<std::string, Given, std::less<>>;  ///< by key

class Settings {
 public:
  struct Value {
    std::string text;
    std::string source;  ///< "default", "environment ANNALS_...", "annals.toml:3:8", "flag --data"
  };

  /// DATABASE_URL in the environment is store.database_url when that is not given; and a database_url names the store
  /// "postgres" when nothing else names one.
  /// Errors: usage, naming the first value that is not of its form, and where it was given.
  [[nodiscard]] static Result<Settings> resolve(const GivenSettings& flags,
                                                const std::function<const char*(const char*)>& environment,
                                                const GivenSettings& file, std::vector<model::Model> models);

  [[nodiscard]] const Value& value(std::string_view key) const;
  [[nodiscard]] const std::string& text(std::string_view key) const { return value(key).text; }
  [[nodiscard]] bool boolean(std::string_view key) const { return text(key) == "true"; }
  [[nodiscard]] std::uint64_t number(std::string_view key) const;  ///< also of bytes
  [[nodiscard]] Duration duration(std::string_view key) const;

  /// The value as it may be printed: of a secret nothing but ****, of a database's address all but the password.
  [[nodiscard]] std::string shown(const Setting& setting) const;

  /// The declared models, or the one of the configuration service.
  [[nodiscard]] const std::vector<model::Model>& models() const { return models_; }

  /// Variables of the environment that are called as settings are and that nothing reads.
  [[nodiscard]] const std::vector<StrayVariable>& stray_variables() const { return stray_variables_; }
  void note_stray_variables(std::vector<StrayVariable> stray) { stray_variables_ = std::move(stray); }

  /// Gives the models that have secret fields what they are sealed with; shared by them.
  void give_cipher(const std::shared_ptr<const model::SecretCipher>& cipher);

 private:
  void take_database_url(const std::function<const char*(const char*)>& environment);

  std::map<std::string, Value, std::less<>> values_;
  std::vector<model::Model> models_;
  std::vector<StrayVariable> stray_variables_;
};

struct FileContents {
  GivenSettings settings;
  std::vector<model::Model> models;
};

/// Gives the text of a file that another includes.
using ReadFile = std::function<Result<std::string>(const std::string& path)>;

/// Reads `annals.toml` and what it includes, whose paths count from the folder of the file that names them: every key
/// must be known and stand in one file only, every model is checked as a whole. Errors: usage, with file, line, column,
/// what was found and what was expected.
[[nodiscard]] Result<FileContents> read_settings_file(std::string_view text, const std::string& path,
                                                      const ReadFile& read);

}  // namespace annals::server
