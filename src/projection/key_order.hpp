#pragma once
// The order of keys, which is that of their bytes; a search in a tree compares a dozen times. Pure; no thread rule.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/byte_words.hpp"

namespace annals::projection {

/// Below 0, 0, above 0, as `left` comes before `right`, is equal or comes after. As std::string_view::compare, which
/// calls a function for texts of any length: most keys are short, and eight bytes of them are compared at once here.
[[nodiscard]] inline int compare_keys(std::string_view left, std::string_view right) {
  constexpr std::size_t short_bytes = 32;
  const std::size_t both = std::min(left.size(), right.size());
  if (both < sizeof(std::uint64_t) || both > short_bytes) return left.compare(right);
  static_assert(std::endian::native == std::endian::little);
  for (std::size_t at = 0;; at = std::min(at + 8, both - 8)) {  // the last eight bytes may have been compared in part
    const std::uint64_t one = __builtin_bswap64(load_word(left.data() + at));
    const std::uint64_t other = __builtin_bswap64(load_word(right.data() + at));
    if (one != other) return one < other ? -1 : 1;
    if (at == both - 8) break;
  }
  return left.size() < right.size() ? -1 : left.size() > right.size() ? 1 : 0;
}

}  // namespace annals::projection
