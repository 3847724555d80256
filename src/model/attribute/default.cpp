#include "base/did_you_mean.hpp"
#include "model/attribute/declared_value.hpp"

namespace annals::model {

extern const Attribute default_attribute;
const Attribute default_attribute{
    .name = "default",
    .sentence =
        "The value of a new record that comes without one, and of records that were made before the field "
        "was declared. For each new record anew: `\"now\"` for a timestamp or a date, `\"uuid\"` for a uuid; "
        "what is made has to keep the field's other rules, so not with `one_of`.",
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
        auto otherwise = value_of(field, value, "default");
        if (!otherwise && text) {
          const bool of_time = field.type == FieldType::timestamp || field.type == FieldType::date;
          const std::vector<std::string> known = of_time                         ? std::vector<std::string>{"now"}
                                                 : field.type == FieldType::uuid ? std::vector<std::string>{"uuid"}
                                                                                 : field.choices;
          if (const std::string near = did_you_mean(*text, known); !near.empty())
            return refuse(value.place, "default of \"" + field.name + "\" is none of its type" + near);
        }
        field.otherwise = TRY(std::move(otherwise));
      }
      return {};
    },
};

}  // namespace annals::model
