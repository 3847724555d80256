#include "base/uuid.hpp"

namespace annals {
namespace {

constexpr char hex_digits[] = "0123456789abcdef";

int hex_value(char character) {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  if (character >= 'A' && character <= 'F') return character - 'A' + 10;
  return -1;
}

bool hyphen_before(std::size_t byte) {
  return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

}  // namespace

void Uuid::append_text(std::string& out) const {
  std::array<char, 36> text;
  char* at = text.data();
  for (std::size_t byte = 0; byte < bytes.size(); ++byte) {
    if (hyphen_before(byte)) *at++ = '-';
    *at++ = hex_digits[bytes[byte] >> 4];
    *at++ = hex_digits[bytes[byte] & 15];
  }
  out.append(text.data(), text.size());
}

std::string Uuid::to_text() const {
  std::string text;
  text.reserve(36);
  append_text(text);
  return text;
}

std::optional<Uuid> Uuid::from_text(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Uuid uuid;
  std::size_t place = 0;
  for (std::size_t byte = 0; byte < uuid.bytes.size(); ++byte) {
    if (hyphen_before(byte) && text[place++] != '-') return std::nullopt;
    const int high = hex_value(text[place++]);
    const int low = hex_value(text[place++]);
    if (high < 0 || low < 0) return std::nullopt;
    uuid.bytes[byte] = static_cast<std::uint8_t>(high * 16 + low);
  }
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
