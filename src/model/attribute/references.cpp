#include "model/attribute/declared_value.hpp"

namespace annals::model {

extern const Attribute references_attribute;
const Attribute references_attribute{
    .name = "references",
    .sentence =
        "The value is the key of a record of this model, a resource, which exists: a write that refers to none is "
        "refused "
        "with 409. The type is that of its primary key.",
    .accepted = R"({ type = "uuid", references = "thing" })",
    .takes = R"("0192e4a0-7a3c-7def-8123-456789abcdef")",
    .does_not_take = R"("lamp")",
    .refused = R"({ type = "uuid", references = "thingy" })",
    // Whether there is such a model is looked at when all of them have been read (model_file.cpp).
    .declare = [](Field& field, const Declared& value) -> Result<> {
      TRY(suits(field, value, "references", {FieldType::uuid, FieldType::string, FieldType::integer}));
      const auto* text = value.as<std::string>();
      if (text == nullptr || text->empty()) return refuse(value.place, "references is the name of a model in quotes");
      field.references = *text;
      return {};
    },
};

}  // namespace annals::model
