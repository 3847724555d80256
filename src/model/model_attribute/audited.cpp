#include "model/model_attribute.hpp"

namespace annals::model {

extern const ModelAttribute audited_attribute;
const ModelAttribute audited_attribute{
    .name = "audited",
    .of_kv = false,
    .of_resource = true,
    .sentence =
        "`true`: who changed what, with old and new values, can be asked for at `RESOURCE/:name/audit`. "
        "Default: `false`.",
    .accepted = "audited = true",
    .refused = R"(audited = "yes")",
    .declare = [](DeclaredModel& declared, const Declared& value) -> Result<> {
      const bool* flag = value.as<bool>();
      if (flag == nullptr)
        return refuse(value.place, attribute_of(declared.model, "audited") + "expected true or false");
      declared.model.audited = *flag;
      return {};
    },
};

}  // namespace annals::model
