#include "model/field.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/faults.hpp"
#include "base/instant.hpp"
#include "base/utf8.hpp"
#include "base/uuid.hpp"
#include "json/writer.hpp"

namespace annals::model {
namespace {

constexpr std::array lines{
    FieldTypeLine{FieldType::string, "string", "a string of one line, without control characters"},
    FieldTypeLine{FieldType::text, "text", "a string"},
    FieldTypeLine{FieldType::integer, "integer", "a whole number of 64 bits"},
    FieldTypeLine{FieldType::decimal, "decimal",
                  "a decimal number as a string, such as \"7.50\", with up to 38 digits on each side of the point"},
    FieldTypeLine{FieldType::number, "double", "a number"},
    FieldTypeLine{FieldType::boolean, "boolean", "true or false"},
    FieldTypeLine{FieldType::date, "date", "a date as a string, such as \"2026-02-12\""},
    FieldTypeLine{FieldType::timestamp, "timestamp",
                  "a time with Z or an offset as a string, such as \"2026-02-12T10:00:00Z\""},
    FieldTypeLine{FieldType::uuid, "uuid", "a UUID as a string, such as \"0192e4a0-7a3c-7def-8123-456789abcdef\""},
    FieldTypeLine{FieldType::choice, "enum", "one of the texts of the declaration"},
    FieldTypeLine{FieldType::json, "json", "any JSON but null"},
    FieldTypeLine{FieldType::list, "list", "an array"},
};

std::unexpected<Error> wrong_type(const Field& field, FieldType type, std::string_view found) {
  std::string expected(line_of(type).expected);
  if (type == FieldType::choice) {
    constexpr std::size_t choices_told_max = 20;
    expected = "one of";
    for (std::size_t place = 0; place < std::min(field.choices.size(), choices_told_max); ++place)
      expected += (place == 0 ? " \"" : ", \"") + field.choices[place] + "\"";
    if (field.choices.size() > choices_told_max)
      expected += " and " + std::to_string(field.choices.size() - choices_told_max) + " more";
  }
  return fail(ErrorKind::unprocessable, "wrong_type", "expected " + expected + "; found " + std::string(found));
}

/// A value as it may be shown in a message.
std::string shown(const Field& field, std::string_view text) {
  if (!field.exposed) return "what is not shown";
  std::string quoted;
  json::append_string(quoted, text.substr(0, 64));
  return text.size() > 64 ? quoted + " and more" : quoted;
}

Result<FieldValue> from_text(const Field& field, FieldType type, std::string_view text) {
  switch (type) {
    case FieldType::text: return FieldValue{std::string(text)};
    case FieldType::string:
      if (is_utf8_without_controls(text)) return FieldValue{std::string(text)};
      return fail(ErrorKind::unprocessable, "control_character",
                  "a string is one line and has no control characters; declare the field as \"text\" for more");
    case FieldType::decimal:
      if (auto number = Decimal::from_text(text)) return FieldValue{WrittenDecimal{std::string(text), *number}};
      break;
    case FieldType::date:
      // A date is what a time of that day begins with.
      if (text.size() == 10 && Instant::from_text(std::string(text) + "T00:00:00Z"))
        return FieldValue{std::string(text)};
      break;
    case FieldType::timestamp:
      if (const auto time = Instant::from_text(text)) return FieldValue{time->to_text()};
      break;
    case FieldType::uuid:
      if (const auto uuid = Uuid::from_text(text)) return FieldValue{uuid->to_text()};
      break;
    case FieldType::choice:
      if (std::ranges::find(field.choices, text) != field.choices.end()) return FieldValue{std::string(text)};
      break;
    default: return wrong_type(field, type, "a string");
  }
  return wrong_type(field, type, shown(field, text));
}

Result<FieldValue> from_double(const Field& field, FieldType type, double number) {
  if (type == FieldType::number) return FieldValue{number == 0 ? 0.0 : number};
  constexpr double exact_max = 9007199254740992.0;  // 2^53
  if (type == FieldType::integer && std::nearbyint(number) == number) {
    if (std::abs(number) <= exact_max) return FieldValue{static_cast<std::int64_t>(number)};
    return fail(ErrorKind::unprocessable, "out_of_range",
                "the number does not fit 64 bits, or is not written as a whole number");
  }
  if (type == FieldType::decimal) {
    return fail(ErrorKind::unprocessable, "wrong_type",
                "expected a decimal number as a string, so that no digit changes on the way; put it in quotes");
  }
  return wrong_type(field, type, "a number");
}

Result<FieldValue> read_list(const Field& field, const json::Value& value);

Result<FieldValue> read(const Field& field, FieldType type, const json::Value& value) {
  if (std::holds_alternative<json::Null>(value)) return FieldValue{};
  if (type == FieldType::json) {
    RawJson raw;
    json::append_value(raw.text, value);
    return FieldValue{std::move(raw)};
  }
  if (type == FieldType::list) return read_list(field, value);
  if (const auto* text = std::get_if<std::string_view>(&value)) return from_text(field, type, *text);
  if (const auto* number = std::get_if<double>(&value)) return from_double(field, type, *number);
  if (const auto* large = std::get_if<std::uint64_t>(&value))
    return from_double(field, type, static_cast<double>(*large));
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    if (type == FieldType::integer) return FieldValue{*integer};
    if (type == FieldType::number) return FieldValue{static_cast<double>(*integer)};
    if (type == FieldType::decimal)
      return FieldValue{WrittenDecimal{std::to_string(*integer), Decimal::from_integer(*integer)}};
  }
  if (const auto* flag = std::get_if<bool>(&value); flag && type == FieldType::boolean) return FieldValue{*flag};
  return wrong_type(field, type, json::kind_of(value));
}

Result<FieldValue> read_list(const Field& field, const json::Value& value) {
  const auto* nested = std::get_if<json::Nested>(&value);
  if (nested == nullptr || !nested->is_array) return wrong_type(field, FieldType::list, json::kind_of(value));
  // A reader of its own, because what `value` is a part of is still in the hands of another.
  thread_local json::Reader reader;
  const std::vector<json::Value> elements = TRY(reader.read_array(nested->text));
  FieldValue::List list;
  list.reserve(elements.size());
  ElementFaults faults;
  for (std::size_t place = 0; place < elements.size() && !faults.enough(); ++place) {
    auto one = read(field, field.element, elements[place]);
    if (one && one->is_null()) one = wrong_type(field, field.element, "null");
    if (one) {
      list.push_back(*std::move(one));
    } else {
      faults.add(place, one.error());
    }
  }
  if (!faults.empty()) return std::unexpected(faults.take());
  return FieldValue{std::move(list)};
}

std::partial_ordering compare_lists(const FieldValue::List& left, const FieldValue::List& right) {
  for (std::size_t place = 0; place < std::min(left.size(), right.size()); ++place) {
    const auto order = compare(left[place], right[place]);
    if (order != 0) return order;
  }
  return left.size() <=> right.size();
}

}  // namespace

