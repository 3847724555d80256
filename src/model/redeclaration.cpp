#include "model/redeclaration.hpp"

#include <algorithm>
#include <array>
#include <variant>

#include "json/reader.hpp"
#include "model/attribute.hpp"
#include "model/formula.hpp"
#include "model/record_text.hpp"
#include "model/resource.hpp"
#include "model/secret_cipher.hpp"

namespace annals::model {
namespace {

constexpr std::size_t examples_max = 5;

void add(Review::Count& count, const std::string& example) {
  ++count.number;
  if (count.examples.size() < examples_max) count.examples.push_back(example);
}

using Members = std::vector<std::pair<std::string, std::string>>;  ///< names and values as JSON, in order

Result<Members> members_of(std::string_view object) {
  json::Reader reader;
  Members members;
  const json::Object read = TRY(reader.read_object(object));
  for (const json::Member& member : read.members)
    json::append_value(members.emplace_back(member.name, std::string()).second, member.value);
  return members;
}

const std::string* find(const Members& members, std::string_view name) {
  const auto member = std::ranges::find(members, name, &Members::value_type::first);
  return member == members.end() ? nullptr : &member->second;
}

/// A value as JSON, as it is told: of a long one the beginning.
std::string told(const std::string& json) {
  constexpr std::size_t told_bytes_max = 200;
  if (json.size() <= told_bytes_max) return json;
  std::size_t end = told_bytes_max / 2;
  while ((static_cast<unsigned char>(json[end]) & 0xc0) == 0x80) --end;  // within a character
  return json.substr(0, end) + "... (" + std::to_string(json.size()) + " bytes)";
}

/// A field's declaration as it is told.
std::string told(const Members& attributes) {
  std::string text;
  for (const auto& [name, value] : attributes)
    text.append(text.empty() ? "{\"" : ",\"").append(name).append("\":").append(told(value));
  return text.empty() ? "{}" : text + "}";
}

void compare_field(std::vector<std::string>& lines, const std::string& name, const Members& before,
                   const Members& after) {
  std::string line;
  const auto differs = [&](const std::string& attribute, const std::string* was, const std::string* is) {
    line.append(line.empty() ? "~ " + name + ": " : ", ").append(attribute);
    line.append(was ? " was " + told(*was) : " was not given").append(is ? ", is " + told(*is) : ", is given no more");
  };
  for (const auto& [attribute, is] : after) {
    const std::string* was = find(before, attribute);
    if (was == nullptr || *was != is) differs(attribute, was, &is);
  }
  for (const auto& [attribute, was] : before) {
    if (find(after, attribute) == nullptr) differs(attribute, &was, nullptr);
  }
  if (!line.empty()) lines.push_back(line);
}

/// Whether a declared field had the attribute with this value, as JSON.
bool declares(const Members& fields, std::string_view name, std::string_view attribute, std::string_view value) {
  const std::string* field = find(fields, name);
  const Result<Members> members = field ? members_of(*field) : Members{};
  const std::string* is = members ? find(*members, attribute) : nullptr;
  return is && *is == value;
}

bool is_shown_by(const Members& fields, std::string_view name) {
  return !declares(fields, name, "exposed", "false") && !declares(fields, name, "secret", "true");
}

/// The name of the field that takes what events say of a name that is no field's any more; nullptr when none does.
Result<const std::string*> taker_of(const Members& fields, const std::string& name) {
  for (const auto& [taker, declared] : fields) {
    const Members attributes = TRY(members_of(declared));
    // A name or a list of them; names have nothing that JSON escapes.
    const std::string* former = find(attributes, "renamed_from");
    if (former && former->contains("\"" + name + "\"")) return &taker;
  }
  return nullptr;
}

/// Calls `take` with what an event says of fields: a name, and the value that it has from then on.
template <class Take>
void for_each_said(const Model& model, std::string_view type, std::string_view data, const Take& take) {
  json::Reader reader;
  const auto object = reader.read_object(data);
  if (!object) return;
  const bool creates = type == model.created_type;
  if (!creates && type != model.updated_type) {
    for (const json::Member& member : object->members) {
      if (member.name.starts_with("new_") && member.name != model.key_member) take(member.name.substr(4), member.value);
    }
    return;
  }
  const json::Value* value = object->find(creates ? "values" : "changes");
  const auto* nested = value ? std::get_if<json::Nested>(value) : nullptr;
  if (nested == nullptr) return;
  json::Reader inner;
  const auto members = inner.read_object(nested->text);
  if (!members) return;
  for (const json::Member& member : members->members) {
    const auto* change = creates ? nullptr : std::get_if<json::Nested>(&member.value);
    json::Reader innermost;
    const auto sides = change && !change->is_array ? innermost.read_object(change->text) : json::Object{};
    const json::Value* after = sides ? sides->find("new") : nullptr;
    take(member.name, after ? *after : member.value);
  }
}

/// The names of fields that an event says something of.
std::vector<std::string> names_in(const Model& model, std::string_view type, std::string_view data) {
  std::vector<std::string> names;
  for_each_said(model, type, data, [&](std::string_view name, const json::Value&) { names.emplace_back(name); });
  return names;
}

/// Whether a number is a whole one that no double is.
bool is_rounded(const json::Value& value) {
  const auto* whole = std::get_if<std::int64_t>(&value);
  if (whole == nullptr) return false;
  // Of 2^63, which a double is and no such number, the way back is not defined.
  const auto nearest = static_cast<double>(*whole);
  return nearest >= 0x1p63 || static_cast<std::int64_t>(nearest) != *whole;
}

/// Whether an event is of a resource, where the model is none: all such events tell the key under this name.
bool is_of_resource(const Model& model, const EventView& event) {
  const auto object = json::thread_reader().read_object(event.data);
  return object && object->find(model.name + "_id") != nullptr;
}

/// Why an event that changes nothing of its record is none that the declaration takes; empty when it is.
std::string fault_of_type(const Model& model, const EventView& event) {
  if (model.profile == Profile::resource && names_in(model, event.type, event.data).empty())
    return "the model knows no event of type " + std::string(event.type);
  if (model.profile == Profile::kv && is_of_resource(model, event))
    return "it is an event of a resource, " + std::string(event.type) + ", and the model is of profile kv";
  return "";
}

/// Why a record with this text is not the one of its key; empty when it is. What it was called and of what type it was
/// is no matter, as long as the key is the same text.
std::string fault_of_key(const Model& model, std::string_view key, std::string_view record) {
  const std::array places{model.primary_key};
  const Field& field = model.fields[model.primary_key];
  std::vector<std::string_view> values;
  if (const auto found = values_at(model, record, places, values); !found) return found.error().message;
  const auto value = value_from_text(field, values.front());
  if (!value) return "\"" + field.name + "\": " + value.error().message;
  const auto* text = value->as<std::string>();
  const std::string own = text ? *text : to_json(*value);
  if (!value->is_null() && own == key) return "";
  return "the primary key \"" + field.name + "\" " +
         (value->is_null() ? "has no value" : "is " + told(to_json(*value))) + ", and the record's key is \"" +
         std::string(key) + "\"; no key ever changes: declare it as it was, or with renamed_from";
}

/// Whether an event is the deletion of what was there, be the model of this profile or of the other.
bool is_deletion(const Model& model, std::string_view type) {
  constexpr std::string_view of_kv = "Value";
  std::string other = model.aggregate_type;
  if (model.profile == Profile::kv) {
    other.resize(other.size() - of_kv.size());
  } else {
    other += of_kv;
  }
  return type == model.deleted_type || type == other + "Deleted";
}

/// The default of a declared field, as JSON, of records whose events have no value of it; null where there is none, or
/// it is made for each new record.
std::string default_of(const Members& attributes) {
  const std::string* otherwise = find(attributes, "default");
  const std::string* type = find(attributes, "type");
  if (otherwise == nullptr || type == nullptr) return "null";
  const bool is_time = *type == "\"timestamp\"" || *type == "\"date\"";
  if ((is_time && *otherwise == "\"now\"") || (*type == "\"uuid\"" && *otherwise == "\"uuid\"")) return "null";
  return *otherwise;
}

}  // namespace

Result<> check_leaves(const Model& model, const EventView& event, Change::Effect effect, std::string_view record) {
  if (effect == Change::Effect::none) {
    const std::string fault = fault_of_type(model, event);
    if (fault.empty()) return {};
    return std::unexpected(
        Error(ErrorKind::corrupt, to_string(ErrorKind::corrupt), fault, {{"", "unknown_type", fault}}));
  }
  if (effect == Change::Effect::remove || model.profile == Profile::kv) return {};
  std::string fault = fault_of_key(model, key_of(event.stream), record);
  if (fault.empty()) return {};
  return std::unexpected(Error(ErrorKind::corrupt, to_string(ErrorKind::corrupt), std::move(fault),
                               {{"", "another_key", "it leaves the record with another key than its stream has"}}));
}

Result<std::vector<std::string>> differences_of(std::string_view before, std::string_view after) {
  const Members earlier = TRY(members_of(before));
  const Members later = TRY(members_of(after));
  std::vector<std::string> lines;
  for (const auto& [name, declared] : later) {
    const std::string* was = find(earlier, name);
    if (was == nullptr) {
      lines.push_back("+ " + name + ": " + told(TRY(members_of(declared))));
    } else if (*was != declared) {
      const std::size_t before_it = lines.size();
      compare_field(lines, name, TRY(members_of(*was)), TRY(members_of(declared)));
      if (lines.size() > before_it && !is_shown_by(earlier, name) && is_shown_by(later, name))
        lines.back() += "; replies show it now, and histories what it was";
    }
  }
  for (const auto& [name, declared] : earlier) {
    if (find(later, name) != nullptr) continue;
    const bool was_shown = is_shown_by(earlier, name);
    if (const std::string* taker = TRY(taker_of(later, name))) {
      const bool is_shown = is_shown_by(later, *taker);
      lines.push_back("- " + name + ": called \"" + *taker + "\" now" +
                      (was_shown || !is_shown ? "" : "; replies show it now, and histories what it was"));
      continue;
    }
    lines.push_back("- " + name + ": declared no more" +
                    (was_shown ? "" : "; replies did not show it, and histories now show what events have of it"));
  }
  return lines;
}

Review::Review(const Model& model, std::span<const std::string> before) : model_(model) {
  has_numbers_ = std::ranges::find(model.fields, FieldType::number, &Field::type) != model.fields.end();
  if (!before.empty()) follow(before.back());
  if (!before.empty()) look_for_moves(before.back());
  TextSet<std::string> secrets;  // the names of all that ever was secret
  for (const std::string& declaration : before) {
    const Result<Members> earlier = members_of(declaration);
    if (!earlier) continue;  // what was declared last is told, and found to be none, by differences_of
    for (const auto& [name, declared] : *earlier) {
      if (declares(*earlier, name, "secret", "true")) secrets.insert(name);
    }
    for (const Field& field : model.fields) {
      for (const std::string& former : field.renamed_from) {
        if (find(*earlier, field.name) != nullptr && find(*earlier, former) != nullptr)
          merged_.emplace_back(former, field.name);
      }
    }
  }
  const auto was_secret = [&](const std::string& name) { return secrets.contains(name); };
  for (std::size_t place = 0; place < model.fields.size(); ++place) {
    const Field& field = model.fields[place];
    if (field.secret || !(was_secret(field.name) || std::ranges::any_of(field.renamed_from, was_secret))) continue;
    once_secret_.push_back(place);
    if (field.computed) secrets_computed_.push_back(field.name);
  }
}

/// Finds the fields whose default was another, and those that were not there.
void Review::follow(std::string_view before) {
  const Result<Members> earlier = members_of(before);
  const Result<Members> now = members_of(model_.declaration);
  if (!earlier || !now || earlier->empty()) return;
  for (std::size_t place = 0; place < model_.fields.size(); ++place) {
    const Field& field = model_.fields[place];
    if (field.computed || place == model_.primary_key) continue;
    const std::string* was = find(*earlier, field.name);
    for (const std::string& former : field.renamed_from) {
      if (was == nullptr) was = find(*earlier, former);
    }
    if (was == nullptr) {
      followed_.push_back({place, ""});
      continue;
    }
    const std::string* is = find(*now, field.name);
    const Result<Members> attributes_before = members_of(*was);
    const Result<Members> attributes = is ? members_of(*is) : Members{};
    if (!attributes_before || !attributes) continue;
    const std::string default_before = default_of(*attributes_before);
    const std::string otherwise = default_of(*attributes);
    if (default_before != otherwise)
      followed_.push_back({place, "was " + told(default_before) + ", is " + told(otherwise)});
  }
}

/// Finds the names that events of another time have for a field, and that are another field's now.
void Review::look_for_moves(std::string_view before) {
  const Result<Members> earlier = members_of(before);
  if (!earlier) return;
  const auto look_at = [&](const Field& field, const std::string& name) {
    // A declaration in which the name was a field's had nobody else who took it.
    const Result<const std::string*> taker = taker_of(*earlier, name);
    if (!taker || *taker == nullptr || **taker == field.name || field.was_called(**taker)) return;
    moving_.emplace_back(name, "\"" + name + "\" was taken by \"" + **taker + "\", and is by \"" + field.name + "\"");
  };
  for (const Field& field : model_.fields) {
    look_at(field, field.name);
    for (const std::string& former : field.renamed_from) look_at(field, former);
  }
}

/// The name of a field that is to show a sealed value; empty when none is.
std::string Review::secret_no_more(std::string_view record) const {
  if (once_secret_.empty()) return "";
  const auto values = values_of(model_, record);
  if (!values) return "";
  for (const std::size_t place : once_secret_) {
    // Of whatever type the field is now; a sealed text has nothing that JSON escapes.
    std::string_view text = (*values)[place];
    if (text.size() < 2 || !text.starts_with('"')) continue;
    text = text.substr(1, text.size() - 2);
    if (read_sealed(text)) return model_.fields[place].name;
  }
  return "";
}

/// What an event may not tell, by the names of its members alone; empty when it tells nothing of that.
std::string Review::fault_of_names(const EventView& event) const {
  if (secrets_computed_.empty() && merged_.empty()) return "";
  for (const std::string& name : names_in(model_, event.type, event.data)) {
    // No record holds it, but histories would show it.
    if (std::ranges::find(secrets_computed_, name) != secrets_computed_.end())
      return "it tells of \"" + name + "\", which was secret then; call the computed field otherwise";
    const auto merged = std::ranges::find(merged_, name, [](const auto& pair) { return pair.first; });
    if (merged != merged_.end()) {
      return "it tells of \"" + name + "\", which \"" + merged->second +
             "\" is to take, and both were fields at the same time; give the values of one field one name";
    }
  }
  return "";
}

/// Why the declaration cannot take an event that could be folded; empty when it can.
std::string Review::fault_of(const EventView& event, const Change& change) const {
  if (model_.profile == Profile::kv) return "";
  if (const std::string name = secret_no_more(change.new_value()); !name.empty())
    return "it holds an encrypted value of \"" + name + "\", which is secret no more";
  if (std::string fault = fault_of_names(event); !fault.empty()) return fault;
  return change.effect == Change::Effect::set ? fault_of_key(model_, key_of(event.stream), change.new_value()) : "";
}

/// Tells why the declaration cannot take an event, and looks at no further one of its record.
void Review::refuse(const EventView& event, const std::string& fault) {
  const std::string key(key_of(event.stream));
  broken_records_.insert(key);
  records_.erase(key);
  if (!is_deletion(model_, event.type)) unsuitable_.insert(key);
  add(broken_, "position " + to_string(event.position) + " (" + std::string(event.stream) + ", version " +
                   to_string(event.version) + "): " + fault);
}

void Review::take(const EventView& event) {
  ++events_;
  const std::string key(key_of(event.stream));
  if (broken_records_.contains(key)) {
    if (is_deletion(model_, event.type)) {
      unsuitable_.erase(key);
    } else {
      unsuitable_.insert(key);
    }
    return;
  }
  const auto record = records_.find(key);
  const std::string_view before = record == records_.end() ? std::string_view{} : record->second;
  const auto change = change_of(model_, before, event.type, event.data, event.version);
  if (!change) return refuse(event, change.error().message);
  if (const std::string fault = fault_of(event, *change); !fault.empty()) return refuse(event, fault);
  switch (change->effect) {
    case Change::Effect::set: records_.insert_or_assign(key, std::string(change->new_value())); break;
    case Change::Effect::remove: records_.erase(key); break;
    case Change::Effect::none:
      if (const std::string fault = fault_of_type(model_, event); !fault.empty()) return refuse(event, fault);
      break;
  }
  if (model_.profile == Profile::kv) return;
  if (change->effect == Change::Effect::remove) {
    for (Followed& one : followed_) one.keys.erase(key);
  }
  look_at_members(event);
  if (has_numbers_) look_at_numbers(event);
}

void Review::look_at_members(const EventView& event) {
  for (const std::string& name : names_in(model_, event.type, event.data)) {
    const auto place = model_.field_in_events(name);
    if (!place || model_.fields[*place].computed) add(left_out_[name], to_string(event.position));
    const auto moving = std::ranges::find(moving_, name, [](const auto& pair) { return pair.first; });
    if (moving != moving_.end()) add(moved_[moving->second], to_string(event.position));
    const auto followed = place ? std::ranges::find(followed_, *place, &Followed::place) : followed_.end();
    if (followed != followed_.end()) followed->keys.emplace(key_of(event.stream));
  }
  for (const std::size_t place : carried_fields(model_, event.type, event.data))
    add(carried_[model_.fields[place].name], to_string(event.position));
}

void Review::look_at_numbers(const EventView& event) {
  for_each_said(model_, event.type, event.data, [&](std::string_view name, const json::Value& value) {
    const auto place = model_.field_in_events(name);
    if (place && model_.fields[*place].type == FieldType::number && is_rounded(value))
      add(rounded_[model_.fields[*place].name], to_string(event.position));
  });
}

void Review::look_at_references(const std::function<bool(std::string_view, std::string_view)>& exists) {
  if (model_.profile == Profile::kv || !model_.has_references()) return;
  for (const std::string& key : keys_in_order()) {
    const auto referred = referred_keys(model_, records_.find(key)->second);
    if (!referred) continue;  // told by look_at_record
    for (const ReferredKey& one : *referred) {
      if (!exists(model_.fields[one.field].references, one.key))
        add(dangling_[one.field], "\"" + key + "\" to \"" + one.key + "\"");
    }
  }
}

void Review::look_at_record(const std::string& key, std::string_view record) {
  const auto values = values_of(model_, record);
  if (!values) return add(broken_, "\"" + key + "\": " + values.error().message);
  for (const Followed& one : followed_) {
    const std::string& name = model_.fields[one.place].name;
    const bool has = one.keys.contains(key);
    if (one.defaults.empty() && has && (*values)[one.place] != "null") add(found_again_[name], key);
    if (!one.defaults.empty() && !has) add(defaulted_[name + ": " + one.defaults], key);
  }
  std::vector<std::string_view> anew = *values;
  for (const Computed::Failure& failure : compute(model_, anew).failures)
    add(not_computed_[model_.fields[failure.field].name + ": " + failure.code], key);
  for (std::size_t place = 0; place < values->size(); ++place) {
    const Field& field = model_.fields[place];
    const auto value = value_from_text(field, (*values)[place]);
    if (!value) return add(broken_, "\"" + key + "\", " + field.name + ": " + value.error().message);
    if (value->is_null()) {
      if (field.required) add(not_kept_[field.name + ": required"], key);
      continue;
    }
    if (field.secret) continue;  // nobody looks at what it is
    if (const auto good = check_value(field, *value); !good) add(not_kept_[field.name + ": " + good.error().code], key);
    if (!field.unique) continue;
    const auto [owner, first] = owners_.try_emplace(field.name + '\n' + identity_of(*value), key);
    if (!first) {
      add(taken_twice_, field.name + (field.exposed ? " " + told(to_json(*value)) : "") + ", of \"" + owner->second +
                            "\" and \"" + key + "\"");
    }
  }
}

std::vector<std::string> Review::keys_in_order() const {
  std::vector<std::string> keys;
  keys.reserve(records_.size());
  for (const auto& record : records_) keys.push_back(record.first);
  std::ranges::sort(keys);
  return keys;
}

void Review::finish() {
  if (model_.profile == Profile::kv) return;
  for (const std::string& key : keys_in_order()) look_at_record(key, records_.find(key)->second);
}

}  // namespace annals::model
