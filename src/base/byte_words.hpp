#pragma once
// Looking at eight bytes of text at once. Pure functions; no thread rule.
//
// Source: "Bit Twiddling Hacks" (Sean Eron Anderson), "Determine if a word has a byte less than n" and "equal to n".
// A byte may be named wrongly when a lower one is named too, so the answers are for the whole word only.

#include <cstdint>
#include <cstring>

namespace annals {

inline constexpr std::uint64_t every_byte = 0x0101010101010101;

[[nodiscard]] inline std::uint64_t load_word(const char* bytes) {
  std::uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

/// True when one of the word's bytes is below `limit`, which is at most 128.
[[nodiscard]] constexpr bool has_byte_below(std::uint64_t word, std::uint8_t limit) {
  return ((word - every_byte * limit) & ~word & every_byte * 0x80) != 0;
}

[[nodiscard]] constexpr bool has_byte(std::uint64_t word, std::uint8_t byte) {
  return has_byte_below(word ^ (every_byte * byte), 1);
}

/// True when one of the word's bytes is 128 or more.
[[nodiscard]] constexpr bool has_high_byte(std::uint64_t word) {
  return (word & every_byte * 0x80) != 0;
}

}  // namespace annals
