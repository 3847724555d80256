#pragma once
// The functions of expressions: a catalogue, which the reference page is made from. Each is a line in function.cpp.
// Immutable.

#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "expression/scratch.hpp"
#include "expression/value.hpp"

namespace annals::expression {

struct Function {
  std::string_view name;
  std::string_view usage;     ///< "round(number, places)"
  std::string_view sentence;  ///< for the reference
  std::size_t operands_min;
  std::size_t operands_max;

  /// The type of the result, for operands of these types; else what is expected instead.
  std::expected<Type, std::string> (*type_of)(std::span<const Type> operands);
  /// Of operands that are none of them null; null where it is for the evaluation itself, which looks at no more of them
  /// than it must (if, coalesce).
  Outcome (*call)(std::span<const Value> operands, Scratch& scratch);
  bool asks = false;  ///< the result is false, not null, where an operand is null
};

[[nodiscard]] std::span<const Function> functions();

/// The type that values of both have in common; nullopt when there is none.
[[nodiscard]] std::optional<Type> common_type(Type one, Type other);

/// Of two values of a common type, neither of them null.
[[nodiscard]] std::partial_ordering compare(const Value& left, const Value& right);

/// Whether its values are reckoned with: integers and decimals, and null, which is of every type.
[[nodiscard]] constexpr bool is_exact(Type type) {
  return type == Type::integer || type == Type::decimal || type == Type::nothing;
}

/// The number as a decimal. INVARIANT: it is an integer or a decimal.
[[nodiscard]] Decimal decimal_of(const Value& number);

inline constexpr Trouble beyond_integer{"an integer is beyond 64 bits"};
inline constexpr Trouble beyond_decimal{"a decimal number has more than 38 digits before the point"};
inline constexpr Trouble too_long{"a text is longer than there is room for"};

}  // namespace annals::expression
