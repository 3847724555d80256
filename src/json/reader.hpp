#pragma once
// Reading JSON (RFC 8259) that comes from outside: one object or array, whole, nothing behind it.
//
// Every token is checked (numbers, literals, UTF-8, escapes, nesting); member names that occur twice are refused,
// because two readers may take different ones; lone surrogates are refused, because they are not text. A number may be
// of any size: a whole one beyond std::int64_t is a std::uint64_t where it is one, any other a double, and one beyond
// the doubles the largest of them.
//
// Source: simdjson's DOM parser, which validates the whole document; its on-demand parser does not.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"

namespace annals::json {

inline constexpr std::size_t depth_max = 64;

struct Null {
  bool operator==(const Null&) const = default;
};

/// An array or an object inside the object that was read, as the text it was given as (without insignificant white
/// space).
struct Nested {
  std::string text;
  bool is_array = false;
};

/// A std::uint64_t is one that no std::int64_t holds.
using Value = std::variant<Null, bool, std::int64_t, double, std::string_view, Nested, std::uint64_t>;

/// "null", "a boolean", "a number", "a string", "an array", "an object".
[[nodiscard]] std::string_view kind_of(const Value& value);

/// Appends the value as JSON.
void append_value(std::string& out, const Value& value);

struct Member {
  std::string_view name;
  Value value;
};

/// The members of an object, in their order.
struct Object {
  std::vector<Member> members;
  bool overflowed = false;  ///< as Reader::overflowed

  /// The member of this name, or nullptr.
  [[nodiscard]] const Value* find(std::string_view name) const;
  /// The text of the member of this name, or nullptr when there is none or it is no string.
  [[nodiscard]] const std::string_view* text(std::string_view name) const;
};

/// Reads objects, one after another; what it gave is valid until the next is read. Confined to one thread at a time.
class Reader {
 public:
  Reader();
  ~Reader();

  /// Errors: invalid ("invalid_json": not JSON; "not_an_object"; "duplicate_member"). The message says what is wrong,
  /// not where the bytes came from.
  [[nodiscard]] Result<Object> read_object(std::string_view text);

  /// As read_object, for an array. Errors: "not_an_array" in the place of "not_an_object".
  [[nodiscard]] Result<std::vector<Value>> read_array(std::string_view text);

  /// Whether a number in what was read last, at whatever depth, was beyond the doubles.
  [[nodiscard]] bool overflowed() const { return overflowed_; }

 private:
  struct Parser;
  bool overflowed_ = false;
  std::unique_ptr<Parser> parser_;
};

/// A reader of the calling thread, for functions that read one object and keep nothing of it.
[[nodiscard]] Reader& thread_reader();

}  // namespace annals::json
