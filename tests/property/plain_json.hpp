#pragma once
// JSON as the naive reference has it: a value that owns all of its parts, read and written by code of its own, because
// what the program makes of JSON is among what is compared. Values; pure functions.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace annals::property {

struct Json {
  enum class Kind : std::uint8_t { null, boolean, number, text, array, object };

  Kind kind = Kind::null;
  bool truth = false;
  std::string text;  ///< of a number as it is written; of a text without quotes and escapes
  std::vector<Json> elements;
  std::map<std::string, Json> members;

  [[nodiscard]] bool is_null() const { return kind == Kind::null; }
  /// The member of this name; null when there is none.
  [[nodiscard]] const Json& at(const std::string& name) const;
  /// What a number, a boolean (1 and 0) or the text of a number is worth.
  [[nodiscard]] double worth() const;
};

[[nodiscard]] Json json_text(std::string text);
[[nodiscard]] Json json_object(std::map<std::string, Json> members);

/// nullopt of what is not one JSON value.
[[nodiscard]] std::optional<Json> parsed(std::string_view text);
/// The same of JSON that is known to be good.
[[nodiscard]] Json json_of(std::string_view text);
[[nodiscard]] std::string written(const Json& value);

/// Equal as values: members in any order, numbers by what they are worth.
[[nodiscard]] bool same(const Json& left, const Json& right);

/// RFC 7396.
[[nodiscard]] Json merged(const Json& target, const Json& patch);

}  // namespace annals::property
