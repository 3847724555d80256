#include "model/model_attribute.hpp"

namespace annals::model {
namespace {

constexpr std::int64_t versions_max = 1'000'000;

}  // namespace

extern const ModelAttribute versioned_attribute;
const ModelAttribute versioned_attribute{
    .name = "versioned",
    .of_kv = false,
    .of_resource = true,
    .sentence =
        "How many versions of a record are shown, the newest: 1 to 1000000. What lies before them is in the log, and "
        "asked for it is 404 `past_not_shown`. Default: all.",
    .change = "No event goes: it is how much is shown of the past, also of the past that is there.",
    .accepted = "versioned = 20",
    .refused = "versioned = 0",
    .declare = [](DeclaredModel& declared, const Declared& value) -> Result<> {
      const auto* number = value.as<std::int64_t>();
      if (number == nullptr || *number < 1 || *number > versions_max) {
        return refuse(value.place, attribute_of(declared.model, "versioned") +
                                       "expected a number of versions from 1 to " + std::to_string(versions_max) +
                                       "; leave it out to show all of them");
      }
      declared.model.versioned = static_cast<std::uint64_t>(*number);
      return {};
    },
    .tell =
        [](std::string& out, const Model& model) {
          if (model.versioned != 0) out += std::to_string(model.versioned);
        },
    .suits = [](const Model& model, const Declared& value) { return check_shows_past(model, "versioned", value); },
};

}  // namespace annals::model
