#include "engine/writer.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <iterator>
#include <utility>

#include "base/invariant.hpp"
#include "engine/event_metadata.hpp"
#include "engine/queries.hpp"
#include "json/writer.hpp"

namespace annals::engine {
namespace {

/// A command is decided again when another server's append came first, or when what it was decided on was not recorded.
constexpr int attempts_max = 5;

/// From this attempt on, other servers are kept off meanwhile.
constexpr int attempts_to_hold = 2;

constexpr std::array<std::uint64_t, 11> batch_groups_bounds{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};

/// Set while a step runs on this thread: tells an append that finished inside the call from one that finished
/// elsewhere.
thread_local const Writer* stepping_here = nullptr;

/// What goes wrong in one reply is no matter to the writer and the other replies.
void give(Logger& log, WriteDone& done, Result<Receipt> answer) {
  try {
    done(std::move(answer));
  } catch (const std::exception& exception) {
    log.error("The reply to a write could not be given", {{"exception", exception.what()}});
  } catch (...) {
    log.error("The reply to a write could not be given");
  }
}

std::string too_many(std::size_t changes) {
  return "the request makes " + std::to_string(changes) + " changes at once; one group holds " +
         std::to_string(group_events_max) + " of them, and " + std::to_string(group_bytes_max >> 20) +
         " MiB of events; nothing was recorded; make fewer changes at once";
}

}  // namespace

Writer::Writer(EventStore& store, std::vector<projection::TableFeed*> feeds, platform::Platform platform,
               WriterOptions options)
    : store_(store),
      feeds_(std::move(feeds)),
      platform_(platform),
      options_(std::move(options)),
      batch_groups_(batch_groups_bounds),
      receipts_(options_.receipts, platform),
      others_(store_, feeds_, receipts_, cache_, [this](std::span<const EventView> events) { saw(events); }) {
  if (!options_.receipts_path.empty())
    receipts_keeper_ = std::make_unique<projection::StateKeeper>(receipts_, options_.receipts_path, store, platform);
}

Writer::~Writer() = default;

Result<> Writer::load() {
  TRY(receipts_.load(store_, receipts_keeper_.get()));
  const EventPage last = TRY(store_.read_all(Position{std::max<std::uint64_t>(store_.status().visible.value, 1) - 1},
                                             Horizon::visible, PageLimit{1, 1}));
  if (!last.events().empty()) last_visible_stamp_ = last.events().back().created_at.microseconds;
  others_.set_known(receipts_.position());
  if (others_.exist()) {
    INVARIANT(options_.follow != nullptr, "a shared store needs an executor to follow it on");
    watch_ = store_.watch([this](Position visible) { others_went_on(visible); });
  }
  return {};
}

void Writer::stop_following() {
  if (!watch_) return;
  watch_.reset();
  idle_.wait(false);
  // Whoever made it idle held the queue, and touches nothing of the writer once it lets go.
  (void)queue_.lock();
}

void Writer::others_went_on(Position visible) {
  if (visible <= others_.known()) return;
  {
    auto queue = queue_.lock();
    queue->look = true;
    if (queue->busy) return;
    queue->busy = true;
    idle_ = false;
  }
  options_.follow->post([this] { step(*options_.follow); });
}

void Writer::submit(WriteRequest request, platform::Executor& home, WriteDone done) {
  Pending pending;
  pending.bytes = request.command.bytes();
  for (const KeyCommand& one : request.several) pending.bytes += one.command.bytes();
  pending.request = std::move(request);
  pending.home = &home;
  pending.done = std::move(done);
  enqueue(std::move(pending));
}

void Writer::barrier(platform::Executor& home, std::move_only_function<void()> done, std::optional<Instant> settles) {
  Pending pending;
  pending.home = &home;
  pending.done = [done = std::move(done)](const Result<Receipt>&) mutable { done(); };
  pending.settles = settles;
  enqueue(std::move(pending));
}

void Writer::enqueue(Pending pending) {
  platform::Executor& home = *pending.home;
  {
    auto queue = queue_.lock();
    const bool full =
        pending.request && (queue->waiting.size() >= options_.queue_max ||
                            (queue->bytes + pending.bytes > options_.queue_bytes_max && !queue->waiting.empty()));
    if (!full) {
      queue->bytes += pending.bytes;
      queue->waiting.push_back(std::move(pending));
      if (queue->busy) return;
      queue->busy = true;
      idle_ = false;
    } else {
      ++queue->overloaded;
    }
  }
  if (pending.done) {  // it was not taken
    home.post([done = std::move(pending.done)]() mutable {
      done(fail(ErrorKind::overloaded, "queue_full", "the queue of writes is full; nothing was done; try again soon"));
    });
    return;
  }
  home.post([this, &home] { step(home); });
}

bool Writer::may_hide(Instant time) const {
  // A group under way is stamped after the last visible one. When the writer is idle there is no group under way, and
  // later ones are stamped after `time`, because the store was told to settle it before idle_ was looked at. Of other
  // servers nothing is known.
  return time.microseconds > last_visible_stamp_.load() && (others_.exist() || !idle_.load());
}

WriterStatus Writer::status() const {
  WriterStatus status;
  const auto queue = queue_.lock();
  status.queued = queue->waiting.size();
  status.overloaded = queue->overloaded;
  status.commands = commands_.load();
  status.batches = batches_.load();
  return status;
}

void Writer::step(platform::Executor& here) noexcept {
  if (!take_batch(here)) return;
  prepare_for_others();
  const Instant now = platform_.clock.now();
  decide_batch(now);
  if (groups_.empty()) make_sure(now);
  if (groups_.empty()) {
    hold_.reset();
    doubt_refusals();
    release(here);
    next_step(here);
    return;
  }
  append_batch(here);
}

/// False when the step goes on elsewhere.
bool Writer::take_batch(platform::Executor& here) {
  auto queue = queue_.lock();
  platform::Executor* const apart = options_.apart;
  if (apart != nullptr && apart != &here && goes_apart(*queue)) {
    apart->post([this, apart] { step(*apart); });
    return false;
  }
  // Most often all that waits is taken, and the two vectors change places.
  batch_.swap(queue->waiting);
  if (batch_.size() > options_.batch_size) {
    const auto rest = batch_.begin() + static_cast<std::ptrdiff_t>(options_.batch_size);
    queue->waiting.assign(std::make_move_iterator(rest), std::make_move_iterator(batch_.end()));
    batch_.erase(rest, batch_.end());
  }
  for (const Pending& pending : batch_) queue->bytes -= pending.bytes;
  queue->look = false;
  return true;
}

void Writer::decide_batch(Instant now) {
  for (std::size_t place = 0; place < batch_.size(); ++place) {
    Pending& pending = batch_[place];
    if (!pending.request) continue;
    if (pending.request->plan && !groups_.empty()) {
      // It is planned while nothing is under way, so it and what comes after it wait for the next step.
      put_back_from(place);
      break;
    }
    decide(pending, now);
    if (pending.waits) {
      put_back_from(place);
      break;
    }
    ++commands_;
  }
}

void Writer::append_batch(platform::Executor& here) {
  ++batches_;
  batch_groups_.observe(groups_.size());
  // `inside` is touched only while append is still on this thread's stack, which `stepping_here` tells.
  std::optional<std::vector<AppendResult>> inside;
  stepping_here = this;
  const Duration begun = platform_.clock.monotonic();
  store_.append(groups_, [this, &here, &inside](std::vector<AppendResult> results) {
    if (stepping_here == this) {
      inside = std::move(results);
    } else {
      here.post([this, &here, results = std::move(results)]() mutable { recorded(results, here); });
    }
  });
  stepping_here = nullptr;
  last_append_ = platform_.clock.monotonic() - begun;
  if (inside) recorded(*inside, here);
}

/// Takes in what others recorded, and keeps them off when they came first too often.
void Writer::prepare_for_others() {
  for (Pending& pending : batch_) {
    if (pending.settles) store_.settle(*std::exchange(pending.settles, std::nullopt));
  }
  if (!others_.exist()) return;
  const bool too_often =
      std::ranges::any_of(batch_, [](const Pending& pending) { return pending.attempts >= attempts_to_hold; });
  if (too_often) {
    if (auto hold = store_.hold_others_off()) hold_ = *std::move(hold);
  }
  // What cannot be read now leaves the state as old as it was, which the conditions of the append find out.
  if (hold_ == nullptr) return (void)look_at_others();
  const auto asked = others_.ask();
  if (!asked) return hold_.reset();
  for (Pending& pending : batch_) pending.sure = true;
}

Result<> Writer::look_at_others() {
  auto looked = others_.look();
  if (!looked) {
    platform_.log.error("What other servers recorded could not be read", {{"error", looked.error().message}});
  }
  return looked;
}

void Writer::saw(std::span<const EventView> events) {
  // Those of a store that others wrote once need not increase.
  for (const EventView& event : events)
    last_visible_stamp_ = std::max(last_visible_stamp_.load(), event.created_at.microseconds);
}

/// Of a batch that records nothing: asks the store how old the state is that it was refused on, and decides again when
/// others went on.
void Writer::make_sure(Instant now) {
  if (!others_.exist()) return;
  const auto unsure = [](const Pending& pending) { return !pending.sure && (pending.by_state || !pending.request); };
  if (std::ranges::none_of(batch_, unsure)) return;
  const Position decided_on = others_.known();
  const auto asked = others_.ask();
  for (Pending& pending : batch_) {
    if (!unsure(pending)) continue;
    pending.sure = asked.has_value();
    if (!pending.request) continue;
    if (!asked) {
      pending.answer = std::unexpected(asked.error());
    } else if (others_.known() != decided_on) {
      decide(pending, now);
    }
  }
}

/// True when a step on an I/O thread would make others wait for the disk, or its own connection for a slow one.
bool Writer::goes_apart(const Queue& queue) const {
  return others_.exist() || last_append_ > options_.append_at_home_max ||
         std::ranges::any_of(queue.waiting,
                             [](const Pending& pending) { return pending.request && !pending.request->alone; });
}

/// What of the batch begins at `place` waits again, before all others.
void Writer::put_back_from(std::size_t place) {
  const auto rest = batch_.begin() + static_cast<std::ptrdiff_t>(place);
  auto queue = queue_.lock();
  for (auto pending = rest; pending != batch_.end(); ++pending) queue->bytes += pending->bytes;
  queue->waiting.insert(queue->waiting.begin(), std::make_move_iterator(rest), std::make_move_iterator(batch_.end()));
  batch_.erase(rest, batch_.end());
}

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
  model::Record record = TRY(newest_record(store_, feed.model(), stream));
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
  pending.unchanged.reset();
  pending.waits = false;
  pending.rests_on.clear();
  if (answer_from_receipts(pending)) return;

