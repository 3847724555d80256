#include "expression/expression.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "base/did_you_mean.hpp"
#include "base/invariant.hpp"
#include "expression/function.hpp"

namespace annals::expression {
namespace {

bool is_condition(Type type) {
  return type == Type::boolean || type == Type::nothing;
}

bool is_of_two(Operator of) {
  return of >= Operator::add;
}

bool is_comparison(Operator of) {
  return of >= Operator::equal && of <= Operator::greater_or_equal;
}

std::unexpected<Complaint> complain(const Node& node, std::string what) {
  return std::unexpected(Complaint{node.offset, std::move(what)});
}

Value value_of(const Literal& literal) {
  if (const auto* flag = std::get_if<bool>(&literal)) return *flag;
  if (const auto* integer = std::get_if<std::int64_t>(&literal)) return *integer;
  if (const auto* decimal = std::get_if<Decimal>(&literal)) return *decimal;
  if (const auto* text = std::get_if<std::string>(&literal)) return std::string_view(*text);
  return {};
}

Type type_of(const Literal& literal) {
  constexpr std::array types{Type::nothing, Type::boolean, Type::integer, Type::decimal, Type::text};
  return types[literal.index()];
}

/// Integers among decimals are decimals.
Value widened(Value value, Type type) {
  if (type == Type::decimal && std::holds_alternative<std::int64_t>(value)) return decimal_of(value);
  return value;
}

bool is_true(const Value& value) {
  const auto* flag = std::get_if<bool>(&value);
  return flag && *flag;
}

}  // namespace

// --- Checking ---

class Checker {
 public:
  using Part = Expression::Part;
  using Checked = std::expected<Part, Complaint>;

  explicit Checker(std::span<const Name> names) : names_(names) {}

  Checked check(const Node& node) {
    if (is_of_two(node.of)) return check_chain(node);
    Part part;
    part.of = node.of;
    std::vector<Type> types;
    for (const Node& operand : node.operands) {
      auto one = check(operand);
      if (!one) return one;
      types.push_back(one->type);
      part.operands.push_back(*std::move(one));
    }
    std::expected<Type, Complaint> type = Type::nothing;
    if (node.of == Operator::literal) {
      part.literal = node.literal;
      type = type_of(node.literal);
    } else if (node.of == Operator::name) {
      type = type_of_name(node, part);
    } else if (node.of == Operator::call) {
      type = type_of_call(node, part, types);
    } else {
      type = type_of_operator(node, types);
    }
    if (!type) return std::unexpected(std::move(type).error());
    part.type = *type;
    return part;
  }

  /// Of operators of two, each of which is the left operand of the next.
  Checked check_chain(const Node& last) {
    std::vector<const Node*> chain;  // from the right
    const Node* node = &last;
    for (; is_of_two(node->of); node = &node->operands.front()) chain.push_back(node);
    Part part;
    auto first = check(*node);
    if (!first) return first;
    part.type = first->type;
    part.operands.push_back(*std::move(first));
    for (; !chain.empty(); chain.pop_back()) {
      auto right = check(chain.back()->operands.back());
      if (!right) return right;
      const auto type = type_of_operator(*chain.back(), {part.type, right->type});
      if (!type) return std::unexpected(type.error());
      part.of = chain.back()->of;
      part.type = *type;
      Part& link = part.operands.emplace_back();
      link.of = part.of;
      link.type = part.type;
      link.operands.push_back(*std::move(right));
    }
    return part;
  }

  /// The names that were used, ascending; and those of a part from their places among all to those among these.
  [[nodiscard]] std::vector<std::size_t> used() const {
    std::vector<std::size_t> places;
    for (std::size_t place = 0; place < used_.size(); ++place) {
      if (used_[place]) places.push_back(place);
    }
    return places;
  }
  static void renumber(Part& part, const std::vector<std::size_t>& used) {
    if (part.of == Operator::name)
      part.slot = static_cast<std::size_t>(std::ranges::lower_bound(used, part.slot) - used.begin());
    for (Part& operand : part.operands) renumber(operand, used);
  }

 private:
  using Typed = std::expected<Type, Complaint>;

  Typed type_of_name(const Node& node, Part& part) {
    const auto name = std::ranges::find(names_, node.name, &Name::name);
    if (name == names_.end()) {
      std::vector<std::string> known;
      for (const Name& one : names_) known.push_back(one.name);
      return complain(node, "there is no \"" + node.name + "\" here" + did_you_mean(node.name, known));
    }
    if (!name->refusal.empty()) return complain(node, "\"" + node.name + "\" " + name->refusal);
    part.slot = static_cast<std::size_t>(name - names_.begin());
    used_[part.slot] = true;
    return name->type;
  }

