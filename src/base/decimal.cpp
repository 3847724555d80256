#include "base/decimal.hpp"

#include <algorithm>

namespace annals {
namespace {

__extension__ using Wide = unsigned __int128;

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char digit) { return digit >= '0' && digit <= '9'; });
}

Wide number_of(std::string_view digits) {
  Wide number = 0;
  for (char digit : digits) number = number * 10 + static_cast<unsigned>(digit - '0');
  return number;
}

std::string digits_of(Wide number) {
  std::string digits;
  do {
    digits += static_cast<char>('0' + static_cast<int>(number % 10));
    number /= 10;
  } while (number > 0);
  std::ranges::reverse(digits);
  return digits;
}

}  // namespace

std::optional<Decimal> Decimal::from_text(std::string_view text) {
  Decimal decimal;
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  if (!all_digits(whole) || whole.size() > digits_max || (whole.size() > 1 && whole.front() == '0'))
    return std::nullopt;
  decimal.whole_ = number_of(whole);
  if (point != std::string_view::npos) {
    const std::string_view fraction = text.substr(point + 1);
    if (!all_digits(fraction) || fraction.size() > digits_max) return std::nullopt;
    decimal.fraction_ = number_of(fraction);
    for (std::size_t digit = fraction.size(); digit < digits_max; ++digit) decimal.fraction_ *= 10;
  }
  decimal.negative_ = negative && (decimal.whole_ > 0 || decimal.fraction_ > 0);
  return decimal;
}

Decimal Decimal::from_integer(std::int64_t number) {
  Decimal decimal;
  decimal.negative_ = number < 0;
  // Two's complement: right for the smallest number, too.
  decimal.whole_ = number < 0 ? ~static_cast<std::uint64_t>(number) + Wide{1} : static_cast<Wide>(number);
  return decimal;
}

std::strong_ordering Decimal::operator<=>(const Decimal& other) const {
  if (negative_ != other.negative_) return negative_ ? std::strong_ordering::less : std::strong_ordering::greater;
  const Decimal& small = negative_ ? other : *this;
  const Decimal& large = negative_ ? *this : other;
  if (small.whole_ != large.whole_)
    return small.whole_ < large.whole_ ? std::strong_ordering::less : std::strong_ordering::greater;
  if (small.fraction_ != large.fraction_)
    return small.fraction_ < large.fraction_ ? std::strong_ordering::less : std::strong_ordering::greater;
  return std::strong_ordering::equal;
}

std::string Decimal::to_text() const {
  std::string text = negative_ ? "-" : "";
  text += digits_of(whole_);
  if (fraction_ == 0) return text;
  std::string fraction = digits_of(fraction_);
  fraction.insert(0, digits_max - fraction.size(), '0');
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return text + "." + fraction;
}

}  // namespace annals