  Draft draft;
  Result<> drafted;
  if (request.plan) drafted = make_plan(pending, draft, now);
  if (pending.answer) return;
  const bool one_key = !request.plan && request.several.empty();
  if (drafted && one_key) drafted = draft_one(pending, draft, request.model, request.command, now);
  if (drafted && request.several.size() > group_events_max) {
    drafted = fail(ErrorKind::too_large, "group_too_large", too_many(request.several.size()));
  }
  draft.group.appends.reserve(request.several.size());
  for (const KeyCommand& one : request.several) {
    if (drafted) drafted = draft_one(pending, draft, one.model, one.command, now);
  }
  if (!drafted) {
    pending.waits = drafted.error().code == UniqueClaims::free_soon;
    const ErrorKind kind = drafted.error().kind;
    pending.by_state = kind != ErrorKind::input_output && kind != ErrorKind::corrupt;
    pending.answer = std::unexpected(std::move(drafted).error());
    pending.rests_on = std::move(draft.rests_on);
    return;
  }
  if (draft.group.appends.empty()) return nothing_changed(pending, std::move(draft), now);
  if (one_key) pending.value = std::move(draft.value);
  join_flush(pending, std::move(draft));
}

/// A request that leaves everything as it is succeeds. With an idempotency key that is remembered, so that it stays so
/// when somebody has changed something meanwhile.
void Writer::nothing_changed(Pending& pending, Draft draft, Instant now) {
  const WriteRequest& request = *pending.request;
  pending.value = std::move(draft.value);
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
  pending.answer = Receipt{draft.unchanged.value_or(StreamVersion{}), {}, false, {}, std::move(pending.value)};
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
    pending.answer = Receipt{{}, plan.reflects, false, {}, {}};
    pending.by_state = others_.exist();
  }
  return {};
}

