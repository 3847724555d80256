#pragma once
// Text that is its own JSON: what most text is. Pure functions; no thread rule.

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/byte_words.hpp"

namespace annals::json {

/// True for eight bytes of which none is to be escaped.
[[nodiscard]] constexpr bool stands_as_it_is(std::uint64_t word) {
  return !has_byte_below(word, 0x20) && !has_byte(word, '"') && !has_byte(word, '\\');
}

/// True when no byte is to be escaped and none is part of a longer sequence: ASCII that stands in a JSON string as it
/// is. What is left behind the last whole block, or word, is looked at together with bytes before it.
[[nodiscard]] inline bool is_plain(std::string_view text) {
  // Sixteen bytes that are looked at together; compilers turn this into instructions of the processor. They are signed,
  // so that one comparison finds control characters and what is part of a longer sequence.
  using Block = signed char __attribute__((vector_size(16)));
  const auto special_in = [](const char* at) -> Block {
    Block bytes;
    std::memcpy(&bytes, at, sizeof bytes);
    return (bytes < 0x20) | (bytes == '"') | (bytes == '\\');
  };
  const auto is_plain_word = [](const char* at) {
    const std::uint64_t word = load_word(at);
    return stands_as_it_is(word) && !has_high_byte(word);
  };
  const char* at = text.data();
  const char* const end = at + text.size();
  if (text.size() >= sizeof(Block)) {
    const char* const last = end - sizeof(Block);
    Block special = special_in(last);
    for (; last - at >= 3 * std::ptrdiff_t{sizeof(Block)}; at += 4 * sizeof(Block)) {
      special |= special_in(at) | special_in(at + sizeof(Block)) | special_in(at + 2 * sizeof(Block)) |
                 special_in(at + 3 * sizeof(Block));
    }
    for (; at < last; at += sizeof(Block)) special |= special_in(at);
    const auto words = std::bit_cast<std::array<std::uint64_t, 2>>(special);
    return (words[0] | words[1]) == 0;
  }
  if (text.size() >= 8) return is_plain_word(at) && is_plain_word(end - 8);
  for (; at != end; ++at) {
    const auto byte = static_cast<unsigned char>(*at);
    if (byte < 0x20 || byte > 0x7f || byte == '"' || byte == '\\') return false;
  }
  return true;
}

}  // namespace annals::json
