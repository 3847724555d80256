#include "model/attribute/declared_value.hpp"

namespace annals::model {

extern const Attribute exposed_attribute;
const Attribute exposed_attribute{
    .name = "exposed",
    .sentence =
        "`false`: the value is taken and recorded, and no reply of the model's API shows it: no record, list, history, "
        "audit or message; no list is filtered or sorted by it. A PUT that leaves it out leaves it as it is. "
        "`/-/events` and `annals events`, the operator's, show it.",
    .accepted = R"({ type = "integer", exposed = false, min = 1000 })",
    .takes = "1234",
    .does_not_take = "123",
    .refused = R"({ type = "uuid", primary_key = true, exposed = false })",
    // What it does not go with is looked at when all attributes of the field are known (model_file.cpp).
    .declare = [](Field& field, const Declared& value) -> Result<> {
      field.exposed = TRY(flag_of(value, "exposed"));
      return {};
    },
};

}  // namespace annals::model
