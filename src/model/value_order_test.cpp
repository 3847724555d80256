// The order of values as bytes.

#include "model/value_order.hpp"

#include <gtest/gtest.h>

namespace annals::model {
namespace {

Field of_type(FieldType type) {
  Field field;
  field.name = "f";
  field.type = type;
  field.choices = {"new", "paid"};
  return field;
}

TEST(value_order, bytes_are_in_the_order_of_the_values_of_each_type) {
  const std::vector<std::pair<FieldType, std::vector<std::string>>> ascending{
      {FieldType::boolean, {"null", "false", "true"}},
      {FieldType::integer,
       {"null", "-9223372036854775808", "-256", "-1", "0", "1", "255", "256", "9223372036854775807"}},
      {FieldType::number, {"null", "-1e+300", "-2", "-1.5", "-1e-300", "0", "1e-300", "0.5", "3", "1e+300"}},
      {FieldType::decimal,
       {"null", R"("-100")", R"("-12.5")", R"("-12.49")", R"("-12")", R"("-2.5")", R"("-0.51")", R"("-0.5")",
        R"("-0.05")", R"("0")", R"("0.001")", R"("0.05")", R"("0.5")", R"("0.51")", R"("2.5")", R"("12")", R"("12.49")",
        R"("12.5")", R"("100")"}},
      {FieldType::date, {"null", R"("0001-01-01")", R"("1969-12-31")", R"("2024-02-29")"}},
      {FieldType::timestamp,
       {"null", R"("1969-12-31T23:59:59.999999Z")", R"("2024-02-29T00:00:00Z")", R"("2024-02-29T00:00:00.5Z")",
        R"("2024-02-29T10:00:00+01:00")", R"("2024-02-29T09:30:00Z")"}},
      {FieldType::uuid,
       {"null", R"("00000000-0000-0000-0000-000000000001")", R"("0192E4A0-7A3C-7DEF-8123-456789ABCDEF")",
        R"("ff92e4a0-7a3c-7def-8123-456789abcdef")"}},
      {FieldType::choice, {"null", R"("new")", R"("paid")"}},
      {FieldType::string, {"null", R"("")", R"("A")", R"("a")", R"("a-1")", R"("aa")", R"("b")", R"("ä")"}},
  };
  for (const auto& [type, values] : ascending) {
    const Field field = of_type(type);
    std::string before;
    for (const std::string& text : values) {
      const auto value = value_from_text(field, text);
      ASSERT_TRUE(value) << text;
      const std::string order = order_of(type, *value);
      EXPECT_LT(before, order) << line_of(type).name << " " << text;
      EXPECT_FALSE(order.starts_with(before) && !before.empty()) << text << ": others may follow the bytes of a value";
      before = order;
    }
  }
}

TEST(value_order, equal_values_have_the_same_bytes) {
  const Field decimal = of_type(FieldType::decimal);
  const auto order = [&](const char* text) {
    return order_of(FieldType::decimal, value_from_text(decimal, text).value());
  };
  EXPECT_EQ(order(R"("7.5")"), order(R"("7.500")"));
  EXPECT_EQ(order(R"("-0.00")"), order("0"));
  EXPECT_EQ(order(R"("-7.50")"), order(R"("-7.5")"));
  EXPECT_EQ(order(R"("0.0")"), order(R"("0")"));
  EXPECT_EQ(order(R"("100.00")"), order("100"));
  EXPECT_EQ(order(R"("0.050")"), order(R"("0.05")"));
  EXPECT_NE(order(R"("100")"), order(R"("1")"));
}

TEST(value_order, texts_with_zeros_stay_in_order_and_long_ones_are_cut) {
  const auto order = [](std::string text) { return order_of(FieldType::choice, {std::move(text)}); };
  EXPECT_LT(order("a"), order(std::string("a\0", 2)));
  EXPECT_LT(order(std::string("a\0", 2)), order(std::string("a\0b", 3)));
  EXPECT_LT(order(std::string("a\0b", 3)), order("a\1"));
  const std::string long_text(value_order_bytes_max, 'x');
  EXPECT_EQ(order(long_text + "a"), order(long_text + "b"));
  EXPECT_FALSE(order_is_exact({long_text}));
  EXPECT_TRUE(order_is_exact({long_text.substr(1)}));
}

TEST(value_order, what_begins_with_a_prefix_lies_between_its_bytes_and_their_successor) {
  const std::string low = order_of_prefix("ab");
  const std::string high = successor_of(low);
  const auto within = [&](std::string text) {
    const std::string order = order_of(FieldType::string, {std::move(text)});
    return order >= low && order < high;
  };
  EXPECT_TRUE(within("ab"));
  EXPECT_TRUE(within("abz"));
  EXPECT_TRUE(within("ab\xf4\x8f\xbf\xbf"));
  EXPECT_FALSE(within("a"));
  EXPECT_FALSE(within("aa"));
  EXPECT_FALSE(within("ac"));
  EXPECT_EQ(successor_of("a\xff\xff"), "b");
  EXPECT_EQ(successor_of("\xff"), "");
}

TEST(value_order, a_stored_value_is_what_the_reader_of_json_makes_of_it) {
  const std::vector<std::pair<FieldType, std::vector<std::string>>> all{
      {FieldType::string, {"null", R"("")", R"("a")", R"("\"\\ü")", R"("a b")"}},
      {FieldType::text, {"null", R"("a\nb")", R"("{}")"}},
      {FieldType::integer, {"null", "0", "-1", "9223372036854775807"}},
      {FieldType::decimal, {"null", R"("7.50")", R"("-0.1")"}},
      {FieldType::number, {"null", "0.5", "-1e+30", "3"}},
      {FieldType::boolean, {"null", "true", "false"}},
      {FieldType::date, {"null", R"("2024-02-29")"}},
      {FieldType::timestamp, {"null", R"("2024-02-29T10:00:00.000000Z")"}},
      {FieldType::uuid, {"null", R"("0192e4a0-7a3c-7def-8123-456789abcdef")"}},
      {FieldType::choice, {"null", R"("paid")"}},
      {FieldType::json, {"null", R"({"a":[1,null]})", "true", "1"}},
      {FieldType::list, {"null", R"(["a","b"])"}},
  };
  for (const auto& [type, texts] : all) {
    const Field field = of_type(type);
    for (const std::string& text : texts) {
      const auto expected = value_from_text(field, text);
      const auto stored = stored_value(field, text);
      ASSERT_TRUE(expected && stored) << text;
      EXPECT_EQ(stored->value.index(), expected->value.index()) << text;
      EXPECT_TRUE(compare(*stored, *expected) == 0) << text;
      EXPECT_EQ(to_json(*stored), text);
    }
  }
}

}  // namespace
}  // namespace annals::model
