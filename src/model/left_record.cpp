#include "model/left_record.hpp"

#include <algorithm>
#include <string>

#include "base/wording.hpp"
#include "json/equality.hpp"
#include "json/pointer.hpp"
#include "model/attribute.hpp"
#include "model/formula.hpp"
#include "model/secret_cipher.hpp"
#include "model/value_order.hpp"

namespace annals::model {
namespace {

constexpr std::string_view null_text = "null";

/// `subject`: what is none of the model's.
std::unexpected<Error> refused(const Model& model, const std::string& subject, Faults faults) {
  const std::size_t told = faults.size();
  std::string message = subject + model.name + ": " + (faults.more() ? "more than " : "") + counted(told, "thing") +
                        std::string(for_number(told, " is wrong", " are wrong")) + faults.more_told();
  return std::unexpected(Error(ErrorKind::unprocessable, "invalid_record", std::move(message), faults.take()));
}

bool same_secret(const Model& model, const Field& field, std::string_view key, const FieldValue& left,
                 const FieldValue& right) {
  const auto* one = left.as<std::string>();
  const auto* other = right.as<std::string>();
  return one && other && model.cipher &&
         model.cipher->same({model.name, field.name, field.renamed_from, key}, *one, *other);
}

/// Whether what a write leaves can be computed. `is_new`: there was no record before.
void check_can_be_computed(Faults& faults, const Model& model, bool is_new, const std::vector<std::string_view>& before,
                           const std::vector<std::string_view>& after, const Computed& computed) {
  const auto is_changed = [&](std::size_t place) { return is_new || before[place] != after[place]; };
  for (const Computed::Failure& failure : computed.failures) {
    const Field& field = model.fields[failure.field];
    // What was so before a write that has nothing to do with it is not the fault of that.
    if (std::ranges::any_of(field.computed->sources(), is_changed) || before[failure.field] != null_text)
      faults.add({json::pointer_to(field.name), failure.code, failure.detail});
  }
}

/// Whether what a write leaves can be computed, and whether what it says of computed fields is so. A client that gives
/// back what it was shown gives the value of before; one that knows better that of after.
void check_computed(Faults& faults, const Model& model, const Command& command,
                    const std::vector<std::string_view>& before, std::vector<std::string_view> after) {
  if (!has_formulas(model)) return;
  const Computed computed = compute(model, after);
  const bool is_new = command.operation == Operation::create;
  check_can_be_computed(faults, model, is_new, before, after, computed);
  for (const GivenField& one : command.given) {
    const Field& field = model.fields[one.field];
    if (!field.computed) continue;
    if (!field.exposed) {
      // Not compared: who may not see it could guess at it, as often as he likes and with nothing overwritten.
      faults.add({json::pointer_to(field.name), "computed",
                  "the value is computed from other fields, and not shown; leave it out"});
      continue;
    }
    const std::string given = to_json(one.value);
    const auto is = [&](const std::vector<std::string_view>& values) {
      return same_value(model, field, command.key, values[one.field], given);
    };
    if (is(after) || (!is_new && is(before))) continue;
    faults.add({json::pointer_to(field.name), "computed",
                "the value is computed from other fields; leave it out, or give it as it is"});
  }
}

}  // namespace

std::unexpected<Error> invalid_record(const Model& model, Faults faults) {
  return refused(model, "the body is no ", std::move(faults));
}

bool same_value(const Model& model, const Field& field, std::string_view key, std::string_view left,
                std::string_view right) {
  if (left == right) return true;
  if (left == null_text || right == null_text) return false;
  if (field.type == FieldType::json) return json::same_value(left, right);
  // Decimals are written in many ways, on their own and in lists; secrets never twice in the same.
  const auto one = value_from_text(field, left);
  const auto other = value_from_text(field, right);
  if (!one || !other) return false;
  return field.secret ? same_secret(model, field, key, *one, *other) : compare(*one, *other) == 0;
}

Result<> check_left(const Model& model, const Command& command, const std::vector<std::string_view>& before,
                    const std::vector<std::string_view>& after) {
  Faults faults;
  for (const GivenField& one : command.given) {
    // A record of the time before the field was declared, or was required.
    if (one.stays && before[one.field] == null_text) {
      faults.add({json::pointer_to(model.fields[one.field].name), "required",
                  "a value is required, and the record has none that could stay"});
    }
  }
  check_computed(faults, model, command, before, after);
  if (faults.empty()) return {};
  return invalid_record(model, std::move(faults));
}

Result<> check_restored(const Model& model, const Command& command, const Record& record,
                        const std::vector<std::string_view>& before, const std::vector<std::string_view>& after) {
  Faults faults;
  for (std::size_t place = 0; place < model.fields.size() && !faults.more(); ++place) {
    const Field& field = model.fields[place];
    if (field.computed || place == model.primary_key) continue;
    // What a client was not shown it does not give back.
    const bool stays = record.exists() && !field.exposed;
    if (stays && same_value(model, field, command.key, before[place], after[place])) continue;
    const std::string pointer = json::pointer_to(field.name);
    if (after[place] == null_text) {
      if (field.required) faults.add({pointer, "required", "a value is required, and the record had none then"});
      continue;
    }
    if (field.secret) continue;
    const FieldValue value = TRY(value_from_text(field, after[place]));
    for (const Attribute* attribute : attributes()) {
      if (attribute->check == nullptr) continue;
      if (const auto good = attribute->check(field, value); !good) faults.add(pointer, good.error());
    }
  }
  if (has_formulas(model)) {
    std::vector<std::string_view> values = after;
    const Computed computed = compute(model, values);
    check_can_be_computed(faults, model, !record.exists(), before, after, computed);
  }
  if (faults.empty()) return {};
  return refused(model, "what the record was then is no ", std::move(faults));
}

}  // namespace annals::model