/// Decides on one command, and adds its events to the draft.
Result<> Writer::draft_one(const Pending& pending, Draft& draft, std::size_t model_place, const model::Command& command,
                           Instant now) {
  const WriteRequest& request = *pending.request;
  const model::Model& model = feeds_[model_place]->model();
  std::string stream = model.stream(command.key);
  const bool several = !request.several.empty();
  const auto drafted = several ? draft.places.find(stream) : draft.places.end();
  const bool again = drafted != draft.places.end();
  model::Record state;
  if (again) {
    state = draft.states[drafted->second].record;
  } else if (const auto found = pending_states_.find(stream); found != pending_states_.end()) {
    state = found->second.record;
    draft.rests_on.push_back(found->second.group);
  } else {
    auto loaded = load_state(model_place, command.key, stream, pending.attempts > 0);
    if (!loaded) {
      platform_.log.error("The state of a stream could not be read",
                          {{"model", model.name}, {"error", loaded.error().message}});
      return std::unexpected(std::move(loaded).error());
    }
    state = *std::move(loaded);
  }
  const StreamVersion before = state.version;
  const bool unique = model.has_unique_fields();
  const SharedText value_before = unique ? state.value : SharedText();
  std::vector<model::Decision> decisions = TRY(model::decide(model, state, command, now));
  if (decisions.empty()) {
    draft.unchanged = before;
    draft.value = state.value;
    return {};
  }
  const std::size_t place = again ? drafted->second : draft.group.appends.size();
  if (!again) {
    if (several) draft.places.emplace(stream, place);
    draft.group.appends.push_back({std::move(stream), ExpectedVersion::exact(before), {}});
    draft.states.push_back({{}, model_place, groups_.size(), 0});
  }
  StreamAppend& append = draft.group.appends[place];
  for (model::Decision& decision : decisions) {
    auto next = model::evolve(model, state, decision.type, decision.data, state.version.next(), now);
    INVARIANT(next.has_value(), "evolve takes in what decide gives out");
    state = *std::move(next);
    NewEvent& event = append.events.emplace_back();
    event.id = platform::make_uuid(now, platform_.random);
    event.type = std::move(decision.type);
    event.data = std::move(decision.data);
    // That of several tells how many there were, once they are all decided.
    event.metadata =
        make_metadata(request.actor, several || append.events.size() > 1 ? std::nullopt : request.idempotency);
    event.correlation_id = request.correlation_id;
    event.causation_id = request.causation_id;
    draft.bytes += append.stream.size() + event.type.size() + event.data.size() + event.metadata.size();
  }
  if (unique) {
    const UniqueClaims::Change change{model_place, command.key, value_before, state.value};
    TRY(unique_.claim(draft.unique, *feeds_[model_place], change, draft.rests_on));
  }
  if (model.profile == model::Profile::resource) draft.value = state.value;
  draft.states[place].record = std::move(state);
  if (!several) return {};
  draft.tally.events += static_cast<std::uint32_t>(decisions.size());
  ++(command.operation == model::Operation::remove ? draft.tally.removed : draft.tally.set);
  if (draft.bytes <= group_bytes_max && draft.tally.events <= group_events_max) return {};
  return fail(ErrorKind::too_large, "group_too_large", too_many(request.several.size()));
}

