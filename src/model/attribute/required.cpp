#include "model/attribute/declared_value.hpp"

namespace annals::model {

extern const Attribute required_attribute;
const Attribute required_attribute{
    .name = "required",
    .sentence = "Each record has a value of the field: null, or none, is refused where there is no default.",
    .accepted = R"({ type = "string", required = true })",
    .takes = R"("a")",
    .does_not_take = "null",
    .refused = R"({ type = "string", required = "yes" })",
    .declare = [](Field& field, const Declared& value) -> Result<> {
      field.required = TRY(flag_of(value, "required"));
      return {};
    },
};

}  // namespace annals::model
