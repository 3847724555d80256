#include "model/decider.hpp"

#include <algorithm>
#include <cstring>

#include "base/invariant.hpp"
#include "json/reader.hpp"
#include "json/writer.hpp"
#include "model/resource.hpp"

namespace annals::model {
namespace {

void append_old_value(std::string& data, std::string_view member, const Record& record) {
  json::append_member(data, member);
  if (record.value) {
    json::append_string(data, *record.value);
  } else {
    data += "null";
  }
}

void append_timestamp(std::string& data, Instant now) {
  data += ",\"timestamp\":\"";
  now.append_text(data);
  data += "\"}";
}

/// The value of a set event as it stands, when the data has exactly the form that `decide` writes and the value needs
/// no unescaping. Replaying a log is mostly this function.
std::optional<std::string_view> plain_value(const Model& model, std::string_view data) {
  // {"<key_member>":"<key>","value":"<value>","old_value":...
  const std::size_t key_at = 2 + model.key_member.size() + 3;
  if (data.size() < key_at || data.compare(0, 2, "{\"") != 0) return std::nullopt;
  if (data.compare(2, model.key_member.size(), model.key_member) != 0) return std::nullopt;
  if (data.compare(key_at - 3, 3, "\":\"") != 0) return std::nullopt;
  const auto plain_end = [&](std::size_t begin) -> std::size_t {
    const void* quote = std::memchr(data.data() + begin, '"', data.size() - begin);
    if (quote == nullptr) return std::string_view::npos;
    const auto end = static_cast<std::size_t>(static_cast<const char*>(quote) - data.data());
    return std::memchr(data.data() + begin, '\\', end - begin) == nullptr ? end : std::string_view::npos;
  };
  const std::size_t key_end = plain_end(key_at);
  constexpr std::string_view member = "\",\"value\":\"";
  if (key_end == std::string_view::npos || data.compare(key_end, member.size(), member) != 0) return std::nullopt;
  const std::size_t value_at = key_end + member.size();
  const std::size_t value_end = plain_end(value_at);
  if (value_end == std::string_view::npos) return std::nullopt;
  return data.substr(value_at, value_end - value_at);
}

/// Another program may have recorded what is no string; it is shown as it stands there.
Change set_to(const json::Value& value) {
  if (const auto* text = std::get_if<std::string_view>(&value)) return Change{Change::Effect::set, *text};
  Change change{Change::Effect::set};
  json::append_value(change.made, value);
  return change;
}

}  // namespace

Result<> check_precondition(const Record& record, const Command& command) {
  const Precondition& precondition = command.precondition;
  bool met = true;
  switch (precondition.rule) {
    case Precondition::Rule::none: break;
    case Precondition::Rule::exists: met = record.exists(); break;
    case Precondition::Rule::does_not_exist: met = !record.exists(); break;
    case Precondition::Rule::version_is_one_of:
      met = record.version.value > 0 &&
            std::ranges::find(precondition.versions, record.version) != precondition.versions.end();
      break;
  }
  if (met) return {};
  std::string found = record.version.value == 0 ? "does not exist" : "is at version " + to_string(record.version);
  if (record.was_deleted()) found += " (deleted)";
  return fail(ErrorKind::precondition_failed, "version_conflict",
              "\"" + command.key + "\" " + found + "; nothing was recorded");
}

Result<std::vector<Decision>> decide(const Model& model, const Record& record, const Command& command, Instant now) {
  if (model.profile == Profile::resource) return decide_resource(model, record, command, now);
  const bool removes = command.operation == Operation::remove;
  if (removes && record.version.value == 0) {
    return fail(ErrorKind::not_found, "not_found", "\"" + command.key + "\" does not exist");
  }
  if (removes && !record.exists()) {
    return fail(ErrorKind::gone, "already_deleted",
                "\"" + command.key + "\" was deleted at version " + to_string(record.version));
  }
  TRY(check_precondition(record, command));

  Decision decision;
  decision.type = removes ? model.deleted_type : model.set_type;
  std::string& data = decision.data;
  data.reserve(128 + command.key.size() + (command.value ? command.value->size() : 0) +
               (record.value ? 2 * record.value->size() : 0));
  data += '{';
  json::append_member(data, model.key_member, command.key);
  if (removes) {
    append_old_value(data, "old_value", record);
    append_old_value(data, "deleted_value", record);
  } else {
    INVARIANT(command.value != nullptr, "a set has a value");
    json::append_member(data, "value", *command.value);
    append_old_value(data, "old_value", record);
  }
  append_timestamp(data, now);
  std::vector<Decision> decisions;
  decisions.push_back(std::move(decision));
  return decisions;
}

Decision decide_without_old_values(const Model& model, const Command& command, Instant now) {
  if (model.profile == Profile::resource) return deletion_without_values(model, command.key, now);
  const bool removes = command.operation == Operation::remove;
  Decision decision{removes ? model.deleted_type : model.set_type, "{"};
  std::string& data = decision.data;
  json::append_member(data, model.key_member, command.key);
  if (!removes) json::append_member(data, "value", *command.value);
  json::append_null_member(data, "old_value");
  if (removes) json::append_null_member(data, "deleted_value");
  json::append_member(data, "old_value_too_large");
  data += "true";
  append_timestamp(data, now);
  return decision;
}

Result<Change> change_of(const Model& model, std::string_view before, std::string_view type, std::string_view data,
                         StreamVersion version) {
  if (model.profile == Profile::resource) return resource_change_of(model, before, type, data, version);
  if (type == model.set_type) {
    if (const auto plain = plain_value(model, data)) return Change{Change::Effect::set, *plain};
    const auto object = json::thread_reader().read_object(data);
    const json::Value* value = object ? object->find("value") : nullptr;
    if (value != nullptr) return set_to(*value);
    return fail(ErrorKind::corrupt, "the event of type " + std::string(type) + " at version " + to_string(version) +
                                        " has no member \"value\"" + (object ? "" : ": " + object.error().message));
  }
  if (type == model.deleted_type) return Change{Change::Effect::remove, {}};
  return Change{};
}

Result<Record> evolve(const Model& model, const Record& record, std::string_view type, std::string_view data,
                      StreamVersion version, Instant created_at) {
  const std::string_view before = record.value ? *record.value : std::string_view{};
  const Change change = TRY(change_of(model, before, type, data, version));
  switch (change.effect) {
    case Change::Effect::set: return Record{version, SharedText(change.new_value()), created_at};
    case Change::Effect::remove: return Record{version, nullptr, created_at};
    case Change::Effect::none: break;
  }
  return Record{version, record.value, created_at};
}

}  // namespace annals::model
