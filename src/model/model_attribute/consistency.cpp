#include <array>

#include "json/writer.hpp"
#include "model/declared_form.hpp"
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
    .change = "Nothing of what is stored changes.",
    .accepted = R"(consistency = "eventual")",
    .refused = R"(consistency = "strong")",
    .declare = [](DeclaredModel& declared, const Declared& value) -> Result<> {
      constexpr std::array all{Consistency::live, Consistency::eventual, Consistency::restart};
      const std::array words{to_string(all[0]), to_string(all[1]), to_string(all[2])};
      declared.model.consistency = all[TRY(word_of(value, attribute_of(declared.model, "consistency"), words))];
      return {};
    },
    .tell =
        [](std::string& out, const Model& model) {
          if (model.consistency != Consistency::live) json::append_string(out, to_string(model.consistency));
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
