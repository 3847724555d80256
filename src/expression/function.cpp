#include "expression/function.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <string>

#include "base/instant.hpp"
#include "base/invariant.hpp"
#include "base/utf8.hpp"

namespace annals::expression {
namespace {

using Typed = std::expected<Type, std::string>;

bool is_text(Type type) {
  return type == Type::text || type == Type::nothing;
}

Typed wants(std::string what) {
  return std::unexpected(std::move(what));
}

/// Of operands that are all texts.
Typed from_texts(std::span<const Type> operands, Type result) {
  if (std::ranges::all_of(operands, is_text)) return result;
  return wants("texts; convert others with string(...)");
}

Outcome text_of(std::string_view text, Scratch& scratch) {
  if (text.empty()) return Value(std::string_view());
  const std::span<char> made = scratch.make(text.size());
  if (made.empty()) return std::unexpected(too_long);
  std::ranges::copy(text, made.begin());
  return Value(std::string_view(made.data(), made.size()));
}

/// Each byte changed.
template <class Change>
Outcome changed(std::string_view text, Scratch& scratch, Change change) {
  const std::span<char> made = scratch.make(text.size());
  if (made.size() != text.size()) return std::unexpected(too_long);
  std::ranges::transform(text, made.begin(), change);
  return Value(std::string_view(made.data(), made.size()));
}

std::string_view text(const Value& value) {
  return std::get<std::string_view>(value);
}

std::size_t characters_of(std::string_view of) {
  return static_cast<std::size_t>(
      std::ranges::count_if(of, [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; }));
}

std::string_view trimmed(std::string_view of) {
  constexpr std::string_view blanks = " \t\r\n\f\v";
  const std::size_t first = of.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return of.substr(first, of.find_last_not_of(blanks) + 1 - first);
}

/// The characters at the places from `first` on (from 1) up to before `end`.
std::string_view characters_between(std::string_view of, std::int64_t first, std::int64_t end) {
  std::int64_t place = 0;  // of the last character that began
  std::size_t begin_at = of.size();
  std::size_t end_at = of.size();
  for (std::size_t at = 0; at < of.size(); ++at) {
    if ((static_cast<unsigned char>(of[at]) & 0xc0) == 0x80) continue;
    ++place;
    if (place >= first && begin_at == of.size()) begin_at = at;
    if (place >= end) {
      end_at = at;
      break;
    }
  }
  return begin_at < end_at ? of.substr(begin_at, end_at - begin_at) : std::string_view();
}

Outcome substr(std::span<const Value> operands) {
  const std::int64_t first = std::get<std::int64_t>(operands[1]);
  std::int64_t end = INT64_MAX;
  if (operands.size() == 3) {
    const std::int64_t count = std::get<std::int64_t>(operands[2]);
    // What is beyond all texts is there all the same.
    if (count <= 0) return Value(std::string_view());
    if (__builtin_add_overflow(first, count, &end)) end = INT64_MAX;
  }
  return Value(characters_between(text(operands[0]), first, end));
}

/// In a time in proportion to both, whatever they are: what looks for a needle as a person would does not.
bool contains(std::string_view of, std::string_view needle) {
  return needle.empty() || (!of.empty() && ::memmem(of.data(), of.size(), needle.data(), needle.size()) != nullptr);
}

bool is_date(std::string_view of) {
  return of.size() == 10 && Instant::from_text(std::string(of) + "T00:00:00Z");
}

constexpr std::size_t time_bytes_max = 64;

Outcome date_of(std::span<const Value> operands, Scratch& scratch) {
  const std::string_view of = text(operands[0]);
  if (is_date(of)) return Value(of);
  const auto time = of.size() > time_bytes_max ? std::nullopt : Instant::from_text(of);
  if (time) return text_of(time->to_text().substr(0, 10), scratch);
  return std::unexpected(Trouble{"a text is no date such as 2026-02-12, and no time such as 2026-02-12T10:00:00Z"});
}

Outcome timestamp_of(std::span<const Value> operands, Scratch& scratch) {
  const std::string_view of = text(operands[0]);
  const auto time = of.size() > time_bytes_max ? std::nullopt
                    : is_date(of)              ? Instant::from_text(std::string(of) + "T00:00:00Z")
                                               : Instant::from_text(of);
  if (!time) return std::unexpected(Trouble{"a text is no time such as 2026-02-12T10:00:00Z, and no date"});
  return text_of(time->to_text(), scratch);
}

/// The shortest digits that are the double, without an exponent.
std::optional<Decimal> decimal_from(double number) {
  std::array<char, 400> digits;
  const auto [end, error] =
      std::to_chars(digits.data(), digits.data() + digits.size(), number, std::chars_format::fixed);
  if (error != std::errc()) return std::nullopt;
  return Decimal::from_text({digits.data(), end});
}

Outcome integer_of(std::span<const Value> operands) {
  const Value& of = operands[0];
  if (std::holds_alternative<std::int64_t>(of)) return of;
  if (const auto* digits = std::get_if<std::string_view>(&of)) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(digits->data(), digits->data() + digits->size(), number);
    if (error == std::errc() && end == digits->data() + digits->size()) return Value(number);
    return std::unexpected(Trouble{"a text is no integer of 64 bits such as 12"});
  }
  const auto* number = std::get_if<double>(&of);
  const auto decimal = number ? decimal_from(*number) : std::optional(std::get<Decimal>(of));
  const auto integer = decimal ? decimal->to_integer() : std::nullopt;
  if (integer) return Value(*integer);
  return std::unexpected(Trouble{"a number is not whole, or beyond 64 bits; round(x, 0) makes it whole"});
}

Outcome to_decimal(std::span<const Value> operands) {
  const Value& of = operands[0];
  if (const auto* digits = std::get_if<std::string_view>(&of)) {
    if (const auto decimal = Decimal::from_text(*digits)) return Value(*decimal);
    return std::unexpected(Trouble{"a text is no decimal number such as 7.50"});
  }
  if (const auto* number = std::get_if<double>(&of)) {
    if (const auto decimal = decimal_from(*number)) return Value(*decimal);
    return std::unexpected(Trouble{"a double has more than 38 digits on a side of the point"});
  }
  return Value(decimal_of(of));
}

Outcome string_of(std::span<const Value> operands, Scratch& scratch) {
  const Value& of = operands[0];
  if (std::holds_alternative<std::string_view>(of)) return of;
  if (const auto* flag = std::get_if<bool>(&of)) return Value(std::string_view(*flag ? "true" : "false"));
  if (const auto* integer = std::get_if<std::int64_t>(&of)) return text_of(std::to_string(*integer), scratch);
  if (const auto* decimal = std::get_if<Decimal>(&of)) return text_of(decimal->to_text(), scratch);
  std::array<char, 32> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), std::get<double>(of));
  INVARIANT(error == std::errc(), "the shortest digits of a double are few");
  return text_of({digits.data(), end}, scratch);
}

