#include "model/resource.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/did_you_mean.hpp"
#include "base/invariant.hpp"
#include "base/uuid.hpp"
#include "json/merge_patch.hpp"
#include "json/pointer.hpp"
#include "json/writer.hpp"
#include "model/attribute.hpp"
#include "model/formula.hpp"
#include "model/left_record.hpp"
#include "model/not_taken.hpp"
#include "model/plain_event.hpp"
#include "model/record_text.hpp"
#include "model/secret_cipher.hpp"
#include "model/upcast.hpp"
#include "model/value_order.hpp"

namespace annals::model {
namespace {

constexpr std::string_view no_value = "null";

/// A value of a key's type, as keys have it.
std::string key_text(const FieldValue& value) {
  if (const auto* text = value.as<std::string>()) return *text;
  return to_json(value);
}

// --- Bodies ---

/// Of the values of a field: with them events and replies nest no deeper than json::depth_max.
constexpr std::size_t json_depth_max = 56;

/// How deep arrays and objects lie in one another in JSON that has been read.
std::size_t depth_of(std::string_view json) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  bool in_text = false;
  for (std::size_t at = 0; at < json.size(); ++at) {
    const char character = json[at];
    if (in_text) {
      if (character == '\\') ++at;
      in_text = character != '"';
      continue;
    }
    in_text = character == '"';
    if (character == '[' || character == '{') deepest = std::max(deepest, ++depth);
    if (character == ']' || character == '}') --depth;
  }
  return deepest;
}

bool has_largest_double(const FieldValue& value) {
  if (const auto* raw = value.as<RawJson>()) return raw->text.find("1.7976931348623157e") != std::string::npos;
  if (const auto* number = value.as<double>()) return std::abs(*number) == std::numeric_limits<double>::max();
  const auto* list = value.as<FieldValue::List>();
  return list && std::ranges::any_of(*list, has_largest_double);
}

const std::vector<const Attribute*>& checking_attributes() {
  static const auto checking = [] {
    std::vector<const Attribute*> some;
    for (const Attribute* attribute : attributes()) {
      if (attribute->check != nullptr) some.push_back(attribute);
    }
    return some;
  }();
  return checking;
}

/// Collects what a body gives, and what is wrong with it.
class BodyReader {
 public:
  BodyReader(const Model& model, const json::Object& body, Faults::Limits limits)
      : model_(model), body_(body), taken_(model.fields.size()), faults_(limits) {
    given_.reserve(model.fields.size());
  }

  /// Reads no further than there are faults to tell.
  void read_members() {
    for (const json::Member& member : body_.members) {
      if (faults_.more()) return;
      const auto place = model_.field_of(member.name);
      if (!place) {
        fault(member.name, "unknown_member", model_.name + " has no field of this name" + near_name(member.name));
        continue;
      }
      taken_[*place] = true;
      read_member(*place, member.value);
    }
  }

  [[nodiscard]] bool has(std::size_t place) const { return taken_[place]; }
  void give(std::size_t place, FieldValue value) {
    taken_[place] = true;
    given_.push_back({place, std::move(value)});
  }
  /// Gives a value that a default makes anew; the field's rules are about it as well.
  void give_made(std::size_t place, FieldValue value) {
    const Field& field = model_.fields[place];
    for (const Attribute* attribute : checking_attributes()) {
      if (auto good = attribute->check(field, value); !good) {
        fault(field.name, good.error().code,
              "left out, it is made by its default, and " + good.error().message + "; give a value that is good");
      }
    }
    give(place, std::move(value));
  }
  /// The value that the record has stays, if it has one.
  void let_stay(std::size_t place) {
    GivenField& one = given_.emplace_back();
    one.field = place;
    one.stays = true;
  }
  void fault(std::string_view member, std::string_view code, std::string detail) {
    faults_.add({json::pointer_to(member), std::string(code), std::move(detail)});
  }