/// What was decided becomes the state that the next command is decided on.
void Writer::join_flush(Pending& pending, Draft draft) {
  const WriteRequest& request = *pending.request;
  pending.group = groups_.size();
  if (request.idempotency) {
    if (draft.tally.events > 0) {
      draft.group.appends.front().events.front().metadata =
          make_metadata(request.actor, request.idempotency, draft.tally);
    }
    pending_receipts_.emplace(request.idempotency->key, PendingReceipt{request.idempotency->request, groups_.size()});
  }
  // What is looked up beside the streams themselves: another server may have recorded the same key or value.
  if (others_.exist() && (request.idempotency || !draft.unique.empty())) {
    draft.group.nothing_after = std::min(draft.group.nothing_after.value_or(others_.known()), others_.known());
  }
  unique_.join(std::move(draft.unique), groups_.size());
  std::uint64_t events = 0;
  for (std::size_t place = 0; place < draft.states.size(); ++place) {
    const StreamAppend& append = draft.group.appends[place];
    events += append.events.size();
    draft.states[place].event = events - 1;
    pending_states_.insert_or_assign(append.stream, std::move(draft.states[place]));
  }
  tallies_.push_back(draft.tally);
  groups_.push_back(std::move(draft.group));
}

/// Once it is unknown what was recorded, a refusal by the state may be wrong: what was told to nobody may be there
/// after a restart.
void Writer::doubt_refusals() {
  if (std::ranges::none_of(batch_, &Pending::by_state) || store_.status().writable) return;
  for (Pending& pending : batch_) {
    if (!pending.by_state) continue;
    pending.answer = fail(ErrorKind::unavailable,
                          others_.exist() ? "the store cannot take writes now; nothing was recorded; try again soon"
                                          : "the store cannot take writes until it is restarted; nothing was recorded");
  }
}

