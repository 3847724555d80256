#include "http/request.hpp"

#include <algorithm>

#include "http/characters.hpp"

namespace annals::http {

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
  if (left.size() != right.size()) return false;
  for (std::size_t place = 0; place < left.size(); ++place) {
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

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  const auto is_unreserved = [](char character) {
    const char lower = to_lower(character);
    return (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9') || lower == '-' || lower == '.' ||
           lower == '_' || lower == '~';
  };
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
