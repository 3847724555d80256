// Writes of records, and what they are to come to.

#include <algorithm>
#include <regex>

#include "base/instant.hpp"
#include "http/request.hpp"
#include "tests/property/player.hpp"

namespace annals::property {
namespace {

constexpr std::size_t uuid_bytes = 36;

std::string body_text(const std::vector<Member>& members) {
  std::string text = "{";
  for (const Member& member : members) text += (text.size() > 1 ? ",\"" : "\"") + member.name + "\":" + member.sent;
  return text + "}";
}

bool has_body(const Operation& operation) {
  return operation.method != Method::remove && operation.method != Method::roll_back;
}

http::Method http_method(Method method) {
  switch (method) {
    case Method::create:
    case Method::roll_back: return http::Method::post;
    case Method::replace: return http::Method::put;
    case Method::patch: return http::Method::patch;
    case Method::remove: break;
  }
  return http::Method::delete_;
}

/// Which record a stream is of.
Place place_of(const Reference& reference, const std::string& stream) {
  for (std::size_t model = 0; model < reference.shape().models.size(); ++model) {
    const std::string begin = reference.model(model).name + "-";
    if (stream.starts_with(begin)) return {model, stream.substr(begin.size())};
  }
  return {SIZE_MAX, stream};
}

FaultSet faults_in(const Json& body) {
  FaultSet faults;
  for (const Json& fault : body.at("errors").elements) faults.insert({fault.at("pointer").text, fault.at("code").text});
  return faults;
}

std::string to_text(const FaultSet& faults) {
  std::string text;
  for (const auto& [pointer, code] : faults) text.append(" ").append(pointer).append(" ").append(code);
  return text;
}

/// As a reply to a batch tells it.
void point_into_batch(Outcome& outcome, const Operation& operation, std::size_t number) {
  const std::string begin = "/" + std::to_string(number);
  if (outcome.faults.empty()) {
    outcome.faults.insert({begin + (outcome.status == 412 ? "/if_match" : ""), outcome.code});
    return;
  }
  FaultSet faults;
  for (const auto& [pointer, code] : outcome.faults)
    faults.insert({begin + (operation.method == Method::remove ? "/path" : "/body" + pointer), code});
  outcome.faults = std::move(faults);
}

}  // namespace

/// Mostly of a record that is there, and often of the same one, so that some histories become long.
std::string Player::known_key(std::size_t model) {
  std::vector<std::string> there;
  for (const std::string& key : reference_.keys(model)) {
    if (reference_.present({model, key}).values) there.push_back(key);
  }
  if (there.empty() || chance(dice_, 1, 8)) there = keys_of(reference_.model(model).key_type);
  return chance(dice_, 1, 3) ? there.front() : any_of(dice_, there);
}

/// Mostly of a record that is not.
std::string Player::new_key(std::size_t model) {
  std::vector<std::string> absent;
  for (const std::string& key : keys_of(reference_.model(model).key_type)) {
    if (!reference_.present({model, key}).values) absent.push_back(key);
  }
  return absent.empty() || chance(dice_, 1, 6) ? known_key(model) : any_of(dice_, absent);
}

std::vector<Member> Player::any_members(const Operation& operation) {
  const ModelShape& model = reference_.model(operation.model);
  std::vector<Member> members;
  const State state = reference_.present({operation.model, operation.key});
  for (const FieldShape& field : model.fields) {
    if (field.primary_key) {
      const bool gives = operation.method == Method::create ? !operation.key_is_made : chance(dice_, 1, 6);
      if (!gives) continue;
      std::string key = operation.key;
      if (operation.method != Method::create && chance(dice_, 1, 5)) key = known_key(operation.model);
      const Json value = key_value(field.type, key);
      members.push_back({field.name, written(value), value, "", ""});
      continue;
    }
    if (field.computed) {
      if (!chance(dice_, 1, 8)) continue;
      const Json value = state.values && chance(dice_, 3, 4)
                             ? reference_.value_of(operation.model, *state.values, field)
                             : json_of(any_of(dice_, page_of(field.type).good).shown);
      members.push_back({field.name, written(value), value, "", ""});
      continue;
    }
    const bool leaves_out =
        operation.method == Method::patch ? chance(dice_, 2, 3) : chance(dice_, field.required ? 1 : 4, 10);
    if (leaves_out) continue;
    const auto& bad = page_of(field.type).bad;
    if (!bad.empty() && chance(dice_, 1, 60)) {
      const auto& [sent, code] = any_of(dice_, bad);
      members.push_back({field.name, sent, Json{}, code, ""});
      continue;
    }
    if (chance(dice_, field.required ? 1 : 6, 40)) {
      members.push_back({field.name, "null", Json{}, "", ""});
      continue;
    }
    // Mostly values that keep the field's rule.
    std::vector<Sample> samples = reference_.shape().samples(field);
    if (chance(dice_, 19, 20)) {
      std::vector<Sample> good;
      for (const Sample& sample : samples) {
        if (!broken_rule(field.rule, field.type, json_of(sample.shown))) good.push_back(sample);
      }
      if (!good.empty()) samples = good;
    }
    if (field.references && chance(dice_, 3, 4)) {
      std::vector<Sample> there;
      for (const std::string& key : reference_.keys(*field.references)) {
        const std::string text = written(key_value(field.type, key));
        if (reference_.present({*field.references, key}).values) there.push_back({text, text});
      }
      if (!there.empty()) samples = there;
    }
    const bool is_large = reference_.shape().large && field.name == "large" && chance(dice_, 2, 3);
    const Sample& sample = is_large ? samples.back() : any_of(dice_, samples);
    members.push_back({field.name, sample.sent, json_of(sample.shown), "", ""});
  }
  if (chance(dice_, 1, 60)) members.push_back({"nobody_knows", "1", Json{}, "", ""});
  return members;
}

Precondition Player::any_precondition(const Operation& operation) {
  using Kind = Precondition::Kind;
  const std::uint64_t version = reference_.present({operation.model, operation.key}).version;
  if (operation.method == Method::create) return {chance(dice_, 1, 8) ? Kind::absent : Kind::none, 0};
  switch (dice_.below(10)) {
    case 0: return {Kind::version, version + 1};
    case 1:
    case 2: return {Kind::version, std::max<std::uint64_t>(version, 1)};
    case 3: return {Kind::exists, 0};
    default: return {Kind::none, 0};
  }
}

Operation Player::any_operation(bool in_batch) {
  Operation operation;
  operation.model = dice_.below(reference_.shape().models.size());
  const ModelShape& model = reference_.model(operation.model);
  const std::uint64_t number = dice_.below(in_batch ? 88 : 100);
  operation.method = number < 32   ? Method::create
                     : number < 62 ? Method::patch
                     : number < 78 ? Method::replace
                     : number < 88 ? Method::remove
                                   : Method::roll_back;
  operation.key = known_key(operation.model);
  if (operation.method == Method::create) {
    operation.key_is_made = chance(dice_, model.key_type == Type::uuid ? 2 : 0, 5);
    if (operation.key_is_made) operation.key = "(made " + std::to_string(++made_keys_) + ")";
    if (!operation.key_is_made) operation.key = new_key(operation.model);
  }
  if (has_body(operation)) operation.members = any_members(operation);
  operation.precondition = any_precondition(operation);
  if (operation.method == Method::roll_back) {
    const auto& events = reference_.events({operation.model, operation.key});
    operation.version = 1 + dice_.below(events.size() + 2);
    if (!events.empty() && chance(dice_, 1, 3))
      operation.moment = events[dice_.below(events.size())].time - static_cast<std::int64_t>(dice_.below(2));
  }
  return operation;
}

MadeValues Player::find_made(std::vector<Operation>& operations, const std::vector<StoredEvent>& events) {
  MadeValues made;
  std::set<Place> taken;
  std::set<std::pair<std::string, std::uint64_t>> used;
  for (const Operation& operation : operations) {
    if (!operation.key_is_made) taken.insert({operation.model, operation.key});
  }
  for (Operation& operation : operations) {
    if (operation.method != Method::create) continue;
    for (const StoredEvent& event : events) {
      if (!event.type.ends_with("Created") || used.contains({event.stream, event.version})) continue;
      const Place place = place_of(reference_, event.stream);
      if (place.first != operation.model) continue;
      if (operation.key_is_made ? taken.contains(place) : place.second != operation.key) continue;
      operation.key = place.second;
      used.insert({event.stream, event.version});
      for (const FieldShape& field : reference_.model(operation.model).fields) {
        const Json value = event.data.at("values").at(field.name);
        if (field.made != Made::uuid || value.is_null()) continue;
        made[{place, field.name}] = value;
        expect(value.text.size() == uuid_bytes, "what was made is no uuid");
      }
      break;
    }
  }
  return made;
}

std::vector<StoredEvent> Player::drafted_events(const Json& body) {
  std::vector<StoredEvent> events;
  for (const Json& one : body.at("events").elements) {
    StoredEvent& event = events.emplace_back();
    event.type = one.at("event_type").text;
    event.stream = one.at("stream").text;
    event.version = static_cast<std::uint64_t>(one.at("stream_version").worth());
    event.data = one.at("data");
  }
  return events;
}

void Player::compare_refusal(const Reply& reply, const Outcome& outcome) {
  const Json body = body_of(reply);
  const std::string expected = std::to_string(outcome.status) + " " + outcome.code + to_text(outcome.faults);
  expect(reply.status == outcome.status && body.at("code").text == outcome.code, "expected " + expected);
  FaultSet faults = faults_in(body);
  // Of what a record would lose that refuses it, the pointer is told.
  if (outcome.code == "invalid_referrer") return;
  expect(faults == outcome.faults, "expected " + expected + "; the faults are" + to_text(faults));
}

void Player::compare_events(const std::map<Place, std::vector<RecordedEvent>>& expected,
                            const std::vector<StoredEvent>& events, bool dry_run) {
  std::map<Place, std::vector<StoredEvent>> found;
  for (const StoredEvent& event : events) found[place_of(reference_, event.stream)].push_back(event);
  std::string told;
  for (const auto& [place, all] : expected) {
    for (const RecordedEvent& event : all)
      told += "\n  " + event.type + " of " + place.second + " " + written(reference_.data_of(place, event, dry_run));
  }
  std::string seen;
  for (const StoredEvent& event : events)
    seen += "\n  " + event.type + " of " + event.stream + " " + written(event.data);
  const std::string what = "expected the events" + told + "\nfound" + seen;
  expect(found.size() == expected.size(), what);
  for (auto& [place, all] : found) {
    const auto wanted = expected.find(place);
    if (wanted == expected.end() || wanted->second.size() != all.size()) return disagree(what);
    std::uint64_t version = reference_.events(place).size();
    for (std::size_t number = 0; number < all.size(); ++number) {
      const RecordedEvent& event = wanted->second[number];
      StoredEvent& stored = all[number];
      if (event.kind == RecordedEvent::Kind::deleted)
        expect(stored.data.members.erase("deleted_at") == 1, "a deletion tells when it was");
      expect(stored.version == ++version && stored.type == event.type, what);
      expect(same(stored.data, reference_.data_of(place, event, dry_run)), what);
    }
  }
  if (dry_run || ended()) return;
  for (const StoredEvent& event : events) {
    expect(event.created_at > last_time_, "times do not increase");
    last_time_ = event.created_at;
  }
  for (const auto& [place, all] : expected) {
    for (std::size_t number = 0; number < all.size(); ++number) {
      RecordedEvent recorded = all[number];
      recorded.time = found[place][number].created_at;
      reference_.record(place, std::move(recorded));
    }
  }
}

void Player::compare_left(const Operation& operation, const Outcome& outcome, const Json& shown,
                          const std::string& tag) {
  const Json expected = outcome.left.values ? reference_.shown(operation.model, *outcome.left.values) : Json{};
  expect(same(shown, expected), "expected the record " + written(expected) + "\nfound " + written(shown));
  if (tag.empty()) return;
  const std::string begin = "\"" + std::to_string(outcome.left.version);
  expect(tag.starts_with(begin + "\"") || tag.starts_with(begin + "-"),
         "expected the tag " + begin + "\", found " + tag);
}

void Player::write_one() {
  Operation operation = any_operation(false);
  operation.dry_run = chance(dice_, 1, 8);
  const Place place{operation.model, operation.key};
  std::string target =
      operation.method == Method::create ? reference_.model(place.first).path() : path_of(reference_, place);
  std::string body = has_body(operation) ? body_text(operation.members) : "";
  if (operation.method == Method::roll_back) {
    target += "/rollback";
    body = operation.moment ? "{\"at\":\"" + Instant{*operation.moment}.to_text() + "\"}"
                            : "{\"version\":" + std::to_string(operation.version) + "}";
  }
  if (operation.dry_run) target += "?dry_run=true";
  Fields fields;
  if (!body.empty()) fields.emplace_back("content-type", "application/json");
  switch (operation.precondition.kind) {
    case Precondition::Kind::none: break;
    case Precondition::Kind::version:
      fields.emplace_back("if-match", "\"" + std::to_string(operation.precondition.version) + "\"");
      break;
    case Precondition::Kind::exists: fields.emplace_back("if-match", "*"); break;
    case Precondition::Kind::absent: fields.emplace_back("if-none-match", "*"); break;
  }
  const bool is_remembered = chance(dice_, 1, 6);
  if (is_remembered) fields.emplace_back("idempotency-key", "key-" + std::to_string(++idempotency_keys_));
  const std::int64_t now = server_.now();
  const Reply reply = ask(http_method(operation.method), target, body, fields);

  const Json shown = body_of(reply);
  const std::vector<StoredEvent> recorded = server_.new_events();
  const std::vector<StoredEvent> events = operation.dry_run ? drafted_events(shown) : recorded;
  if (operation.dry_run) expect(recorded.empty(), "a dry run records something");
  std::vector<Operation> operations{operation};
  const MadeValues made = find_made(operations, events);
  operation = operations.front();
  const Outcome outcome = reference_.decide(operation, made, now);
  if (outcome.status >= 400) {
    expect(recorded.empty(), "what is refused is recorded");
    return compare_refusal(reply, outcome);
  }
  expect(reply.status == (operation.dry_run ? 200 : outcome.status), "expected " + std::to_string(outcome.status));
  if (operation.dry_run) {
    compare_left(operation, outcome, shown.at("state"), "");
  } else if (outcome.status == 204) {
    expect(reply.body.empty(), "expected no body");
  } else {
    compare_left(operation, outcome, shown, reply.field("ETag"));
  }
  if (outcome.status == 201 && !operation.dry_run)
    expect(reply.field("Location") == path_of(reference_, {operation.model, operation.key}), "the Location is wrong");
  compare_events(outcome.events, events, operation.dry_run);
  if (is_remembered && !operation.dry_run)
    written_.push_back(
        {http_method(operation.method), target, body, fields, reply, declaration_of(reference_.shape())});
}

/// The replies of a batch without the marks that tags have once there was another declaration, be it for a while.
std::string without_marks(const std::string& body) {
  static const std::regex mark(R"((\\"[0-9]+)-[0-9a-f]{8}(\\"))");
  return std::regex_replace(body, mark, "$1$2");
}

void Player::write_again() {
  if (written_.empty()) return write_one();
  const Written& before = written_[dice_.below(written_.size())];
  const bool otherwise = chance(dice_, 1, 5);
  const Reply reply = ask(before.method, before.target,
                          otherwise && !before.body.empty() ? before.body + " " : before.body, before.fields);
  expect(server_.new_events().empty(), "what was done before is done again");
  if (otherwise && !before.body.empty()) {
    // The declaration of now may not take the body, which is seen first.
    const bool is_reuse = body_of(reply).at("code").text == "idempotency_key_reused";
    expect(reply.status == 422 && (is_reuse || before.declaration != declaration_of(reference_.shape())),
           "expected 422 idempotency_key_reused");
    return;
  }
  expect(reply.status == before.reply.status,
         "expected the status that it had, " + std::to_string(before.reply.status));
  expect(reply.field("Idempotency-Replayed") == "true", "expected Idempotency-Replayed");
  if (before.declaration == declaration_of(reference_.shape()))
    expect(without_marks(reply.body) == without_marks(before.reply.body),
           "expected the body that it had, " + before.reply.body);
}

/// A record gives up a unique value, or goes, and another takes the value, and sometimes gives it back; empty when no
/// record has one.
std::vector<Operation> Player::handed_over() {
  std::vector<Operation> operations;
  const std::size_t model = dice_.below(reference_.shape().models.size());
  for (const FieldShape& field : reference_.model(model).fields) {
    const std::string holder = known_key(model);
    const State state = reference_.present({model, holder});
    const Json value = state.values ? reference_.value_of(model, *state.values, field) : Json{};
    if (!field.unique || value.is_null() || !operations.empty()) continue;
    Operation& gives = operations.emplace_back();
    gives.model = model;
    gives.key = holder;
    gives.method = chance(dice_, 1, 2) ? Method::remove : Method::patch;
    if (gives.method == Method::patch) gives.members.push_back({field.name, "null", Json{}, "", ""});
    Operation takes = gives;
    takes.method = Method::patch;
    takes.key = known_key(model);
    takes.members = {{field.name, written(value), value, "", ""}};
    const bool is_back = gives.method == Method::patch && chance(dice_, 1, 2);
    const Operation gone = gives;
    operations.push_back(std::move(takes));
    if (!is_back) {
      if (chance(dice_, 1, 4)) std::swap(operations.front(), operations.back());
      continue;
    }
    const Operation taken = operations.back();
    Operation lets_go = gone;
    lets_go.key = taken.key;
    Operation takes_back = taken;
    takes_back.key = gone.key;
    operations.push_back(std::move(lets_go));
    operations.push_back(std::move(takes_back));
  }
  return operations;
}

void Player::write_batch() {
  std::vector<Operation> operations;
  std::string body;
  const bool dry_run = chance(dice_, 1, 8);
  std::vector<Operation> drawn = chance(dice_, 1, 4) ? handed_over() : std::vector<Operation>{};
  if (drawn.empty()) {
    for (std::uint64_t left = 1 + dice_.below(4); left > 0; --left) drawn.push_back(any_operation(true));
  }
  for (Operation& operation : drawn) {
    operation.dry_run = dry_run;
    if (operation.precondition.kind == Precondition::Kind::exists) operation.precondition = {};
    const Place place{operation.model, operation.key};
    body += body.empty() ? "[" : ",";
    static constexpr const char* words[] = {"POST", "PUT", "PATCH", "DELETE"};
    body += "{\"method\":\"" + std::string(words[static_cast<std::size_t>(operation.method)]) + "\",\"path\":\"" +
            (operation.method == Method::create ? reference_.model(place.first).path() : path_of(reference_, place)) +
            "\"";
    if (has_body(operation)) body += ",\"body\":" + body_text(operation.members);
    if (operation.precondition.kind == Precondition::Kind::absent) body += ",\"if_match\":0";
    if (operation.precondition.kind == Precondition::Kind::version)
      body += ",\"if_match\":" + std::to_string(operation.precondition.version);
    body += "}";
    operations.push_back(std::move(operation));
  }
  body += "]";
  const std::int64_t now = server_.now();
  Fields fields{{"content-type", "application/json"}};
  const bool is_remembered = !dry_run && chance(dice_, 1, 4);
  if (is_remembered) fields.emplace_back("idempotency-key", "key-" + std::to_string(++idempotency_keys_));
  const std::string target = dry_run ? "/batch?dry_run=true" : "/batch";
  const Reply reply = ask(http::Method::post, target, body, fields);

  const Json told = body_of(reply);
  const std::vector<StoredEvent> recorded = server_.new_events();
  const std::vector<StoredEvent> events = dry_run ? drafted_events(told) : recorded;
  if (dry_run) expect(recorded.empty(), "a dry run records something");
  const MadeValues made = find_made(operations, events);
  std::vector<Outcome> outcomes = BatchReference(reference_).decide(operations, made, now);
  Outcome& last = outcomes.back();
  if (last.status >= 400) {
    expect(recorded.empty(), "what is refused is recorded");
    if (last.code != "invalid_batch") point_into_batch(last, operations[outcomes.size() - 1], outcomes.size() - 1);
    return compare_refusal(reply, last);
  }
  expect(reply.status == 200, "expected 200");
  const std::vector<Json> each = dry_run ? told.at("state").elements : told.elements;
  if (each.size() != operations.size()) return disagree("expected an answer for each operation");
  for (std::size_t number = 0; number < each.size(); ++number) {
    const Json& one = each[number];
    const Operation& operation = operations[number];
    if (dry_run) {
      compare_left(operation, outcomes[number], one, "");
      continue;
    }
    compare_left(operation, outcomes[number], one.at("body"), one.at("etag").text);
    expect(one.at("status").text == std::to_string(outcomes[number].status), "an operation has another status");
    if (operation.method == Method::create)
      expect(one.at("location").text == path_of(reference_, {operation.model, operation.key}), "the location is wrong");
  }
  compare_events(last.events, events, dry_run);
  if (is_remembered)
    written_.push_back({http::Method::post, target, body, fields, reply, declaration_of(reference_.shape())});
}

}  // namespace annals::property
