#include "http/request.hpp"

#include <algorithm>
#include <cstring>

#include "base/byte_words.hpp"
#include "http/characters.hpp"

namespace annals::http {
namespace {

/// Eight letters in lower case; what is no letter of ASCII stays. Bytes are looked at by their lower seven bits, so
/// that no sum reaches into the byte beside it.
std::uint64_t lower_word(std::uint64_t word) {
  const std::uint64_t low = word & every_byte * 0x7f;
  const std::uint64_t from_a = low + every_byte * (0x80 - 'A');    // bit 7: 'A' or beyond
  const std::uint64_t beyond_z = low + every_byte * (0x7f - 'Z');  // bit 7: beyond 'Z'
  const std::uint64_t capital = (from_a ^ beyond_z) & ~word & every_byte * 0x80;
  return word | capital >> 2;  // 0x20 is what a small letter has more
}

bool equal_words(const char* left, const char* right) {
  return lower_word(load_word(left)) == lower_word(load_word(right));
}

/// Of four to seven bytes: the first four and the last four.
std::uint64_t short_word(std::string_view text) {
  std::uint32_t first;
  std::uint32_t last;
  std::memcpy(&first, text.data(), sizeof first);
  std::memcpy(&last, text.data() + text.size() - sizeof last, sizeof last);
  return std::uint64_t{first} << 32 | last;
}

/// Of RFC 3986 section 2.3.
bool is_unreserved(char character) {
  const char lower = to_lower(character);
  return (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9') || lower == '-' || lower == '.' ||
         lower == '_' || lower == '~';
}

}  // namespace

std::string_view to_string(Method method) {
  switch (method) {
    case Method::get: return "GET";
    case Method::head: return "HEAD";
    case Method::put: return "PUT";
    case Method::post: return "POST";
    case Method::delete_: return "DELETE";
    case Method::patch: return "PATCH";
    case Method::options: return "OPTIONS";
    case Method::other: break;
  }
  return "other";
}

std::optional<std::string_view> Request::field(std::string_view lower_case_name) const {
  for (const Field& candidate : fields) {
    if (candidate.name.size() != lower_case_name.size()) continue;
    if (equal_ignoring_case(candidate.name, lower_case_name)) return candidate.value;
  }
  return std::nullopt;
}

bool equal_ignoring_case(std::string_view left, std::string_view right) {
  const std::size_t size = left.size();
  if (size != right.size()) return false;
  if (size >= 8) {
    // The last word may begin within the one before.
    for (std::size_t place = 0; place + 8 < size; place += 8) {
      if (!equal_words(left.data() + place, right.data() + place)) return false;
    }
    return equal_words(left.data() + size - 8, right.data() + size - 8);
  }
  if (size >= 4) return lower_word(short_word(left)) == lower_word(short_word(right));
  for (std::size_t place = 0; place < size; ++place) {
    if (to_lower(left[place]) != to_lower(right[place])) return false;
  }
  return true;
}

std::optional<std::string> percent_decode(std::string_view text) {
  if (text.find('%') == std::string_view::npos) return std::string(text);
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t place = 0; place < text.size(); ++place) {
    if (text[place] != '%') {
      decoded += text[place];
      continue;
    }
    if (text.size() - place < 3) return std::nullopt;
    const int high = hex_digit_value(text[place + 1]);
    const int low = hex_digit_value(text[place + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    place += 2;
  }
  return decoded;
}

std::string_view plain_path(std::string_view path, std::string& storage) {
  constexpr std::size_t escape_size = 3;
  bool decodes = false;
  std::size_t copied = 0;  // of the path, so far
  for (std::size_t place = path.find('%'); place != std::string_view::npos; place = path.find('%', place + 1)) {
    if (path.size() - place < escape_size) return path;
    const int high = hex_digit_value(path[place + 1]);
    const int low = hex_digit_value(path[place + 2]);
    if (high < 0 || low < 0) return path;  // else `%%36%31` would become an escape that nobody wrote
    const char character = static_cast<char>(high * 16 + low);
    if (!is_unreserved(character)) continue;
    if (!decodes) storage.clear();
    decodes = true;
    storage.append(path.substr(copied, place - copied)) += character;
    copied = place + escape_size;
  }
  if (!decodes) return path;
  return storage.append(path.substr(copied));
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  const auto unreserved = static_cast<std::size_t>(std::ranges::find_if_not(text, is_unreserved) - text.begin());
  if (unreserved == text.size()) return std::string(text);
  std::string encoded;
  encoded.reserve(text.size() + 16);
  encoded += text.substr(0, unreserved);
  for (char character : text.substr(unreserved)) {
    if (is_unreserved(character)) {
      encoded += character;
      continue;
    }
    const auto byte = static_cast<unsigned char>(character);
    encoded += '%';
    encoded += digits[byte >> 4];
    encoded += digits[byte & 15];
  }
  return encoded;
}

}  // namespace annals::http
