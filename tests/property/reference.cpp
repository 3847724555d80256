#include "tests/property/reference.hpp"

#include <algorithm>

#include "base/instant.hpp"

namespace annals::property {
namespace {

Json value_or_null(const Values& values, const std::string& name) {
  const auto found = values.find(name);
  return found == values.end() ? Json{} : found->second;
}

std::string capitalized(std::string text) {
  text.front() = static_cast<char>(text.front() - 'a' + 'A');
  return text;
}

/// What a field makes of a value of an event.
Json taken_by(const FieldShape& field, const Json& value) {
  if (field.carries_integers && value.kind == Json::Kind::number) return json_text(value.text);
  return value;
}

void refuse(Outcome& outcome, int status, std::string code, FaultSet faults = {}) {
  outcome.status = status;
  outcome.code = std::move(code);
  outcome.faults = std::move(faults);
}

/// The value of a computed field, or what is wrong with it.
struct MadeField {
  Json value;
  std::string code;
};

MadeField made_of(const FieldShape& field, const Values& values) {
  const Json source = value_or_null(values, field.computed->of);
  MadeField made;
  switch (field.computed->way) {
    case Computed::Way::is_null: made.value = json_of(source.is_null() ? "true" : "false"); return made;
    case Computed::Way::as_text:
      made.value = source.is_null() ? json_text("none") : json_text(source.text);
      return made;
    case Computed::Way::twice: break;
  }
  if (source.is_null()) return made;
  if (source.worth() > 4e18) return {Json{}, "not_computable"};
  made.value = json_of(std::to_string(2 * std::stoll(source.text)));
  if (auto code = broken_rule(field.rule, field.type, made.value)) return {Json{}, *code};
  return made;
}

}  // namespace

/// What one request comes to, so far.
struct Reference::Draft {
  Outcome outcome;
  std::map<Place, std::vector<RecordedEvent>> events;  // of the operations before it as well
  [[nodiscard]] bool refused() const { return outcome.status >= 400; }
};

bool same_value(const FieldShape& field, const Json& left, const Json& right) {
  if (left.is_null() || right.is_null()) return left.is_null() == right.is_null();
  if (field.type == Type::decimal) return left.worth() == right.worth();
  return same(left, right);
}

std::string key_text(const Json& value) {
  return value.text;
}

// --- What was recorded ---

bool Reference::takes_all_events(const Shape& shape) const {
  for (const auto& [place, events] : streams_) {
    const ModelShape& model = shape.models[place.first];
    for (const RecordedEvent& event : events) {
      if (event.kind == RecordedEvent::Kind::deleted) continue;
      for (const auto& [name, value] : event.after) {
        const FieldShape* field = model.taker(name);
        if (field == nullptr || value.is_null()) continue;
        if (field->type == Type::string && value.kind == Json::Kind::number && !field->carries_integers) return false;
      }
    }
  }
  return true;
}

bool Reference::declare(Shape shape) {
  if (!takes_all_events(shape)) return false;
  Reference after(std::move(shape));
  after.streams_ = streams_;
  for (std::size_t model = 0; model < after.shape_.models.size(); ++model) {
    for (const FieldShape& field : after.shape_.models[model].fields) {
      if (!field.unique) continue;
      std::vector<Json> values;
      for (const std::string& key : after.keys(model)) {
        const State state = after.present({model, key});
        const Json value = state.values ? value_or_null(*state.values, field.name) : Json{};
        if (value.is_null()) continue;
        if (std::ranges::any_of(values, [&](const Json& other) { return same_value(field, value, other); }))
          return false;
        values.push_back(value);
      }
    }
  }
  *this = std::move(after);
  return true;
}

State Reference::folded(const Place& place, const std::vector<RecordedEvent>& events, std::size_t count) const {
  const ModelShape& shape = model(place.first);
  State state;
  for (std::size_t number = 0; number < std::min(count, events.size()); ++number) {
    const RecordedEvent& event = events[number];
    ++state.version;
    if (event.kind == RecordedEvent::Kind::deleted) {
      state.values.reset();
      continue;
    }
    if (event.kind == RecordedEvent::Kind::created) {
      state.values.emplace();
      for (const FieldShape& field : shape.fields) {
        if (field.otherwise) (*state.values)[field.name] = json_of(field.otherwise->shown);
      }
    }
    for (const auto& [name, value] : event.after) {
      const FieldShape* field = shape.taker(name);
      if (field == nullptr) continue;
      if (value.is_null()) {
        state.values->erase(field->name);
      } else {
        (*state.values)[field->name] = taken_by(*field, value);
      }
    }
  }
  return state;
}

const std::vector<RecordedEvent>& Reference::events(const Place& place) const {
  static const std::vector<RecordedEvent> none;
  const auto found = streams_.find(place);
  return found == streams_.end() ? none : found->second;
}

State Reference::present(const Place& place) const {
  return folded(place, events(place), SIZE_MAX);
}

State Reference::at_version(const Place& place, std::uint64_t version) const {
  if (version > events(place).size()) return {};
  return folded(place, events(place), version);
}

std::uint64_t Reference::version_at(const Place& place, std::int64_t time) const {
  const auto is_by_then = [&](const RecordedEvent& event) { return event.time <= time; };
  return static_cast<std::uint64_t>(std::ranges::count_if(events(place), is_by_then));
}

std::vector<std::string> Reference::keys(std::size_t model) const {
  std::vector<std::string> all;
  for (const auto& [place, events] : streams_) {
    if (place.first == model) all.push_back(place.second);
  }
  return all;
}

std::uint64_t Reference::first_shown(const Place& place) const {
  const std::uint64_t shown = model(place.first).versioned;
  const std::uint64_t last = events(place).size();
  return shown > 0 && last > shown ? last - shown + 1 : 1;
}

State Reference::state_in(const Draft& draft, const Place& place) const {
  std::vector<RecordedEvent> all = events(place);
  if (const auto more = draft.events.find(place); more != draft.events.end())
    all.insert(all.end(), more->second.begin(), more->second.end());
  return folded(place, all, SIZE_MAX);
}

// --- What is shown ---

Json Reference::value_of(std::size_t, const Values& values, const FieldShape& field) const {
  return field.computed ? made_of(field, values).value : value_or_null(values, field.name);
}

Json Reference::shown(std::size_t place, const Values& values) const {
  Json record = json_object({});
  for (const FieldShape& field : model(place).fields) {
    if (field.shown()) record.members[field.name] = value_of(place, values, field);
  }
  return record;
}

Json Reference::data_of(const Place& place, const RecordedEvent& event, bool shown) const {
  const ModelShape& shape = model(place.first);
  const auto is_left_out = [&](const std::string& name) {
    // What is computed now was written once, under the same name, and is hidden as the field is.
    const FieldShape* field = shape.field(name) ? shape.field(name) : shape.taker(name);
    return shown && field && !field->shown();
  };
  const auto object_of = [&](const Values& values) {
    Json object = json_object({});
    for (const auto& [name, value] : values) {
      if (!is_left_out(name)) object.members[name] = value;
    }
    return object;
  };
  Json data = json_object({{shape.name + "_id", json_text(place.second)}});
  if (event.kind == RecordedEvent::Kind::created) {
    data.members["values"] = object_of(event.after);
  } else if (event.kind == RecordedEvent::Kind::deleted) {
    data.members["old_values"] = object_of(event.before);
  } else if (!event.own.empty()) {
    if (is_left_out(event.own)) return data;
    data.members["old_" + event.own] = value_or_null(event.before, event.own);
    data.members["new_" + event.own] = value_or_null(event.after, event.own);
  } else {
    Json& changes = data.members["changes"] = json_object({});
    for (const auto& [name, value] : event.after) {
      if (is_left_out(name)) continue;
      changes.members[name] = json_object({{"old", value_or_null(event.before, name)}, {"new", value}});
    }
  }
  return data;
}

Json Reference::audit_of(const Place& place, const RecordedEvent& event) const {
  const Json data = data_of(place, event, true);
  Json entry = json_object({{"old_values", {}}, {"new_values", {}}});
  static constexpr const char* actions[] = {"create", "update", "delete"};
  entry.members["action"] = json_text(actions[static_cast<std::size_t>(event.kind)]);
  if (event.kind == RecordedEvent::Kind::created) {
    entry.members["new_values"] = data.at("values");
  } else if (event.kind == RecordedEvent::Kind::deleted) {
    entry.members["old_values"] = data.at("old_values");
  } else {
    Json before = json_object({});
    Json after = json_object({});
    for (const auto& [name, change] : data.at("changes").members) {
      before.members[name] = change.at("old");
      after.members[name] = change.at("new");
    }
    if (data.members.contains("new_" + event.own)) {
      before.members[event.own] = data.at("old_" + event.own);
      after.members[event.own] = data.at("new_" + event.own);
    }
    entry.members["old_values"] = before;
    entry.members["new_values"] = after;
  }
  return entry;
}

// --- What a request comes to ---

FaultSet Reference::faults_of(const Operation& operation) const {
  FaultSet faults;
  const ModelShape& shape = model(operation.model);
  std::set<std::string> given;
  for (const Member& member : operation.members) {
    const std::string pointer = "/" + member.name;
    given.insert(member.name);
    const FieldShape* field = shape.field(member.name);
    if (field == nullptr) {
      faults.insert({pointer, "unknown_member"});
    } else if (!member.code.empty()) {
      faults.insert({pointer + member.rest, member.code});
    } else if (field->computed) {
      continue;
    } else if (member.value.is_null()) {
      if (field->required || field->primary_key) faults.insert({pointer, "required"});
    } else if (const auto code = broken_rule(field->rule, field->type, member.value)) {
      faults.insert({pointer, *code});
    }
    const bool is_key = field && field->primary_key && operation.method != Method::create && member.code.empty();
    if (is_key && key_text(member.value) != operation.key) faults.insert({pointer, "immutable"});
  }
  if (operation.method == Method::patch) return faults;
  for (const FieldShape& field : shape.fields) {
    if (given.contains(field.name) || field.otherwise || field.made != Made::no || field.computed) continue;
    const bool can_be_left_out = operation.method == Method::replace && (field.primary_key || !field.shown());
    if ((field.required || field.primary_key) && !can_be_left_out) faults.insert({"/" + field.name, "required"});
  }
  return faults;
}

FaultSet Reference::computed_faults(const Operation& operation, const Values* before, const Values& after) const {
  FaultSet faults;
  const Values nothing;
  for (const FieldShape& field : model(operation.model).fields) {
    if (!field.computed) continue;
    const std::string& of = field.computed->of;
    const MadeField now = made_of(field, after);
    const MadeField then = before ? made_of(field, *before) : MadeField{};
    if (!now.code.empty()) {
      const bool is_touched =
          before == nullptr || written(value_or_null(*before, of)) != written(value_or_null(after, of));
      if (is_touched || !then.value.is_null()) faults.insert({"/" + field.name, now.code});
    }
    for (const Member& member : operation.members) {
      if (member.name != field.name) continue;
      const bool is_right = same_value(field, member.value, now.value) ||
                            (before != nullptr && same_value(field, member.value, then.value));
      if (!field.shown() || !is_right) faults.insert({"/" + field.name, "computed"});
    }
  }
  return faults;
}

RecordedEvent Reference::creation(std::size_t place, const Values& values) const {
  RecordedEvent event;
  event.type = capitalized(model(place).name) + "Created";
  event.after = values;
  for (const FieldShape& field : model(place).fields) {
    // That it has none is said where it would have its default otherwise.
    if (field.otherwise && !values.contains(field.name)) event.after[field.name] = Json{};
  }
  return event;
}

/// Unique values that others have, and references to what is not there.
void Reference::check_others(Draft& draft, const Place& place, const Values& before, const Values& after) const {
  FaultSet taken;
  FaultSet missing;
  for (const FieldShape& field : model(place.first).fields) {
    const Json value = value_or_null(after, field.name);
    if (field.computed || value.is_null() || same_value(field, value, value_or_null(before, field.name))) continue;
    if (field.references) {
      const Place target{*field.references, key_text(value)};
      if (!state_in(draft, target).values) missing.insert({"/" + field.name, "reference_missing"});
    }
    if (!field.unique) continue;
    std::set<std::string> keys;
    for (const std::string& key : this->keys(place.first)) keys.insert(key);
    for (const auto& [other, events] : draft.events) {
      if (other.first == place.first) keys.insert(other.second);
    }
    for (const std::string& key : keys) {
      const State other = state_in(draft, {place.first, key});
      if (key == place.second || !other.values) continue;
      if (same_value(field, value, value_or_null(*other.values, field.name)))
        taken.insert({"/" + field.name, "not_unique"});
    }
  }
  if (taken.empty() && missing.empty()) return;
  FaultSet all = taken;
  all.insert(missing.begin(), missing.end());
  refuse(draft.outcome, 409, taken.empty() ? "reference_missing" : "not_unique", all);
}

void Reference::create(Draft& draft, const Operation& operation, const MadeValues& made, std::int64_t now) const {
  const Place place{operation.model, operation.key};
  const ModelShape& shape = model(operation.model);
  if (state_in(draft, place).values) return refuse(draft.outcome, 409, "already_exists");
  Values values;
  std::set<std::string> given;
  for (const Member& member : operation.members) {
    given.insert(member.name);
    if (!shape.field(member.name)->computed && !member.value.is_null()) values[member.name] = member.value;
  }
  for (const FieldShape& field : shape.fields) {
    if (given.contains(field.name)) continue;
    if (field.otherwise) values[field.name] = json_of(field.otherwise->shown);
    if (field.made == Made::now) {
      const std::string text = Instant{now}.to_text();
      values[field.name] = json_text(field.type == Type::date ? text.substr(0, 10) : text);
    }
    if (field.made == Made::uuid) {
      const auto found = made.find({place, field.name});
      values[field.name] = found == made.end() ? json_text("(nothing was made)") : found->second;
    }
    if (field.primary_key) values[field.name] = key_value(field.type, operation.key);
  }
  if (FaultSet faults = computed_faults(operation, nullptr, values); !faults.empty())
    return refuse(draft.outcome, 422, "invalid_record", faults);
  draft.outcome.status = 201;
  draft.events[place].push_back(creation(operation.model, values));
  check_others(draft, place, {}, values);
}

void Reference::change(Draft& draft, const Place& place, const Values& before, const Values& after) const {
  const ModelShape& shape = model(place.first);
  RecordedEvent event;
  event.kind = RecordedEvent::Kind::updated;
  event.type = capitalized(shape.name) + "Updated";
  for (const FieldShape& field : shape.fields) {
    const Json one = value_or_null(before, field.name);
    const Json other = value_or_null(after, field.name);
    if (field.computed || same_value(field, one, other)) continue;
    event.before[field.name] = one;
    event.after[field.name] = other;
  }
  if (event.after.empty()) return;
  const FieldShape* only = event.after.size() == 1 ? shape.field(event.after.begin()->first) : nullptr;
  if (only && !only->event.empty()) {
    event.own = only->name;
    event.type = only->event;
  }
  draft.events[place].push_back(event);
  check_others(draft, place, before, after);
}

void Reference::update(Draft& draft, const Operation& operation) const {
  const Place place{operation.model, operation.key};
  const ModelShape& shape = model(operation.model);
  const Values before = *state_in(draft, place).values;
  Values after = before;
  FaultSet faults;
  std::set<std::string> given;
  for (const Member& member : operation.members) {
    given.insert(member.name);
    const FieldShape& field = *shape.field(member.name);
    if (field.computed || field.primary_key || (operation.dry_run && !field.shown())) continue;
    Json value = member.value;
    if (operation.method == Method::patch && field.type == Type::json)
      value = merged(value_or_null(before, field.name), value);
    after[field.name] = value;
    if (value.is_null()) after.erase(field.name);
  }
  for (const FieldShape& field : shape.fields) {
    const bool stays = given.contains(field.name) || field.primary_key || field.computed || !field.shown();
    if (operation.method != Method::replace || stays) continue;
    if (field.made != Made::no) {
      if (field.required && !before.contains(field.name)) faults.insert({"/" + field.name, "required"});
    } else if (field.otherwise) {
      after[field.name] = json_of(field.otherwise->shown);
    } else {
      after.erase(field.name);
    }
  }
  faults.merge(computed_faults(operation, &before, after));
  if (!faults.empty()) return refuse(draft.outcome, 422, "invalid_record", faults);
  change(draft, place, before, after);
}

/// Rules of now that a record of then does not keep.
FaultSet Reference::faults_of_then(const Operation& operation, const Values* now, const Values& then) const {
  FaultSet faults = computed_faults(operation, now, then);
  for (const FieldShape& field : model(operation.model).fields) {
    if (field.computed || field.primary_key) continue;
    const Json value = value_or_null(then, field.name);
    // What is not shown, and is not to change, is passed over, as by a PUT.
    if (now != nullptr && !field.shown() && same_value(field, value, value_or_null(*now, field.name))) continue;
    if (value.is_null()) {
      if (field.required) faults.insert({"/" + field.name, "required"});
    } else if (field.secret) {
      continue;
    } else if (const auto code = broken_rule(field.rule, field.type, value)) {
      faults.insert({"/" + field.name, *code});
    }
  }
  return faults;
}

void Reference::roll_back(Draft& draft, const Operation& operation) const {
  const Place place{operation.model, operation.key};
  const std::uint64_t version = operation.moment ? version_at(place, *operation.moment) : operation.version;
  if (version < first_shown(place)) {
    // Before the first version there is nothing, which is told as that only where nothing is held back.
    const bool holds_back = first_shown(place) > 1;
    return refuse(draft.outcome, 404, holds_back ? "past_not_shown" : "not_found");
  }
  const State then = at_version(place, version);
  if (!then.values) return refuse(draft.outcome, 404, "not_found");
  const State now = state_in(draft, place);
  if (FaultSet faults = faults_of_then(operation, now.values ? &*now.values : nullptr, *then.values); !faults.empty())
    return refuse(draft.outcome, 422, "invalid_record", faults);
  if (now.values) {
    change(draft, place, *now.values, *then.values);
  } else {
    draft.events[place].push_back(creation(place.first, *then.values));
    check_others(draft, place, {}, *then.values);
  }
}

std::vector<std::string> Reference::referrers(const Draft& draft, std::size_t model, const FieldShape& field,
                                              const Place& to) const {
  std::set<std::string> keys;
  for (const std::string& key : this->keys(model)) keys.insert(key);
  for (const auto& [place, events] : draft.events) {
    if (place.first == model) keys.insert(place.second);
  }
  std::vector<std::string> all;
  for (const std::string& key : keys) {
    const State state = state_in(draft, {model, key});
    if (!state.values) continue;
    const Json value = value_or_null(*state.values, field.name);
    if (!value.is_null() && key_text(value) == to.second) all.push_back(key);
  }
  return all;
}

void Reference::remove(Draft& draft, const Operation& operation) const {
  const Place place{operation.model, operation.key};
  const auto delete_one = [&](const Place& one) {
    RecordedEvent event = creation(one.first, *state_in(draft, one).values);
    event.kind = RecordedEvent::Kind::deleted;
    event.type = capitalized(model(one.first).name) + "Deleted";
    event.before = std::exchange(event.after, {});
    draft.events[one].push_back(std::move(event));
  };
  draft.outcome.status = 204;
  delete_one(place);
  std::vector<Place> gone{place};
  const std::string pointer = "/" + model(place.first).fields.front().name;
  for (std::size_t number = 0; number < gone.size(); ++number) {
    const Place to = gone[number];
    for (std::size_t other = 0; other < shape_.models.size(); ++other) {
      for (const FieldShape& field : model(other).fields) {
        if (field.references != to.first || field.on_delete == OnDelete::restrict_it) continue;
        for (const std::string& key : referrers(draft, other, field, to)) {
          const Place referrer{other, key};
          if (field.on_delete == OnDelete::cascade) {
            delete_one(referrer);
            gone.push_back(referrer);
            continue;
          }
          const Values before = *state_in(draft, referrer).values;
          Values after = before;
          after.erase(field.name);
          Operation loss;
          loss.model = other;
          if (!computed_faults(loss, &before, after).empty())
            return refuse(draft.outcome, 422, "invalid_referrer", {{pointer, "*"}});
          change(draft, referrer, before, after);
        }
      }
    }
  }
  for (const Place& to : gone) {
    for (std::size_t other = 0; other < shape_.models.size(); ++other) {
      for (const FieldShape& field : model(other).fields) {
        if (field.references != to.first || field.on_delete != OnDelete::restrict_it) continue;
        if (!referrers(draft, other, field, to).empty())
          return refuse(draft.outcome, 409, "referenced", {{pointer, "referenced"}});
      }
    }
  }
}

Outcome Reference::decide(const Operation& operation, const MadeValues& made, std::int64_t now) const {
  return BatchReference(*this).decide({operation}, made, now, false).front();
}

std::vector<Outcome> BatchReference::decide(const std::vector<Operation>& operations, const MadeValues& made,
                                            std::int64_t now, bool is_batch) const {
  Outcome unreadable;
  for (std::size_t number = 0; number < operations.size(); ++number) {
    const Method method = operations[number].method;
    if (method == Method::remove || method == Method::roll_back) continue;
    const std::string begin = is_batch ? "/" + std::to_string(number) + "/body" : "";
    for (const auto& [pointer, code] : reference_.faults_of(operations[number]))
      unreadable.faults.insert({begin + pointer, code});
  }
  if (!unreadable.faults.empty()) {
    unreadable.status = 422;
    unreadable.code = is_batch ? "invalid_batch" : "invalid_record";
    return {unreadable};
  }
  std::vector<Outcome> outcomes;
  Reference::Draft draft;
  for (const Operation& operation : operations) {
    const Place place{operation.model, operation.key};
    const std::map<Place, std::vector<RecordedEvent>> events_before = draft.events;
    draft.outcome = {};
    const State state = reference_.state_in(draft, place);
    const Precondition& condition = operation.precondition;
    const bool is_met =
        condition.kind == Precondition::Kind::none || (condition.kind == Precondition::Kind::exists && state.values) ||
        (condition.kind == Precondition::Kind::absent && !state.values) ||
        (condition.kind == Precondition::Kind::version && state.version > 0 && state.version == condition.version);
    if (operation.method == Method::create) {
      if (!state.values && !is_met) {
        refuse(draft.outcome, 412, "version_conflict");
      } else {
        reference_.create(draft, operation, made, now);
      }
    } else if (operation.method == Method::remove && state.was_deleted()) {
      refuse(draft.outcome, 410, "already_deleted");
    } else if (operation.method != Method::roll_back && !state.values) {
      refuse(draft.outcome, 404, "not_found");
    } else if (operation.method == Method::roll_back) {
      reference_.roll_back(draft, operation);
      // Whether there is something to go back to is looked at first.
      if (draft.outcome.status != 404 && !is_met) refuse(draft.outcome, 412, "version_conflict");
    } else if (!is_met) {
      refuse(draft.outcome, 412, "version_conflict");
    } else if (operation.method == Method::remove) {
      reference_.remove(draft, operation);
    } else {
      reference_.update(draft, operation);
    }
    if (!draft.refused()) {
      draft.outcome.left = reference_.state_in(draft, place);
    } else {
      draft.events = events_before;
    }
    // What this operation adds, also to streams that an earlier one began with.
    draft.outcome.events = draft.events;
    outcomes.push_back(draft.outcome);
    if (draft.refused()) break;
  }
  return outcomes;
}

}  // namespace annals::property
