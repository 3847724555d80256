#pragma once
// The syntax of expressions: text to a tree and back. What a tree means, and which trees mean something, is in
// expression.hpp.
//
//     expression = or
//     or         = and { "or" and }
//     and        = not { "and" not }
//     not        = "not" not | comparison
//     comparison = sum [ ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) sum ]
//     sum        = product { ( "+" | "-" ) product }
//     product    = negation { ( "*" | "/" ) negation }
//     negation   = "-" negation | primary
//     primary    = literal | name | name "(" [ expression { "," expression } ] ")" | "(" expression ")"
//     literal    = integer | decimal | text | "true" | "false" | "null"
//
// An integer is digits (12), a decimal has a point between digits (7.50). A text stands in '...' or "...", and the
// quote that it stands in is written twice within. A name is [a-z][a-z0-9_]*, none of: and, or, not, true, false, null.
// Blanks (and line ends) may stand between all of these.
//
// Bounded: source_bytes_max, nodes_max, depth_max. Pure functions; no thread rule.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/decimal.hpp"

namespace annals::expression {

inline constexpr std::size_t source_bytes_max = 4096;
inline constexpr std::size_t nodes_max = 500;
/// How deep parts lie in one another. A chain, such as `a + b * c + d`, is one deeper than the deepest of its parts,
/// however many operators it has: of those, the left operand is the chain so far.
inline constexpr std::size_t depth_max = 60;

/// What is wrong with a text, and where.
struct Complaint {
  std::size_t offset = 0;  ///< bytes from the beginning of the text
  std::string what;        ///< a sentence without its full stop
};

enum class Operator : std::uint8_t {
  literal,
  name,
  call,    ///< of the function `name`
  negate,  ///< of one operand, like `no`; all below are of two
  no,
  add,
  subtract,
  multiply,
  divide,
  equal,
  unequal,
  less,
  less_or_equal,
  greater,
  greater_or_equal,
  both,
  either,
};
/// As it is written: "+", "and"; empty of the first three.
[[nodiscard]] std::string_view to_string(Operator of);

/// std::monostate is null. Numbers are not negative: a minus is an operator.
using Literal = std::variant<std::monostate, bool, std::int64_t, Decimal, std::string>;

struct Node {
  Operator of = Operator::literal;
  std::size_t offset = 0;  ///< where it stands in the text: of an operator that of its sign
  Literal literal{};
  std::string name{};
  std::vector<Node> operands{};

  /// Wherever they stand.
  bool operator==(const Node& other) const;
};

/// Complains of everything that is not of the grammar, or beyond its bounds.
[[nodiscard]] std::expected<Node, Complaint> parse(std::string_view text);

/// A text that parses to the same tree, with no more parentheses than that takes. INVARIANT: a tree as parse makes it.
[[nodiscard]] std::string to_text(const Node& node);

/// Whether it is a name: none of the words of the language.
[[nodiscard]] bool is_name(std::string_view text);

}  // namespace annals::expression
