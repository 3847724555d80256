#include <algorithm>
#include <array>

#include "base/did_you_mean.hpp"
#include "model/methods.hpp"
#include "model/model_attribute.hpp"

namespace annals::model {
namespace {

constexpr std::int64_t batch_size_max = 10'000;

Result<> read_batch_size(DeclaredModel& declared, const Declared& value) {
  const auto* number = value.as<std::int64_t>();
  if (number == nullptr || *number < 1 || *number > batch_size_max) {
    return refuse(value.place, attribute_of(declared.model, "performance.batch_size") +
                                   "expected a number of commands from 1 to " + std::to_string(batch_size_max));
  }
  declared.model.batch_size = static_cast<std::uint64_t>(*number);
  return {};
}

Result<> read_snapshot_frequency(DeclaredModel& declared, const Declared& value) {
  const auto every = std::ranges::find(model_attributes(), "snapshot_every", &ModelAttribute::name);
  if (auto read = (*every)->declare(declared, value); !read) {
    return refuse(value.place, attribute_of(declared.model, "performance.snapshot_frequency") +
                                   "is snapshot_every by another name: a number of events from 10 to 1000000, or 0 for "
                                   "no snapshots");
  }
  return {};
}

Result<> read_async_replication(DeclaredModel& declared, const Declared& value) {
  return refuse(value.place, attribute_of(declared.model, "performance.async_replication") +
                                 "there are no replicas yet for which a write could wait or not; take it away, or see "
                                 "durability for what a write waits for");
}

/// What goes with a deleted record of another model is no command on this one.
Result<> check_takes_commands(const Model& model, const Declared& batch_size) {
  for (const std::string_view method : methods_all) {
    if (method != "GET" && serves(model, method)) return {};
  }
  return refuse_unserved(model, "performance.batch_size", "a method that writes", batch_size);
}

struct Part {
  std::string_view name;
  Result<> (*read)(DeclaredModel& declared, const Declared& value);
};
constexpr std::array parts{Part{"batch_size", read_batch_size}, Part{"snapshot_frequency", read_snapshot_frequency},
                           Part{"async_replication", read_async_replication}};

}  // namespace

bool is_of_performance(std::string_view name) {
  return std::ranges::find(parts, name, &Part::name) != parts.end();
}

extern const ModelAttribute performance_attribute;
const ModelAttribute performance_attribute{
    .name = "performance",
    .of_kv = false,
    .of_resource = true,
    .sentence =
        "`batch_size`, commands on the model that one flush takes at most, so that the other models' need "
        "not wait for many (1 to 10000; default: what `store.batch_size` says of all of them; not of a model that is "
        "served with GET alone); and "
        "`snapshot_frequency`, another name of `snapshot_every`. `async_replication` is refused: there are no replicas "
        "to wait for yet.",
    .change = "Nothing of what is stored changes.",
    .accepted = "performance = { batch_size = 100, snapshot_frequency = 1000 }",
    .refused = "methods = [\"GET\"]\nperformance = { batch_size = 100 }",
    .declare = [](DeclaredModel& declared, const Declared& value) -> Result<> {
      const auto* members = value.as<Declared::Table>();
      if (members == nullptr) {
        return refuse(value.place,
                      attribute_of(declared.model, "performance") + "expected a table, such as { batch_size = 100 }");
      }
      for (const DeclaredMember& member : *members) {
        const auto part = std::ranges::find(parts, member.name, &Part::name);
        if (part == parts.end()) {
          std::vector<std::string> known;
          for (const Part& one : parts) known.emplace_back(one.name);
          return refuse(member.place, "\"" + member.name +
                                          "\" is not of performance (batch_size, snapshot_frequency, "
                                          "async_replication)" +
                                          did_you_mean(member.name, known));
        }
        TRY(part->read(declared, member.value));
      }
      return {};
    },
    .tell =
        [](std::string& out, const Model& model) {
          if (model.batch_size != 0) out += "{\"batch_size\":" + std::to_string(model.batch_size) + "}";
        },
    .suits = [](const Model& model, const Declared& value) -> Result<> {
      if (const Declared* size = value.find("batch_size")) TRY(check_takes_commands(model, *size));
      const Declared* frequency = value.find("snapshot_frequency");
      return frequency ? check_snapshot_every(model, *frequency) : Result<>{};
    },
};

}  // namespace annals::model
