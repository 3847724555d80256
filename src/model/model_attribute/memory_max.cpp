#include "base/sizes.hpp"
#include "json/writer.hpp"
#include "model/model_attribute.hpp"

namespace annals::model {
namespace {

constexpr std::int64_t least = mib;
constexpr std::int64_t most = std::int64_t{1} << 50;

}  // namespace

extern const ModelAttribute memory_max_attribute;
const ModelAttribute memory_max_attribute{
    .name = "memory_max",
    .of_kv = false,
    .of_resource = true,
    .sentence =
        "How much of its records stays in memory: the texts of those that were used lately, up to so many bytes; those "
        "of the others are read from a file when they are asked for. Keys, versions and indexes stay in memory in any "
        "case. 1MiB at least. Default: all of them.",
    .change = "Nothing of what is stored changes.",
    .accepted = R"(memory_max = "64MiB")",
    .refused = R"(memory_max = "512KiB")",
    .declare = [](DeclaredModel& declared, const Declared& value) -> Result<> {
      const auto* number = value.as<std::int64_t>();
      const auto* text = value.as<std::string>();
      const auto bytes = number ? std::optional(*number) : text ? bytes_from_text(*text) : std::nullopt;
      if (!bytes || *bytes < least || *bytes > most) {
        return refuse(value.place, attribute_of(declared.model, "memory_max") +
                                       "expected a size of 1MiB or more, such as \"64MiB\"; without it all records "
                                       "stay in memory");
      }
      declared.model.memory_max = static_cast<std::uint64_t>(*bytes);
      return {};
    },
    .tell =
        [](std::string& out, const Model& model) {
          if (model.memory_max != 0)
            json::append_string(out, bytes_to_text(static_cast<std::int64_t>(model.memory_max)));
        },
};

}  // namespace annals::model