  static Typed type_of_call(const Node& node, Part& part, const std::vector<Type>& types) {
    const auto function = std::ranges::find(functions(), node.name, &Function::name);
    if (function == functions().end()) {
      std::vector<std::string> known;
      for (const Function& one : functions()) known.emplace_back(one.name);
      return complain(node, "there is no function \"" + node.name + "\"" + did_you_mean(node.name, known));
    }
    const std::string usage(function->usage);
    if (types.size() < function->operands_min || types.size() > function->operands_max)
      return complain(node, "expected " + usage + "; found " + std::to_string(types.size()) + " values");
    auto type = function->type_of(types);
    if (!type) return complain(node, usage + " takes " + type.error());
    part.function = &*function;
    return *type;
  }

  static Typed type_of_operator(const Node& node, const std::vector<Type>& types) {
    const Type left = types.front();
    const Type right = types.back();
    const auto found = [&] {
      const std::string second = types.size() == 2 ? " and " + std::string(to_string(right)) : "";
      return "; found " + std::string(to_string(left)) + second;
    };
    const std::string sign = "\"" + std::string(to_string(node.of)) + "\"";
    if (node.of == Operator::both || node.of == Operator::either || node.of == Operator::no) {
      if (is_condition(left) && is_condition(right)) return Type::boolean;
      return complain(node, sign + " takes what is true or false" + found());
    }
    if (is_comparison(node.of)) {
      const auto common = common_type(left, right);
      const bool in_order = node.of == Operator::equal || node.of == Operator::unequal;
      if (!common) {
        const bool dates = left == Type::date || right == Type::date;
        const bool times = left == Type::timestamp || right == Type::timestamp;
        return complain(node, sign + " compares values of one type" + found() +
                                  (dates && !times   ? "; write date(...) around the other"
                                   : times && !dates ? "; write timestamp(...) around the other"
                                                     : ""));
      }
      if (!in_order && *common == Type::boolean)
        return complain(node, sign + " takes values that have an order" + found());
      return Type::boolean;
    }
    if (node.of == Operator::add && left != right && (left == Type::text || right == Type::text) &&
        left != Type::nothing && right != Type::nothing) {
      return complain(node,
                      "\"+\" adds numbers or joins texts" + found() + "; convert one with string(...) or decimal(...)");
    }
    if (node.of == Operator::add && (left == Type::text || right == Type::text)) return Type::text;
    if (!is_exact(left) || !is_exact(right)) {
      const bool inexact = left == Type::number || right == Type::number;
      return complain(node, sign + " takes integers and decimals" + found() +
                                (inexact ? "; a double is not exact, write decimal(...) around it" : ""));
    }
    if (node.of == Operator::divide) return Type::decimal;
    return *common_type(left, right);
  }

  const std::span<const Name> names_;
  std::vector<bool> used_ = std::vector<bool>(names_.size());
};

std::expected<Expression, Complaint> Expression::check(const Node& tree, std::span<const Name> names) {
  Checker checker(names);
  auto root = checker.check(tree);
  if (!root) return std::unexpected(std::move(root).error());
  Expression expression;
  expression.root_ = *std::move(root);
  expression.names_ = checker.used();
  Checker::renumber(expression.root_, expression.names_);
  return expression;
}

// --- Evaluating ---

class Evaluation {
 public:
  using Part = Expression::Part;

  Evaluation(std::span<const Value> values, Scratch& scratch) : values_(values), scratch_(scratch) {}

  Outcome value_of(const Part& part) {
    switch (part.of) {
      case Operator::literal: return expression::value_of(part.literal);
      case Operator::name: return values_[part.slot];
      case Operator::call: return called(part);
      case Operator::negate: return negated(part);
      case Operator::no: return denied(part);
      default: return chained(part);
    }
  }

 private:
  Outcome negated(const Part& part) {
    Outcome operand = value_of(part.operands.front());
    if (!operand || is_null(*operand)) return operand;
    if (const auto* decimal = std::get_if<Decimal>(&*operand)) return decimal->negated();
    std::int64_t result = 0;
    if (__builtin_sub_overflow(std::int64_t{0}, std::get<std::int64_t>(*operand), &result))
      return std::unexpected(beyond_integer);
    return result;
  }

  Outcome denied(const Part& part) {
    const Outcome operand = value_of(part.operands.front());
    if (!operand) return operand;
    return !is_true(*operand);
  }

