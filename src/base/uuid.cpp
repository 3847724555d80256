#include "base/uuid.hpp"

#include <array>
#include <cstring>
#include <utility>

namespace annals {
namespace {

constexpr char hex_digits[] = "0123456789abcdef";
constexpr std::uint8_t no_digit = 0xff;
constexpr std::size_t text_bytes = 36;

constexpr auto hex_values = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(no_digit);
  for (std::uint8_t value = 0; value < 16; ++value) {
    const auto digit = static_cast<unsigned char>(hex_digits[value]);
    values[digit] = value;
    if (value >= 10) values[digit - 'a' + 'A'] = value;
  }
  return values;
}();

/// "00" to "ff", one after another.
constexpr auto byte_texts = [] {
  std::array<char, 512> texts{};
  for (std::size_t byte = 0; byte < 256; ++byte) {
    texts[2 * byte] = hex_digits[byte >> 4];
    texts[2 * byte + 1] = hex_digits[byte & 15];
  }
  return texts;
}();

/// Where the two digits of each byte stand in the text.
constexpr auto places = [] {
  std::array<std::size_t, 16> at{};
  std::size_t place = 0;
  for (std::size_t byte = 0; byte < at.size(); ++byte, place += 2) {
    if (byte == 4 || byte == 6 || byte == 8 || byte == 10) ++place;
    at[byte] = place;
  }
  return at;
}();

template <std::size_t... byte>
void write_digits(const std::array<std::uint8_t, 16>& bytes, char* text, std::index_sequence<byte...>) {
  (std::memcpy(text + places[byte], byte_texts.data() + std::size_t{2} * bytes[byte], 2), ...);
}

/// Beyond 15 when something was no digit.
template <std::size_t... byte>
unsigned read_digits(const char* text, std::array<std::uint8_t, 16>& bytes, std::index_sequence<byte...>) {
  unsigned seen = 0;
  const auto value_of = [&](std::size_t place) {
    const unsigned value = hex_values[static_cast<unsigned char>(text[place])];
    seen |= value;
    return value;
  };
  ((bytes[byte] = static_cast<std::uint8_t>(value_of(places[byte]) * 16 + value_of(places[byte] + 1))), ...);
  return seen;
}

}  // namespace

// Every request gets one written: the places are known when this is compiled, so it is sixteen copies of two bytes.
void Uuid::append_text(std::string& out) const {
  char text[text_bytes];
  for (const std::size_t hyphen : {8u, 13u, 18u, 23u}) text[hyphen] = '-';
  write_digits(bytes, text, std::make_index_sequence<16>());
  out.append(text, text_bytes);
}

std::string Uuid::to_text() const {
  std::string text;
  text.reserve(text_bytes);
  append_text(text);
  return text;
}

std::optional<Uuid> Uuid::from_text(std::string_view text) {
  if (text.size() != text_bytes) return std::nullopt;
  if (text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-') return std::nullopt;
  Uuid uuid;
  if (read_digits(text.data(), uuid.bytes, std::make_index_sequence<16>()) > 15) return std::nullopt;
  return uuid;
}

Uuid Uuid::version_7(Instant time, std::uint64_t random_high, std::uint64_t random_low) {
  Uuid uuid;
  const auto milliseconds = static_cast<std::uint64_t>(time.microseconds / 1000);
  for (std::size_t byte = 0; byte < 6; ++byte)
    uuid.bytes[byte] = static_cast<std::uint8_t>(milliseconds >> (40 - 8 * byte));
  uuid.bytes[6] = static_cast<std::uint8_t>(0x70 | ((random_high >> 8) & 0x0f));
  uuid.bytes[7] = static_cast<std::uint8_t>(random_high);
  for (std::size_t byte = 8; byte < 16; ++byte)
    uuid.bytes[byte] = static_cast<std::uint8_t>(random_low >> (8 * (15 - byte)));
  uuid.bytes[8] = static_cast<std::uint8_t>(0x80 | (uuid.bytes[8] & 0x3f));
  return uuid;
}

}  // namespace annals
