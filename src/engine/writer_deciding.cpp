// The writer's decisions: what a command means on the state so far, and what of it joins the flush.

#include <algorithm>
#include <utility>

#include "base/faults.hpp"
#include "base/invariant.hpp"
#include "engine/event_metadata.hpp"
#include "engine/group_refusal.hpp"
#include "engine/queries.hpp"
#include "engine/writer.hpp"
#include "json/writer.hpp"
#include "model/resource.hpp"

namespace annals::engine {
namespace {

std::string too_many(std::size_t changes) {
  return "the request makes " + std::to_string(changes) + " changes at once; one group holds " +
         std::to_string(group_events_max) + " of them, and " + std::to_string(group_bytes_max >> 20) +
         " MiB of events; nothing was recorded; make fewer changes at once";
}

/// What a refusal says follows from what was asked and from the state, not from what went wrong meanwhile.
bool is_refusal(const Error& error) {
  return error.kind != ErrorKind::input_output && error.kind != ErrorKind::corrupt &&
         error.kind != ErrorKind::unavailable;
}

constexpr std::size_t always_bytes_max = 32u << 10;  // with all around it that fits the smallest segment

/// Whether the store has room for the event, whose data is lent. Errors: those of EventStore::admits.
Result<> admits_event(const EventStore& store, const model::Model& model, model::Decision& decision,
                      const WriteRequest& request, const std::string& key) {
  Group group;
  StreamAppend& append = group.appends.emplace_back();
  append.stream = model.stream(key);
  NewEvent& event = append.events.emplace_back();
  event.type = decision.type;
  event.data = std::move(decision.data);
  event.metadata = make_metadata(request.actor, Idempotency{});  // as with the key of any request
  auto admitted = store.admits(group);
  decision.data = std::move(event.data);
  return admitted;
}

/// The event of a deletion tells all values of the record, of kv twice, and so about as much as that which replaces it
/// by one as large: no record shall become larger than such an event.
Result<> check_deletable(const EventStore& store, const model::Model& model, const model::Record& record,
                         const WriteRequest& request, const std::string& key, Instant now) {
  const bool is_kv = model.profile == model::Profile::kv;
  const std::size_t told_bytes_max = record.value->size() * (is_kv ? 2 * 6 : 1);  // of kv every byte may be escaped
  if (told_bytes_max <= always_bytes_max) return {};
  model::Command command;
  command.operation = model::Operation::remove;
  command.key = key;
  std::vector<model::Decision> decisions = TRY(model::decide(model, record, command, now));
  const auto admitted = admits_event(store, model, decisions.front(), request, key);
  if (admitted) return {};
  const std::string why =
      is_kv ? "the value of \"" + key +
                  "\" would be so large that it could be neither replaced by one as large nor deleted any more, since "
                  "the events of that tell it twice: "
            : "the " + model.name +
                  " would be so large that it could not be deleted any more, since the event of that tells all its "
                  "values: ";
  return fail(ErrorKind::too_large, "record_too_large",
              why + admitted.error().message + "; nothing was recorded; give it less");
}

/// Decides; what was there before never keeps a store from taking a deletion, nor the set of another value. A record
/// can be larger than check_deletable lets it become: another declaration may give it more fields, or another start
/// smaller segments.
Result<std::vector<model::Decision>> decide_recordable(const EventStore& store, const model::Model& model,
                                                       const model::Record& state, const model::Command& command,
                                                       const WriteRequest& request, Instant now) {
  auto decisions = TRY(model::decide(model, state, command, now));
  if (command.operation != model::Operation::remove && command.operation != model::Operation::set) return decisions;
  model::Decision& decision = decisions.front();
  if (decision.data.size() > always_bytes_max && !admits_event(store, model, decision, request, command.key))
    decision = model::decide_without_old_values(model, command, now);
  return decisions;
}

/// Both of what the state finds wrong with one write, where it is two things.
Error together(Error one, const Error& other, const model::Model& model) {
  Faults faults;
  for (const Error* error : {&std::as_const(one), &other}) faults.add("", *error);
  one.message = "what is given to several fields of the " + model.name +
                " does not go with other records; nothing was recorded; errors says why";
  one.faults = faults.take();
  return one;
}

/// What a batch has to remember so that it can be told again; nullopt of other requests.
std::optional<BatchMemory> memory_of(const WriteRequest& request, const std::vector<KeyReceipt>& each) {
  if (!request.refusal_of) return std::nullopt;
  BatchMemory memory;
  for (std::size_t place = 0; place < each.size(); ++place) {
    memory.versions.push_back(each[place].version);
    if (request.several[place].key_was_made) memory.made_keys.push_back(request.several[place].command.key);
  }
  return memory;
}

}  // namespace

bool Writer::answer_from_receipts(Pending& pending) {
  const std::optional<Idempotency>& idempotency = pending.request->idempotency;
  if (!idempotency) return false;
  if (auto known = receipts_.answer(*idempotency); !known) {
    pending.answer = std::unexpected(std::move(known).error());
    return true;
  } else if (*known) {
    pending.answer = **known;
    return true;
  }
  const auto other = pending_receipts_.find(idempotency->key);
  if (other == pending_receipts_.end()) return false;
  if (other->second.request != idempotency->request) {
    pending.answer = key_reused();
    pending.rests_on = {other->second.group};
  } else {
    pending.group = other->second.group;
    pending.twin = true;
  }
  return true;
}

Result<model::Record> Writer::load_state(std::size_t model, const std::string& key, const std::string& stream,
                                         bool fresh) {
  const projection::TableFeed& feed = *feeds_[model];
  if (!fresh) {
    if (feed.is_live()) return feed.table().get(key);
    if (const model::Record* cached = cache_.find(stream)) return *cached;
  }
  auto loaded = newest_record(past_of(store_, feed), stream);
  if (!loaded && loaded.error().code == "index_missing") return std::unexpected(std::move(loaded).error());
  if (!loaded) {
    platform_.log.error("The state of a stream could not be read",
                        {{"model", feed.model().name}, {"error", loaded.error().message}});
    return std::unexpected(std::move(loaded).error());
  }
  model::Record record = *std::move(loaded);
  if (!feed.is_live()) cache_.put(stream, record);
  return record;
}

void Writer::decide(Pending& pending, Instant now) {
  WriteRequest& request = *pending.request;
  pending.answer.reset();
  pending.group.reset();
  pending.twin = false;
  pending.by_state = false;
  pending.value = {};
  pending.told = nullptr;
  pending.unchanged.reset();
  pending.waits = false;
  pending.rests_on.clear();
  pending.asks = asked_by(request);
  if (answer_from_receipts(pending)) return;

  Draft draft;
  draft.asks = pending.asks;
  Result<> drafted;
  if (request.plan) drafted = make_plan(pending, draft, now);
  if (pending.answer) return;
  const bool one_key = !request.plan && request.several.empty();
  draft.many =
      !one_key || (request.command.operation == model::Operation::remove && !references_.to(request.model).empty());
  if (drafted && one_key) drafted = draft_one(pending, draft, request.model, request.command, now);
  if (drafted && !request.several.empty()) drafted = draft_several(pending, draft, now);
  if (drafted && request.dry_run && !draft.group.appends.empty()) {
    drafted = store_.admits(draft.group);
    if (!drafted) drafted = std::unexpected(refusal_of_group(std::move(drafted).error(), draft.tally));
  }
  if (!drafted) {
    pending.waits = drafted.error().code == UniqueClaims::free_soon;
    const ErrorKind kind = drafted.error().kind;
    pending.by_state = kind != ErrorKind::input_output && kind != ErrorKind::corrupt;
    pending.answer = std::unexpected(std::move(drafted).error());
    pending.rests_on = std::move(draft.rests_on);
    return;
  }
  if (one_key) pending.value = draft.left.value;
  if (request.dry_run) return only_tell(pending, std::move(draft));
  if (request.refusal_of) pending.told = std::make_shared<const Told>(Told{draft.each, {}});
  if (draft.group.appends.empty()) return nothing_changed(pending, std::move(draft), now);
  join_flush(pending, std::move(draft));
}

Result<> Writer::draft_several(Pending& pending, Draft& draft, Instant now) {
  const WriteRequest& request = *pending.request;
  if (request.several.size() > group_events_max)
    return fail(ErrorKind::too_large, group_too_large, too_many(request.several.size()));
  draft.group.appends.reserve(request.several.size());
  std::size_t told_bytes = 0;
  for (std::size_t place = 0; place < request.several.size(); ++place) {
    const KeyCommand& one = request.several[place];
    auto drafted = draft_one(pending, draft, one.model, one.command, now);
    if (!drafted) {
      if (request.refusal_of && is_refusal(drafted.error()))
        return std::unexpected(request.refusal_of(place, std::move(drafted).error()));
      return drafted;
    }
    if (!request.refusal_of) continue;
    told_bytes += draft.left.value ? draft.left.value->size() : 0;
    if (told_bytes > group_bytes_max) {
      return fail(ErrorKind::too_large, group_too_large,
                  "the records that the request leaves, one for each of its commands, have more than " +
                      std::to_string(group_bytes_max >> 20) +
                      " MiB together; nothing was recorded; make fewer changes at once");
    }
    draft.each.push_back(draft.left);
  }
  return {};
}

/// A dry run's answer. It waits for what it was decided on, like any other.
void Writer::only_tell(Pending& pending, Draft draft) {
  auto told = std::make_shared<const Told>(Told{std::move(draft.each), std::move(draft.group.appends)});
  pending.answer = Receipt{draft.left.version, {}, false, draft.tally, std::move(pending.value), std::move(told)};
  pending.by_state = others_.exist();
  pending.rests_on = std::move(draft.rests_on);
}

/// A request that leaves everything as it is succeeds. With an idempotency key that is remembered, so that it stays so
/// when somebody has changed something meanwhile.
void Writer::nothing_changed(Pending& pending, Draft draft, Instant now) {
  const WriteRequest& request = *pending.request;
  if (request.idempotency) {
    std::string data = "{";
    if (draft.unchanged && request.several.empty()) {
      json::append_member(data, "stream", feeds_[request.model]->model().stream(request.command.key));
      json::append_member(data, "version", draft.unchanged->value);
    }
    data += '}';
    draft.group.appends.push_back(marker_of(request, std::move(data), platform::make_uuid(now, platform_.random)));
    draft.states.clear();
    pending.unchanged = draft.unchanged;
    return join_flush(pending, std::move(draft));
  }
  pending.answer = Receipt{
      draft.unchanged.value_or(StreamVersion{}), {}, false, {}, std::move(pending.value), std::move(pending.told)};
  pending.by_state = others_.exist();
  pending.rests_on = std::move(draft.rests_on);
}

/// Makes the commands of a request that depend on the state. When there are none, drafts the event that carries the
/// request's key, or gives the answer.
Result<> Writer::make_plan(Pending& pending, Draft& draft, Instant now) {
  WriteRequest& request = *pending.request;
  Plan plan = TRY(request.plan());
  request.several = std::move(plan.commands);
  draft.group.nothing_after = plan.reflects;
  if (!request.several.empty()) return {};
  if (request.idempotency) {
    draft.group.appends.push_back(marker_of(request, "{}", platform::make_uuid(now, platform_.random)));
  } else {
    pending.answer = Receipt{{}, plan.reflects, false, {}, {}, {}};
    pending.by_state = others_.exist();
  }
  return {};
}

/// Of a model whose events its declaration does not take, what a record is like is not known, nor what another is that
/// has the same value or refers to it.
Result<> Writer::check_table(std::size_t model) const {
  auto good = feeds_[model]->check();
  if (!good) good.error().message += "; this request recorded nothing";
  return good;
}

/// The state of a stream as the draft, what is under way, or what was recorded leaves it.
Result<Writer::FoundState> Writer::find_state(const Pending& pending, const Draft& draft, std::size_t model,
                                              const std::string& key, const std::string& stream) {
  TRY(check_table(model));
  if (const auto drafted = draft.places.find(stream); drafted != draft.places.end())
    return FoundState{draft.states[drafted->second].record, drafted->second, {}};
  if (const auto other = pending_states_.find(stream); other != pending_states_.end())
    return FoundState{other->second.record, {}, other->second.group, other->second.moved};
  // What spans streams is recorded only if nothing was since the tables' position, so they will do.
  const bool fresh = pending.attempts > 0 && !draft.spans;
  return FoundState{TRY(load_state(model, key, stream, fresh)), {}, {}};
}

std::unexpected<Error> Writer::wait_for_what_is_under_way() {
  return fail(ErrorKind::unavailable, UniqueClaims::free_soon, "what this rests on is being changed");
}

/// Decides on one command, and on what follows from it, and adds all their events to the draft.
Result<> Writer::draft_one(const Pending& pending, Draft& draft, std::size_t model, const model::Command& command,
                           Instant now) {
  TRY(draft_command(pending, draft, model, command, now));
  if (command.operation != model::Operation::remove || references_.to(model).empty()) return {};
  const KeyReceipt left = draft.left;
  TRY(follow_deletion(pending, draft, model, command.key, now));
  draft.left = left;
  return {};
}

/// What an event that was decided on leaves. One that makes no sense is a defect of the model, and no reason to end the
/// server: nothing of it is recorded.
Result<model::Record> Writer::evolve_decided(const model::Model& model, const model::Record& state,
                                             const model::Decision& decision, Instant now) {
  auto next = model::evolve(model, state, decision.type, decision.data, state.version.next(), now);
  if (!next) {
    platform_.log.error("An event that was decided on makes no sense and was not recorded",
                        {{"model", model.name}, {"error", next.error().message}});
  }
  return next;
}

/// Decides on one command, and adds its events to the draft.
Result<> Writer::draft_command(const Pending& pending, Draft& draft, std::size_t model_place,
                               const model::Command& command, Instant now) {
  const WriteRequest& request = *pending.request;
  const model::Model& model = feeds_[model_place]->model();
  draft.asks = std::max(draft.asks, model.durability_of(model::api_operation_of(command.operation)));
  std::string stream = model.stream(command.key);
  // Before the table is asked: what it then tells reflects at least this.
  const projection::TableFeed& feed = *feeds_[model_place];
  const std::optional<Position> reflected =
      feed.is_live() ? std::optional(feed.table().progress().position()) : std::nullopt;
  FoundState found = TRY(find_state(pending, draft, model_place, command.key, stream));
  if (found.group) draft.rests_on.push_back(*found.group);
  model::Record state = std::move(found.record);
  const bool again = found.drafted.has_value();
  const StreamVersion before = state.version;
  const bool existed = state.exists();
  const std::size_t bytes_before = existed ? state.value->size() : 0;
  const bool unique = model.has_unique_fields();
  const bool refers = !references_.of(model_place).empty();
  const SharedText value_before = unique || refers ? state.value : SharedText();
  std::vector<model::Decision> decisions = TRY(decide_recordable(store_, model, state, command, request, now));
  if (decisions.empty()) {
    // Its stream is not in the group, and what the others of the request leave rests on it all the same.
    if (draft.many && found.group) return wait_for_what_is_under_way();
    draft.spans = draft.spans || draft.many;
    draft.unchanged = before;
    draft.left = {before, state.value};
    return {};
  }
  const std::size_t place = found.drafted.value_or(draft.group.appends.size());
  if (!again) {
    if (draft.many) draft.places.emplace(stream, place);
    // Of a state that is under way the store knows itself.
    const std::optional<Position> known_at = found.group ? std::nullopt : reflected;
    draft.group.appends.push_back({std::move(stream), ExpectedVersion::exact(before), {}, known_at});
    draft.states.push_back({{}, model_place, groups_.size(), 0});
  }
  StreamAppend& append = draft.group.appends[place];
  for (model::Decision& decision : decisions) {
    // The value that a set leaves is the one that it was given: there is no need to take it out of the event again.
    const bool sets = model.profile == model::Profile::kv && command.operation == model::Operation::set;
    state = sets ? model::Record{state.version.next(), command.value, now}
                 : TRY(evolve_decided(model, state, decision, now));
    NewEvent& event = append.events.emplace_back();
    event.id = platform::make_uuid(now, platform_.random);
    event.type = std::move(decision.type);
    event.data = std::move(decision.data);
    // That of several tells how many there were, once they are all decided.
    event.metadata =
        make_metadata(request.actor, draft.many || append.events.size() > 1 ? std::nullopt : request.idempotency);
    event.correlation_id = request.correlation_id;
    event.causation_id = request.causation_id;
    draft.bytes += append.stream.size() + event.type.size() + event.data.size() + event.metadata.size();
  }
  // A value of kv that is shorter than the one before may be longer once it is escaped.
  const bool may_have_grown =
      state.exists() && (model.profile == model::Profile::kv || state.value->size() > bytes_before);
  if (may_have_grown) TRY(check_deletable(store_, model, state, request, command.key, now));
  const UniqueClaims::Change change{model_place, command.key, value_before, state.value};
  const auto claimed = unique ? unique_.claim(draft.unique, *feeds_[model_place], change, draft.rests_on) : Result<>{};
  if (!claimed && claimed.error().kind != ErrorKind::conflict) return claimed;
  const auto referring = refers ? check_references(pending, draft, change) : Result<>{};
  if (!claimed && !referring && referring.error().kind == ErrorKind::conflict)
    return std::unexpected(together(claimed.error(), referring.error(), model));
  TRY(claimed);
  TRY(referring);
  draft.left = {state.version, state.value};
  draft.states[place].moved = draft.states[place].moved || existed != state.exists();
  draft.states[place].record = std::move(state);
  if (!draft.many) return {};
  draft.tally.events += static_cast<std::uint32_t>(decisions.size());
  ++(command.operation == model::Operation::remove ? draft.tally.removed : draft.tally.set);
  if (draft.bytes <= group_bytes_max && draft.tally.events <= group_events_max) return {};
  return fail(ErrorKind::too_large, group_too_large,
              too_many(std::max<std::size_t>(request.several.size(), draft.tally.events)));
}

/// What was decided becomes the state that the next command is decided on.
void Writer::join_flush(Pending& pending, Draft draft) {
  const WriteRequest& request = *pending.request;
  pending.group = groups_.size();
  pending.asks = draft.group.durability = draft.asks;
  if (request.idempotency) {
    if (draft.tally.events > 0 || request.refusal_of) {
      const std::optional<BatchMemory> memory = memory_of(request, draft.each);
      draft.group.appends.front().events.front().metadata =
          make_metadata(request.actor, request.idempotency, draft.tally, memory ? &*memory : nullptr);
    }
    pending_receipts_.emplace(request.idempotency->key, PendingReceipt{request.idempotency->request, groups_.size()});
  }
  // What is looked up beside the streams themselves: another server may have recorded the same key or value.
  if (others_.exist() && (request.idempotency || !draft.unique.empty() || draft.spans)) {
    draft.group.nothing_after = std::min(draft.group.nothing_after.value_or(others_.known()), others_.known());
  }
  unique_.join(std::move(draft.unique), groups_.size());
  references_.join(std::move(draft.references));
  std::uint64_t events = 0;
  for (std::size_t place = 0; place < draft.states.size(); ++place) {
    const StreamAppend& append = draft.group.appends[place];
    events += append.events.size();
    draft.states[place].event = events - 1;
    if (const auto other = pending_states_.find(append.stream); other != pending_states_.end())
      draft.states[place].moved = draft.states[place].moved || other->second.moved;
    pending_states_.insert_or_assign(append.stream, std::move(draft.states[place]));
  }
  tallies_.push_back(draft.tally);
  groups_.push_back(std::move(draft.group));
}

}  // namespace annals::engine
