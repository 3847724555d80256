#pragma once
// Decimal: an exact decimal number, up to 38 digits before the point and 38 behind it. Compared by value: 7.5 is 7.50.
// Immutable value; no thread rule.
//
//     const auto price = Decimal::from_text("7.50");   // nullopt for what is no plain decimal number
//     if (price && *price < limit) ...
//     const auto total = price->times(*stock);         // nullopt for what is beyond 38 digits before the point

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace annals {

class Decimal {
 public:
  static constexpr std::size_t digits_max = 38;  ///< on each side of the point

  Decimal() = default;

  /// Reads `-12.50`: a sign or none, digits, and a point with more digits or none of it. No exponent, no leading plus,
  /// no leading zero before another digit. nullopt for anything else, and for more than digits_max digits on a side.
  [[nodiscard]] static std::optional<Decimal> from_text(std::string_view text);
  [[nodiscard]] static Decimal from_integer(std::int64_t number);

  std::strong_ordering operator<=>(const Decimal& other) const;
  bool operator==(const Decimal& other) const = default;

  /// Sums and differences are exact. Of products and quotients what is behind the 38th digit after the point is
  /// rounded, halves away from zero. nullopt for what has more than 38 digits before the point, and of a division by
  /// zero.
  [[nodiscard]] std::optional<Decimal> plus(const Decimal& other) const;
  [[nodiscard]] std::optional<Decimal> minus(const Decimal& other) const;
  [[nodiscard]] std::optional<Decimal> times(const Decimal& other) const;
  [[nodiscard]] std::optional<Decimal> over(const Decimal& other) const;

  /// With no more than `places` digits after the point, halves away from zero. nullopt as above. INVARIANT: `places` is
  /// digits_max at most.
  [[nodiscard]] std::optional<Decimal> rounded(std::size_t places) const;

  [[nodiscard]] Decimal negated() const;
  [[nodiscard]] bool is_negative() const { return negative_; }
  [[nodiscard]] bool is_zero() const { return whole_ == 0 && fraction_ == 0; }

  /// nullopt for what is not whole, or does not fit.
  [[nodiscard]] std::optional<std::int64_t> to_integer() const;

  /// The shortest text of the value: "7.5".
  [[nodiscard]] std::string to_text() const;

 private:
  __extension__ using Wide = unsigned __int128;  // 10^38 fits

  [[nodiscard]] std::optional<Decimal> sum_of_magnitudes(const Decimal& other) const;

  bool negative_ = false;  // never of zero
  Wide whole_ = 0;
  Wide fraction_ = 0;  // in units of 10^-38
};

}  // namespace annals
