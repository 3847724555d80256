#include "model/attribute/declared_value.hpp"

namespace annals::model {
namespace {

Result<> declare_bound(Field& field, const Declared& value, std::string_view attribute,
                       std::optional<FieldValue>& bound) {
  TRY(suits(field, value, attribute,
            {FieldType::integer, FieldType::decimal, FieldType::number, FieldType::date, FieldType::timestamp}));
  bound = TRY(value_of(field, value, attribute));
  if (field.min && field.max && compare(*field.max, *field.min) < 0)
    return refuse(value.place, "min " + to_json(*field.min) + " is more than max " + to_json(*field.max));
  return {};
}

}  // namespace

extern const Attribute min_attribute;
const Attribute min_attribute{
    .name = "min",
    .sentence = "The least value of a number, a date or a timestamp.",
    .accepted = R"({ type = "decimal", min = "0.50" })",
    .takes = R"("0.5")",
    .does_not_take = R"("0.49")",
    .refused = R"({ type = "string", min = 1 })",
    .declare = [](Field& field, const Declared& value) { return declare_bound(field, value, "min", field.min); },
    .check = [](const Field& field, const FieldValue& value) -> Result<> {
      if (!field.min || compare(value, *field.min) >= 0) return {};
      return fail(ErrorKind::unprocessable, "too_small", shown(field, value) + " is less than " + to_json(*field.min));
    },
};

extern const Attribute max_attribute;
const Attribute max_attribute{
    .name = "max",
    .sentence = "The greatest value of a number, a date or a timestamp.",
    .accepted = R"({ type = "date", max = "2030-12-31" })",
    .takes = R"("2030-12-31")",
    .does_not_take = R"("2031-01-01")",
    .refused = R"({ type = "integer", min = 3, max = 2 })",
    .declare = [](Field& field, const Declared& value) { return declare_bound(field, value, "max", field.max); },
    .check = [](const Field& field, const FieldValue& value) -> Result<> {
      if (!field.max || compare(value, *field.max) <= 0) return {};
      return fail(ErrorKind::unprocessable, "too_large", shown(field, value) + " is more than " + to_json(*field.max));
    },
};

}  // namespace annals::model
