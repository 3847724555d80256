#include "json/writer.hpp"
#include "model/declared_form.hpp"
#include "model/model_attribute.hpp"

namespace annals::model {

extern const ModelAttribute refresh_every_attribute;
const ModelAttribute refresh_every_attribute{
    .name = "refresh_every",
    .of_kv = true,
    .of_resource = true,
    .sentence = "With `restart`: refresh by itself this often; 10ms at least.",
    .change = "Nothing of what is stored changes.",
    .accepted = "consistency = \"restart\"\nrefresh_every = \"30s\"",
    .refused = R"(refresh_every = "30s")",
    .declare = [](DeclaredModel& declared, const Declared& value) -> Result<> {
      const auto time = duration_of(value);
      if (!time || *time < std::chrono::milliseconds(10)) {
        return refuse(value.place, attribute_of(declared.model, "refresh_every") +
                                       "expected a time with its unit in quotes, such as \"30s\", 10ms at least");
      }
      declared.model.refresh_every = *time;
      return {};
    },
    .tell =
        [](std::string& out, const Model& model) {
          if (model.refresh_every != Duration{0}) json::append_string(out, to_text(model.refresh_every));
        },
    .suits = [](const Model& model, const Declared& value) -> Result<> {
      if (model.consistency == Consistency::restart) return {};
      return refuse(value.place, "model." + model.name + ".refresh_every goes with consistency = \"restart\" only");
    },
};

}  // namespace annals::model
