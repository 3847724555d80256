#include "model/attribute/declared_value.hpp"

#include <algorithm>
#include <cmath>

#include "json/writer.hpp"

namespace annals::model {
namespace {

std::string json_of(const Declared& declared) {
  std::string out;
  if (const auto* flag = declared.as<bool>()) out += *flag ? "true" : "false";
  if (const auto* integer = declared.as<std::int64_t>()) out += std::to_string(*integer);
  if (const auto* number = declared.as<double>()) append_json(out, FieldValue{*number});
  if (const auto* text = declared.as<std::string>()) json::append_string(out, *text);
  if (const auto* moment = declared.as<Declared::Moment>()) json::append_string(out, moment->text);
  if (const auto* list = declared.as<Declared::List>()) {
    out += '[';
    for (const Declared& element : *list) out.append(&element == &list->front() ? "" : ",").append(json_of(element));
    out += ']';
  }
  if (const auto* table = declared.as<Declared::Table>()) {
    out += '{';
    for (const DeclaredMember& member : *table) {
      if (&member != &table->front()) out += ',';
      json::append_string(out, member.name);
      out.append(1, ':').append(json_of(member.value));
    }
    out += '}';
  }
  return out;
}

}  // namespace

Result<bool> flag_of(const Declared& value, std::string_view attribute) {
  if (const bool* flag = value.as<bool>()) return *flag;
  return refuse(value.place, std::string(attribute) + " is true or false, not of type " + std::string(value.kind()));
}

Result<FieldValue> value_of(const Field& field, const Declared& value, std::string_view attribute) {
  if (const auto* number = value.as<double>(); number && !std::isfinite(*number)) {
    return refuse(value.place,
                  std::string(attribute) + " of \"" + field.name + "\" is no number that a record can have");
  }
  auto result = value_from_text(field, json_of(value));
  if (result) return result;
  return refuse(value.place,
                std::string(attribute) + " of \"" + field.name + "\" must suit its type: " + result.error().message);
}

Result<> suits(const Field& field, const Declared& value, std::string_view attribute,
               const std::vector<FieldType>& types) {
  if (std::ranges::find(types, field.type) != types.end()) return {};
  std::string names;
  for (FieldType type : types) names.append(names.empty() ? "" : ", ").append(line_of(type).name);
  return refuse(value.place, std::string(attribute) + " suits fields of type " + names + "; \"" + field.name +
                                 "\" is of type " + field.type_text());
}

std::string shown(const Field& field, const FieldValue& value) {
  if (!field.exposed) return "the value, which is not shown,";
  const std::string text = to_json(value);
  constexpr std::size_t shown_bytes_max = 64;
  return text.size() <= shown_bytes_max ? text : "a value of " + std::to_string(text.size()) + " bytes";
}

}  // namespace annals::model
