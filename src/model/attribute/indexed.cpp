#include "model/attribute/declared_value.hpp"

namespace annals::model {

extern const Attribute indexed_attribute;
const Attribute indexed_attribute{
    .name = "indexed",
    .sentence =
        "Lists that filter or sort by the field look at the records that they show, and not at all of them. "
        "Costs some 60 bytes of memory a record, and the value again where it is longer than some 12 bytes. "
        "Not for text, json and lists.",
    .accepted = R"({ type = "integer", indexed = true })",
    .takes = "1",
    .does_not_take = "",
    .refused = R"({ type = "text", indexed = true })",
    .declare = [](Field& field, const Declared& value) -> Result<> {
      TRY(suits(field, value, "indexed",
                {FieldType::string, FieldType::integer, FieldType::decimal, FieldType::number, FieldType::boolean,
                 FieldType::date, FieldType::timestamp, FieldType::uuid, FieldType::choice}));
      field.indexed = TRY(flag_of(value, "indexed"));
      return {};
    },
};

}  // namespace annals::model
