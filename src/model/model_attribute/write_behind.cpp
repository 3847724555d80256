#include "model/model_attribute.hpp"

namespace annals::model {
namespace {

Result<> read_write_behind(std::optional<AskedDurability>& durability, std::optional<bool>& write_behind,
                           const std::string& name, const Declared& value) {
  const bool* flag = value.as<bool>();
  if (flag == nullptr) return refuse(value.place, name + "expected true or false");
  if (durability && *flag != (*durability == AskedDurability::memory)) {
    return refuse(value.place, name + "durability = \"" + std::string(to_string(*durability)) +
                                   "\" says otherwise: write_behind = true is durability = \"memory\"; say one of the "
                                   "two");
  }
  write_behind = *flag;
  if (*flag) {
    durability = AskedDurability::memory;
  } else if (!durability) {
    durability = AskedDurability::store;
  }
  return {};
}

}  // namespace

extern const ModelAttribute write_behind_attribute;
const ModelAttribute write_behind_attribute{
    .name = "write_behind",
    .of_kv = false,
    .of_resource = true,
    .sentence =
        "`true` is `durability = \"memory\"`, of the model or of `create`, `update`, `delete`. Not for a model that is "
        "audited, because its audit could lose what was told to be done. Default: `false`.",
    .accepted = "write_behind = true",
    .refused = "write_behind = true\ndurability = \"local\"",
    .declare = [](DeclaredModel& declared, const Declared& value) -> Result<> {
      Model& model = declared.model;
      return read_write_behind(model.durability, model.write_behind, attribute_of(model, "write_behind"), value);
    },
    .suits = [](const Model& model, const Declared& value) -> Result<> {
      TRY(check_writes_happen(model, "write_behind", value));
      return check_audit_survives(model, value);
    },
    .declare_for = [](OperationRules& rules, ApiOperation operation, const Declared& value) -> Result<> {
      TRY(check_records_something(operation, "write_behind", value));
      return read_write_behind(rules.durability, rules.write_behind, "write_behind: ", value);
    },
};

}  // namespace annals::model
