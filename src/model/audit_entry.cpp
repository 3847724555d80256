#include "model/audit_entry.hpp"

#include "json/reader.hpp"
#include "json/writer.hpp"
#include "model/exposure.hpp"

namespace annals::model {
namespace {

Field any_json() {
  Field field;
  field.type = FieldType::json;
  return field;
}

Result<> append_value(const Model& model, std::string& out, std::string_view name, const json::Value* value) {
  if (value == nullptr) return fail(ErrorKind::corrupt, "has no old or no new value of \"" + std::string(name) + "\"");
  if (!is_shown(model, name)) return {};
  static const Field field = any_json();
  if (out.back() != '{') out += ',';
  json::append_string(out, name);
  out.append(1, ':').append(to_json(TRY(value_from_json(field, *value))));
  return {};
}

/// The text of an object within the data.
Result<std::string> object_in(const json::Object& data, std::string_view name) {
  const json::Value* value = data.find(name);
  const auto* nested = value ? std::get_if<json::Nested>(value) : nullptr;
  if (nested && !nested->is_array) return nested->text;
  return fail(ErrorKind::corrupt, "has no object \"" + std::string(name) + "\"");
}

Result<std::string> shown_in(const Model& model, const json::Object& data, std::string_view name) {
  std::string values = TRY(object_in(data, name));
  if (!model.hides) return values;
  return shown_members(model, values);
}

/// Both sides of `{"field": {"old": ..., "new": ...}, ...}`.
Result<> take_changes(const Model& model, AuditEntry& entry, const std::string& changes) {
  thread_local json::Reader reader;
  thread_local json::Reader reader_of_one;
  const json::Object fields = TRY(reader.read_object(changes));
  for (const json::Member& member : fields.members) {
    const std::string text = TRY(object_in(fields, member.name));
    const json::Object change = TRY(reader_of_one.read_object(text));
    TRY(append_value(model, entry.old_values, member.name, change.find("old")));
    TRY(append_value(model, entry.new_values, member.name, change.find("new")));
  }
  return {};
}

/// Both sides of an event of a field's own: its members tell, not its type, which the declaration may have changed
/// since. False when there are none.
Result<bool> take_own(const Model& model, AuditEntry& entry, const json::Object& data) {
  constexpr std::string_view begin = "new_";
  bool any = false;
  for (const json::Member& member : data.members) {
    if (!member.name.starts_with(begin) || member.name == model.key_member) continue;
    any = true;
    const std::string_view field = member.name.substr(begin.size());
    TRY(append_value(model, entry.old_values, field, data.find("old_" + std::string(field))));
    TRY(append_value(model, entry.new_values, field, &member.value));
  }
  return any;
}

Result<AuditEntry> read_entry(const Model& model, std::string_view type, std::string_view data) {
  const json::Object object = TRY(json::thread_reader().read_object(data));
  if (type == model.created_type) return AuditEntry{"create", "null", TRY(shown_in(model, object, "values"))};
  if (type == model.deleted_type) {
    const json::Value* mark = object.find("old_values_too_large");
    const bool* is_marked = mark ? std::get_if<bool>(mark) : nullptr;
    return AuditEntry{"delete", TRY(shown_in(model, object, "old_values")), "null", is_marked && *is_marked};
  }
  AuditEntry entry{"update", "{", "{"};
  if (type == model.updated_type) {
    const std::string changes = TRY(object_in(object, "changes"));
    TRY(take_changes(model, entry, changes));
  } else if (!TRY(take_own(model, entry, object))) {
    return AuditEntry{std::string(type), "null", "null"};
  }
  entry.old_values += '}';
  entry.new_values += '}';
  return entry;
}

}  // namespace

Result<AuditEntry> audit_entry_of(const Model& model, std::string_view type, std::string_view data) {
  auto entry = read_entry(model, type, data);
  if (entry) return entry;
  return fail(ErrorKind::corrupt,
              "the event of type " + std::string(type) + " is not what the model writes: " + entry.error().message);
}

}  // namespace annals::model
