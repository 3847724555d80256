#pragma once
// Decimal: an exact decimal number, up to 38 digits before the point and 38 behind it. Compared by value: 7.5 is 7.50.
// Immutable value; no thread rule.
//
//     const auto price = Decimal::from_text("7.50");   // nullopt for what is no plain decimal number
//     if (price && *price < limit) ...

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

  /// The shortest text of the value: "7.5".
  [[nodiscard]] std::string to_text() const;

 private:
  __extension__ using Wide = unsigned __int128;  // 10^38 fits

  bool negative_ = false;  // never of zero
  Wide whole_ = 0;
  Wide fraction_ = 0;  // in units of 10^-38
};

}  // namespace annals
