// Random expressions of every shape: what is written is read again, and evaluating any that was checked gives a value
// of its type or trouble. What fails is shrunk and printed with the configuration that repeats it (RC_PARAMS).

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "expression/expression.hpp"
#include "expression/function.hpp"

namespace annals::expression {
namespace {

const std::vector<Name>& names() {
  static const std::vector<Name> all{{"flag", Type::boolean},    {"count", Type::integer}, {"price", Type::decimal},
                                     {"ratio", Type::number},    {"title", Type::text},    {"day", Type::date},
                                     {"moment", Type::timestamp}};
  return all;
}

std::string any_digits() {
  return *rc::gen::element<std::string>("0", "1", "7.5", "0.000001", "99999999999999999999999999999999999999",
                                        "0.99999999999999999999999999999999999999", "12345678901234567890.5");
}

Literal any_literal() {
  switch (*rc::gen::inRange(0, 5)) {
    case 0: return *rc::gen::arbitrary<bool>();
    case 1: return *rc::gen::element<std::int64_t>(0, 1, 2, 3, 38, 1000, INT64_MAX);
    case 2: return *Decimal::from_text(any_digits());
    case 3:
      return *rc::gen::element<std::string>("", "a", "it's", "\"'", " \xc3\xa4 ", "12", "7.5", "2026-02-12", "\n");
    default: return std::monostate{};
  }
}

/// A tree that may or may not make sense.
Node any_tree(int depth) {
  Node node;
  const int kind = depth == 0 ? *rc::gen::inRange(0, 2) : *rc::gen::inRange(0, 8);
  if (kind == 0) {
    node.literal = any_literal();
    return node;
  }
  if (kind == 1) {
    node.of = Operator::name;
    node.name = names()[*rc::gen::inRange<std::size_t>(0, names().size())].name;
    return node;
  }
  if (kind <= 4) {
    const Function& function = functions()[*rc::gen::inRange<std::size_t>(0, functions().size())];
    node.of = Operator::call;
    node.name = function.name;
    const auto operands =
        *rc::gen::inRange<std::size_t>(function.operands_min, std::min<std::size_t>(function.operands_max, 4) + 1);
    for (std::size_t operand = 0; operand < operands; ++operand) node.operands.push_back(any_tree(depth - 1));
    return node;
  }
  node.of = static_cast<Operator>(
      *rc::gen::inRange(static_cast<int>(Operator::negate), static_cast<int>(Operator::either) + 1));
  const bool of_one = node.of == Operator::negate || node.of == Operator::no;
  for (int operand = 0; operand < (of_one ? 1 : 2); ++operand) node.operands.push_back(any_tree(depth - 1));
  return node;
}

bool suits(const Value& value, Type type) {
  switch (type) {
    case Type::nothing: return is_null(value);
    case Type::boolean: return std::holds_alternative<bool>(value);
    case Type::integer: return std::holds_alternative<std::int64_t>(value);
    case Type::decimal: return std::holds_alternative<Decimal>(value);
    case Type::number: return std::holds_alternative<double>(value);
    default: return std::holds_alternative<std::string_view>(value);
  }
}

Value any_value(Type type) {
  if (*rc::gen::inRange(0, 4) == 0) return {};
  switch (type) {
    case Type::nothing: return {};
    case Type::boolean: return *rc::gen::arbitrary<bool>();
    case Type::integer: return *rc::gen::element<std::int64_t>(0, 1, -1, 3, INT64_MAX, INT64_MIN);
    case Type::decimal: {
      const Decimal number = *Decimal::from_text(any_digits());
      return *rc::gen::arbitrary<bool>() ? number : number.negated();
    }
    case Type::number: return *rc::gen::element(0.0, 0.1, -1e300, 1e-300, 9007199254740993.0);
    case Type::text: return *rc::gen::element<std::string_view>("", "a", " \xc3\xa4 ", "12", "7.5", "2026-02-12");
    case Type::date: return *rc::gen::element<std::string_view>("2026-02-12", "0000-01-01", "9999-12-31");
    case Type::timestamp:
      return *rc::gen::element<std::string_view>("2026-02-12T10:00:00.000000Z", "9999-12-31T23:59:59.999999Z");
  }
  return {};
}

RC_GTEST_PROP(expression_property, what_is_written_is_read_again, ()) {
  const Node tree = any_tree(*rc::gen::inRange(0, 5));
  const std::string text = to_text(tree);
  const auto read = parse(text);
  if (!read) RC_FAIL(text + ": " + read.error().what);
  if (!(*read == tree)) RC_FAIL(text + " was read as " + to_text(*read));
}

RC_GTEST_PROP(expression_property, any_text_is_an_expression_or_complained_of_within_it, ()) {
  const auto parts = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
      "(", ")", ",", "+", "-", "*", "/", "=", "!=", "<", ">=", " ", "not ", " and ", " or ", "price", "count", "if(",
      "coalesce(", "12", "7.5", "'a'", "\"b", "null", "#", "\xff"));
  std::string text;
  for (const std::string& part : parts) text += part;
  const auto tree = parse(text);
  if (!tree) {
    RC_ASSERT(tree.error().offset <= text.size());
    RC_ASSERT(!tree.error().what.empty());
    return;
  }
  RC_ASSERT(parse(to_text(*tree)).has_value());
}

RC_GTEST_PROP(expression_property, what_was_checked_gives_a_value_of_its_type_or_trouble, ()) {
  const Node tree = any_tree(*rc::gen::inRange(0, 4));
  const auto expression = Expression::check(tree, names());
  RC_CLASSIFY(expression.has_value());
  if (!expression) return;
  for (int round = 0; round < 5; ++round) {
    std::vector<Value> values;
    for (const std::size_t place : expression->names()) values.push_back(any_value(names()[place].type));
    Scratch scratch;
    const Outcome outcome = expression->evaluate(values, scratch);
    if (!outcome) {
      RC_ASSERT(!outcome.error().what.empty());
      continue;
    }
    if (!is_null(*outcome) && !suits(*outcome, expression->type())) RC_FAIL(to_text(tree));
    Scratch another;
    const Outcome again = expression->evaluate(values, another);
    RC_ASSERT(again.has_value());
    RC_ASSERT(is_null(*again) == is_null(*outcome));
    if (!is_null(*outcome)) RC_ASSERT(std::is_eq(compare(*again, *outcome)));
  }
}

}  // namespace
}  // namespace annals::expression
