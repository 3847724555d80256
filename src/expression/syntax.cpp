#include "expression/syntax.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/invariant.hpp"
#include "base/utf8.hpp"

namespace annals::expression {
namespace {

template <class T>
using Parsed = std::expected<T, Complaint>;

std::unexpected<Complaint> complain(std::size_t offset, std::string what) {
  return std::unexpected(Complaint{offset, std::move(what)});
}

#define TRY_PARSE(expression)                                                                \
  __extension__({                                                                            \
    auto parsed_ = (expression);                                                             \
    if (!parsed_.has_value()) return std::unexpected<Complaint>(std::move(parsed_).error()); \
    *std::move(parsed_);                                                                     \
  })

// --- Signs and words, and how closely they bind ---

enum Level : int { either_level = 1, both_level, no_level, comparison_level, sum_level, product_level, negation_level };

struct Sign {
  Operator of;
  std::string_view text;
  int level;
};

constexpr std::array signs{
    Sign{Operator::add, "+", sum_level},
    Sign{Operator::subtract, "-", sum_level},
    Sign{Operator::multiply, "*", product_level},
    Sign{Operator::divide, "/", product_level},
    Sign{Operator::equal, "=", comparison_level},
    Sign{Operator::unequal, "!=", comparison_level},
    Sign{Operator::less, "<", comparison_level},
    Sign{Operator::less_or_equal, "<=", comparison_level},
    Sign{Operator::greater, ">", comparison_level},
    Sign{Operator::greater_or_equal, ">=", comparison_level},
    Sign{Operator::both, "and", both_level},
    Sign{Operator::either, "or", either_level},
};

/// What other languages write, and what this one does.
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> elsewhere{{
    {"==", "="},
    {"<>", "!="},
    {"&&", "and"},
    {"||", "or, or + to join texts"},
    {"!", "not"},
    {"?", "if(condition, value, otherwise)"},
    {"%", "x - y * integer(round(x / y, 0)) or the like; there is no remainder"},
}};

constexpr std::array<std::string_view, 6> words{"and", "or", "not", "true", "false", "null"};

bool is_digit(char character) {
  return character >= '0' && character <= '9';
}
bool begins_name(char character) {
  return character >= 'a' && character <= 'z';
}
bool is_in_name(char character) {
  return begins_name(character) || is_digit(character) || character == '_';
}

struct Token {
  enum class Kind : std::uint8_t { end, word, number, text, sign };
  Kind kind = Kind::end;
  std::size_t offset = 0;
  std::string_view text{};
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Parsed<Node> parse() {
    TRY_PARSE(advance());
    Node node = TRY_PARSE(parse_from(either_level, 1));
    if (token_.kind == Token::Kind::end) return node;
    if (is(")")) return complain(token_.offset, "there is no ( that this one closes");
    return complain(token_.offset, "the expression ends before this; an operator such as + or = is missing");
  }

 private:
  using Done = Parsed<void>;

  [[nodiscard]] bool is(std::string_view sign) const { return token_.kind == Token::Kind::sign && token_.text == sign; }
  [[nodiscard]] bool is_word(std::string_view word) const {
    return token_.kind == Token::Kind::word && token_.text == word;
  }

  Done take(Token::Kind kind, std::size_t end) {
    token_ = {kind, at_, text_.substr(at_, end - at_)};
    at_ = end;
    return {};
  }

  /// Moves on to the next token.
  Done advance() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
    if (at_ == text_.size()) return take(Token::Kind::end, at_);
    const char first = text_[at_];
    if (begins_name(first)) {
      std::size_t end = at_;
      while (end < text_.size() && is_in_name(text_[end])) ++end;
      return take(Token::Kind::word, end);
    }
    if (is_digit(first)) return advance_over_number();
    if (first == '\'' || first == '"') return advance_over_text(first);
    const std::string_view two = text_.substr(at_, 2);
    for (const auto& [theirs, ours] : elsewhere) {
      if (two != theirs && !(theirs.size() == 1 && first == theirs.front() && two != "!=")) continue;
      return complain(at_, "\"" + std::string(theirs) + "\" is not of this language; write " + std::string(ours));
    }
    if (two == "!=" || two == "<=" || two == ">=") return take(Token::Kind::sign, at_ + 2);
    if (std::string_view("+-*/=<>(),").contains(first)) return take(Token::Kind::sign, at_ + 1);
    const std::string_view character = text_.substr(at_, utf8_character_bytes(text_.substr(at_)));
    if (!is_utf8_without_controls(character))
      return complain(at_, "a control character is nothing that an expression has, texts excepted");
    return complain(at_, "\"" + std::string(character) + "\" is nothing that an expression has" +
                             (first >= 'A' && first <= 'Z' ? "; names are in small letters" : ""));
  }