Outcome rounded(std::span<const Value> operands) {
  const std::int64_t places = operands.size() == 2 ? std::get<std::int64_t>(operands[1]) : 0;
  if (places < 0 || places > static_cast<std::int64_t>(Decimal::digits_max))
    return std::unexpected(Trouble{"a number is rounded to 0 to 38 places"});
  const auto result = decimal_of(operands[0]).rounded(static_cast<std::size_t>(places));
  if (!result) return std::unexpected(beyond_decimal);
  return Value(*result);
}

Outcome magnitude(std::span<const Value> operands) {
  if (const auto* decimal = std::get_if<Decimal>(&operands[0]))
    return Value(decimal->is_negative() ? decimal->negated() : *decimal);
  const std::int64_t number = std::get<std::int64_t>(operands[0]);
  if (number == INT64_MIN) return std::unexpected(beyond_integer);
  return Value(number < 0 ? -number : number);
}

Typed number_type(std::span<const Type> operands) {
  if (is_exact(operands[0])) return operands[0];
  return wants("an integer or a decimal");
}

Typed common_type_of(std::span<const Type> operands) {
  Type common = Type::nothing;
  for (const Type type : operands) {
    const auto both = common_type(common, type);
    if (!both) {
      return wants("values of one type, not " + std::string(to_string(common)) + " and " +
                   std::string(to_string(type)));
    }
    common = *both;
  }
  return common;
}

