#include "base/decimal.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace annals {
namespace {

Decimal decimal(std::string_view text) {
  return Decimal::from_text(text).value();
}

TEST(Decimal, numbers_are_equal_by_value) {
  EXPECT_EQ(decimal("7.50"), decimal("7.5"));
  EXPECT_EQ(decimal("7"), decimal("7.000"));
  EXPECT_EQ(decimal("-0.00"), decimal("0"));
  EXPECT_NE(decimal("7.50"), decimal("7.51"));
  EXPECT_NE(decimal("-1"), decimal("1"));
}

TEST(Decimal, order_is_that_of_the_values) {
  const std::string nines(38, '9');
  const std::vector<std::string> ascending{"-" + nines + "." + nines,
                                           "-100",
                                           "-99.999",
                                           "-1.5",
                                           "-1.49",
                                           "-0.1",
                                           "-0." + std::string(37, '0') + "1",
                                           "0",
                                           "0." + std::string(37, '0') + "1",
                                           "0.1",
                                           "0.11",
                                           "1",
                                           "1.01",
                                           "9",
                                           "10",
                                           nines,
                                           nines + "." + nines};
  for (std::size_t left = 0; left < ascending.size(); ++left) {
    for (std::size_t right = 0; right < ascending.size(); ++right) {
      const Decimal one = decimal(ascending[left]);
      const Decimal other = decimal(ascending[right]);
      EXPECT_EQ(one <=> other, left <=> right) << ascending[left] << " and " << ascending[right];
    }
  }
}

TEST(Decimal, what_is_no_plain_decimal_number_is_refused) {
  for (const char* text : {"", "-", ".", "1.", ".5", "+1", "01", "-01", "00", "1e3", "1,5", " 1", "1 ", "0x1", "NaN",
                           "1.2.3", "--1", "1.-5"}) {
    EXPECT_FALSE(Decimal::from_text(text)) << text;
  }
  EXPECT_FALSE(Decimal::from_text(std::string(39, '1')));
  EXPECT_FALSE(Decimal::from_text("1." + std::string(39, '1')));
  EXPECT_FALSE(Decimal::from_text(std::string_view("1\0", 2)));
}

TEST(Decimal, text_is_the_shortest_of_the_value) {
  EXPECT_EQ(decimal("7.50").to_text(), "7.5");
  EXPECT_EQ(decimal("-0.0").to_text(), "0");
  EXPECT_EQ(decimal("-10.0010").to_text(), "-10.001");
  EXPECT_EQ(decimal("0." + std::string(37, '0') + "1").to_text(), "0." + std::string(37, '0') + "1");
}

TEST(Decimal, text_of_any_length_is_read_and_written_digit_for_digit) {
  std::mt19937_64 random(38);
  const auto digits = [&](std::size_t count) {
    std::string text;
    while (text.size() < count) text += static_cast<char>('0' + static_cast<int>(random() % 10));
    return text;
  };
  for (std::size_t whole = 1; whole <= Decimal::digits_max; ++whole) {
    for (std::size_t fraction = 1; fraction <= Decimal::digits_max; ++fraction) {
      // The first digit, and the last, is what the shortest text has: none of them is zero, but for a lone first one.
      const std::string zeros(random() % fraction, '0');
      const std::string first = whole == 1 ? digits(1) : "4" + digits(whole - 1);
      const std::string text =
          (random() % 2 == 0 ? "" : "-") + first + "." + (zeros + digits(fraction)).substr(0, fraction - 1) + "7";
      EXPECT_EQ(decimal(text).to_text(), text);
      EXPECT_EQ(decimal(text + std::string(Decimal::digits_max - fraction, '0')).to_text(), text);
    }
  }
}

TEST(Decimal, integers_are_decimals) {
  EXPECT_EQ(Decimal::from_integer(-3), decimal("-3"));
  EXPECT_EQ(Decimal::from_integer(INT64_MIN), decimal("-9223372036854775808"));
  EXPECT_EQ(Decimal::from_integer(INT64_MAX).to_text(), "9223372036854775807");
  EXPECT_EQ(Decimal::from_integer(0), Decimal());
}

struct Reckoned {
  std::string left;
  std::string right;
  std::string sum;
  std::string difference;
  std::string product;
  std::string quotient;
};

std::string text_of(const std::optional<Decimal>& number) {
  return number ? number->to_text() : "none";
}

TEST(Decimal, sums_differences_products_and_quotients_are_exact_or_rounded_at_the_38th_place_or_none) {
  const std::string nines(38, '9');
  const std::string least = "0." + std::string(37, '0') + "1";
  const std::string thirds = "0." + std::string(38, '3');
  const std::string two_thirds = "0." + std::string(37, '6') + "7";
  const std::string below_one = "0." + nines;
  for (const Reckoned& one : {
           Reckoned{"7.50", "3", "10.5", "4.5", "22.5", "2.5"},
           Reckoned{"0.1", "0.2", "0.3", "-0.1", "0.02", "0.5"},
           Reckoned{"-1.5", "0.5", "-1", "-2", "-0.75", "-3"},
           Reckoned{"1", "3", "4", "-2", "3", thirds},
           Reckoned{"2", "3", "5", "-1", "6", two_thirds},
           Reckoned{"-2", "3", "1", "-5", "-6", "-" + two_thirds},
           Reckoned{"0", "-5", "-5", "5", "0", "0"},
           Reckoned{"5", "0", "5", "5", "0", "none"},
           Reckoned{nines, "1", "none", nines.substr(0, 37) + "8", nines, nines},
           Reckoned{nines, nines, "none", "0", "none", "1"},
           Reckoned{nines, "0.5", nines + ".5", nines.substr(0, 37) + "8.5", "4" + nines.substr(1) + ".5", "none"},
           Reckoned{"0.5", least, "0.5" + std::string(36, '0') + "1", "0.4" + std::string(37, '9'), least,
                    "5" + std::string(37, '0')},
           Reckoned{least, least, "0." + std::string(37, '0') + "2", "0", "0", "1"},
           Reckoned{below_one, least, "1", "0." + std::string(37, '9') + "8", least, nines},
           Reckoned{"10000000000000000000", "9999999999999999999.9999999999999999999",
                    "19999999999999999999.9999999999999999999", "0.0000000000000000001",
                    "99999999999999999999999999999999999999", "1.00000000000000000000000000000000000001"},
       }) {
    SCOPED_TRACE(one.left + " and " + one.right);
    const Decimal left = decimal(one.left);
    const Decimal right = decimal(one.right);
    EXPECT_EQ(text_of(left.plus(right)), one.sum);
    EXPECT_EQ(text_of(left.minus(right)), one.difference);
    EXPECT_EQ(text_of(left.times(right)), one.product);
    EXPECT_EQ(text_of(left.over(right)), one.quotient);
  }
}

/// Digits of which many are 0 or 9, where guesses and carries go wrong.
std::string random_decimal(std::mt19937_64& random) {
  const auto digits = [&] {
    std::string text;
    const std::size_t length = 1 + random() % 38;
    const auto kind = random() % 3;
    while (text.size() < length)
      text += kind == 0 ? static_cast<char>('0' + random() % 10)
                        : (random() % 4 == 0 ? "05819"[random() % 5] : "09"[kind - 1]);
    return text;
  };
  std::string whole = digits();
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size() - 1));
  return (random() % 2 ? "-" : "") + whole + (random() % 3 ? "." + digits() : "");
}

