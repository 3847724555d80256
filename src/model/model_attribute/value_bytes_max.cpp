#include "base/sizes.hpp"
#include "json/writer.hpp"
#include "model/model_attribute.hpp"

namespace annals::model {
namespace {

constexpr std::int64_t value_bytes_most = mib;

}  // namespace

extern const ModelAttribute value_bytes_max_attribute;
const ModelAttribute value_bytes_max_attribute{
    .name = "value_bytes_max",
    .of_kv = true,
    .of_resource = false,
    .sentence = "The largest value; 1 MiB at most. Default: the setting `kv.value_bytes_max`.",
    .change = "Nothing of what is stored changes: larger values stay.",
    .accepted = R"(value_bytes_max = "64KiB")",
    .refused = R"(value_bytes_max = "2MiB")",
    .declare = [](DeclaredModel& declared, const Declared& value) -> Result<> {
      const auto* number = value.as<std::int64_t>();
      const auto* text = value.as<std::string>();
      const auto count = number ? std::optional(*number) : text ? bytes_from_text(*text) : std::nullopt;
      if (!count || *count < 1 || *count > value_bytes_most)
        return refuse(value.place, attribute_of(declared.model, "value_bytes_max") + "expected a size from 1 to 1MiB");
      declared.model.value_bytes_max = static_cast<std::size_t>(*count);
      return {};
    },
    .tell =
        [](std::string& out, const Model& model) {
          const auto bytes = static_cast<std::int64_t>(model.value_bytes_max);
          if (model.profile == Profile::kv && bytes != 0 && bytes != value_bytes_most)
            json::append_string(out, bytes_to_text(bytes));
        },
};

}  // namespace annals::model
