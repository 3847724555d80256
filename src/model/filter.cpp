#include "model/filter.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/did_you_mean.hpp"
#include "base/utf8.hpp"

namespace annals::model {
namespace {

constexpr std::size_t shown_bytes_max = 64;

std::string shown(std::string_view text) {
  return "\"" + std::string(text.substr(0, shown_bytes_max)) + (text.size() > shown_bytes_max ? "...\"" : "\"");
}

constexpr std::array operators{Operator::eq,  Operator::ne, Operator::gt,     Operator::gte,     Operator::lt,
                               Operator::lte, Operator::in, Operator::prefix, Operator::contains};

bool is_in(FieldType type, std::initializer_list<FieldType> types) {
  return std::ranges::find(types, type) != types.end();
}

bool suits(Operator operation, FieldType type) {
  switch (operation) {
    case Operator::eq:
    case Operator::ne: return true;  // of json and lists, an empty operand only
    case Operator::in: return !is_in(type, {FieldType::json, FieldType::list});
    case Operator::prefix: return is_in(type, {FieldType::string, FieldType::text});
    case Operator::contains: return is_in(type, {FieldType::string, FieldType::text, FieldType::list});
    default: return has_range(type);
  }
}

std::string names_of_operators(FieldType type) {
  std::string names;
  for (const Operator one : operators) {
    if (suits(one, type)) names.append(names.empty() ? "" : ", ").append(to_string(one));
  }
  return names;
}

Result<Operator> operator_of(const Model& model, const Field& field, std::string_view parameter,
                             std::string_view word) {
  const auto found = std::ranges::find(operators, word, [](Operator one) { return to_string(one); });
  if (found == operators.end()) {
    std::vector<std::string> known;
    for (const Operator one : operators) known.emplace_back(to_string(one));
    return fail(ErrorKind::invalid, "unknown_operator",
                "the query parameter " + shown(parameter) + ": " + shown(word) + " is no operator; those of " +
                    field.type_text() + " are " + names_of_operators(field.type) + did_you_mean(word, known));
  }
  if (suits(*found, field.type)) return *found;
  return fail(ErrorKind::invalid, "unsuitable_operator",
              "the query parameter " + shown(parameter) + ": " + std::string(to_string(*found)) + " does not suit " +
                  model.name + "." + field.name + ", which is of type " + field.type_text() + "; its operators are " +
                  names_of_operators(field.type));
}

/// A value of a type that is not a list or json, as it stands in a query.
/// Readers of JSON put the largest double in the place of what is beyond.
bool is_beyond(const FieldValue& value, std::string_view text) {
  const auto* number = value.as<double>();
  if (!number || std::abs(*number) != std::numeric_limits<double>::max()) return false;
  double ignored = 0;
  return std::from_chars(text.data(), text.data() + text.size(), ignored).ec == std::errc::result_out_of_range;
}

Result<FieldValue> operand_of(const Field& field, std::string_view text) {
  if (text.empty()) return FieldValue{};
  if (!is_utf8(text)) return fail(ErrorKind::invalid, "invalid_value", "expected UTF-8");
  const bool written_bare = is_in(field.type, {FieldType::integer, FieldType::number, FieldType::boolean});
  auto value = written_bare ? value_from_text(field, text) : value_from_json(field, json::Value(text));
  const bool beyond = value && is_beyond(*value, text);
  if (value && !value->is_null() && !beyond) return value;
  if (value || value.error().kind != ErrorKind::unprocessable) {
    return fail(ErrorKind::invalid, "invalid_value",
                "expected " + std::string(line_of(field.type).expected) + "; found " + shown(text));
  }
  return value;
}

Field element_of(const Field& list) {
  Field element;
  element.name = list.name;
  element.type = list.element;
  element.choices = list.choices;
  return element;
}

/// The parts of `a,b\,c`: "a" and "b,c".
std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts(1);
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == ',') {
      parts.emplace_back();
      continue;
    }
    const bool escapes = text[at] == '\\' && at + 1 < text.size() && (text[at + 1] == ',' || text[at + 1] == '\\');
    parts.back() += text[escapes ? ++at : at];
  }
  return parts;
}

Result<std::vector<FieldValue>> operands_of(const Field& field, Operator operation, std::string_view value) {
  std::vector<FieldValue> operands;
  if (operation == Operator::in) {
    const std::vector<std::string> parts = split(value);
    if (parts.size() > operands_max) {
      return fail(
          ErrorKind::invalid, "invalid_value",
          "expected " + std::to_string(operands_max) + " values at most; found " + std::to_string(parts.size()));
    }
    for (const std::string& part : parts) operands.push_back(TRY(operand_of(field, part)));
    return operands;
  }
  if (operation == Operator::eq || operation == Operator::ne) {
    if (!value.empty() && is_in(field.type, {FieldType::json, FieldType::list})) {
      return fail(ErrorKind::invalid, "invalid_value",
                  "a field of type " + field.type_text() + " is compared with nothing only; leave the value empty");
    }
    operands.push_back(TRY(operand_of(field, value)));
    return operands;
  }
  if (value.empty()) {
    return fail(ErrorKind::invalid, "invalid_value",
                "a value is expected; records without one are found with " + field.name + "[eq]=");
  }
  if (operation == Operator::contains && field.type == FieldType::list) {
    operands.push_back(TRY(operand_of(element_of(field), value)));
  } else {
    operands.push_back(TRY(operand_of(field, value)));
  }
  return operands;
}

