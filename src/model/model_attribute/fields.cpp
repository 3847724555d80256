#include "model/model_attribute.hpp"

namespace annals::model {

extern const ModelAttribute fields_attribute;
const ModelAttribute fields_attribute{
    .name = "fields",
    .of_kv = false,
    .of_resource = true,
    .sentence = "The fields of a record, each by its name; one of them is the primary key.",
    .accepted = R"(fields = { id = { type = "uuid", primary_key = true } })",
    .refused = R"(fields = { id = { type = "uuid" } })",
    // Read with the profile, before the attributes that depend on them.
    .declare = [](DeclaredModel&, const Declared&) -> Result<> { return {}; },
};

}  // namespace annals::model