void Writer::recorded(std::vector<AppendResult>& results, platform::Executor& here) noexcept {
  INVARIANT(results.size() == groups_.size(), "a store answers for every group");
  const bool fresh = apply(results);
  hold_.reset();
  const auto failed = std::ranges::find_if(
      results, [](const AppendResult& result) { return !result && result.error().kind == ErrorKind::unavailable; });
  const Error* unknown = failed == results.end() ? nullptr : &failed->error();
  std::vector<Pending> again;
  for (Pending& pending : batch_) {
    if (conclude(pending, results, unknown, fresh)) continue;
    if (pending.attempts < attempts_max) {
      ++pending.attempts;
      again.push_back(std::move(pending));
      pending.request.reset();
      pending.done = nullptr;
      continue;
    }
    if (!pending.request) continue;
    pending.answer = fail(ErrorKind::unavailable, "write_contention",
                          "other servers kept changing what this request is about; nothing was recorded; try again");
  }
  release(here);
  if (!again.empty()) {
    auto queue = queue_.lock();
    for (const Pending& pending : again) queue->bytes += pending.bytes;
    queue->waiting.insert(queue->waiting.begin(), std::make_move_iterator(again.begin()),
                          std::make_move_iterator(again.end()));
  }
  next_step(here);
}

/// Gives the answer that follows from the outcome of the batch; false when the command must be decided again, because
/// the state that it was decided on did not come to be. `unknown` is why it is not known what of the batch was
/// recorded, or null; `fresh` says that nothing of others came before it.
bool Writer::conclude(Pending& pending, const std::vector<AppendResult>& results, const Error* unknown,
                      bool fresh) const {
  if (!pending.request) return fresh || pending.sure || unknown;
  if (pending.group) {
    const AppendResult& result = results[*pending.group];
    if (!result && result.error().kind == ErrorKind::conflict) return false;
    const Tally& tally = tallies_[*pending.group];
    if (result) {
      pending.answer = Receipt{pending.unchanged.value_or(result->versions.front()), result->last, pending.twin, tally,
                               std::move(pending.value)};
    } else {
      pending.answer = std::unexpected(result.error());
      if (result.error().kind == ErrorKind::too_large && tally.events > 1) {
        pending.answer->error().message = "the request makes " + std::to_string(tally.events) +
                                          " changes, which are one group: " + result.error().message +
                                          "; nothing was recorded; make fewer changes at once";
      }
    }
    return true;
  }
  if (unknown && (pending.by_state || !pending.rests_on.empty())) {
    pending.answer = std::unexpected(*unknown);
    return true;
  }
  if (pending.by_state && !fresh && !pending.sure) return false;
  return std::ranges::all_of(pending.rests_on, [&](std::size_t group) { return results[group].has_value(); });
}

