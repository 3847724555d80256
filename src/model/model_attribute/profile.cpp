#include "model/model_attribute.hpp"

namespace annals::model {

extern const ModelAttribute profile_attribute;
const ModelAttribute profile_attribute{
    .name = "profile",
    .of_kv = true,
    .of_resource = true,
    .sentence =
        "`kv`: text values under names. `resource`: JSON records of declared fields; the default where there "
        "are fields.",
    .accepted = R"(profile = "resource")",
    .refused = R"(profile = "table")",
    // What the model is made as, before anything else is read.
    .declare = [](DeclaredModel&, const Declared&) -> Result<> { return {}; },
};

}  // namespace annals::model
