#include "model/attribute/declared_value.hpp"

namespace annals::model {

extern const Attribute bloom_filter_attribute;
const Attribute bloom_filter_attribute{
    .name = "bloom_filter",
    .sentence =
        "Read tables know of nearly all values that no record has them, so that a list that asks for one (`eq`, `in`) "
        "finds nothing without a look at all records; for 2 to 4 bytes a record. Not with `primary_key`, `unique` or "
        "`indexed`, which know exactly.",
    .accepted = R"({ type = "string", bloom_filter = true })",
    .takes = R"("a")",
    .does_not_take = "",
    .refused = R"({ type = "boolean", bloom_filter = true })",
    // What it does not go with is looked at when all attributes of the field are known (field_file.cpp).
    .declare = [](Field& field, const Declared& value) -> Result<> {
      TRY(suits(field, value, "bloom_filter",
                {FieldType::string, FieldType::text, FieldType::integer, FieldType::date, FieldType::timestamp,
                 FieldType::uuid, FieldType::choice}));
      field.bloom_filter = TRY(flag_of(value, "bloom_filter"));
      return {};
    },
};

}  // namespace annals::model
