#include "model/attribute/declared_value.hpp"

namespace annals::model {

extern const Attribute primary_key_attribute;
const Attribute primary_key_attribute{
    .name = "primary_key",
    .sentence =
        "The field names its record, in paths and for ever; each model has one, of type uuid, string or "
        "integer. A uuid that a new record does not have is made.",
    .accepted = R"({ type = "string", primary_key = true })",
    .takes = R"("a-1")",
    .does_not_take = R"("")",
    .refused = R"({ type = "decimal", primary_key = true })",
    .declare = [](Field& field, const Declared& value) -> Result<> {
      TRY(suits(field, value, "primary_key", {FieldType::uuid, FieldType::string, FieldType::integer}));
      field.primary_key = TRY(flag_of(value, "primary_key"));
      if (field.primary_key && field.type == FieldType::uuid) field.made = Field::Made::uuid;
      return {};
    },
    .check = [](const Field& field, const FieldValue& value) -> Result<> {
      if (!field.primary_key) return {};
      const auto* text = value.as<std::string>();
      if (text && text->empty()) return fail(ErrorKind::unprocessable, "empty", "a primary key is not empty");
      if (text && (*text == "." || *text == "..")) {
        return fail(ErrorKind::unprocessable, "unreachable",
                    "a primary key is neither \".\" nor \"..\": clients take those out of the path of a request");
      }
      constexpr std::size_t bytes_max = 400;  // beside the model's name in that of a stream
      if (text && text->size() > bytes_max) {
        return fail(ErrorKind::unprocessable, "too_long",
                    "a primary key has no more than " + std::to_string(bytes_max) + " bytes");
      }
      return {};
    },
};

}  // namespace annals::model
