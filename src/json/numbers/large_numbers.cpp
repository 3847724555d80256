#include "json/numbers/large_numbers.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace annals::json {
namespace {

constexpr std::int64_t double_exponent_max = 308;
constexpr std::int64_t double_exponent_min = -400;  // well below the least double there is
constexpr std::int64_t exponent_bound = 1'000'000'000'000;
constexpr std::string_view largest = "1.7976931348623157e308";

bool is_digit(char character) {
  return character >= '0' && character <= '9';
}

/// What may stand in a number, so that a token is taken whole before it is judged.
bool is_of_number(char character) {
  return is_digit(character) || character == '+' || character == '-' || character == '.' || character == 'e' ||
         character == 'E';
}

std::string_view take_digits(std::string_view& rest) {
  const auto count = static_cast<std::size_t>(std::find_if_not(rest.begin(), rest.end(), is_digit) - rest.begin());
  const std::string_view digits = rest.substr(0, count);
  rest.remove_prefix(count);
  return digits;
}

bool take(std::string_view& rest, std::string_view any_of) {
  if (rest.empty() || any_of.find(rest.front()) == std::string_view::npos) return false;
  rest.remove_prefix(1);
  return true;
}

/// The parts of a number.
struct Parts {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  bool is_whole = true;  ///< has neither fraction nor exponent
  std::int64_t exponent = 0;

  /// The power of ten of its first digit that is not zero; nullopt for zero.
  [[nodiscard]] std::optional<std::int64_t> magnitude() const {
    if (const std::size_t place = whole.find_first_not_of('0'); place != std::string_view::npos)
      return static_cast<std::int64_t>(whole.size() - place) - 1 + exponent;
    if (const std::size_t place = fraction.find_first_not_of('0'); place != std::string_view::npos)
      return -static_cast<std::int64_t>(place) - 1 + exponent;
    return std::nullopt;
  }
};

/// nullopt for what is not a number by RFC 8259.
std::optional<Parts> parts_of(std::string_view token) {
  Parts parts;
  parts.negative = take(token, "-");
  parts.whole = take_digits(token);
  if (parts.whole.empty() || (parts.whole.size() > 1 && parts.whole.front() == '0')) return std::nullopt;
  if (take(token, ".")) {
    parts.is_whole = false;
    parts.fraction = take_digits(token);
    if (parts.fraction.empty()) return std::nullopt;
  }
  if (take(token, "eE")) {
    parts.is_whole = false;
    const bool negative = token.starts_with('-');
    (void)take(token, "+-");
    const std::string_view digits = take_digits(token);
    if (digits.empty()) return std::nullopt;
    for (char digit : digits) parts.exponent = std::min(parts.exponent * 10 + (digit - '0'), exponent_bound);
    if (negative) parts.exponent = -parts.exponent;
  }
  if (!token.empty()) return std::nullopt;
  return parts;
}

bool overflows(std::string_view token, std::int64_t magnitude) {
  if (magnitude != double_exponent_max) return magnitude > double_exponent_max;
  double ignored = 0;
  return std::from_chars(token.data(), token.data() + token.size(), ignored).ec == std::errc::result_out_of_range;
}

/// Of a whole number: whether one of 64 bits, with or without a sign, is it.
bool fits_a_word(std::string_view token, bool negative) {
  std::int64_t with_sign = 0;
  std::uint64_t without_sign = 0;
  const char* end = token.data() + token.size();
  return (negative ? std::from_chars(token.data(), end, with_sign).ec
                   : std::from_chars(token.data(), end, without_sign).ec) == std::errc{};
}

/// What to write for a token, and whether it overflowed; nullopt when it may stay.
std::optional<FittingNumbers> replacement_of(std::string_view token) {
  const auto parts = parts_of(token);
  if (!parts) return std::nullopt;
  const std::string sign = parts->negative ? "-" : "";
  const auto magnitude = parts->magnitude();
  if (!magnitude || *magnitude < double_exponent_min) {
    if (parts->exponent == 0 && parts->is_whole) return std::nullopt;
    return FittingNumbers{sign + "0.0"};
  }
  if (overflows(token, *magnitude)) return FittingNumbers{sign + std::string(largest), true};
  if (parts->is_whole && !fits_a_word(token, parts->negative)) return FittingNumbers{std::string(token) + ".0"};
  return std::nullopt;
}

/// Where the string that begins at `begin` ends, after its closing quote.
std::size_t end_of_string(std::string_view text, std::size_t begin) {
  std::size_t place = begin + 1;
  while (place < text.size() && text[place] != '"') place += text[place] == '\\' ? 2 : 1;
  return std::min(place + 1, text.size());
}

}  // namespace

std::optional<FittingNumbers> with_numbers_that_fit(std::string_view text) {
  std::optional<FittingNumbers> out;
  std::size_t copied = 0;  // up to here `text` is in `out`
  for (std::size_t place = 0; place < text.size();) {
    if (text[place] == '"') {
      place = end_of_string(text, place);
    } else if (is_digit(text[place]) || text[place] == '-') {
      const std::size_t begin = place;
      while (place < text.size() && is_of_number(text[place])) ++place;
      const auto replacement = replacement_of(text.substr(begin, place - begin));
      if (!replacement) continue;
      if (!out) out.emplace().text.reserve(text.size() + text.size() / 8);
      out->text.append(text.substr(copied, begin - copied)).append(replacement->text);
      out->overflowed = out->overflowed || replacement->overflowed;
      copied = place;
    } else {
      ++place;
    }
  }
  if (out) out->text.append(text.substr(copied));
  return out;
}

}  // namespace annals::json
