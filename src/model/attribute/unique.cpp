#include "model/attribute/declared_value.hpp"

namespace annals::model {

extern const Attribute unique_attribute;
const Attribute unique_attribute{
    .name = "unique",
    .sentence =
        "No two records of the model have the same value, null excepted; what a deleted record had is free "
        "again. A request that would break this is refused with 409. Not for text, double, json and lists.",
    .accepted = R"({ type = "string", unique = true })",
    .takes = R"("a")",
    .does_not_take = "",
    .refused = R"({ type = "json", unique = true })",
    .declare = [](Field& field, const Declared& value) -> Result<> {
      TRY(suits(field, value, "unique",
                {FieldType::string, FieldType::integer, FieldType::decimal, FieldType::boolean, FieldType::date,
                 FieldType::timestamp, FieldType::uuid, FieldType::choice}));
      field.unique = TRY(flag_of(value, "unique"));
      return {};
    },
};

}  // namespace annals::model
