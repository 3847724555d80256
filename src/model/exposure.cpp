#include "model/exposure.hpp"

#include "json/reader.hpp"
#include "json/writer.hpp"
#include "model/record_text.hpp"

namespace annals::model {
namespace {

void append_named(std::string& out, std::string_view name) {
  if (out.back() != '{') out += ',';
  json::append_string(out, name);
  out += ':';
}

/// Whether the event is of a field's own, whose members are `old_pin` and `new_pin`.
bool is_own(const Model& model, std::string_view type) {
  return type != model.created_type && type != model.updated_type && type != model.deleted_type;
}

/// Whether a member of an event of a field's own is a value of the field.
bool is_side(const Model& model, std::string_view member) {
  return member != model.key_member && (member.starts_with("old_") || member.starts_with("new_"));
}

Result<std::string> without_hidden(const Model& model, std::string_view type, std::string_view data) {
  thread_local json::Reader reader;
  const json::Object members = TRY(reader.read_object(data));
  const bool own = is_own(model, type);
  std::string out = "{";
  for (const json::Member& member : members.members) {
    const auto* nested = std::get_if<json::Nested>(&member.value);
    const bool side = own && is_side(model, member.name);
    if (side && !is_shown(model, member.name.substr(4))) continue;
    append_named(out, member.name);
    // `values`, `changes` or `old_values`, by the names of fields.
    if (!side && nested && !nested->is_array) {
      out += TRY(shown_members(model, nested->text));
    } else if (!side && nested) {
      return fail(ErrorKind::corrupt, "an event of a model has no array");
    } else {
      json::append_value(out, member.value);
    }
  }
  return out + '}';
}

}  // namespace

bool is_shown(const Model& model, std::string_view name_in_event) {
  if (!model.hides) return true;
  const auto place = model.field_in_events(name_in_event);
  return !place || model.fields[*place].exposed;
}

Result<SharedText> shown_record(const Model& model, SharedText record) {
  if (!model.hides || !record) return record;
  const std::vector<std::string_view> values = TRY(values_of(model, *record));
  std::string shown = "{";
  for (std::size_t place = 0; place < values.size(); ++place) {
    if (!model.fields[place].exposed) continue;
    json::append_member(shown, model.fields[place].name);
    shown += values[place];
  }
  return SharedText(shown + '}');
}

Result<std::string> shown_members(const Model& model, std::string_view object) {
  thread_local json::Reader reader;
  const json::Object members = TRY(reader.read_object(object));
  std::string out = "{";
  for (const json::Member& member : members.members) {
    if (!is_shown(model, member.name)) continue;
    append_named(out, member.name);
    json::append_value(out, member.value);
  }
  return out + '}';
}

std::string shown_data(const Model& model, std::string_view type, std::string_view data) {
  if (!model.hides) return std::string(data);
  return without_hidden(model, type, data).value_or("{}");
}

}  // namespace annals::model