bool is_none(const FieldValue& value) {
  const auto* text = value.as<std::string>();
  return value.is_null() || (text != nullptr && text->empty());
}

bool same(const FieldValue& operand, const FieldValue& value) {
  if (operand.is_null()) return is_none(value);
  return !value.is_null() && compare(value, operand) == 0;
}

bool contains(const FieldValue& value, const FieldValue& operand) {
  if (const auto* list = value.as<FieldValue::List>()) {
    return std::ranges::any_of(*list, [&](const FieldValue& element) { return same(operand, element); });
  }
  return value.as<std::string>()->find(*operand.as<std::string>()) != std::string::npos;
}

}  // namespace

std::string_view to_string(Operator an_operator) {
  switch (an_operator) {
    case Operator::eq: return "eq";
    case Operator::ne: return "ne";
    case Operator::gt: return "gt";
    case Operator::gte: return "gte";
    case Operator::lt: return "lt";
    case Operator::lte: return "lte";
    case Operator::in: return "in";
    case Operator::prefix: return "prefix";
    case Operator::contains: return "contains";
  }
  return "eq";
}

bool has_range(FieldType type) {
  return !is_in(type, {FieldType::text, FieldType::boolean, FieldType::choice, FieldType::json, FieldType::list});
}

Result<std::size_t> find_field(const Model& model, std::string_view parameter, std::string_view name,
                               std::span<const std::string_view> parameters) {
  if (const auto place = model.field_of(name)) {
    if (model.fields[*place].exposed) return *place;
    return fail(ErrorKind::invalid, "hidden_field",
                "the query parameter " + shown(parameter) + ": " + model.name + "." + std::string(name) +
                    " is not exposed: no reply shows it, and no list is filtered or sorted by it");
  }
  std::vector<std::string> known(parameters.begin(), parameters.end());
  for (const Field& field : model.fields) {
    if (field.exposed) known.push_back(field.name);
  }
  return fail(ErrorKind::invalid, "unknown_field",
              "the query parameter " + shown(parameter) + ": " + model.name + " has no field " + shown(name) +
                  did_you_mean(name, known));
}

Result<std::vector<std::size_t>> read_field_names(const Model& model, std::string_view parameter,
                                                  std::string_view value) {
  std::vector<std::size_t> places;
  for (const std::string& name : split(value)) {
    const std::size_t place = TRY(find_field(model, parameter, name));
    if (std::ranges::find(places, place) != places.end()) {
      return fail(ErrorKind::invalid, "invalid_query",
                  "the query parameter " + shown(parameter) + " names " + shown(name) + " twice");
    }
    places.push_back(place);
  }
  return places;
}

Result<Filter> read_filter(const Model& model, std::string_view name, std::string_view value,
                           std::span<const std::string_view> parameters) {
  Filter filter;
  const std::size_t bracket = std::min(name.find('['), name.size());
  const std::string_view of = name.substr(0, bracket);
  filter.field = TRY(find_field(model, name, of, bracket == name.size() ? parameters : decltype(parameters){}));
  const Field& field = model.fields[filter.field];
  if (bracket < name.size()) {
    if (name.back() != ']') {
      return fail(
          ErrorKind::invalid, "unknown_operator",
          "the query parameter " + shown(name) + " has no ] after its operator; write " + field.name + "[gte]=...");
    }
    filter.operation = TRY(operator_of(model, field, name, name.substr(bracket + 1, name.size() - bracket - 2)));
  }
  auto operands = operands_of(field, filter.operation, value);
  if (!operands) {
    return fail(ErrorKind::invalid, "invalid_value",
                "the query parameter " + shown(name) + ": " + operands.error().message);
  }
  filter.operands = *std::move(operands);
  return filter;
}

bool passes(const Filter& filter, const FieldValue& value) {
  const auto is_same = [&](const FieldValue& operand) { return same(operand, value); };
  const FieldValue& operand = filter.operands.front();
  switch (filter.operation) {
    case Operator::eq: return is_same(operand);
    case Operator::ne: return !is_same(operand);
    case Operator::in: return std::ranges::any_of(filter.operands, is_same);
    default: break;
  }
  if (value.is_null()) return false;
  switch (filter.operation) {
    case Operator::gt: return compare(value, operand) > 0;
    case Operator::gte: return compare(value, operand) >= 0;
    case Operator::lt: return compare(value, operand) < 0;
    case Operator::lte: return compare(value, operand) <= 0;
    case Operator::prefix: return value.as<std::string>()->starts_with(*operand.as<std::string>());
    default: return contains(value, operand);
  }
}

}  // namespace annals::model