  /// The key in the body, if it is there, is that of the path.
  void check_key_is(std::string_view key) {
    const Field& field = model_.fields[model_.primary_key];
    const auto given = std::ranges::find(given_, model_.primary_key, &GivenField::field);
    if (given == given_.end()) return;
    if (key_text(given->value) != key) {
      fault(field.name, "immutable", "the primary key of a record never changes; leave it out, or delete and create");
    }
    given_.erase(given);
  }

  /// What was given to the record of a key; of a new record its own is among that.
  [[nodiscard]] Result<std::vector<GivenField>> finish(std::string_view key = {}) {
    if (faults_.empty()) {
      seal_secrets(key);
      return std::move(given_);
    }
    return invalid_record(model_, std::move(faults_));
  }

 private:
  void read_member(std::size_t place, const json::Value& json) {
    const Field& field = model_.fields[place];
    auto value = value_from_json(field, json);
    if (!value) return faults_.add(json::pointer_to(field.name), value.error());
    // Whether it is what is computed is seen when that is (decide_resource).
    if (field.computed) return given_.push_back({place, *std::move(value)});
    // The reader put the largest double in the place of what overflowed.
    if (body_.overflowed && has_largest_double(*value)) {
      fault(field.name, "out_of_range", "the number is beyond those that a double can hold, some 1.8e308 at most");
    }
    if (const auto* raw = value->as<RawJson>(); raw && depth_of(raw->text) > json_depth_max) {
      fault(field.name, "too_deep",
            "the arrays and objects in it lie deeper in one another than " + std::to_string(json_depth_max));
    }
    if (!value->is_null()) {
      // Each attribute has its say, so that all that is wrong is told at once.
      for (const Attribute* attribute : checking_attributes()) {
        if (auto good = attribute->check(field, *value); !good) faults_.add(json::pointer_to(field.name), good.error());
      }
    } else if (field.required || field.primary_key) {
      fault(field.name, "required", "a value is required; null is none");
    }
    given_.push_back({place, *std::move(value)});
  }

  /// The time for it goes with the number of fields, so only the first few unknown members are looked up.
  std::string near_name(std::string_view unknown) {
    if (!faults_.take_near_name()) return "";
    if (names_.empty()) {
      for (const Field& field : model_.fields) names_.push_back(field.name);
    }
    return did_you_mean(unknown, names_);
  }

  /// From here on nobody has their plain text.
  void seal_secrets(std::string_view key) {
    if (!model_.has_secrets()) return;
    INVARIANT(model_.cipher != nullptr, "a model with secret fields is served with keys");
    const std::string own = key.empty() ? key_of_new(model_, given_) : std::string(key);
    for (GivenField& one : given_) {
      const Field& field = model_.fields[one.field];
      auto* text = std::get_if<std::string>(&one.value.value);
      if (field.secret && text) *text = model_.cipher->seal({model_.name, field.name, field.renamed_from, own}, *text);
    }
  }

