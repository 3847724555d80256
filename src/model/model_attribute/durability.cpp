#include <algorithm>
#include <array>

#include "json/writer.hpp"
#include "model/audited_operations.hpp"
#include "model/declared_form.hpp"
#include "model/model_attribute.hpp"

namespace annals::model {
namespace {

Result<> read_durability(std::optional<AskedDurability>& durability, const std::optional<bool>& write_behind,
                         const std::string& name, const Declared& value) {
  constexpr std::array all{AskedDurability::store, AskedDurability::memory, AskedDurability::local};
  const std::array words{to_string(all[0]), to_string(all[1]), to_string(all[2])};
  const AskedDurability asked = all[TRY(word_of(value, name, words))];
  if (write_behind && *write_behind != (asked == AskedDurability::memory)) {
    return refuse(value.place, name +
                                   "write_behind says otherwise: write_behind = true is durability = \"memory\"; "
                                   "say one of the two");
  }
  durability = asked;
  return {};
}

}  // namespace

Result<> check_records_something(ApiOperation operation, std::string_view attribute, const Declared& value) {
  if (operation != ApiOperation::list && operation != ApiOperation::get) return {};
  return refuse(value.place, std::string(attribute) + ": \"" + std::string(to_string(operation)) +
                                 "\" records nothing; it is for create, update and delete");
}

Result<> check_audit_survives(const Model& model, const Declared& value) {
  const auto promises_little = [&](ApiOperation one) { return model.durability_of(one) == AskedDurability::memory; };
  // Of whichever operations: a rollback that brings a record back is an update that the audit tells as a creation.
  if (!is_audited(model) || std::ranges::none_of(api_operations, promises_little)) return {};
  return refuse(value.place, "model." + model.name +
                                 " is audited, and its audit would lose what was told to be done before it was durable "
                                 "(write_behind, or durability = \"memory\"); take the one or the other away");
}

extern const ModelAttribute durability_attribute;
const ModelAttribute durability_attribute{
    .name = "durability",
    .of_kv = false,
    .of_resource = true,
    .sentence =
        "What the success of a write promises, of the model or of `create`, `update`, `delete`: `store` (what "
        "`store.sync` says; the default), `local` (it survives the loss of power, whatever `store.sync` says) or "
        "`memory` (it is seen, and is made durable soon after; not for a model that is audited). At least that is "
        "given; the reply's `Annals-Durability` says what was.",
    .change = "Nothing of what is stored changes: it is about writes to come.",
    .accepted = R"(durability = "local")",
    .refused = R"(durability = "disk")",
    .declare = [](DeclaredModel& declared, const Declared& value) -> Result<> {
      Model& model = declared.model;
      return read_durability(model.durability, model.write_behind, attribute_of(model, "durability"), value);
    },
    .tell =
        [](std::string& out, const Model& model) {
          if (model.durability && *model.durability != AskedDurability::store)
            json::append_string(out, to_string(*model.durability));
        },
    .suits = [](const Model& model, const Declared& value) -> Result<> {
      TRY(check_writes_happen(model, "durability", value));
      return check_audit_survives(model, value);
    },
    .declare_for = [](OperationRules& rules, ApiOperation operation, const Declared& value) -> Result<> {
      TRY(check_records_something(operation, "durability", value));
      return read_durability(rules.durability, rules.write_behind, "durability: ", value);
    },
};

}  // namespace annals::model