  Outcome chained(const Part& part) {
    Outcome value = value_of(part.operands.front());
    for (const Part& link : std::span(part.operands).subspan(1)) {
      if (!value) return value;
      value = linked(*value, link);
    }
    return value;
  }

  /// What an operator makes of what is left of it and its right operand.
  Outcome linked(const Value& left, const Part& link) {
    const bool asks = link.of == Operator::both || link.of == Operator::either;
    if (asks && is_true(left) == (link.of == Operator::either)) return is_true(left);
    const Outcome right = value_of(link.operands.front());
    if (!right) return right;
    if (asks) return is_true(*right);
    if (is_comparison(link.of)) return compared(link.of, left, *right);
    if (is_null(left) || is_null(*right)) return Value();
    if (link.type == Type::text) return joined(std::get<std::string_view>(left), std::get<std::string_view>(*right));
    if (link.type == Type::decimal) return reckoned(link.of, decimal_of(left), decimal_of(*right));
    return reckoned(link.of, std::get<std::int64_t>(left), std::get<std::int64_t>(*right));
  }

  static Outcome compared(Operator of, const Value& left, const Value& right) {
    if (is_null(left) || is_null(right)) {
      const bool both = is_null(left) && is_null(right);
      return of == Operator::equal ? both : of == Operator::unequal && !both;
    }
    const std::partial_ordering order = compare(left, right);
    switch (of) {
      case Operator::equal: return order == 0;
      case Operator::unequal: return order != 0;
      case Operator::less: return order < 0;
      case Operator::less_or_equal: return order <= 0;
      case Operator::greater: return order > 0;
      default: return order >= 0;
    }
  }

  Outcome joined(std::string_view left, std::string_view right) {
    if (left.empty()) return right;
    if (right.empty()) return left;
    const std::span<char> made = scratch_.make(left.size() + right.size());
    if (made.empty()) return std::unexpected(too_long);
    std::ranges::copy(right, std::ranges::copy(left, made.begin()).out);
    return std::string_view(made.data(), made.size());
  }

  static Outcome reckoned(Operator of, const Decimal& left, const Decimal& right) {
    if (of == Operator::divide && right.is_zero()) return Value();
    const auto result = of == Operator::add        ? left.plus(right)
                        : of == Operator::subtract ? left.minus(right)
                        : of == Operator::multiply ? left.times(right)
                                                   : left.over(right);
    if (!result) return std::unexpected(beyond_decimal);
    return *result;
  }

  static Outcome reckoned(Operator of, std::int64_t left, std::int64_t right) {
    std::int64_t result = 0;
    const bool overflows = of == Operator::add        ? __builtin_add_overflow(left, right, &result)
                           : of == Operator::subtract ? __builtin_sub_overflow(left, right, &result)
                                                      : __builtin_mul_overflow(left, right, &result);
    if (overflows) return std::unexpected(beyond_integer);
    return result;
  }

  Outcome called(const Part& part) {
    if (part.function->call == nullptr) return chosen(part);
    // Most have one or two.
    std::array<Value, 3> few;
    std::vector<Value> many;
    if (part.operands.size() > few.size()) many.resize(part.operands.size());
    const std::span<Value> operands =
        many.empty() ? std::span(few).first(part.operands.size()) : std::span<Value>(many);
    bool any_null = false;
    for (std::size_t place = 0; place < operands.size(); ++place) {
      const Outcome one = value_of(part.operands[place]);
      if (!one) return one;
      any_null = any_null || is_null(*one);
      operands[place] = *one;
    }
    if (any_null) return part.function->asks ? Value(false) : Value();
    const Outcome result = part.function->call(operands, scratch_);
    return result ? Outcome(widened(*result, part.type)) : result;
  }

  /// Of if and coalesce.
  Outcome chosen(const Part& part) {
    if (part.function->name == "if") {
      const Outcome condition = value_of(part.operands[0]);
      if (!condition) return condition;
      const Outcome value = value_of(part.operands[is_true(*condition) ? 1 : 2]);
      return value ? Outcome(widened(*value, part.type)) : value;
    }
    for (const Part& operand : part.operands) {
      const Outcome value = value_of(operand);
      if (!value) return value;
      if (!is_null(*value)) return widened(*value, part.type);
    }
    return Value();
  }

  const std::span<const Value> values_;
  Scratch& scratch_;
};

Outcome Expression::evaluate(std::span<const Value> values, Scratch& scratch) const {
  INVARIANT(values.size() == names_.size(), "there is a value for each name");
  return Evaluation(values, scratch).value_of(root_);
}

}  // namespace annals::expression
