#include "model/value_order.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

#include "base/instant.hpp"
#include "base/invariant.hpp"
#include "base/uuid.hpp"

namespace annals::model {
namespace {

constexpr char none_tag = 1;
constexpr char some_tag = 2;

void append_greatest_first(std::string& out, std::uint64_t number) {
  const std::uint64_t turned = __builtin_bswap64(number);
  out.append(reinterpret_cast<const char*>(&turned), sizeof turned);
}

constexpr std::uint64_t sign_bit = std::uint64_t{1} << 63;

void append_integer(std::string& out, std::int64_t number) {
  append_greatest_first(out, static_cast<std::uint64_t>(number) ^ sign_bit);
}

void append_double(std::string& out, double number) {
  const auto bits = std::bit_cast<std::uint64_t>(number == 0 ? 0.0 : number);
  append_greatest_first(out, (bits & sign_bit) != 0 ? ~bits : bits | sign_bit);
}

/// As it was written a decimal has all digits of its value, and zeros at its end at most that the value has not.
void append_decimal(std::string& out, const WrittenDecimal& decimal) {
  const bool negative = decimal.number.is_negative();  // "-0.00" is not
  std::string_view digits = decimal.text;
  if (digits.front() == '-') digits.remove_prefix(1);
  const std::size_t point = std::min(digits.find('.'), digits.size());
  std::string_view whole = digits.substr(0, point);
  if (whole == "0") whole = {};
  std::string_view fraction = digits.substr(std::min(point + 1, digits.size()));
  while (fraction.ends_with('0')) fraction.remove_suffix(1);
  out += negative ? '\0' : '\1';
  const std::size_t begin = out.size();
  out += static_cast<char>(whole.size());
  out += whole;
  out += fraction;
  out += '\0';
  if (!negative) return;
  for (std::size_t at = begin; at < out.size(); ++at) out[at] = static_cast<char>(~out[at]);
}

void append_escaped(std::string& out, std::string_view text) {
  text = text.substr(0, value_order_bytes_max);
  if (text.find('\0') == std::string_view::npos) {
    out += text;
    return;
  }
  for (char byte : text) {
    out += byte;
    if (byte == '\0') out += '\xff';
  }
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// What stands between the quotes, where nothing in it is escaped.
std::optional<std::string_view> plain_text_of(std::string_view json) {
  if (json.size() < 2 || json.front() != '"' || json.find('\\') != std::string_view::npos) return std::nullopt;
  return json.substr(1, json.size() - 2);
}

}  // namespace

bool has_order(FieldType type) {
  return type != FieldType::text && type != FieldType::json && type != FieldType::list;
}

void append_order(std::string& out, FieldType type, const FieldValue& value) {
  if (value.is_null()) {
    out += none_tag;
    return;
  }
  out += some_tag;
  if (const auto* flag = value.as<bool>()) {
    out += *flag ? '\1' : '\0';
  } else if (const auto* integer = value.as<std::int64_t>()) {
    append_integer(out, *integer);
  } else if (const auto* number = value.as<double>()) {
    append_double(out, *number);
  } else if (const auto* decimal = value.as<WrittenDecimal>()) {
    append_decimal(out, *decimal);
  } else {
    const auto* text = value.as<std::string>();
    INVARIANT(text != nullptr, "values of the other types have no order");
    if (type == FieldType::timestamp) {
      const auto time = Instant::from_text(*text);
      INVARIANT(time.has_value(), "a timestamp is a time");
      append_integer(out, time->microseconds);
    } else if (type == FieldType::uuid) {
      const auto uuid = Uuid::from_text(*text);
      INVARIANT(uuid.has_value(), "a uuid is a UUID");
      out.append(reinterpret_cast<const char*>(uuid->bytes.data()), uuid->bytes.size());
    } else {
      append_escaped(out, *text);
      out.append("\0\1", 2);
    }
  }
}

std::string order_of(FieldType type, const FieldValue& value) {
  std::string bytes;
  append_order(bytes, type, value);
  return bytes;
}

bool order_is_exact(const FieldValue& value) {
  const auto* text = value.as<std::string>();
  return text == nullptr || text->size() < value_order_bytes_max;
}

std::string order_of_prefix(std::string_view prefix) {
  std::string bytes(some_value);
  append_escaped(bytes, prefix);
  return bytes;
}

std::string successor_of(std::string bytes) {
  while (!bytes.empty() && bytes.back() == '\xff') bytes.pop_back();
  if (!bytes.empty()) bytes.back() = static_cast<char>(static_cast<unsigned char>(bytes.back()) + 1);
  return bytes;
}

Result<FieldValue> stored_value(const Field& field, std::string_view text) {
  if (text == "null") return FieldValue{};
  switch (field.type) {
    case FieldType::integer:
      if (const auto number = number_of<std::int64_t>(text)) return FieldValue{*number};
      break;
    case FieldType::number:
      if (const auto number = number_of<double>(text)) return FieldValue{*number};
      break;
    case FieldType::boolean: return FieldValue{text == "true"};
    case FieldType::decimal:
      if (const auto plain = plain_text_of(text)) {
        if (const auto number = Decimal::from_text(*plain))
          return FieldValue{WrittenDecimal{std::string(*plain), *number}};
      }
      break;
    case FieldType::string:
    case FieldType::text:
    case FieldType::date:
    case FieldType::timestamp:
    case FieldType::uuid:
    case FieldType::choice:
      if (const auto plain = plain_text_of(text)) return FieldValue{std::string(*plain)};
      break;
    case FieldType::json: return FieldValue{RawJson{std::string(text)}};
    case FieldType::list: break;
  }
  return value_from_text(field, text);
}

}  // namespace annals::model
