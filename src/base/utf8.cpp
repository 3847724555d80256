#include "base/utf8.hpp"

#include "base/byte_words.hpp"

namespace annals {
namespace {

bool is_between(char character, unsigned char first, unsigned char last) {
  const auto byte = static_cast<unsigned char>(character);
  return byte >= first && byte <= last;
}

bool is_continuation(char character) {
  return is_between(character, 0x80, 0xbf);
}

/// The bytes that may follow the first one differ for a few first bytes (RFC 3629 section 4); the others follow freely.
bool second_byte_suits(char first, char second) {
  switch (static_cast<unsigned char>(first)) {
    case 0xe0: return is_between(second, 0xa0, 0xbf);  // shorter forms exist below
    case 0xed: return is_between(second, 0x80, 0x9f);  // surrogates above
    case 0xf0: return is_between(second, 0x90, 0xbf);
    case 0xf4: return is_between(second, 0x80, 0x8f);  // U+10FFFF is the last
    default: return is_continuation(second);
  }
}

/// ASCII without control characters.
bool is_plain(std::uint64_t word) {
  return !has_high_byte(word) && !has_byte_below(word, 0x20) && !has_byte(word, 0x7f);
}

}  // namespace

std::size_t utf8_character_bytes(std::string_view text) {
  if (text.empty()) return 0;
  const char first = text.front();
  if (is_between(first, 0x00, 0x7f)) return 1;
  std::size_t length = 0;
  if (is_between(first, 0xc2, 0xdf)) length = 2;
  if (is_between(first, 0xe0, 0xef)) length = 3;
  if (is_between(first, 0xf0, 0xf4)) length = 4;
  if (length == 0 || text.size() < length || !second_byte_suits(first, text[1])) return 0;
  for (char rest : text.substr(2, length - 2)) {
    if (!is_continuation(rest)) return 0;
  }
  return length;
}

bool is_utf8(std::string_view text) {
  const char* const last_word = text.size() >= 8 ? text.data() + text.size() - 8 : nullptr;
  while (!text.empty()) {
    if (last_word != nullptr && text.size() < 8 && !has_high_byte(load_word(last_word))) return true;
    if (text.size() >= 8 && !has_high_byte(load_word(text.data()))) {
      text.remove_prefix(8);
      continue;
    }
    const std::size_t length = utf8_character_bytes(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

bool is_utf8_without_controls(std::string_view text) {
  const char* const last_word = text.size() >= 8 ? text.data() + text.size() - 8 : nullptr;
  while (!text.empty()) {
    // What is left over is looked at together with what is known already.
    if (last_word != nullptr && text.size() < 8 && is_plain(load_word(last_word))) return true;
    if (text.size() >= 8 && is_plain(load_word(text.data()))) {
      text.remove_prefix(8);
      continue;
    }
    const std::size_t length = utf8_character_bytes(text);
    if (length == 0) return false;
    if (length == 1 && (is_between(text[0], 0x00, 0x1f) || text[0] == 0x7f)) return false;
    if (length == 2 && is_between(text[0], 0xc2, 0xc2) && is_between(text[1], 0x80, 0x9f)) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace annals
