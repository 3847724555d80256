#include "base/decimal.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "base/invariant.hpp"

namespace annals {
namespace {

__extension__ using Wide = unsigned __int128;

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char digit) { return digit >= '0' && digit <= '9'; });
}

Wide number_of(std::string_view digits) {
  constexpr std::size_t of_a_word = 19;  // digits that are less than 2^64
  const auto read = [](std::string_view some) {
    std::uint64_t number = 0;
    for (char digit : some) number = number * 10 + static_cast<unsigned>(digit - '0');
    return number;
  };
  if (digits.size() <= of_a_word) return read(digits);
  Wide number = read(digits.substr(0, of_a_word));
  for (char digit : digits.substr(of_a_word)) number = number * 10 + static_cast<unsigned>(digit - '0');
  return number;
}

constexpr Wide power_of_ten(std::size_t exponent) {
  Wide power = 1;
  for (std::size_t digit = 0; digit < exponent; ++digit) power *= 10;
  return power;
}

constexpr auto powers_of_ten = [] {
  std::array<Wide, Decimal::digits_max + 1> powers{};
  for (std::size_t exponent = 0; exponent < powers.size(); ++exponent) powers[exponent] = power_of_ten(exponent);
  return powers;
}();

constexpr Wide one = power_of_ten(Decimal::digits_max);  // in units of a fraction; also what a whole stays below

// Products and quotients are worked out in digits to the base of 10^19, least first, so that the point stands between
// two of them and nothing has to be divided to move it.
constexpr std::uint64_t base = 10'000'000'000'000'000'000u;

template <std::size_t size>
using Digits = std::array<std::uint64_t, size>;

Digits<4> digits_to_base(Wide whole, Wide fraction) {
  const auto low = [](Wide number) { return static_cast<std::uint64_t>(number % base); };
  const auto high = [](Wide number) { return static_cast<std::uint64_t>(number / base); };
  return {low(fraction), high(fraction), low(whole), high(whole)};
}

/// The digits that count: those below the leading zeros.
template <std::size_t size>
std::size_t length_of(const Digits<size>& digits) {
  std::size_t length = size;
  while (length > 0 && digits[length - 1] == 0) --length;
  return length;
}

Digits<8> product(const Digits<4>& left, const Digits<4>& right) {
  Digits<8> result{};
  for (std::size_t i = 0; i < 4; ++i) {
    if (left[i] == 0) continue;
    Wide carry = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      carry += static_cast<Wide>(left[i]) * right[j] + result[i + j];  // below 10^38
      result[i + j] = static_cast<std::uint64_t>(carry % base);
      carry /= base;
    }
    result[i + 4] = static_cast<std::uint64_t>(carry);
  }
  return result;
}

/// Multiplies by a number below the base; there is room for what is carried.
template <std::size_t size>
void scale(Digits<size>& digits, std::uint64_t by) {
  Wide carry = 0;
  for (std::uint64_t& digit : digits) {
    carry += static_cast<Wide>(digit) * by;
    digit = static_cast<std::uint64_t>(carry % base);
    carry /= base;
  }
}

template <std::size_t size>
void add_one(Digits<size>& digits) {
  for (std::uint64_t& digit : digits) {
    if (++digit < base) return;
    digit = 0;
  }
}

/// `rest` becomes the remainder, and the quotient is the result. Long division as on paper, a digit at a time (Knuth,
/// The Art of Computer Programming 2, 4.3.1, algorithm D). The divisor is not zero; both are scaled so that its first
/// digit is at least half of the base, where it has more than one.
Digits<8> divide(Digits<8>& rest, const Digits<5>& divisor) {
  Digits<8> quotient{};
  const std::size_t length = length_of(divisor);
  const std::uint64_t first = divisor[length - 1];
  for (std::size_t place = 8 - length; place-- > 0;) {
    // A guess by the first digits, which is at most two too large.
    const Wide beginning = static_cast<Wide>(rest[place + length]) * base + rest[place + length - 1];
    Wide guess = beginning / first;
    Wide left = beginning % first;
    while (guess >= base || (length > 1 && guess * divisor[length - 2] > left * base + rest[place + length - 2])) {
      --guess;
      left += first;
      if (left >= base) break;
    }
    const auto times_divisor = [&](auto change) {
      Wide carry = 0;
      for (std::size_t digit = 0; digit <= length; ++digit) {
        if (digit < length) carry += guess * divisor[digit];
        carry = carry / base + change(rest[place + digit], static_cast<std::uint64_t>(carry % base));
      }
      return carry;
    };
    const Wide borrowed = times_divisor([](std::uint64_t& digit, std::uint64_t by) -> Wide {
      const bool borrows = digit < by;
      digit = borrows ? digit + (base - by) : digit - by;
      return borrows ? 1 : 0;
    });
    if (borrowed > 0) {  // one too large after all
      --guess;
      bool carries = false;
      for (std::size_t digit = 0; digit <= length; ++digit) {
        const Wide sum = static_cast<Wide>(rest[place + digit]) + (digit < length ? divisor[digit] : 0) + carries;
        carries = sum >= base;
        rest[place + digit] = static_cast<std::uint64_t>(sum % base);
      }
    }
    quotient[place] = static_cast<std::uint64_t>(guess);
  }
  return quotient;
}

using DigitsOfWide = std::array<char, Decimal::digits_max>;