  const Model& model_;
  const json::Object& body_;
  std::vector<bool> taken_;
  std::vector<GivenField> given_;
  std::vector<std::string> names_;  // of the fields, once they are asked for
  Faults faults_;
};

FieldValue made_value(const Field& field, const Fresh& fresh) {
  if (field.made == Field::Made::uuid) return {fresh.make_uuid().to_text()};
  const std::string now = fresh.now.to_text();
  return {field.type == FieldType::date ? now.substr(0, 10) : now};
}

// --- Events ---

void append_key(std::string& data, const Model& model, std::string_view key) {
  data += '{';
  json::append_member(data, model.key_member, key);
}

/// `{"field":value,...}` of those fields that have one; and of those that would have their default otherwise. Not of
/// computed ones.
void append_values(std::string& data, const Model& model, std::span<const std::string_view> values) {
  data += '{';
  for (std::size_t place = 0; place < values.size(); ++place) {
    if ((values[place] == no_value && !model.fields[place].otherwise) || model.fields[place].computed) continue;
    json::append_member(data, model.fields[place].name);
    data += values[place];
  }
  data += '}';
}

Decision created(const Model& model, std::string_view key, std::span<const std::string_view> values) {
  Decision decision;
  decision.type = model.created_type;
  std::size_t bytes = 32 + model.key_member.size() + key.size();
  for (std::size_t place = 0; place < values.size(); ++place)
    bytes += model.fields[place].name.size() + values[place].size() + 4;
  decision.data.reserve(bytes);
  append_key(decision.data, model, key);
  json::append_member(decision.data, "values");
  append_values(decision.data, model, values);
  decision.data += '}';
  return decision;
}

Decision updated(const Model& model, std::string_view key, std::span<const std::string_view> before,
                 std::span<const std::string_view> after, const std::vector<std::size_t>& changed) {
  Decision decision;
  append_key(decision.data, model, key);
  const Field& first = model.fields[changed.front()];
  if (changed.size() == 1 && !first.event.empty()) {
    decision.type = first.event;
    json::append_member(decision.data, "old_" + first.name);
    decision.data += before[changed.front()];
    json::append_member(decision.data, "new_" + first.name);
    decision.data += after[changed.front()];
  } else {
    decision.type = model.updated_type;
    json::append_member(decision.data, "changes");
    decision.data += '{';
    for (std::size_t place : changed) {
      json::append_member(decision.data, model.fields[place].name);
      decision.data.append("{\"old\":").append(before[place]);
      decision.data.append(",\"new\":").append(after[place]).append(1, '}');
    }
    decision.data += '}';
  }
  decision.data += '}';
  return decision;
}

Decision deleted(const Model& model, std::string_view key, std::span<const std::string_view> before, Instant now) {
  Decision decision;
  decision.type = model.deleted_type;
  append_key(decision.data, model, key);
  json::append_member(decision.data, "old_values");
  append_values(decision.data, model, before);
  json::append_member(decision.data, "deleted_at", now.to_text());
  decision.data += '}';
  return decision;
}

bool is_plain_secret(const Model& model, const GivenField& given) {
  const auto* text = given.value.as<std::string>();
  return text && model.fields[given.field].secret && !read_sealed(*text);
}

/// What an update leaves of a record; the texts live in `own`.
std::vector<std::string_view> after_update(const Model& model, const std::vector<std::string_view>& before,
                                           const std::vector<GivenField>& given, std::vector<std::string>& own) {
  std::vector<std::string_view> after = before;
  own.reserve(given.size());  // so that none moves
  for (const GivenField& one : given) {
    if (model.fields[one.field].computed || one.stays) continue;
    own.push_back(to_json(one.value));
    if (one.merges) own.back() = json::merge_patch(before[one.field], own.back());
    after[one.field] = own.back();
  }
  return after;
}

Result<std::vector<Decision>> decide_change(const Model& model, const Command& command,
                                            const std::vector<std::string_view>& before,
                                            const std::vector<std::string_view>& after) {
  std::vector<std::size_t> changed;
  for (std::size_t place = 0; place < after.size(); ++place) {
    if (model.fields[place].computed) continue;
    if (!same_value(model, model.fields[place], command.key, before[place], after[place])) changed.push_back(place);
  }
  std::vector<Decision> decisions;
  if (!changed.empty()) decisions.push_back(updated(model, command.key, before, after, changed));
  return decisions;
}

std::unexpected<Error> nothing_there(const Model& model, const Record& record, const Command& command) {
  return fail(ErrorKind::not_found, "not_found",
              "there is no " + model.name + " \"" + command.key + "\"" +
                  (record.was_deleted() ? "; it was deleted at version " + to_string(record.version) : ""));
}

/// What an event gives to the field at a place, as JSON.
struct Given {
  std::size_t place;
  std::string value;
  bool carried = false;  ///< by an upcast
};
using Changes = std::vector<Given>;

/// A value of an event in its canonical form: a database may have written it in another, and an earlier declaration as
/// another type.
Result<Given> canonical(const Model& model, std::size_t place, const json::Value& value) {
  const Field& field = model.fields[place];
  auto read = value_from_json(field, value);
  const bool carries = !read && field.upcast;
  if (carries) {
    auto carried = field.upcast->carry(field, value);
    if (!carried) read.error().message += "; and its upcast does not carry it: " + carried.error().message;
    if (carried) read = std::move(carried);
  }
  if (!read) return not_suited(field, read.error());
  if (const auto* text = read->as<std::string>(); field.secret && text && !read_sealed(*text))
    return fail(ErrorKind::corrupt, "holds a plain value of \"" + field.name + "\", which is declared to be secret");
  return Given{place, to_json(*read), carries};
}

/// The object that a member of an event's data holds.
Result<json::Object> nested_object(const json::Object& data, std::string_view name, json::Reader& reader) {
  const json::Value* value = data.find(name);
  const auto* nested = value ? std::get_if<json::Nested>(value) : nullptr;
  if (nested == nullptr || nested->is_array)
    return fail(ErrorKind::corrupt, "has no object \"" + std::string(name) + "\"");
  return reader.read_object(nested->text);
}

/// The field that takes what an event says of a name; nullopt when none does: it is declared no more, or computed.
std::optional<std::size_t> taker_of(const Model& model, std::string_view name) {
  const auto place = model.field_in_events(name);
  return place && !model.fields[*place].computed ? place : std::nullopt;
}

Result<Changes> created_values(const Model& model, const json::Object& data) {
  thread_local json::Reader reader;
  const json::Object values = TRY(nested_object(data, "values", reader));
  Changes changes;
  std::vector<bool> given(model.fields.size());
  for (const json::Member& member : values.members) {
    const auto place = taker_of(model, member.name);
    if (!place) continue;
    given[*place] = true;
    changes.push_back(TRY(canonical(model, *place, member.value)));
  }
  for (std::size_t place = 0; place < model.fields.size(); ++place) {
    const Field& field = model.fields[place];
    if (!given[place] && field.otherwise) changes.push_back({place, to_json(*field.otherwise)});
  }
  return changes;
}

Result<Changes> updated_values(const Model& model, const json::Object& data) {
  thread_local json::Reader reader;
  thread_local json::Reader reader_of_one;
  const json::Object fields = TRY(nested_object(data, "changes", reader));
  Changes changes;
  for (const json::Member& member : fields.members) {
    const auto place = taker_of(model, member.name);
    if (!place) continue;
    const json::Object change = TRY(nested_object(fields, member.name, reader_of_one));
    const json::Value* value = change.find("new");
    if (value == nullptr) return fail(ErrorKind::corrupt, "has no new value of \"" + std::string(member.name) + "\"");
    changes.push_back(TRY(canonical(model, *place, *value)));
  }
  return changes;
}

/// Of an event of a field's own. Its members tell, not its type, which the declaration may have changed since.
Result<Changes> own_event_values(const Model& model, std::string_view type, const json::Object& data) {
  constexpr std::string_view begin = "new_";
  Changes changes;
  bool tells = false;
  for (const json::Member& member : data.members) {
    if (!member.name.starts_with(begin) || member.name == model.key_member) continue;
    tells = true;
    const auto place = taker_of(model, member.name.substr(begin.size()));
    if (place) changes.push_back(TRY(canonical(model, *place, member.value)));
  }
  if (!tells && std::ranges::find(model.fields, type, &Field::event) != model.fields.end())
    return fail(ErrorKind::corrupt, "has no new value");
  return changes;
}

/// The places of fields, ascending.
template <class Which>
std::vector<std::size_t> places_of(const Model& model, Which which) {
  std::vector<std::size_t> places;
  for (std::size_t place = 0; place < model.fields.size(); ++place) {
    if (which(model.fields[place])) places.push_back(place);
  }
  return places;
}

Result<Changes> changes_of(const Model& model, std::string_view type, const json::Object& data) {
  if (type == model.created_type) return created_values(model, data);
  if (type == model.updated_type) return updated_values(model, data);
  return own_event_values(model, type, data);
}

}  // namespace

