#include "model/methods.hpp"
#include "model/model_attribute.hpp"

namespace annals::model {
namespace {

constexpr std::string_view audited_expected = "audited: expected true or false";

Result<> read_for_operation(OperationRules& rules, ApiOperation operation, const Declared& value) {
  if (operation == ApiOperation::list || operation == ApiOperation::get) {
    return refuse(value.place, "audited: the audit is made from events, and " + std::string(to_string(operation)) +
                                   " records none; create, update and delete can be audited");
  }
  const bool* flag = value.as<bool>();
  if (flag == nullptr) return refuse(value.place, std::string(audited_expected));
  rules.audited = *flag;
  return {};
}

}  // namespace

extern const ModelAttribute audited_attribute;
const ModelAttribute audited_attribute{
    .name = "audited",
    .of_kv = false,
    .of_resource = true,
    .sentence =
        "`true`: who changed what, with old and new values, can be asked for at `RESOURCE/:name/audit`; of `create`, "
        "`update` and `delete` each may say otherwise. Default: `false`.",
    .change = "Nothing of what is stored changes: an audit is made from the events, also from those that are there.",
    .accepted = "audited = true",
    .refused = R"(audited = "yes")",
    .declare = [](DeclaredModel& declared, const Declared& value) -> Result<> {
      const bool* flag = value.as<bool>();
      if (flag == nullptr)
        return refuse(value.place, "model." + declared.model.name + "." + std::string(audited_expected));
      declared.model.audited = *flag;
      return {};
    },
    .tell =
        [](std::string& out, const Model& model) {
          if (model.audited) out += "true";
        },
    .suits = [](const Model& model, const Declared& value) -> Result<> {
      if (!model.audited || serves(model, "GET")) return {};
      return refuse_unserved(model, "audited", "GET", value);
    },
    .declare_for = read_for_operation,
};

}  // namespace annals::model
