#include "json/writer.hpp"
#include "model/declared_form.hpp"
#include "model/methods.hpp"
#include "model/model_attribute.hpp"

namespace annals::model {

extern const ModelAttribute retention_attribute;
const ModelAttribute retention_attribute{
    .name = "retention",
    .of_kv = false,
    .of_resource = true,
    .sentence =
        "How far back the past of records is shown, 1m at least; the present always is. What lies before is in the "
        "log, and asked for it is 404 `past_not_shown`; histories and audits begin after it. Default: all of it.",
    .change = "No event goes: it is how much is shown of the past, also of the past that is there.",
    .accepted = R"(retention = "90d")",
    .refused = R"(retention = "30s")",
    .declare = [](DeclaredModel& declared, const Declared& value) -> Result<> {
      const auto time = duration_of(value);
      if (!time || *time < std::chrono::minutes(1)) {
        return refuse(value.place,
                      attribute_of(declared.model, "retention") +
                          "expected a time with its unit in quotes, such as \"90d\", of 1m to 36525d; leave it out to "
                          "show all of the past");
      }
      declared.model.retention = *time;
      return {};
    },
    .tell =
        [](std::string& out, const Model& model) {
          if (model.retention != Duration{0}) json::append_string(out, to_text(model.retention));
        },
    .suits = [](const Model& model, const Declared& value) { return check_shows_past(model, "retention", value); },
};

}  // namespace annals::model
