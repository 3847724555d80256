#include "event/cursor.hpp"

#include <array>

namespace annals {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::int8_t, 256> make_values() {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t place = 0; place < alphabet.size(); ++place) {
    values[static_cast<unsigned char>(alphabet[place])] = static_cast<std::int8_t>(place);
  }
  return values;
}
constexpr auto values = make_values();

std::string encode(std::string_view bytes) {
  std::string text;
  std::uint32_t bits = 0;
  int count = 0;
  for (char byte : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(byte);
    count += 8;
    while (count >= 6) {
      count -= 6;
      text += alphabet[(bits >> count) & 63];
    }
  }
  if (count > 0) text += alphabet[(bits << (6 - count)) & 63];
  return text;
}

std::optional<std::string> decode(std::string_view text) {
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (char character : text) {
    const int value = values[static_cast<unsigned char>(character)];
    if (value < 0) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>(bits >> count);
    }
  }
  // One spelling for each cursor: no lone character, no bits beyond the last byte.
  if (count == 6 || (bits & ((1u << count) - 1)) != 0) return std::nullopt;
  return bytes;
}

}  // namespace

std::string Cursor::to_text() const {
  if (is_start()) return "0";
  std::string bytes;
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(epoch >> shift);
  for (std::uint64_t rest = position.value; rest != 0; rest >>= 8) bytes += static_cast<char>(rest);
  return encode(bytes);
}

std::optional<Cursor> Cursor::from_text(std::string_view text) {
  if (text == "0") return Cursor{};
  const auto bytes = decode(text);
  if (!bytes || bytes->size() < 5 || bytes->size() > 12 || bytes->back() == 0) return std::nullopt;
  Cursor cursor;
  for (std::size_t place = 0; place < bytes->size(); ++place) {
    const std::uint64_t byte = static_cast<unsigned char>((*bytes)[place]);
    if (place < 4) {
      cursor.epoch |= static_cast<std::uint32_t>(byte << (8 * place));
    } else {
      cursor.position.value |= byte << (8 * (place - 4));
    }
  }
  if (cursor.epoch == 0) return std::nullopt;
  return cursor;
}

}  // namespace annals