Result<std::vector<GivenField>> read_new_record(const Model& model, const json::Object& body, const Fresh& fresh,
                                                Faults::Limits limits) {
  BodyReader reader(model, body, limits);
  reader.read_members();
  for (std::size_t place = 0; place < model.fields.size(); ++place) {
    const Field& field = model.fields[place];
    if (reader.has(place)) continue;
    if (field.made != Field::Made::no) {
      reader.give_made(place, made_value(field, fresh));
    } else if (field.otherwise) {
      reader.give(place, *field.otherwise);
    } else if (field.required || field.primary_key) {
      reader.fault(field.name, "required", "a value is required");
    }
  }
  return reader.finish();
}

Result<std::vector<GivenField>> read_replacement(const Model& model, const json::Object& body, std::string_view key,
                                                 Faults::Limits limits) {
  BodyReader reader(model, body, limits);
  reader.read_members();
  reader.check_key_is(key);
  for (std::size_t place = 0; place < model.fields.size(); ++place) {
    const Field& field = model.fields[place];
    if (reader.has(place) || field.primary_key || field.computed) continue;
    if (!field.exposed) continue;  // what a client was not shown it cannot give back
    if (field.made != Field::Made::no) {
      if (field.required) reader.let_stay(place);
    } else if (field.otherwise) {
      reader.give(place, *field.otherwise);
    } else if (field.required) {
      reader.fault(field.name, "required", "a value is required");
    } else {
      reader.give(place, {});
    }
  }
  return reader.finish(key);
}