std::vector<EventView> Writer::recorded_events(const std::vector<AppendResult>& results) const {
  std::vector<EventView> events;
  events.reserve(groups_.size());
  for (std::size_t place = 0; place < groups_.size(); ++place) {
    if (!results[place]) continue;
    const Appended& appended = *results[place];
    std::uint64_t offset = 0;
    for (std::size_t of_append = 0; of_append < groups_[place].appends.size(); ++of_append) {
      const StreamAppend& append = groups_[place].appends[of_append];
      const std::uint64_t first_version = appended.versions[of_append].value + 1 - append.events.size();
      for (std::size_t of_event = 0; of_event < append.events.size(); ++of_event, ++offset) {
        const NewEvent& event = append.events[of_event];
        events.push_back({appended.first.plus(offset), append.stream, StreamVersion{first_version + of_event}, event.id,
                          event.type, event.data, event.metadata, event.correlation_id, event.causation_id,
                          appended.created_at.plus(Duration{static_cast<std::int64_t>(offset)}), 0});
      }
    }
  }
  return events;
}

/// Takes in what was recorded; false when something of others may have come before it.
bool Writer::apply(const std::vector<AppendResult>& results) {
  const std::vector<EventView> events = recorded_events(results);
  const bool next = !others_.exist() || (!events.empty() && events.front().position == others_.known().next());
  keep_states(results);
  if (!next) {
    // What is read now includes the batch. A table that cannot have it from there must not pass for live.
    if (!look_at_others()) {
      for (projection::TableFeed* feed : feeds_) feed->apply_live(events);
    }
    return false;
  }
  if (!events.empty()) {
    for (projection::TableFeed* feed : feeds_) feed->apply_live(events);
    last_visible_stamp_ = events.back().created_at.microseconds;
  }
  keep_receipts(results);
  if (!events.empty() && events.back().position == events.front().position.plus(events.size() - 1)) {
    receipts_.advance(events.front().position, events.back().position);
    others_.set_known(events.back().position);
  }
  return true;
}

void Writer::keep_receipts(const std::vector<AppendResult>& results) {
  for (const Pending& pending : batch_) {
    if (!pending.request || !pending.request->idempotency || !pending.group || pending.twin) continue;
    const AppendResult& result = results[*pending.group];
    if (result)
      receipts_.insert(*pending.request->idempotency,
                       Receipt{result->versions.front(), result->last, false, tallies_[*pending.group], {}},
                       result->created_at);
  }
}

/// What the cache holds of a stream is the newest state or nothing: a live table goes on without the cache, and the
/// table may one day fall out of live.
void Writer::keep_states(const std::vector<AppendResult>& results) {
  for (auto& [stream, state] : pending_states_) {
    const AppendResult& result = results[state.group];
    if (!result || feeds_[state.model]->is_live()) {
      cache_.forget(stream);
      continue;
    }
    state.record.updated_at = result->created_at.plus(Duration{static_cast<std::int64_t>(state.event)});
    cache_.put(stream, std::move(state.record));
  }
}

void Writer::release(platform::Executor& here) {
  // One task for each other executor, because waking a thread costs more than a reply.
  std::vector<std::pair<platform::Executor*, std::vector<std::pair<WriteDone, Result<Receipt>>>>> elsewhere;
  for (Pending& pending : batch_) {
    if (!pending.done) continue;
    Result<Receipt> answer = pending.answer ? std::move(*pending.answer) : Result<Receipt>(Receipt{});
    if (pending.home == &here) {
      give(platform_.log, pending.done, std::move(answer));
      continue;
    }
    auto group = std::ranges::find(elsewhere, pending.home, [](const auto& entry) { return entry.first; });
    if (group == elsewhere.end()) {
      elsewhere.emplace_back(pending.home, decltype(group->second){});
      group = std::prev(elsewhere.end());
    }
    group->second.emplace_back(std::move(pending.done), std::move(answer));
  }
  for (auto& [home, replies] : elsewhere) {
    home->post([&log = platform_.log, all = std::move(replies)]() mutable {
      for (auto& reply : all) give(log, reply.first, std::move(reply.second));
    });
  }
  batch_.clear();
  groups_.clear();
  tallies_.clear();
  pending_states_.clear();
  pending_receipts_.clear();
  unique_.clear();
}

void Writer::next_step(platform::Executor& here) {
  {
    auto queue = queue_.lock();
    if (queue->waiting.empty() && !queue->look) {
      queue->busy = false;
      idle_ = true;
      idle_.notify_all();
      return;
    }
  }
  here.post([this, &here] { step(here); });
}

}  // namespace annals::engine