  Done advance_over_number() {
    std::size_t end = at_;
    const auto over_digits = [&] {
      while (end < text_.size() && is_digit(text_[end])) ++end;
    };
    over_digits();
    if (end < text_.size() && text_[end] == '.') {
      ++end;
      over_digits();
    }
    if (end < text_.size() && is_in_name(text_[end]))
      return complain(at_, "a number is digits, with a point between them or without; this is none");
    return take(Token::Kind::number, end);
  }

  Done advance_over_text(char quote) {
    std::size_t end = at_ + 1;
    while (true) {
      end = text_.find(quote, end);
      if (end == std::string_view::npos)
        return complain(at_, "the text that begins here has no end; it is to be closed with " + std::string(1, quote));
      if (text_.substr(end + 1, 1) != std::string_view(&quote, 1)) break;
      end += 2;  // the quote, written twice
    }
    return take(Token::Kind::text, end + 1);
  }

  [[nodiscard]] const Sign* sign_here() const {
    if (token_.kind != Token::Kind::sign && token_.kind != Token::Kind::word) return nullptr;
    const auto sign = std::ranges::find(signs, token_.text, &Sign::text);
    return sign == signs.end() ? nullptr : &*sign;
  }

  Parsed<Node> make(Operator of, std::size_t offset) {
    if (++nodes_ > nodes_max)
      return complain(offset, "the expression has more than " + std::to_string(nodes_max) + " parts");
    Node node;
    node.of = of;
    node.offset = offset;
    return node;
  }

  Done check_depth(std::size_t depth, std::size_t offset) const {
    if (depth <= depth_max) return {};
    return complain(offset, "the parts of the expression lie deeper in one another than " + std::to_string(depth_max));
  }

  /// Operators that bind at least as closely as `level`.
  Parsed<Node> parse_from(int level, std::size_t depth) {
    TRY_PARSE(check_depth(depth, token_.offset));
    Node left = TRY_PARSE(parse_prefix(level, depth));
    for (const Sign* sign = sign_here(); sign != nullptr && sign->level >= level; sign = sign_here()) {
      const std::size_t offset = token_.offset;
      TRY_PARSE(advance());
      Node node = TRY_PARSE(make(sign->of, offset));
      node.operands.push_back(std::move(left));
      node.operands.push_back(TRY_PARSE(parse_from(sign->level + 1, depth + 1)));
      left = std::move(node);
      const Sign* next = sign_here();
      if (sign->level == comparison_level && next != nullptr && next->level == comparison_level)
        return complain(token_.offset, "comparisons are not chained; write a < b and b < c");
    }
    return left;
  }

  /// What stands before or between operators.
  Parsed<Node> parse_prefix(int level, std::size_t depth) {
    const std::size_t offset = token_.offset;
    const bool no = is_word("not");
    if (no && level > no_level) return complain(offset, "put what begins with this \"not\" in parentheses");
    if (!no && !is("-")) return parse_primary(depth);
    TRY_PARSE(advance());
    Node node = TRY_PARSE(make(no ? Operator::no : Operator::negate, offset));
    node.operands.push_back(TRY_PARSE(parse_from(no ? no_level : negation_level, depth + 1)));
    return node;
  }

  Parsed<Node> parse_primary(std::size_t depth) {
    const Token token = token_;
    switch (token.kind) {
      case Token::Kind::end: return complain(token.offset, "a value is expected here, and the expression ends");
      case Token::Kind::number: return parse_number();
      case Token::Kind::text: return parse_text();
      case Token::Kind::word: return parse_word(depth);
      case Token::Kind::sign: break;
    }
    if (!is("(")) return complain(token.offset, "a value is expected here, not " + std::string(token.text));
    TRY_PARSE(advance());
    Node node = TRY_PARSE(parse_from(either_level, depth + 1));
    if (!is(")")) return complain(token.offset, "the ( here is not closed");
    TRY_PARSE(advance());
    return node;
  }

  Parsed<Node> parse_number() {
    const Token token = token_;
    Node node = TRY_PARSE(make(Operator::literal, token.offset));
    if (token.text.contains('.')) {
      const auto number = Decimal::from_text(token.text);
      if (!number) {
        return complain(token.offset,
                        "a decimal is digits, a point and digits, 38 at most on each side, and no zero "
                        "before the first");
      }
      node.literal = *number;
    } else {
      std::int64_t number = 0;
      const auto [end, error] = std::from_chars(token.text.data(), token.text.data() + token.text.size(), number);
      if (error != std::errc() || end != token.text.data() + token.text.size())
        return complain(token.offset, "an integer has 64 bits at most; write " + std::string(token.text.substr(0, 40)) +
                                          ".0 for a decimal");
      if (token.text.size() > 1 && token.text.front() == '0')
        return complain(token.offset, "an integer does not begin with 0");
      node.literal = number;
    }
    TRY_PARSE(advance());
    return node;
  }

