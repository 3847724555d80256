#include "base/base64url.hpp"

#include <array>
#include <cstdint>

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

}  // namespace

std::string to_base64url(std::string_view bytes) {
  std::string text((bytes.size() * 4 + 2) / 3, '\0');
  char* at = text.data();
  std::size_t place = 0;
  const auto bits_of = [&](std::size_t index) -> std::uint32_t { return static_cast<unsigned char>(bytes[index]); };
  for (; bytes.size() - place >= 3; place += 3) {
    const std::uint32_t bits = bits_of(place) << 16 | bits_of(place + 1) << 8 | bits_of(place + 2);
    *at++ = alphabet[bits >> 18];
    *at++ = alphabet[bits >> 12 & 63];
    *at++ = alphabet[bits >> 6 & 63];
    *at++ = alphabet[bits & 63];
  }
  const std::size_t left = bytes.size() - place;
  if (left == 0) return text;
  const std::uint32_t bits = bits_of(place) << 16 | (left == 2 ? bits_of(place + 1) << 8 : 0);
  *at++ = alphabet[bits >> 18];
  *at++ = alphabet[bits >> 12 & 63];
  if (left == 2) *at = alphabet[bits >> 6 & 63];
  return text;
}

std::optional<std::string> from_base64url(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
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
  // One spelling: no lone character, no bits beyond the last byte.
  if (count == 6 || (bits & ((1u << count) - 1)) != 0) return std::nullopt;
  return bytes;
}

}  // namespace annals
