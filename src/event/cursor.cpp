#include "event/cursor.hpp"

#include <array>

#include "base/base64url.hpp"

namespace annals {

std::string Cursor::to_text() const {
  if (is_start()) return "0";
  std::array<char, 12> bytes;
  std::size_t size = 0;
  for (int shift = 0; shift < 32; shift += 8) bytes[size++] = static_cast<char>(epoch >> shift);
  for (std::uint64_t rest = position.value; rest != 0; rest >>= 8) bytes[size++] = static_cast<char>(rest);
  return to_base64url({bytes.data(), size});
}

std::optional<Cursor> Cursor::from_text(std::string_view text) {
  if (text == "0") return Cursor{};
  const auto bytes = from_base64url(text);
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
