#include "json/equality.hpp"

#include <gtest/gtest.h>

#include <string>

namespace annals::json {
namespace {

TEST(json_equality, members_are_in_no_order_and_elements_in_one) {
  EXPECT_TRUE(same_value(R"({"a":1,"b":{"c":[],"d":null}})", R"({"b":{"d":null,"c":[]},"a":1})"));
  EXPECT_FALSE(same_value("[1,2]", "[2,1]"));
  EXPECT_FALSE(same_value("[1]", "[1,1]"));
  EXPECT_FALSE(same_value(R"({"a":1})", R"({"a":1,"b":1})"));
  EXPECT_FALSE(same_value(R"({"a":1})", R"({"b":1})"));
  EXPECT_FALSE(same_value("{}", "[]"));
  EXPECT_FALSE(same_value(R"({"a":null})", "{}"));
}

TEST(json_equality, numbers_are_what_they_are_worth_to_the_last_bit) {
  for (const auto& [left, right] : {std::pair{"1", "1.0"},
                                    {"[100]", "[1e2]"},
                                    {"0", "-0.0"},
                                    {"-3", "-3.0"},
                                    {"9223372036854775808", "9223372036854775808.0"},
                                    {"-9223372036854775808", "-9223372036854775808.0"},
                                    {"0.5", "5e-1"}}) {
    EXPECT_TRUE(same_value(left, right)) << left << " " << right;
    EXPECT_TRUE(same_value(right, left)) << left << " " << right;
  }
  for (const auto& [left, right] : {std::pair{"1", "1.5"},
                                    {"9007199254740993", "9007199254740992.0"},
                                    {"9223372036854775807", "9223372036854775808"},
                                    {"9223372036854775807", "9223372036854775808.0"},
                                    {"18446744073709551615", "18446744073709551616.0"},
                                    {"18446744073709551615", "-1"},
                                    {"18446744073709551615", "-1.0"},
                                    {"1", "\"1\""},
                                    {"1", "true"},
                                    {"0", "null"},
                                    {"0", "false"}}) {
    EXPECT_FALSE(same_value(left, right)) << left << " " << right;
    EXPECT_FALSE(same_value(right, left)) << left << " " << right;
  }
}

TEST(json_equality, texts_are_the_same_however_they_are_escaped) {
  EXPECT_TRUE(same_value(R"(["\u00e9"])", "[\"\xc3\xa9\"]"));
  EXPECT_FALSE(same_value(R"("a")", R"("b")"));
  EXPECT_FALSE(same_value("true", "false"));
  EXPECT_FALSE(same_value("1", "no JSON"));
}

}  // namespace
}  // namespace annals::json
