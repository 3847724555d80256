#include "base/decimal.hpp"

#include <gtest/gtest.h>

#include <algorithm>
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

TEST(Decimal, integers_are_decimals) {
  EXPECT_EQ(Decimal::from_integer(-3), decimal("-3"));
  EXPECT_EQ(Decimal::from_integer(INT64_MIN), decimal("-9223372036854775808"));
  EXPECT_EQ(Decimal::from_integer(INT64_MAX).to_text(), "9223372036854775807");
  EXPECT_EQ(Decimal::from_integer(0), Decimal());
}

}  // namespace
}  // namespace annals
