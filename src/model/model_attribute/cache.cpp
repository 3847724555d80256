#include "json/writer.hpp"
#include "model/declared_form.hpp"
#include "model/methods.hpp"
#include "model/model_attribute.hpp"

namespace annals::model {
namespace {

constexpr Duration time_min = std::chrono::seconds(1);
constexpr Duration time_max = std::chrono::hours(24 * 365);

/// Whole seconds, because Cache-Control has no others.
Result<Duration> read_time(const std::string& name, const Declared& value) {
  const auto time = duration_of(value);
  const bool good =
      time && (*time == Duration{0} || (*time >= time_min && *time <= time_max)) && *time % time_min == Duration{0};
  if (good) return *time;
  return refuse(value.place,
                name +
                    "expected a time of whole seconds with its unit in quotes, such as \"300s\" or \"5m\", "
                    "from 1s to 365d, or \"0s\" for none");
}

}  // namespace

extern const ModelAttribute cache_attribute;
const ModelAttribute cache_attribute{
    .name = "cache",
    .of_kv = false,
    .of_resource = true,
    .sentence =
        "For how long whoever got a record or a list may show it without asking again (`Cache-Control: max-age`), of "
        "the model or of `list` and `get`; and the server keeps lists as it wrote them for as long, within "
        "`server.cache_bytes_max`, until a write changes what is in them. Whole seconds. Default: `0s`, they ask each "
        "time.",
    .change = "Nothing of what is stored changes: who got a reply keeps it for as long as was said then.",
    .accepted = R"(cache = "300s")",
    .refused = R"(cache = "100ms")",
    .declare = [](DeclaredModel& declared, const Declared& value) -> Result<> {
      declared.model.cache = TRY(read_time(attribute_of(declared.model, "cache"), value));
      return {};
    },
    .tell =
        [](std::string& out, const Model& model) {
          if (model.cache != Duration{0}) json::append_string(out, to_text(model.cache));
        },
    .suits = [](const Model& model, const Declared& value) -> Result<> {
      if (model.cache == Duration{0} || can_happen(model, ApiOperation::get)) return {};
      return refuse_unserved(model, "cache", "GET", value);
    },
    .declare_for = [](OperationRules& rules, ApiOperation operation, const Declared& value) -> Result<> {
      if (operation != ApiOperation::list && operation != ApiOperation::get) {
        return refuse(value.place, "cache: what \"" + std::string(to_string(operation)) +
                                       "\" replies is not kept; it is for list and get");
      }
      rules.cache = TRY(read_time("cache: ", value));
      return {};
    },
};

}  // namespace annals::model
