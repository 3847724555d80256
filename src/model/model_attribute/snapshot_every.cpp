#include "model/model_attribute.hpp"

namespace annals::model {
namespace {

constexpr std::int64_t events_min = 10;
constexpr std::int64_t events_max = 1'000'000;

}  // namespace

Result<> check_snapshot_every(const Model& model, const Declared& value) {
  const auto* number = value.as<std::int64_t>();
  if (number != nullptr && static_cast<std::uint64_t>(*number) == model.snapshot_every) return {};
  return refuse(value.place, "model." + model.name +
                                 ": snapshot_every and performance.snapshot_frequency are two names of one thing and "
                                 "say different numbers; say one of the two");
}

extern const ModelAttribute snapshot_every_attribute;
const ModelAttribute snapshot_every_attribute{
    .name = "snapshot_every",
    .of_kv = false,
    .of_resource = true,
    .sentence =
        "After how many of its events a record is written down as it was, so that a look at its past folds no "
        "more events than that: 10 to 1000000, or 0 for never. Default: 1000.",
    .change = "No event changes: snapshots lie beside the log, and those that are there stay true.",
    .accepted = "snapshot_every = 100",
    .refused = "snapshot_every = 5",
    .declare = [](DeclaredModel& declared, const Declared& value) -> Result<> {
      const auto* number = value.as<std::int64_t>();
      if (number == nullptr || (*number != 0 && (*number < events_min || *number > events_max))) {
        return refuse(value.place, attribute_of(declared.model, "snapshot_every") +
                                       "expected a number of events from " + std::to_string(events_min) + " to " +
                                       std::to_string(events_max) + ", or 0 for no snapshots");
      }
      declared.model.snapshot_every = static_cast<std::uint64_t>(*number);
      return {};
    },
    .tell =
        [](std::string& out, const Model& model) {
          if (model.profile == Profile::resource && model.snapshot_every != snapshot_every_otherwise)
            out += std::to_string(model.snapshot_every);
        },
    .suits = check_snapshot_every,
};

}  // namespace annals::model