  Parsed<Node> parse_text() {
    const Token token = token_;
    Node node = TRY_PARSE(make(Operator::literal, token.offset));
    const char quote = token.text.front();
    std::string text;
    for (std::size_t at = 1; at + 1 < token.text.size(); ++at) {
      text += token.text[at];
      if (token.text[at] == quote) ++at;
    }
    node.literal = std::move(text);
    TRY_PARSE(advance());
    return node;
  }

  Parsed<Node> parse_word(std::size_t depth) {
    const Token token = token_;
    if (token.text == "and" || token.text == "or")
      return complain(token.offset, "a value is expected before \"" + std::string(token.text) + "\"");
    TRY_PARSE(advance());
    Node node = TRY_PARSE(make(Operator::literal, token.offset));
    if (token.text == "null") return node;
    if (token.text == "true" || token.text == "false") {
      node.literal = token.text == "true";
      return node;
    }
    node.name = token.text;
    node.of = Operator::name;
    if (!is("(")) return node;
    node.of = Operator::call;
    TRY_PARSE(advance());
    while (!is(")")) {
      node.operands.push_back(TRY_PARSE(parse_from(either_level, depth + 1)));
      if (is(",")) {
        TRY_PARSE(advance());
        if (is(")")) return complain(token_.offset, "a value is expected here, not )");
      } else if (!is(")")) {
        return complain(token_.offset, "expected , or ) after a value given to \"" + node.name + "\"");
      }
    }
    TRY_PARSE(advance());
    return node;
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  Token token_;
  std::size_t nodes_ = 0;
};

int level_of(const Node& node) {
  if (node.of == Operator::no) return no_level;
  if (node.of == Operator::negate) return negation_level;
  const auto sign = std::ranges::find(signs, node.of, &Sign::of);
  return sign == signs.end() ? negation_level + 1 : sign->level;
}

void append(std::string& out, const Node& node, int level);

void append_literal(std::string& out, const Literal& literal) {
  if (std::holds_alternative<std::monostate>(literal)) out += "null";
  if (const auto* flag = std::get_if<bool>(&literal)) out += *flag ? "true" : "false";
  if (const auto* integer = std::get_if<std::int64_t>(&literal)) out += std::to_string(*integer);
  if (const auto* decimal = std::get_if<Decimal>(&literal)) {
    const std::string text = decimal->to_text();
    out += text + (text.contains('.') ? "" : ".0");
  }
  if (const auto* text = std::get_if<std::string>(&literal)) {
    out += '\'';
    for (const char character : *text) out.append(character == '\'' ? 2 : 1, character);
    out += '\'';
  }
}

void append_operator(std::string& out, const Node& node) {
  if (node.operands.size() == 1) {
    out += node.of == Operator::no ? "not " : "-";
    return append(out, node.operands.front(), level_of(node));
  }
  const int level = level_of(node);
  append(out, node.operands.front(), level == comparison_level ? level + 1 : level);
  out.append(" ").append(to_string(node.of)).append(" ");
  append(out, node.operands.back(), level + 1);
}

/// In parentheses where it binds less closely than `level`.
void append(std::string& out, const Node& node, int level) {
  switch (node.of) {
    case Operator::literal: return append_literal(out, node.literal);
    case Operator::name: out += node.name; return;
    case Operator::call:
      out += node.name + "(";
      for (const Node& operand : node.operands) {
        if (&operand != &node.operands.front()) out += ", ";
        append(out, operand, either_level);
      }
      out += ')';
      return;
    default: break;
  }
  if (level_of(node) >= level) return append_operator(out, node);
  out += '(';
  append_operator(out, node);
  out += ')';
}

}  // namespace

std::string_view to_string(Operator of) {
  if (of == Operator::no) return "not";
  if (of == Operator::negate) return "-";
  const auto sign = std::ranges::find(signs, of, &Sign::of);
  return sign == signs.end() ? std::string_view() : sign->text;
}

bool Node::operator==(const Node& other) const {
  return of == other.of && literal == other.literal && name == other.name && operands == other.operands;
}

std::expected<Node, Complaint> parse(std::string_view text) {
  if (text.size() > source_bytes_max)
    return complain(0, "an expression has " + std::to_string(source_bytes_max) + " bytes at most");
  if (!is_utf8(text)) return complain(0, "an expression is UTF-8");
  return Parser(text).parse();
}

std::string to_text(const Node& node) {
  std::string out;
  append(out, node, either_level);
  return out;
}

bool is_name(std::string_view text) {
  return !text.empty() && begins_name(text.front()) && std::ranges::all_of(text, is_in_name) &&
         std::ranges::find(words, text) == words.end();
}

}  // namespace annals::expression