Result<std::vector<GivenField>> read_patch(const Model& model, const json::Object& body, std::string_view key,
                                           Faults::Limits limits) {
  BodyReader reader(model, body, limits);
  reader.read_members();
  reader.check_key_is(key);
  auto given = reader.finish(key);
  if (!given) return given;
  for (GivenField& one : *given) one.merges = model.fields[one.field].type == FieldType::json;
  return given;
}

std::string key_of_new(const Model& model, const std::vector<GivenField>& given) {
  const auto key = std::ranges::find(given, model.primary_key, &GivenField::field);
  INVARIANT(key != given.end(), "a new record has a key");
  return key_text(key->value);
}

std::optional<std::string> canonical_key(const Model& model, std::string_view key) {
  const Field& field = model.fields[model.primary_key];
  if (field.type == FieldType::uuid) {  // most keys are, and every request for one record comes by here
    const auto uuid = Uuid::from_text(key);
    return uuid ? std::optional(uuid->to_text()) : std::nullopt;
  }
  const auto value = field.type == FieldType::integer ? value_from_text(field, key) : value_from_json(field, key);
  if (!value || value->is_null()) return std::nullopt;
  return key_text(*value);
}

Result<std::vector<UniqueValue>> unique_values(const Model& model, std::string_view record) {
  std::vector<UniqueValue> unique;
  if (record.empty()) return unique;
  const auto places = places_of(model, [](const Field& field) { return field.unique; });
  std::vector<std::string_view> values;
  TRY(values_at(model, record, places, values));
  for (std::size_t number = 0; number < places.size(); ++number) {
    if (values[number] == no_value) continue;
    const std::size_t place = places[number];
    unique.push_back({place, identity_of(TRY(stored_value(model.fields[place], values[number])))});
  }
  return unique;
}

Result<std::vector<ReferredKey>> referred_keys(const Model& model, std::string_view record) {
  std::vector<ReferredKey> referred;
  if (record.empty()) return referred;
  const auto places = places_of(model, [](const Field& field) { return !field.references.empty(); });
  std::vector<std::string_view> values;
  TRY(values_at(model, record, places, values));
  for (std::size_t number = 0; number < places.size(); ++number) {
    if (values[number] == no_value) continue;
    const std::size_t place = places[number];
    referred.push_back({place, key_text(TRY(stored_value(model.fields[place], values[number])))});
  }
  return referred;
}

Decision deletion_without_values(const Model& model, std::string_view key, Instant now) {
  Decision decision;
  decision.type = model.deleted_type;
  append_key(decision.data, model, key);
  json::append_member(decision.data, "old_values");
  decision.data += "{}";
  json::append_member(decision.data, "old_values_too_large");
  decision.data += "true";
  json::append_member(decision.data, "deleted_at", now.to_text());
  decision.data += '}';
  return decision;
}

