// What expressions mean: types, null, trouble, and the functions.

#include "expression/expression.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/invariant.hpp"
#include "expression/function.hpp"

namespace annals::expression {
namespace {

struct Known {
  Name name;
  Value value;
};

const std::vector<Known>& known() {
  static const std::vector<Known> all{
      {{"price", Type::decimal}, *Decimal::from_text("7.50")},
      {{"stock", Type::integer}, std::int64_t{3}},
      {{"most", Type::integer}, INT64_MAX},
      {{"least", Type::integer}, INT64_MIN},
      {{"huge", Type::decimal}, *Decimal::from_text(std::string(38, '9'))},
      {{"ratio", Type::number}, 0.1},
      {{"name", Type::text}, std::string_view("L\xc3\xa4mpchen")},
      {{"blank", Type::text}, std::string_view("")},
      {{"sold", Type::boolean}, true},
      {{"day", Type::date}, std::string_view("2026-02-12")},
      {{"made_at", Type::timestamp}, std::string_view("2026-02-12T10:00:00.000000Z")},
      {{"no_text", Type::text}, Value()},
      {{"no_number", Type::integer}, Value()},
      {{"no_flag", Type::boolean}, Value()},
      {{"tags", Type::nothing, "is a list"}, Value()},
  };
  return all;
}

std::string shown(const Outcome& outcome) {
  if (!outcome) return "trouble: " + std::string(outcome.error().what);
  if (is_null(*outcome)) return "null";
  if (const auto* flag = std::get_if<bool>(&*outcome)) return *flag ? "true" : "false";
  if (const auto* integer = std::get_if<std::int64_t>(&*outcome)) return std::to_string(*integer);
  if (const auto* decimal = std::get_if<Decimal>(&*outcome)) {
    const std::string text = decimal->to_text();
    return text.contains('.') ? text : text + ".0";
  }
  if (const auto* text = std::get_if<std::string_view>(&*outcome)) return "'" + std::string(*text) + "'";
  return "a double";
}

std::string value_of(std::string_view text) {
  const auto tree = parse(text);
  if (!tree) return "parse " + std::to_string(tree.error().offset) + ": " + tree.error().what;
  std::vector<Name> names;
  for (const Known& one : known()) names.push_back(one.name);
  const auto expression = Expression::check(*tree, names);
  if (!expression) return "check " + std::to_string(expression.error().offset) + ": " + expression.error().what;
  std::vector<Value> values;
  for (const std::size_t place : expression->names()) values.push_back(known()[place].value);
  Scratch scratch;
  return shown(expression->evaluate(values, scratch));
}

void expect(const std::vector<std::pair<std::string, std::string>>& cases) {
  for (const auto& [text, value] : cases) EXPECT_THAT(value_of(text), testing::StartsWith(value)) << text;
}

TEST(expression, numbers_are_exact) {
  expect({{"price * stock", "22.5"},
          {"price + 1", "8.5"},
          {"stock * 2 - 1", "5"},
          {"stock / 2", "1.5"},
          {"1 / 3", "0.33333333333333333333333333333333333333"},
          {"0.1 + 0.2 = 0.3", "true"},
          {"-stock", "-3"},
          {"stock = 3.0", "true"},
          {"most * 2.0", "18446744073709551614.0"}});
}

TEST(expression, what_is_beyond_its_type_is_trouble) {
  expect({{"most + 1", "trouble: an integer is beyond 64 bits"},
          {"least - 1", "trouble: an integer is beyond 64 bits"},
          {"most * most", "trouble: an integer is beyond 64 bits"},
          {"-least", "trouble: an integer is beyond 64 bits"},
          {"abs(least)", "trouble: an integer is beyond 64 bits"},
          {"huge + huge", "trouble: a decimal number has more than 38 digits"},
          {"huge * huge", "trouble: a decimal number has more than 38 digits"},
          {"huge / 0.1", "trouble: a decimal number has more than 38 digits"},
          {"integer(huge)", "trouble: a number is not whole, or beyond 64 bits"}});
}

TEST(expression, division_by_zero_is_null) {
  expect({{"price / 0", "null"}, {"0 / 0.0", "null"}, {"coalesce(price / (stock - 3), 0.0)", "0.0"}});
}

TEST(expression, what_is_made_from_null_is_null_and_what_is_asked_is_not) {
  expect({{"no_number + 1", "null"},
          {"null + null", "null"},
          {"name + no_text", "null"},
          {"upper(no_text)", "null"},
          {"max(1, no_number)", "null"},
          {"no_text = null", "true"},
          {"name = null", "false"},
          {"name != null", "true"},
          {"no_number < 1", "false"},
          {"no_number >= 1", "false"},
          {"not no_number < 1", "true"},
          {"no_flag and sold", "false"},
          {"no_flag or sold", "true"},
          {"not no_flag", "true"},
          {"contains(no_text, 'a')", "false"},
          {"starts_with(name, no_text)", "false"},
          {"if(no_flag, 1, 2)", "2"},
          {"coalesce(no_number, no_number, 7)", "7"},
          {"coalesce(no_number, null)", "null"}});
}

TEST(expression, what_is_not_chosen_is_not_looked_at) {
  expect({{"if(sold, 1, most + 1)", "1"},
          {"coalesce(stock, most + 1)", "3"},
          {"sold or most + 1 > 0", "true"},
          {"not sold and most + 1 > 0", "false"},
          {"if(not sold, 1, most + 1)", "trouble"}});
}

TEST(expression, an_integer_among_decimals_is_a_decimal) {
  expect({{"if(sold, 1, 2.5)", "1.0"},
          {"coalesce(stock, 0.5)", "3.0"},
          {"max(stock, 2.5)", "3.0"},
          {"if(sold, most, 2.5) * 2", "18446744073709551614.0"},
          {"max(1, 2)", "2"}});
}

TEST(expression, functions_do_what_their_sentences_say) {
  expect({{"upper(name)", "'L\xc3\xa4MPCHEN'"},
          {"lower('ABC')", "'abc'"},
          {"trim(' \t a b\n ')", "'a b'"},
          {"trim('  ')", "''"},
          {"upper(blank)", "''"},
          {"length(name)", "8"},
          {"substr(name, 2)", "'\xc3\xa4mpchen'"},
          {"substr(name, 2, 1)", "'\xc3\xa4'"},
          {"substr(name, 0, 2)", "'L'"},
          {"substr(name, 9, 2)", "''"},
          {"substr(name, 2, -1)", "''"},
          {"substr(name, most, most)", "''"},
          {"substr(name, least, most)", "''"},
          {"contains(name, 'mp')", "true"},
          {"contains(name, '')", "true"},
          {"contains('', name)", "false"},
          {"starts_with(name, 'L')", "true"},
          {"'a' + name + 'b'", "'aL\xc3\xa4mpchenb'"},
          {"blank + blank", "''"},
          {"round(2.345, 2)", "2.35"},
          {"round(-2.5)", "-3.0"},
          {"round(price, 39)", "trouble: a number is rounded to 0 to 38 places"},
          {"round(price, -1)", "trouble: a number is rounded to 0 to 38 places"},
          {"abs(-price)", "7.5"},
          {"min('b', 'a')", "'a'"},
          {"max(day, date('2027-01-01'))", "'2027-01-01'"},
          {"date(made_at)", "'2026-02-12'"},
          {"date(made_at) = day", "true"},
          {"date('2026-02-12T01:00:00+05:00')", "'2026-02-11'"},
          {"date('2026-02-30')", "trouble: a text is no date"},
          {"timestamp(day)", "'2026-02-12T00:00:00.000000Z'"},
          {"timestamp(day) < made_at", "true"},
          {"integer('12')", "12"},
          {"integer(' 12')", "trouble: a text is no integer"},
          {"integer('9223372036854775808')", "trouble: a text is no integer"},
          {"integer(2.5)", "trouble: a number is not whole"},
          {"integer(round(2.5))", "3"},
          {"decimal('7.50')", "7.5"},
          {"decimal('1e3')", "trouble: a text is no decimal"},
          {"decimal(ratio) * 3", "0.3"},
          {"string(price)", "'7.5'"},
          {"string(sold) + string(stock) + string(day)", "'true32026-02-12'"},
          {"string(ratio)", "'0.1'"}});
}

TEST(expression, types_that_do_not_go_together_are_complained_of_where_they_stand) {
  expect(
      {{"price + name", "check 6: \"+\" adds numbers or joins texts; found decimal and text"},
       {"name * 2", "check 5: \"*\" takes integers and decimals; found text and integer"},
       {"ratio * 2", "check 6: \"*\" takes integers and decimals; found double and integer; a double is not exact"},
       {"price and sold", "check 6: \"and\" takes what is true or false; found decimal and boolean"},
       {"not price", "check 0: \"not\" takes what is true or false; found decimal"},
       {"name = 1", "check 5: \"=\" compares values of one type; found text and integer"},
       {"day < '2026-01-01'", "check 4: \"<\" compares values of one type; found date and text; write date(...)"},
       {"sold < sold", "check 5: \"<\" takes values that have an order"},
       {"if(1, 2, 3)", "check 0: if(condition, value, otherwise) takes a condition first"},
       {"if(sold, 2, 'a')", "check 0: if(condition, value, otherwise) takes values of one type, not integer and text"},
       {"round(name)", "check 0: round(number, places) takes"},
       {"upper(price)", "check 0: upper(text) takes texts; convert others with string(...)"},
       {"upper()", "check 0: expected upper(text); found 0 values"},
       {"1 + prise", "check 4: there is no \"prise\" here; did you mean \"price\"?"},
       {"uper(name)", "check 0: there is no function \"uper\"; did you mean \"upper\"?"},
       {"1 + tags", "check 4: \"tags\" is a list"}});
}

TEST(expression, a_chain_may_be_long) {
  const auto chain = [](const std::string& first, const std::string& link, int links) {
    std::string text = first;
    for (int number = 0; number < links; ++number) text += link;
    return text;
  };
  expect({{chain("price", " + stock", 249), "754.5"},
          {chain("stock", " - 1 + 2", 120), "123"},
          {chain("stock", " * 1 + 1", 120), "123"},
          {chain("name", " + 'a'", 200), "'L\xc3\xa4mpchen" + std::string(200, 'a') + "'"},
          {chain("sold", " and sold", 200), "true"},
          {chain("sold", " or most + 1 > 0", 60), "true"},
          {chain("not sold", " and most + 1 > 0", 60), "false"},
          {chain("stock", " + 0", 200) + " = 3 and sold", "true"},
          {"most" + chain(" - 1", " + 1", 200), "trouble: an integer is beyond 64 bits"},
          {chain("price", " + no_number", 200), "null"},
          {chain("stock", " + 1", 200) + " + name", "check 806: \"+\" adds numbers or joins texts"}});
}

TEST(expression, texts_have_a_bounded_room) {
  const auto names = std::vector<Name>{{"a", Type::text}};
  const std::string text(200'000, 'a');
  const std::vector<Value> values{std::string_view(text)};
  Scratch scratch;
  const auto twice = Expression::check(*parse("a + a"), names);
  EXPECT_TRUE(twice->evaluate(values, scratch));
  const auto often = Expression::check(*parse("(a + a) + (a + a) + (a + a)"), names);
  EXPECT_EQ(shown(often->evaluate(values, scratch)), "trouble: a text is longer than there is room for");
}

TEST(expression, looking_for_a_part_takes_no_longer_for_hostile_texts) {
  const auto names = std::vector<Name>{{"a", Type::text}, {"b", Type::text}};
  const std::string text(1'000'000, 'a');
  const std::string part = std::string(400'000, 'a') + "b";
  const std::vector<Value> values{std::string_view(text), std::string_view(part)};
  Scratch scratch;
  // By looking at each place in turn this would be 10^11 comparisons, which no test waits for.
  EXPECT_EQ(shown(Expression::check(*parse("contains(a, b)"), names)->evaluate(values, scratch)), "false");
}

TEST(expression, the_catalogue_of_functions_is_whole) {
  for (const Function& one : functions()) {
    EXPECT_TRUE(one.usage.starts_with(std::string(one.name) + "(")) << one.name;
    EXPECT_TRUE(one.sentence.ends_with(".")) << one.name;
    EXPECT_TRUE(is_name(one.name));
  }
}

}  // namespace
}  // namespace annals::expression
