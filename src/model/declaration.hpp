#pragma once
// Declared: what a file of declarations (TOML 1.0) says, as a tree of values that each know where they stand, so that
// whoever refuses one can point at it. Immutable.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"

namespace annals::model {

/// The text of a file, for errors that show a line of it.
struct DeclaredSource {
  std::string path;  ///< as it was given
  std::string text;
};

/// Where something stands.
struct Place {
  std::shared_ptr<const DeclaredSource> source;  ///< shared by all that stands in the file
  std::size_t line = 0;                          ///< from 1
  std::size_t column = 0;                        ///< from 1, in characters

  /// "annals.toml:3:9"
  [[nodiscard]] std::string to_text() const;
};

struct DeclaredMember;

struct Declared {
  using List = std::vector<Declared>;
  using Table = std::vector<DeclaredMember>;  ///< in the order of the file

  /// A date or a time of TOML, by its text.
  struct Moment {
    std::string text;
  };
  std::variant<bool, std::int64_t, double, std::string, Moment, List, Table> value;
  Place place;

  /// The value if it is a T, or nullptr.
  template <class T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&value);
  }
  /// "boolean", "integer", "floating-point", "string", "date or time", "array", "table".
  [[nodiscard]] std::string_view kind() const;
  /// The member of a table, or nullptr when there is none or this is no table.
  [[nodiscard]] const Declared* find(std::string_view name) const;
};

/// Appends the value as JSON; dates and times as text.
void append_json(std::string& out, const Declared& value);

struct DeclaredMember {
  std::string name;
  Place place;  ///< of the name
  Declared value;
};

/// Reads a whole file; `path` is for errors. The result is a table. Errors: usage, as `refuse`.
[[nodiscard]] Result<Declared> read_declarations(std::string text, std::string path);

/// An error (usage) at a place: "annals.toml:3:9: " and `what`, then the line with a caret below it. Of the line
/// nothing is shown that may be a secret; the rule is in shown_line.hpp.
[[nodiscard]] std::unexpected<Error> refuse(const Place& place, const std::string& what);

/// The same of a value that is known to be no secret, whatever its key is: it is shown.
[[nodiscard]] std::unexpected<Error> refuse_harmless(const Place& place, const std::string& what);

/// As refuse, at the byte `offset` of a text that was declared: the caret is below the character, where the text stands
/// on one line of the file; else below its beginning, and the message tells the character.
[[nodiscard]] std::unexpected<Error> refuse_within(const Declared& text, std::size_t offset, const std::string& what);

}  // namespace annals::model