std::vector<std::size_t> carried_fields(const Model& model, std::string_view type, std::string_view data) {
  std::vector<std::size_t> carried;
  if (std::ranges::none_of(model.fields, [](const Field& field) { return field.upcast != nullptr; })) return carried;
  if (type == model.deleted_type) return carried;
  const auto object = json::thread_reader().read_object(data);
  const auto changes = object ? changes_of(model, type, *object) : Changes{};
  if (!changes) return carried;
  for (const Given& one : *changes) {
    if (one.carried) carried.push_back(one.place);
  }
  return carried;
}

Result<std::vector<Decision>> decide_resource(const Model& model, const Record& record, const Command& command,
                                              Instant now) {
  INVARIANT(std::ranges::none_of(command.given, [&](const GivenField& one) { return is_plain_secret(model, one); }),
            "what the readers of bodies give of secret fields is sealed");
  if (command.operation == Operation::create) {
    if (record.exists()) {
      return fail(ErrorKind::conflict, "already_exists",
                  model.name + " \"" + command.key + "\" exists already; nothing was recorded");
    }
    TRY(check_precondition(record, command));
    std::vector<std::string> own;
    const std::vector<std::string_view> none(model.fields.size(), no_value);
    const std::vector<std::string_view> after = after_update(model, none, command.given, own);
    TRY(check_left(model, command, none, after));
    std::vector<Decision> decisions;
    decisions.push_back(created(model, command.key, after));
    return decisions;
  }
  if (command.operation == Operation::remove && record.was_deleted()) {
    return fail(ErrorKind::gone, "already_deleted",
                model.name + " \"" + command.key + "\" was deleted at version " + to_string(record.version));
  }
  const bool restores_deleted = command.operation == Operation::restore && record.was_deleted();
  if (!record.exists() && !restores_deleted) return nothing_there(model, record, command);
  TRY(check_precondition(record, command));
  if (restores_deleted) {
    const std::vector<std::string_view> none(model.fields.size(), no_value);
    const std::vector<std::string_view> after = TRY(values_of(model, *command.value));
    TRY(check_restored(model, command, record, none, after));
    std::vector<Decision> decisions;
    decisions.push_back(created(model, command.key, after));
    return decisions;
  }
  const std::vector<std::string_view> before = TRY(values_of(model, *record.value));
  if (command.operation == Operation::remove) {
    std::vector<Decision> decisions;
    decisions.push_back(deleted(model, command.key, before, now));
    return decisions;
  }
  if (command.operation == Operation::restore) {
    const std::vector<std::string_view> then = TRY(values_of(model, *command.value));
    TRY(check_restored(model, command, record, before, then));
    return decide_change(model, command, before, then);
  }
  std::vector<std::string> own;
  const std::vector<std::string_view> after = after_update(model, before, command.given, own);
  TRY(check_left(model, command, before, after));
  return decide_change(model, command, before, after);
}

Result<Change> resource_change_of(const Model& model, std::string_view before, std::string_view type,
                                  std::string_view data, StreamVersion version) {
  if (type == model.deleted_type) return Change{Change::Effect::remove};
  const bool creates = type == model.created_type;
  auto given = plain_values(model, type, data);
  Changes parsed;  // where the texts are that are not in the data
  if (!given) {
    const auto object = json::thread_reader().read_object(data);
    if (!object) return not_taken(type, version, "is not JSON: " + object.error().message);
    auto changes = changes_of(model, type, *object);
    if (!changes) return not_taken(type, version, changes.error().message, std::move(changes.error().faults));
    parsed = *std::move(changes);
    given.emplace();
    for (const Given& one : parsed) given->push_back({one.place, one.value});
  }
  if (given->empty() && !creates && type != model.updated_type) return Change{};
  std::vector<std::string_view> values(model.fields.size(), no_value);
  if (!creates) {
    if (before.empty()) return not_taken(type, version, "changes a record that does not exist");
    values = TRY(values_of(model, before));
  }
  for (const PlainValue& one : *given) values[one.place] = one.value;
  const Computed computed = compute(model, values);
  Change change;
  change.effect = Change::Effect::set;
  change.made = record_text(model, values);
  return change;
}

}  // namespace annals::model
