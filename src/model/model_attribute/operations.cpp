#include <algorithm>
#include <utility>

#include "base/did_you_mean.hpp"
#include "json/writer.hpp"
#include "model/methods.hpp"
#include "model/model_attribute.hpp"

namespace annals::model {
namespace {

/// The attributes of one operation, such as [model.product.operations.create].
Result<> read_operation(Model& model, const DeclaredMember& member) {
  const auto named = [&](ApiOperation one) { return to_string(one) == member.name; };
  const auto operation = std::ranges::find_if(api_operations, named);
  if (operation == api_operations.end()) {
    std::vector<std::string> known;
    for (const ApiOperation one : api_operations) known.emplace_back(to_string(one));
    return refuse(member.place, "\"" + member.name + "\" is not an operation (list, get, create, update, delete)" +
                                    did_you_mean(member.name, known));
  }
  const auto* members = member.value.as<Declared::Table>();
  const std::string name = "model." + model.name + ".operations." + member.name;
  if (members == nullptr)
    return refuse(member.value.place, name + " is " + std::string(member.value.kind()) + "; a table is expected");
  for (const DeclaredMember& one : *members) {
    const auto attribute = std::ranges::find(model_attributes(), one.name, &ModelAttribute::name);
    if (attribute != model_attributes().end() && (*attribute)->declare_for != nullptr) {
      TRY((*attribute)->declare_for(model.operations[std::to_underlying(*operation)], *operation, one.value));
      continue;
    }
    std::vector<std::string> known;
    for (const ModelAttribute* each : model_attributes()) {
      if (each->declare_for != nullptr) known.emplace_back(each->name);
    }
    return refuse(one.place,
                  attribute == model_attributes().end()
                      ? "\"" + one.name + "\" is not an attribute of an operation" + did_you_mean(one.name, known)
                      : "\"" + one.name + "\" is for the whole model; say it in [model." + model.name + "]");
  }
  return {};
}

/// What an operation has otherwise than its model, as members of JSON.
std::string told_rules(const Model& model, ApiOperation operation) {
  const OperationRules& rules = model.operations[std::to_underlying(operation)];
  std::string text = "{";
  if (rules.audited && *rules.audited != model.audited) {
    json::append_member(text, "audited");
    text += *rules.audited ? "true" : "false";
  }
  const AskedDurability durability = model.durability.value_or(AskedDurability::store);
  if (rules.durability && *rules.durability != durability)
    json::append_member(text, "durability", to_string(*rules.durability));
  if (rules.cache && *rules.cache != model.cache) json::append_member(text, "cache", to_text(*rules.cache));
  return text.substr(1);
}

/// Refuses what is said of operations that no record of the model can come to.
Result<> check_can_happen(const Model& model, const Declared& operations) {
  for (const DeclaredMember& member : *operations.as<Declared::Table>()) {
    const auto operation =
        std::ranges::find_if(api_operations, [&](ApiOperation one) { return to_string(one) == member.name; });
    for (const DeclaredMember& one : *member.value.as<Declared::Table>()) {
      const std::string name = "operations." + member.name + "." + one.name;
      // An audit tells of all that was ever recorded, by whatever the model was served with then; to whoever can ask.
      const bool audit = one.name == "audited";
      if (audit && !serves(model, "GET")) return refuse_unserved(model, name, "GET", one.value);
      if (!audit && !can_happen(model, *operation))
        return refuse_unserved(model, name, methods_of(*operation), one.value);
    }
  }
  return {};
}

}  // namespace

extern const ModelAttribute operations_attribute;
const ModelAttribute operations_attribute{
    .name = "operations",
    .of_kv = false,
    .of_resource = true,
    .sentence =
        "What is otherwise for single operations, each a table of attributes: `list`, `get`, `create`, "
        "`update` (PUT, PATCH, rollback), `delete`.",
    .change = "Nothing of what is stored changes.",
    .accepted = "operations = { update = { audited = true } }",
    .refused = "operations = { remove = {} }",
    .declare = [](DeclaredModel& declared, const Declared& value) -> Result<> {
      const auto* members = value.as<Declared::Table>();
      if (members == nullptr)
        return refuse(value.place, attribute_of(declared.model, "operations") + "expected a table of operations");
      for (const DeclaredMember& member : *members) TRY(read_operation(declared.model, member));
      return {};
    },
    .tell =
        [](std::string& out, const Model& model) {
          std::string all = "{";
          for (const ApiOperation one : api_operations) {
            const std::string rules = told_rules(model, one);
            if (rules.empty()) continue;
            json::append_member(all, to_string(one));
            all += "{" + rules + "}";
          }
          if (all != "{") out += all + "}";
        },
    .suits = [](const Model& model, const Declared& value) -> Result<> {
      TRY(check_can_happen(model, value));
      return check_audit_survives(model, value);
    },
};

}  // namespace annals::model
