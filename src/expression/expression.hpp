#pragma once
// Expression: a tree (syntax.hpp) that was found to mean something for values of some types, and can be evaluated. The
// one small language of Annals: a value from a few others, without effects, loops or time.
//
// Total: whoever checked an expression can evaluate it on any values of its types, and gets a value, null, or trouble
// that says why there is none; it never throws, and takes a time in proportion to the expression and its texts.
//
// What is null, and what is trouble:
//   - A number, text, date or timestamp that is made from null is null: `price * stock` without a price.
//   - Division by zero is null.
//   - What is asked is never null. `=` and `!=` take null for a value like others: `state = null` is true or false.
//     `<`, `<=`, `>`, `>=`, contains, starts_with are false where one side is null; and, or, not, if take null for
//     false.
//   - coalesce gives its first operand that is not null; if and coalesce, and, or look no further than they must.
//   - A number beyond its type (an integer of 64 bits, a decimal with 38 digits before the point), a text beyond what
//     Scratch has room for, and a conversion of what is no such value are trouble.
//
// Numbers: an integer goes with a decimal, and the result is a decimal; `/` always gives a decimal. Sums, differences
// and products are exact as far as the 38th digit after the point, where they are rounded, like quotients.
//
// Immutable once made; any thread.

#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "expression/scratch.hpp"
#include "expression/syntax.hpp"
#include "expression/value.hpp"

namespace annals::expression {

struct Function;

/// A name that an expression may use.
struct Name {
  std::string name;
  Type type = Type::nothing;
  std::string refusal{};  ///< why it cannot be used after all; empty: it can
};

class Expression {
 public:
  /// Complains of unknown names (with the nearest known one), names with a refusal, and types that do not go together.
  [[nodiscard]] static std::expected<Expression, Complaint> check(const Node& tree, std::span<const Name> names);

  /// What its values are of; nothing, when it is always null.
  [[nodiscard]] Type type() const { return root_.type; }
  /// The places of the names that it uses, ascending.
  [[nodiscard]] const std::vector<std::size_t>& names() const { return names_; }

  /// `values`: of those names, in the order of `names()`, each null or of its type. A text of the result lives in one
  /// of them, in the scratch, or in this. INVARIANT: there are as many.
  [[nodiscard]] Outcome evaluate(std::span<const Value> values, Scratch& scratch) const;

 private:
  friend class Checker;
  friend class Evaluation;
  struct Part {
    Operator of = Operator::literal;
    Type type = Type::nothing;
    std::size_t slot = 0;  // of a name: its place in names_
    const Function* function = nullptr;
    Literal literal{};
    /// Of an operator of two, which ends a chain such as `a + b * c = d`: the first operand of the chain, and then a
    /// part for each of its operators from the left, this one's at the end, with the right operand alone. So whoever
    /// walks the parts goes as deep as they are nested, however long a chain is.
    std::vector<Part> operands{};
  };

  Part root_;
  std::vector<std::size_t> names_;
};

}  // namespace annals::expression