/// All digits of a number below 10^38, with zeros before them. A division of 128 bits is dear, so there is one at most.
DigitsOfWide digits_of(Wide number) {
  DigitsOfWide digits;
  digits.fill('0');
  const auto write = [&](std::uint64_t half, std::size_t end) {
    for (; half > 0; half /= 10) digits[--end] = static_cast<char>('0' + half % 10);
  };
  const auto high = number < base ? std::uint64_t{0} : static_cast<std::uint64_t>(number / base);
  write(high, digits.size() / 2);
  write(static_cast<std::uint64_t>(number - Wide{high} * base), digits.size());
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
    decimal.fraction_ *= powers_of_ten[digits_max - fraction.size()];
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

Decimal Decimal::negated() const {
  Decimal result = *this;
  result.negative_ = !negative_ && !is_zero();
  return result;
}

std::optional<Decimal> Decimal::sum_of_magnitudes(const Decimal& other) const {
  Decimal sum;
  sum.fraction_ = fraction_ + other.fraction_;
  sum.whole_ = whole_ + other.whole_;
  if (sum.fraction_ >= one) {
    sum.fraction_ -= one;
    ++sum.whole_;
  }
  if (sum.whole_ >= one) return std::nullopt;
  return sum;
}

std::optional<Decimal> Decimal::plus(const Decimal& other) const {
  if (negative_ == other.negative_) {
    auto sum = sum_of_magnitudes(other);
    if (sum) sum->negative_ = negative_;
    return sum;
  }
  const bool is_larger = whole_ != other.whole_ ? whole_ > other.whole_ : fraction_ >= other.fraction_;
  const Decimal& larger = is_larger ? *this : other;
  const Decimal& smaller = is_larger ? other : *this;
  const bool borrows = larger.fraction_ < smaller.fraction_;
  Decimal difference;
  difference.fraction_ = larger.fraction_ + (borrows ? one : 0) - smaller.fraction_;
  difference.whole_ = larger.whole_ - smaller.whole_ - (borrows ? 1 : 0);
  difference.negative_ = larger.negative_ && !difference.is_zero();
  return difference;
}

std::optional<Decimal> Decimal::minus(const Decimal& other) const {
  return plus(other.negated());
}

std::optional<Decimal> Decimal::times(const Decimal& other) const {
  Digits<8> digits = product(digits_to_base(whole_, fraction_), digits_to_base(other.whole_, other.fraction_));
  // In units of 10^-76; the two lowest digits go.
  const bool rounds_up = digits[1] >= base / 2;
  digits[0] = digits[1] = base - 1;
  if (rounds_up) add_one(digits);
  if (digits[6] != 0 || digits[7] != 0) return std::nullopt;
  Decimal result;
  result.fraction_ = static_cast<Wide>(digits[3]) * base + digits[2];
  result.whole_ = static_cast<Wide>(digits[5]) * base + digits[4];
  result.negative_ = negative_ != other.negative_ && !result.is_zero();
  return result;
}

std::optional<Decimal> Decimal::over(const Decimal& other) const {
  if (other.is_zero()) return std::nullopt;
  const Digits<4> dividend = digits_to_base(whole_, fraction_);
  const Digits<4> by = digits_to_base(other.whole_, other.fraction_);
  Digits<8> rest{0, 0, dividend[0], dividend[1], dividend[2], dividend[3], 0, 0};
  Digits<5> divisor{by[0], by[1], by[2], by[3], 0};
  const std::uint64_t factor = base / (divisor[length_of(divisor) - 1] + 1);
  scale(rest, factor);
  scale(divisor, factor);
  Digits<8> digits = divide(rest, divisor);
  scale(rest, 2);
  const bool rounds_up = !std::ranges::lexicographical_compare(
      rest.rbegin() + 3, rest.rend(), divisor.rbegin(), divisor.rend());  // the rest has no digits above the divisor's
  if (rounds_up) add_one(digits);
  if (digits[4] != 0 || digits[5] != 0) return std::nullopt;
  Decimal result;
  result.fraction_ = static_cast<Wide>(digits[1]) * base + digits[0];
  result.whole_ = static_cast<Wide>(digits[3]) * base + digits[2];
  result.negative_ = negative_ != other.negative_ && !result.is_zero();
  return result;
}

std::optional<Decimal> Decimal::rounded(std::size_t places) const {
  INVARIANT(places <= digits_max, "a decimal has no more places");
  const Wide unit = power_of_ten(digits_max - places);
  const Wide rest = fraction_ % unit;
  Decimal result = *this;
  result.fraction_ -= rest;
  if (rest >= unit - rest && rest > 0) result.fraction_ += unit;
  if (result.fraction_ >= one) {
    result.fraction_ -= one;
    if (++result.whole_ >= one) return std::nullopt;
  }
  result.negative_ = negative_ && !result.is_zero();
  return result;
}

std::optional<std::int64_t> Decimal::to_integer() const {
  constexpr Wide most = std::numeric_limits<std::int64_t>::max();
  if (fraction_ != 0 || whole_ > most + (negative_ ? 1 : 0)) return std::nullopt;
  const auto magnitude = static_cast<std::uint64_t>(whole_);
  return static_cast<std::int64_t>(negative_ ? ~magnitude + 1 : magnitude);
}

std::string Decimal::to_text() const {
  std::string text;
  if (negative_) text += '-';
  const DigitsOfWide whole = digits_of(whole_);
  const std::string_view whole_digits(whole.data(), whole.size());
  text += whole_digits.substr(std::min(whole_digits.find_first_not_of('0'), whole.size() - 1));
  if (fraction_ == 0) return text;
  const DigitsOfWide fraction = digits_of(fraction_);
  const std::string_view fraction_digits(fraction.data(), fraction.size());
  text += '.';
  text += fraction_digits.substr(0, fraction_digits.find_last_not_of('0') + 1);
  return text;
}

}  // namespace annals
