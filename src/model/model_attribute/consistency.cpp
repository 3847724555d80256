#include "model/model_attribute.hpp"

namespace annals::model {

extern const ModelAttribute consistency_attribute;
const ModelAttribute consistency_attribute{
    .name = "consistency",
    .of_kv = true,
    .of_resource = true,
    .sentence =
        "When changes become visible: `live` (before the success is reported; the default), `eventual` (soon "
        "after) or `restart` (at the next start or refresh).",
    .accepted = R"(consistency = "eventual")",
    .refused = R"(consistency = "strong")",
    .declare = [](DeclaredModel& declared, const Declared& value) -> Result<> {
      for (const Consistency one : {Consistency::live, Consistency::eventual, Consistency::restart}) {
        const auto* text = value.as<std::string>();
        if (text == nullptr || *text != to_string(one)) continue;
        declared.model.consistency = one;
        return {};
      }
      return refuse(value.place,
                    attribute_of(declared.model, "consistency") + "expected \"live\", \"eventual\" or \"restart\"");
    },
    .suits = [](const Model& model, const Declared& value) -> Result<> {
      if (model.consistency == Consistency::live) return {};
      const std::string name = "model." + model.name;
      if (model.has_unique_fields()) {
        return refuse(value.place, name +
                                       " has unique fields, which are looked up in its table; that goes with "
                                       "consistency = \"live\"");
      }
      if (model.has_references()) {
        return refuse(value.place, name +
                                       " has references, which are looked up in its table when what they refer to "
                                       "is deleted; that goes with consistency = \"live\"");
      }
      return {};
    },
};

}  // namespace annals::model
