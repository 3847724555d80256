// What filters of lists mean, by type and operator, and what is refused.

#include "model/filter.hpp"

#include <gtest/gtest.h>

#include <array>

#include "model/list_order.hpp"
#include "model/test_model.hpp"

namespace annals::model {
namespace {

const Model& everything() {
  static const Model model = declared_model(R"(
[model.thing]
path = "/things"
[model.thing.fields]
id      = { type = "string", primary_key = true }
name    = { type = "string" }
note    = { type = "text" }
count   = { type = "integer" }
price   = { type = "decimal" }
weight  = { type = "double" }
sold    = { type = "boolean" }
day     = { type = "date" }
made_at = { type = "timestamp" }
owner   = { type = "uuid" }
state   = { type = "enum", values = ["draft", "sold"] }
extra   = { type = "json" }
tags    = { type = "list", of = "string" }
prices  = { type = "list", of = "decimal" }
)");
  return model;
}

struct FilterCase {
  std::string_view parameter;
  std::string_view operand;
  std::string_view value;  ///< of the record, as JSON
  bool found;
};

TEST(filters, values_are_compared_as_their_type_has_it) {
  for (const FilterCase& one : {
           FilterCase{"name", "lamp", R"("lamp")", true},
           FilterCase{"name", "lamp", R"("Lamp")", false},
           FilterCase{"name[ne]", "lamp", R"("Lamp")", true},
           FilterCase{"name[gt]", "a", R"("b")", true},
           FilterCase{"name[gt]", "b", R"("b")", false},
           FilterCase{"name[prefix]", "la", R"("lamp")", true},
           FilterCase{"name[prefix]", "la", R"("alamp")", false},
           FilterCase{"name[prefix]", "lamps", R"("lamp")", false},
           FilterCase{"name[contains]", "am", R"("lamp")", true},
           FilterCase{"name[contains]", "ma", R"("lamp")", false},
           FilterCase{"name[contains]", "\"", R"("a\"b")", true},
           FilterCase{"name[in]", "lamp,torch", R"("torch")", true},
           FilterCase{"name[in]", "lamp,torch", R"("lamp,torch")", false},
           FilterCase{"name[in]", R"(lamp\,torch,x)", R"("lamp,torch")", true},
           FilterCase{"name[in]", R"(a\\,x)", R"("a\\")", true},
           FilterCase{"note", "a\nb", R"("a\nb")", true},
           FilterCase{"note[contains]", "\n", R"("a\nb")", true},
           FilterCase{"count[gt]", "9", "10", true},
           FilterCase{"count[lt]", "9", "10", false},
           FilterCase{"count[lte]", "10", "10", true},
           FilterCase{"count[gte]", "-1", "-2", false},
           FilterCase{"count[in]", "1,2,3", "3", true},
           FilterCase{"price", "7.5", R"("7.50")", true},
           FilterCase{"price[ne]", "7.5", R"("7.50")", false},
           FilterCase{"price[gte]", "10", R"("9.99")", false},
           FilterCase{"price[gte]", "10", R"("10.0")", true},
           FilterCase{"price[lt]", "-1", R"("-1.5")", true},
           FilterCase{"price[in]", "1.0,2", R"("1")", true},
           FilterCase{"weight[gt]", "0.1", "0.25", true},
           FilterCase{"weight", "1e3", "1000", true},
           FilterCase{"sold", "true", "true", true},
           FilterCase{"sold", "false", "true", false},
           FilterCase{"day[lt]", "2024-03-01", R"("2024-02-29")", true},
           FilterCase{"made_at", "2024-02-29T11:00:00+01:00", R"("2024-02-29T10:00:00.000000Z")", true},
           FilterCase{"made_at[gt]", "2024-02-29T10:30:00+01:00", R"("2024-02-29T10:00:00.000000Z")", true},
           FilterCase{"owner", "0192E4A0-7A3C-7DEF-8123-456789ABCDEF", R"("0192e4a0-7a3c-7def-8123-456789abcdef")",
                      true},
           FilterCase{"state", "sold", R"("sold")", true},
           FilterCase{"state[in]", "draft,sold", R"("sold")", true},
           FilterCase{"tags[contains]", "red", R"(["blue","red"])", true},
           FilterCase{"tags[contains]", "re", R"(["blue","red"])", false},
           FilterCase{"prices[contains]", "7.5", R"(["1","7.50"])", true},
       }) {
    const auto filter = read_filter(everything(), one.parameter, one.operand, {});
    ASSERT_TRUE(filter) << one.parameter << ": " << filter.error().message;
    const auto value = value_from_text(everything().fields[filter->field], one.value);
    ASSERT_TRUE(value) << one.value;
    EXPECT_EQ(passes(*filter, *value), one.found) << one.parameter << "=" << one.operand << " of " << one.value;
  }
}

TEST(filters, an_empty_operand_stands_for_no_value_and_ne_is_what_eq_is_not) {
  for (const FilterCase& one : {
           FilterCase{"name", "", "null", true},
           FilterCase{"name[eq]", "", R"("")", true},
           FilterCase{"name", "", R"("a")", false},
           FilterCase{"name[ne]", "", "null", false},
           FilterCase{"name[ne]", "", R"("a")", true},
           FilterCase{"name[in]", "a,", "null", true},
           FilterCase{"name[in]", "a,b", "null", false},
           FilterCase{"name[ne]", "a", "null", true},
           FilterCase{"count", "", "null", true},
           FilterCase{"count", "", "0", false},
           FilterCase{"count", "0", "null", false},
           FilterCase{"count[gte]", "-9", "null", false},
           FilterCase{"count[lt]", "9", "null", false},
           FilterCase{"name[contains]", "a", "null", false},
           FilterCase{"name[prefix]", "a", "null", false},
           FilterCase{"extra[eq]", "", "null", true},
           FilterCase{"extra[ne]", "", "{}", true},
           FilterCase{"tags[ne]", "", "[]", true},
       }) {
    const auto filter = read_filter(everything(), one.parameter, one.operand, {});
    ASSERT_TRUE(filter) << one.parameter << ": " << filter.error().message;
    const auto value = value_from_text(everything().fields[filter->field], one.value);
    ASSERT_TRUE(value) << one.value;
    EXPECT_EQ(passes(*filter, *value), one.found) << one.parameter << "=" << one.operand << " of " << one.value;
  }
}

struct Refused {
  std::string parameter;
  std::string operand;
  std::string_view code;
  std::string_view says;
};

TEST(filters, what_cannot_be_is_refused_with_the_parameter_and_what_was_expected) {
  const std::array<std::string_view, 2> parameters{"limit", "sort"};
  std::string many = "0";
  for (std::size_t number = 1; number <= operands_max; ++number) many += "," + std::to_string(number);
  for (const Refused& one : {
           Refused{"colour", "red", "unknown_field", "\"colour\""},
           Refused{"pric", "1", "unknown_field", "did you mean \"price\"?"},
           Refused{"limt", "1", "unknown_field", "did you mean \"limit\"?"},
           Refused{"pric[gte]", "1", "unknown_field", "did you mean \"price\"?"},
           Refused{"price[gtee]", "1", "unknown_operator", "did you mean \"gte\"?"},
           Refused{"price[]", "1", "unknown_operator", "eq, ne, gt, gte, lt, lte, in"},
           Refused{"price[gte", "1", "unknown_operator", "no ]"},
           Refused{"price[gte]x", "1", "unknown_operator", "no ]"},
           Refused{"price[prefix]", "1", "unsuitable_operator", "eq, ne, gt, gte, lt, lte, in"},
           Refused{"sold[gt]", "true", "unsuitable_operator", "eq, ne, in"},
           Refused{"state[gte]", "sold", "unsuitable_operator", "type enum"},
           Refused{"note[gte]", "a", "unsuitable_operator", "eq, ne, in, prefix, contains"},
           Refused{"extra[in]", "a", "unsuitable_operator", "eq, ne"},
           Refused{"tags[in]", "a", "unsuitable_operator", "eq, ne, contains"},
           Refused{"price[gte]", "cheap", "invalid_value", "expected a decimal number"},
           Refused{"price[gte]", "", "invalid_value", "price[eq]="},
           Refused{"count", "1.5", "invalid_value", "a whole number"},
           Refused{"count", "null", "invalid_value", "a whole number"},
           Refused{"count", "1,2", "invalid_value", "a whole number"},
           Refused{"count", "[1]", "invalid_value", "a whole number"},
           Refused{"count", "1]", "invalid_value", "a whole number"},
           Refused{"count", "9223372036854775808", "invalid_value", "64 bits"},
           Refused{"weight", "1e999", "invalid_value", "expected a number"},
           Refused{"weight[gte]", "-1e400", "invalid_value", "expected a number"},
           Refused{"sold", "yes", "invalid_value", "true or false"},
           Refused{"day", "2024-02-30", "invalid_value", "a date"},
           Refused{"made_at", "2024-02-29", "invalid_value", "a time"},
           Refused{"owner", "0192", "invalid_value", "a UUID"},
           Refused{"state", "sond", "invalid_value", "\"draft\", \"sold\""},
           Refused{"name", "a\nb", "invalid_value", "one line"},
           Refused{"note", "\xff", "invalid_value", "UTF-8"},
           Refused{"extra", "{}", "invalid_value", "leave the value empty"},
           Refused{"tags", "red", "invalid_value", "leave the value empty"},
           Refused{"prices[contains]", "red", "invalid_value", "a decimal number"},
           Refused{"count[in]", many, "invalid_value", "100 values at most"},
       }) {
    const auto filter = read_filter(everything(), one.parameter, one.operand, parameters);
    ASSERT_FALSE(filter) << one.parameter << "=" << one.operand;
    EXPECT_EQ(filter.error().kind, ErrorKind::invalid);
    EXPECT_EQ(filter.error().code, one.code) << one.parameter << "=" << one.operand;
    EXPECT_NE(filter.error().message.find(one.says), std::string::npos) << filter.error().message;
    EXPECT_NE(filter.error().message.find(one.parameter), std::string::npos) << filter.error().message;
  }
}

TEST(list_order, a_sort_names_fields_that_have_an_order_each_once) {
  const auto sort = read_sort(everything(), "-price,name");
  ASSERT_TRUE(sort);
  EXPECT_EQ(*sort, (Sort{{4, true}, {1, false}}));
  for (const auto& [text, code, says] : {
           std::array<std::string_view, 3>{"", "unknown_field", "sort"},
           {"pric", "unknown_field", "did you mean \"price\"?"},
           {"price,", "unknown_field", "sort"},
           {"--price", "unknown_field", "sort"},
           {"price,-price", "invalid_sort", "twice"},
           {"note", "invalid_sort", "type text"},
           {"tags", "invalid_sort", "type list of string"},
           {"id,name,count,price,weight,sold", "invalid_sort", "the most is 5"},
       }) {
    const auto refused = read_sort(everything(), text);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code, code) << text;
    EXPECT_NE(refused.error().message.find(says), std::string::npos) << refused.error().message;
  }
}

TEST(list_order, a_place_is_read_back_for_its_own_order_only_and_not_when_it_was_changed) {
  const ListQuery query{.filters = {}, .sort = read_sort(everything(), "-price,name").value(), .after = {}};
  ListLook look(everything(), query);
  const std::string text =
      R"({"id":"k1","name":"lamp","note":null,"count":null,"price":"7.50","weight":null,"sold":null,"day":null,)"
      R"("made_at":null,"owner":null,"state":null,"extra":null,"tags":null,"prices":null})";
  ASSERT_TRUE(look.passes(text).value());
  const ListPlace place = look.place("k1").value();
  EXPECT_EQ(place.key(), "k1");
  const std::string bytes = place_to_bytes(everything(), query.sort, place);
  const auto again = place_from_bytes(everything(), query.sort, bytes);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->bytes, place.bytes);
  EXPECT_EQ(again->key(), "k1");
  EXPECT_EQ(again->first_order(query.sort), place.first_order(query.sort));
  for (const char* other : {"price,name", "-price", "-price,-name", "name,-price", "-weight,name"})
    EXPECT_FALSE(place_from_bytes(everything(), read_sort(everything(), other).value(), bytes)) << other;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_FALSE(place_from_bytes(everything(), query.sort, changed)) << at;
    EXPECT_FALSE(place_from_bytes(everything(), query.sort, bytes.substr(0, at))) << at;
  }
}

}  // namespace
}  // namespace annals::model