std::string_view to_string(OnDelete on_delete) {
  switch (on_delete) {
    case OnDelete::restrict: return "restrict";
    case OnDelete::cascade: return "cascade";
    case OnDelete::set_null: return "set_null";
  }
  return "restrict";
}

const FieldTypeLine& line_of(FieldType type) {
  return lines[static_cast<std::size_t>(type)];
}

std::optional<FieldType> field_type_of(std::string_view name) {
  const auto line = std::ranges::find(lines, name, &FieldTypeLine::name);
  if (line == lines.end()) return std::nullopt;
  return line->type;
}

std::vector<FieldTypeLine> field_types() {
  return {lines.begin(), lines.end()};
}

bool Field::was_called(std::string_view former) const {
  return std::ranges::find(renamed_from, former) != renamed_from.end();
}

std::string Field::type_text() const {
  const std::string of_itself(line_of(type).name);
  return type == FieldType::list ? of_itself + " of " + std::string(line_of(element).name) : of_itself;
}

Result<FieldValue> value_from_json(const Field& field, const json::Value& value) {
  return read(field, field.type, value);
}

Result<FieldValue> value_from_text(const Field& field, std::string_view text) {
  // The reader takes arrays, so that one value may be anything.
  thread_local json::Reader reader;
  std::string array;
  array.reserve(text.size() + 2);
  array.append(1, '[').append(text).append(1, ']');
  const std::vector<json::Value> values = TRY(reader.read_array(array));
  if (values.size() != 1) return fail(ErrorKind::invalid, "invalid_json", "one value is expected");
  return read(field, field.type, values.front());
}

void append_json(std::string& out, const FieldValue& value) {
  if (value.is_null()) out += "null";
  if (const auto* flag = value.as<bool>()) out += *flag ? "true" : "false";
  if (const auto* integer = value.as<std::int64_t>()) out += std::to_string(*integer);
  if (const auto* number = value.as<double>()) json::append_number(out, *number);
  if (const auto* decimal = value.as<WrittenDecimal>()) json::append_string(out, decimal->text);
  if (const auto* text = value.as<std::string>()) json::append_string(out, *text);
  if (const auto* raw = value.as<RawJson>()) out += raw->text;
  if (const auto* list = value.as<FieldValue::List>()) {
    out += '[';
    for (const FieldValue& element : *list) {
      if (&element != &list->front()) out += ',';
      append_json(out, element);
    }
    out += ']';
  }
}

std::string to_json(const FieldValue& value) {
  std::string out;
  append_json(out, value);
  return out;
}

std::partial_ordering compare(const FieldValue& left, const FieldValue& right) {
  if (left.value.index() != right.value.index()) return left.value.index() <=> right.value.index();
  if (const auto* flag = left.as<bool>()) return *flag <=> *right.as<bool>();
  if (const auto* integer = left.as<std::int64_t>()) return *integer <=> *right.as<std::int64_t>();
  if (const auto* number = left.as<double>()) return *number <=> *right.as<double>();
  if (const auto* decimal = left.as<WrittenDecimal>()) return decimal->number <=> right.as<WrittenDecimal>()->number;
  if (const auto* text = left.as<std::string>()) return text->compare(*right.as<std::string>()) <=> 0;
  if (const auto* raw = left.as<RawJson>()) return raw->text.compare(right.as<RawJson>()->text) <=> 0;
  if (const auto* list = left.as<FieldValue::List>()) return compare_lists(*list, *right.as<FieldValue::List>());
  return std::partial_ordering::equivalent;
}

std::string identity_of(const FieldValue& value) {
  if (const auto* decimal = value.as<WrittenDecimal>()) return decimal->number.to_text();
  return to_json(value);
}

std::size_t characters_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; }));
}

}  // namespace annals::model