Typed ordered_type_of(std::span<const Type> operands) {
  if (std::ranges::find(operands, Type::boolean) != operands.end()) return wants("values that have an order");
  return common_type_of(operands);
}

Typed type_of_if(std::span<const Type> operands) {
  if (operands[0] != Type::boolean && operands[0] != Type::nothing)
    return wants("a condition first, such as stock > 0");
  return common_type_of(operands.subspan(1));
}

/// The least or the greatest.
template <bool least>
Outcome extreme(std::span<const Value> operands, Scratch& /*scratch*/) {
  const Value* found = &operands[0];
  for (const Value& one : operands.subspan(1)) {
    if (least ? compare(one, *found) < 0 : compare(one, *found) > 0) found = &one;
  }
  return *found;
}

constexpr std::size_t any_number = 50;

constexpr std::array all{
    Function{"if", "if(condition, value, otherwise)", "The second where the first is true, else the third.", 3, 3,
             type_of_if, nullptr},
    Function{"coalesce", "coalesce(value, otherwise, ...)", "The first that is not null.", 2, any_number,
             common_type_of, nullptr},
    Function{"min", "min(value, value, ...)", "The least.", 2, any_number, ordered_type_of, extreme<true>},
    Function{"max", "max(value, value, ...)", "The greatest.", 2, any_number, ordered_type_of, extreme<false>},
    Function{"abs", "abs(number)", "The number without its sign.", 1, 1, number_type,
             [](std::span<const Value> operands, Scratch&) { return magnitude(operands); }},
    Function{"round", "round(number, places)",
             "A decimal with so many digits after the point, 0 to 38; without `places` none. Halves go away from zero.",
             1, 2,
             [](std::span<const Type> operands) -> Typed {
               const bool places = operands.size() == 1 || operands[1] == Type::integer || operands[1] == Type::nothing;
               if (is_exact(operands[0]) && places) return Type::decimal;
               return wants("an integer or a decimal, and a number of places");
             },
             [](std::span<const Value> operands, Scratch&) { return rounded(operands); }},
    Function{"upper", "upper(text)", "With capitals in the place of a to z; other letters stay.", 1, 1,
             [](std::span<const Type> operands) { return from_texts(operands, Type::text); },
             [](std::span<const Value> operands, Scratch& scratch) {
               return changed(text(operands[0]), scratch,
                              [](char one) { return one >= 'a' && one <= 'z' ? static_cast<char>(one - 32) : one; });
             }},
    Function{"lower", "lower(text)", "With small letters in the place of A to Z; other letters stay.", 1, 1,
             [](std::span<const Type> operands) { return from_texts(operands, Type::text); },
             [](std::span<const Value> operands, Scratch& scratch) {
               return changed(text(operands[0]), scratch,
                              [](char one) { return one >= 'A' && one <= 'Z' ? static_cast<char>(one + 32) : one; });
             }},
    Function{"trim", "trim(text)", "Without blanks, tabs and line ends at both ends.", 1, 1,
             [](std::span<const Type> operands) { return from_texts(operands, Type::text); },
             [](std::span<const Value> operands, Scratch&) -> Outcome { return Value(trimmed(text(operands[0]))); }},
    Function{"length", "length(text)", "How many characters it has.", 1, 1,
             [](std::span<const Type> operands) { return from_texts(operands, Type::integer); },
             [](std::span<const Value> operands, Scratch&) -> Outcome {
               return Value(static_cast<std::int64_t>(characters_of(text(operands[0]))));
             }},
    Function{"substr", "substr(text, first, count)",
             "The characters at the places from `first` on, which count from 1; `count` of these places, or all.", 2, 3,
             [](std::span<const Type> operands) -> Typed {
               const auto is_place = [](Type type) { return type == Type::integer || type == Type::nothing; };
               if (is_text(operands[0]) && std::ranges::all_of(operands.subspan(1), is_place)) return Type::text;
               return wants("a text and one or two integers");
             },
             [](std::span<const Value> operands, Scratch&) { return substr(operands); }},
    Function{.name = "contains",
             .usage = "contains(text, part)",
             .sentence = "Whether the text has the part in it. False of null.",
             .operands_min = 2,
             .operands_max = 2,
             .type_of = [](std::span<const Type> operands) { return from_texts(operands, Type::boolean); },
             .call = [](std::span<const Value> operands, Scratch&) -> Outcome {
               return Value(contains(text(operands[0]), text(operands[1])));
             },
             .asks = true},
    Function{.name = "starts_with",
             .usage = "starts_with(text, beginning)",
             .sentence = "Whether the text begins so. False of null.",
             .operands_min = 2,
             .operands_max = 2,
             .type_of = [](std::span<const Type> operands) { return from_texts(operands, Type::boolean); },
             .call = [](std::span<const Value> operands, Scratch&) -> Outcome {
               return Value(text(operands[0]).starts_with(text(operands[1])));
             },
             .asks = true},
    Function{"date", "date(value)", "The day, in UTC, of a timestamp; a date from its text.", 1, 1,
             [](std::span<const Type> operands) -> Typed {
               const Type of = operands[0];
               if (is_text(of) || of == Type::timestamp || of == Type::date) return Type::date;
               return wants("a timestamp or a text");
             },
             date_of},
    Function{"timestamp", "timestamp(value)", "The beginning, in UTC, of a date; a timestamp from its text.", 1, 1,
             [](std::span<const Type> operands) -> Typed {
               const Type of = operands[0];
               if (is_text(of) || of == Type::timestamp || of == Type::date) return Type::timestamp;
               return wants("a date or a text");
             },
             timestamp_of},
    Function{"integer", "integer(value)", "A whole number of any type, or the digits of one, as an integer.", 1, 1,
             [](std::span<const Type> operands) -> Typed {
               if (is_exact(operands[0]) || is_text(operands[0]) || operands[0] == Type::number) return Type::integer;
               return wants("a number or a text");
             },
             [](std::span<const Value> operands, Scratch&) { return integer_of(operands); }},
    Function{"decimal", "decimal(value)", "A number of any type, or the digits of one, as a decimal.", 1, 1,
             [](std::span<const Type> operands) -> Typed {
               if (is_exact(operands[0]) || is_text(operands[0]) || operands[0] == Type::number) return Type::decimal;
               return wants("a number or a text");
             },
             [](std::span<const Value> operands, Scratch&) { return to_decimal(operands); }},
    Function{"string", "string(value)", "A value of any type as text.", 1, 1,
             [](std::span<const Type>) -> Typed { return Type::text; }, string_of},
};

}  // namespace

