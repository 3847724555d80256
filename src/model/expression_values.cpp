#include "model/expression_values.hpp"

#include <charconv>

#include "base/invariant.hpp"

namespace annals::model {
namespace {

using expression::Type;
using expression::Value;

template <class Number>
std::optional<Number> json_number(std::string_view digits) {
  Number number{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

/// Of the JSON that records have; nullopt for another.
std::optional<Value> plain_value(FieldType type, std::string_view json) {
  if (type == FieldType::boolean) {
    if (json == "true") return Value(true);
    if (json == "false") return Value(false);
    return std::nullopt;
  }
  if (type == FieldType::integer) {
    const auto number = json_number<std::int64_t>(json);
    return number ? std::optional<Value>(*number) : std::nullopt;
  }
  if (type == FieldType::number) {
    const auto number = json_number<double>(json);
    return number ? std::optional<Value>(*number) : std::nullopt;
  }
  if (json.size() < 2 || json.front() != '"' || json.contains('\\')) return std::nullopt;
  const std::string_view text = json.substr(1, json.size() - 2);
  if (type != FieldType::decimal) return Value(text);
  const auto number = Decimal::from_text(text);
  return number ? std::optional<Value>(*number) : std::nullopt;
}

}  // namespace

std::optional<Type> expression_type_of(FieldType type) {
  switch (type) {
    case FieldType::string:
    case FieldType::text:
    case FieldType::uuid:
    case FieldType::choice: return Type::text;
    case FieldType::integer: return Type::integer;
    case FieldType::decimal: return Type::decimal;
    case FieldType::number: return Type::number;
    case FieldType::boolean: return Type::boolean;
    case FieldType::date: return Type::date;
    case FieldType::timestamp: return Type::timestamp;
    case FieldType::json:
    case FieldType::list: break;
  }
  return std::nullopt;
}

bool gives(Type result, FieldType type) {
  const auto wanted = expression_type_of(type);
  if (!wanted) return false;
  if (result == *wanted || result == Type::nothing) return true;
  return result == Type::integer && (*wanted == Type::decimal || *wanted == Type::number);
}

Result<Value> expression_value(const Field& field, std::string_view json, std::vector<std::string>& unescaped) {
  if (json == "null") return Value();
  if (const auto plain = plain_value(field.type, json)) return *plain;
  FieldValue value = TRY(value_from_text(field, json));
  auto* text = std::get_if<std::string>(&value.value);
  if (text == nullptr) return expression_value(value);
  INVARIANT(unescaped.size() < unescaped.capacity(), "texts stay where they are while they are looked at");
  return Value(std::string_view(unescaped.emplace_back(std::move(*text))));
}

Value expression_value(const FieldValue& value) {
  if (const auto* flag = value.as<bool>()) return *flag;
  if (const auto* integer = value.as<std::int64_t>()) return *integer;
  if (const auto* number = value.as<double>()) return *number;
  if (const auto* decimal = value.as<WrittenDecimal>()) return decimal->number;
  if (const auto* text = value.as<std::string>()) return std::string_view(*text);
  INVARIANT(value.is_null(), "expressions have neither json nor lists");
  return {};
}

Result<FieldValue> field_value(const Field& field, const Value& value) {
  if (expression::is_null(value)) return FieldValue{};
  if (const auto* text = std::get_if<std::string_view>(&value)) return value_from_json(field, json::Value(*text));
  if (const auto* flag = std::get_if<bool>(&value)) return FieldValue{*flag};
  if (const auto* decimal = std::get_if<Decimal>(&value))
    return FieldValue{WrittenDecimal{decimal->to_text(), *decimal}};
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return value_from_json(field, json::Value(*integer));
  return value_from_json(field, json::Value(std::get<double>(value)));
}

}  // namespace annals::model