TEST(Decimal, a_quotient_is_the_one_nearest_to_what_was_divided) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const Decimal half_unit = decimal("0.5");
  for (int round = 0; round < 20'000; ++round) {
    const Decimal left = decimal(random_decimal(random));
    const Decimal right = decimal(random_decimal(random));
    if (right.is_zero()) continue;
    const auto quotient = left.over(right);
    if (!quotient) continue;
    // What is left over is half of the divisor's last place at most: |left - quotient * right| <= |right| / 2 units. In
    // decimals: the product is rounded as well, by half a unit.
    const auto back = quotient->times(right);
    if (!back) continue;
    const auto rest = left.minus(*back);
    ASSERT_TRUE(rest);
    const Decimal distance = rest->is_negative() ? rest->negated() : *rest;
    const Decimal size = right.is_negative() ? right.negated() : right;
    const auto unit = decimal("0." + std::string(37, '0') + "1");
    const Decimal allowed = *size.times(half_unit)->times(unit)->plus(unit);
    EXPECT_LE(distance, allowed) << left.to_text() << " / " << right.to_text() << " = " << quotient->to_text();
  }
}

TEST(Decimal, sums_and_products_go_back_and_do_not_mind_the_order) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 20'000; ++round) {
    const Decimal left = decimal(random_decimal(random));
    const Decimal right = decimal(random_decimal(random));
    EXPECT_EQ(left.times(right), right.times(left));
    const auto sum = left.plus(right);
    EXPECT_EQ(sum, right.plus(left));
    if (sum) {
      EXPECT_EQ(sum->minus(right), left);
    }
  }
}

TEST(Decimal, halves_are_rounded_away_from_zero) {
  const std::string nines(38, '9');
  EXPECT_EQ(text_of(decimal("2.345").rounded(2)), "2.35");
  EXPECT_EQ(text_of(decimal("-2.345").rounded(2)), "-2.35");
  EXPECT_EQ(text_of(decimal("2.3449").rounded(2)), "2.34");
  EXPECT_EQ(text_of(decimal("0.5").rounded(0)), "1");
  EXPECT_EQ(text_of(decimal("-0.4").rounded(0)), "0");
  EXPECT_EQ(text_of(decimal("9.99").rounded(1)), "10");
  EXPECT_EQ(text_of(decimal("0." + nines).rounded(38)), "0." + nines);
  EXPECT_EQ(text_of(decimal(nines + ".5").rounded(0)), "none");
}

TEST(Decimal, integers_are_those_that_are_whole_and_fit) {
  EXPECT_EQ(decimal("12.0").to_integer(), 12);
  EXPECT_EQ(decimal("12.5").to_integer(), std::nullopt);
  EXPECT_EQ(decimal("9223372036854775807").to_integer(), INT64_MAX);
  EXPECT_EQ(decimal("9223372036854775808").to_integer(), std::nullopt);
  EXPECT_EQ(decimal("-9223372036854775808").to_integer(), INT64_MIN);
  EXPECT_EQ(decimal("-9223372036854775809").to_integer(), std::nullopt);
}

}  // namespace
}  // namespace annals
