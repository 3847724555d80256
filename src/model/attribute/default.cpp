#include "model/attribute/declared_value.hpp"

namespace annals::model {

extern const Attribute default_attribute;
const Attribute default_attribute{
    .name = "default",
    .sentence =
        "The value of a new record that comes without one, and of records that were made before the field "
        "was declared. For each new record anew: `\"now\"` for a timestamp or a date, `\"uuid\"` for a uuid.",
    .accepted = R"({ type = "integer", default = 0 })",
    .takes = "1",
    .does_not_take = "",
    .refused = R"({ type = "integer", default = "none" })",
    .declare = [](Field& field, const Declared& value) -> Result<> {
      const auto* text = value.as<std::string>();
      if (text && *text == "now" && (field.type == FieldType::timestamp || field.type == FieldType::date)) {
        field.made = Field::Made::now;
      } else if (text && *text == "uuid" && field.type == FieldType::uuid) {
        field.made = Field::Made::uuid;
      } else {
        field.otherwise = TRY(value_of(field, value, "default"));
      }
      return {};
    },
};

}  // namespace annals::model
