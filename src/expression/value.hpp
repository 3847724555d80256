#pragma once
// The values of expressions, and their types. Values are copied freely; a text is a view of something that outlives it.
// No thread rule.

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>
#include <variant>

#include "base/decimal.hpp"

namespace annals::expression {

enum class Type : std::uint8_t {
  nothing,  ///< of null, which is of every type
  boolean,
  integer,  ///< 64 bits, signed
  decimal,  ///< exact; integers are taken, too
  number,   ///< a double: compared and converted, not reckoned with
  text,
  date,       ///< as its text, "2026-02-12", so that the order of texts is that of the days
  timestamp,  ///< as its text in UTC, with what it has of microseconds: "2026-02-12T10:00:00Z"
};
/// "nothing", "boolean", ..., "double", ...
[[nodiscard]] std::string_view to_string(Type type);

/// std::monostate is null. Dates and timestamps are texts.
using Value = std::variant<std::monostate, bool, std::int64_t, Decimal, double, std::string_view>;

[[nodiscard]] inline bool is_null(const Value& value) {
  return value.index() == 0;
}

/// Why there is no value.
struct Trouble {
  std::string_view what;  ///< a sentence without its full stop, which tells no value; of static storage

  bool operator==(const Trouble&) const = default;
};

using Outcome = std::expected<Value, Trouble>;

}  // namespace annals::expression
