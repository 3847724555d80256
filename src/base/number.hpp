#pragma once
// Counts that must not be swapped are different types: StreamVersion{3}, Position{9120}.
// Immutable values; no thread rule.

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace annals {

template <class Tag>
struct Number {
  std::uint64_t value = 0;

  constexpr Number() = default;
  constexpr explicit Number(std::uint64_t number) : value(number) {}

  [[nodiscard]] constexpr Number next() const { return Number{value + 1}; }
  [[nodiscard]] constexpr Number plus(std::uint64_t count) const { return Number{value + count}; }
  constexpr auto operator<=>(const Number&) const = default;
};

template <class Tag>
[[nodiscard]] std::string to_string(Number<Tag> number) {
  return std::to_string(number.value);
}

/// A place in a stream: 1, 2, 3, ... without gaps; 0 is "before the first event".
using StreamVersion = Number<struct StreamVersionTag>;

/// A place in the order of a store (of one shard of it): it grows in the order in which events were made durable; 0 is
/// "before the first event". Compare positions of one shard only.
using Position = Number<struct PositionTag>;

}  // namespace annals

template <class Tag>
struct std::hash<annals::Number<Tag>> {
  std::size_t operator()(annals::Number<Tag> number) const noexcept { return std::hash<std::uint64_t>{}(number.value); }
};