std::span<const Function> functions() {
  return all;
}

std::string_view to_string(Type type) {
  switch (type) {
    case Type::nothing: return "nothing";
    case Type::boolean: return "boolean";
    case Type::integer: return "integer";
    case Type::decimal: return "decimal";
    case Type::number: return "double";
    case Type::text: return "text";
    case Type::date: return "date";
    case Type::timestamp: return "timestamp";
  }
  return "nothing";
}

std::optional<Type> common_type(Type one, Type other) {
  if (one == other || other == Type::nothing) return one;
  if (one == Type::nothing) return other;
  if (is_exact(one) && is_exact(other)) return Type::decimal;
  return std::nullopt;
}

std::partial_ordering compare(const Value& left, const Value& right) {
  if (left.index() != right.index()) return decimal_of(left) <=> decimal_of(right);
  if (const auto* flag = std::get_if<bool>(&left)) return *flag <=> std::get<bool>(right);
  if (const auto* integer = std::get_if<std::int64_t>(&left)) return *integer <=> std::get<std::int64_t>(right);
  if (const auto* decimal = std::get_if<Decimal>(&left)) return *decimal <=> std::get<Decimal>(right);
  if (const auto* number = std::get_if<double>(&left)) return *number <=> std::get<double>(right);
  return text(left) <=> text(right);
}

Decimal decimal_of(const Value& number) {
  if (const auto* integer = std::get_if<std::int64_t>(&number)) return Decimal::from_integer(*integer);
  const auto* decimal = std::get_if<Decimal>(&number);
  INVARIANT(decimal != nullptr, "types were checked: it is a number");
  return *decimal;
}

}  // namespace annals::expression
