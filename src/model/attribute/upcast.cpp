#include "model/upcast.hpp"
#include "model/attribute/declared_value.hpp"

namespace annals::model {

extern const Attribute upcast_attribute;
const Attribute upcast_attribute{
    .name = "upcast",
    .sentence =
        "What becomes of values that were recorded while the field was declared otherwise, and that its type does not "
        "take: an expression (docs/reference/expressions.md) of `value`, or a table of them by former types, `{ string "
        "= \"integer(value)\", decimal = \"integer(round(value))\" }`. Not with `primary_key`, `secret` or `computed`, "
        "and not of lists and json.",
    .accepted = R"x({ type = "integer", upcast = "integer(value)" })x",
    .takes = "1",
    .does_not_take = R"("1")",
    .refused = R"x({ type = "integer", upcast = "upper(value)" })x",
    // What it does not go with is looked at when all attributes of the field are known (field_file.cpp).
    .declare = [](Field& field, const Declared& value) -> Result<> {
      TRY(suits(field, value, "upcast",
                {FieldType::string, FieldType::text, FieldType::integer, FieldType::decimal, FieldType::number,
                 FieldType::boolean, FieldType::date, FieldType::timestamp, FieldType::uuid, FieldType::choice}));
      field.upcast = std::make_shared<const Upcast>(TRY(Upcast::read(field, value)));
      return {};
    },
};

}  // namespace annals::model
