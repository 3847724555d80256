// Expressions: whatever is parsed is the same when it is written and parsed again, and whatever is checked can be
// evaluated.

#include <string>
#include <vector>

#include "base/invariant.hpp"
#include "expression/expression.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace annals;
  using namespace annals::expression;
  static const std::vector<Name> names{{"a", Type::integer}, {"b", Type::decimal},
                                       {"c", Type::text},    {"d", Type::boolean},
                                       {"e", Type::date},    {"f", Type::timestamp},
                                       {"g", Type::number},  {"h", Type::text},
                                       {"i", Type::integer}, {"j", Type::nothing, "is a list"}};
  static const std::vector<Value> values{std::int64_t{INT64_MIN},
                                         *Decimal::from_text("-12345678901234567890.000000000000000000000000000001"),
                                         std::string_view("L\xc3\xa4mpchen"),
                                         true,
                                         std::string_view("2026-02-12"),
                                         std::string_view("2026-02-12T10:00:00.000000Z"),
                                         1e300,
                                         Value(),
                                         std::int64_t{7},
                                         Value()};
  const auto tree = parse({reinterpret_cast<const char*>(data), size});
  if (!tree) {
    INVARIANT(tree.error().offset <= size, "a complaint points into the text");
    return 0;
  }
  const std::string text = to_text(*tree);
  // Parentheses and quotes may make it longer than a text may be.
  if (text.size() <= source_bytes_max) {
    const auto again = parse(text);
    INVARIANT(again.has_value() && *again == *tree, "what is written is what was read");
  }
  const auto expression = Expression::check(*tree, names);
  if (!expression) return 0;
  std::vector<Value> given;
  for (const std::size_t place : expression->names()) given.push_back(values[place]);
  Scratch scratch;
  const Outcome outcome = expression->evaluate(given, scratch);
  INVARIANT(outcome.has_value() || !outcome.error().what.empty(), "there is a value, or trouble that says why not");
  return 0;
}
