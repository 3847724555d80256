#pragma once
// The classes of characters that HTTP is made of (RFC 9110 section 5.6, RFC 9112), as tables: one look a byte.
// Pure functions; no thread rule.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/byte_words.hpp"

namespace annals::http {

namespace characters {

using Table = std::array<bool, 256>;

constexpr Table table_of(std::string_view members) {
  Table table{};
  for (char character : members) table[static_cast<unsigned char>(character)] = true;
  return table;
}

inline constexpr Table token =
    table_of("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

/// What may stand in a line: tabs, blanks, visible characters and bytes beyond ASCII; no other control character.
inline constexpr Table text = [] {
  Table table{};
  for (unsigned number = 0x20; number < 256; ++number) table[number] = number != 0x7f;
  table['\t'] = true;
  return table;
}();

/// What an authority may be made of (RFC 3986 section 3.2, without user information).
inline constexpr Table authority =
    table_of("-._~!$&'()*+,;=:%[]0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

[[nodiscard]] constexpr bool in(const Table& table, char character) {
  return table[static_cast<unsigned char>(character)];
}

[[nodiscard]] constexpr bool all_in(const Table& table, std::string_view characters_of_text) {
  for (char character : characters_of_text) {
    if (!in(table, character)) return false;
  }
  return true;
}

/// Where the first byte of `bytes`, from `begin` on, stands that is not in `text`; `end` when there is none. Eight at a
/// time, for all the heads of requests come by here.
[[nodiscard]] inline std::size_t find_not_text(const char* bytes, std::size_t begin, std::size_t end) {
  // As has_byte_below: of the bytes that it names the lowest is one.
  const auto below = [](std::uint64_t word, std::uint64_t limit) {
    return (word - every_byte * limit) & ~word & every_byte * 0x80;
  };
  while (end - begin >= 8) {
    const std::uint64_t word = load_word(bytes + begin);
    const std::uint64_t named = below(word, 0x20) | below(word ^ every_byte * 0x7f, 1);
    begin += named == 0 ? 8 : static_cast<std::size_t>(std::countr_zero(named)) / 8;
    if (named == 0) continue;
    if (bytes[begin] != '\t') return begin;
    ++begin;
  }
  while (begin < end && in(text, bytes[begin])) ++begin;
  return begin;
}

}  // namespace characters

[[nodiscard]] constexpr bool is_token(std::string_view text) {
  return !text.empty() && characters::all_in(characters::token, text);
}

[[nodiscard]] constexpr bool is_blank(char character) {
  return character == ' ' || character == '\t';
}

/// Without the blanks and tabs around it.
[[nodiscard]] constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

[[nodiscard]] constexpr char to_lower(char character) {
  return character >= 'A' && character <= 'Z' ? static_cast<char>(character + ('a' - 'A')) : character;
}

/// The value of a hexadecimal digit, or -1.
[[nodiscard]] constexpr int hex_digit_value(char character) {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  if (character >= 'A' && character <= 'F') return character - 'A' + 10;
  return -1;
}

}  // namespace annals::http
