#include "engine/writer.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <iterator>
#include <utility>

#include "base/invariant.hpp"
#include "engine/event_metadata.hpp"
#include "engine/group_refusal.hpp"
#include "engine/queries.hpp"
#include "json/writer.hpp"

namespace annals::engine {
namespace {

constexpr std::size_t streams_cached_max = 100'000;

/// A command is decided again when another server's append came first, or when what it was decided on was not recorded.
constexpr int attempts_max = 5;

/// From this attempt on, other servers are kept off meanwhile.
constexpr int attempts_to_hold = 2;

/// What could not be read of others is tried again after this.
constexpr Duration look_again_pause = std::chrono::milliseconds{100};

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

/// Whether a success may be told before what it tells of is flushed.
bool some_lag(const EventStore& store, const std::vector<projection::TableFeed*>& feeds) {
  const auto lags = [&](AskedDurability asked) {
    const Durability given = store.durability_of(asked);
    return given == Durability::memory || given == Durability::periodic;
  };
  return lags(AskedDurability::store) || std::ranges::any_of(feeds, [&](const projection::TableFeed* feed) {
           return std::ranges::any_of(model::api_operations,
                                      [&](auto one) { return lags(feed->model().durability_of(one)); });
         });
}

/// What the cache may hold beside tables that are kept to a bound.
std::uint64_t cache_bytes_max(const std::vector<projection::TableFeed*>& feeds) {
  std::uint64_t bytes = UINT64_MAX;
  for (const projection::TableFeed* feed : feeds) {
    if (feed->model().memory_max > 0) bytes = std::min(bytes, feed->model().memory_max);
  }
  return bytes;
}

/// The last event that is there, if any is: the last positions may hold none any more.
Result<EventPage> last_event(EventStore& store) {
  const auto at = [&](Position position) {
    return store.read_all(Position{std::max<std::uint64_t>(position.value, 1) - 1}, Horizon::visible, PageLimit{1, 1});
  };
  const Position visible = store.status().visible;
  EventPage last = TRY(at(visible));
  if (!last.events().empty() || visible.value == 0) return last;
  return at(TRY(store.position_at(Instant{INT64_MAX})));
}

}  // namespace

Writer::Writer(EventStore& store, std::vector<projection::TableFeed*> feeds, platform::Platform platform,
               WriterOptions options)
    : store_(store),
      feeds_(std::move(feeds)),
      platform_(platform),
      options_(std::move(options)),
      batch_groups_(batch_groups_bounds),
      lags_(some_lag(store_, feeds_)),
      limited_(std::ranges::any_of(feeds_, [](const auto* feed) { return feed->model().batch_size > 0; })),
      receipts_(options_.receipts, platform),
      cache_(streams_cached_max, cache_bytes_max(feeds_)),
      others_(store_, feeds_, receipts_, cache_, [this](std::span<const EventView> events) { saw(events); }),
      references_(feeds_) {
  if (!options_.receipts_path.empty())
    receipts_keeper_ = std::make_unique<projection::StateKeeper>(receipts_, options_.receipts_path, store, platform);
  look_again_->lock()->writer = this;
}

Writer::~Writer() {
  look_again_->lock()->writer = nullptr;
}

Result<> Writer::load() {
  TRY(receipts_.load(store_, receipts_keeper_.get()));
  const EventPage last = TRY(last_event(store_));
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
  look_again_->lock()->writer = nullptr;
  idle_.wait(false);
  // Whoever made it idle held the queue, and touches nothing of the writer once it lets go.
  (void)queue_.lock();
}

void Writer::others_went_on(Position visible) {
  if (visible > others_.known()) set_to_look();
}

void Writer::set_to_look() {
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

void Writer::barrier(platform::Executor& home, std::move_only_function<void(Result<>)> done,
                     std::optional<Instant> settles) {
  Pending pending;
  pending.home = &home;
  pending.done = [done = std::move(done)](const Result<Receipt>& passed) mutable {
    done(passed ? Result<>() : std::unexpected(passed.error()));
  };
  pending.settles = settles;
  enqueue(std::move(pending));
}

void Writer::enqueue(Pending pending) {
  platform::Executor& home = *pending.home;
  bool full = false;
  {
    auto queue = queue_.lock();
    full = pending.request && (queue->waiting.size() >= options_.queue_max ||
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
  if (full) {
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
    keep_promises();
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
  if (!limited_ || !take_within_limits(queue->waiting)) batch_.swap(queue->waiting);
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
    if (!pending.settles) continue;
    const auto settled = store_.settle(*std::exchange(pending.settles, std::nullopt));
    if (settled) continue;
    pending.answer = std::unexpected(settled.error());
    pending.sure = true;
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
  note_look(asked);
  if (!asked) return hold_.reset();
  for (Pending& pending : batch_) pending.sure = true;
}

Result<> Writer::look_at_others() {
  auto looked = others_.look();
  // That a database has ended its connections is found out by asking; the next question goes over another one.
  if (!looked) looked = others_.look();
  note_look(looked);
  return looked;
}

/// What came of a look. One that left something unread is made again: the store tells of each position once, so before
/// more is recorded nothing else need be the occasion.
void Writer::note_look(const Result<>& looked) {
  const bool sees = looked || others_.known() >= store_.status().visible;
  const bool saw = sees_others_.exchange(sees);
  if (sees) {
    if (!saw) platform_.log.info("What other servers recorded is read again");
    return;
  }
  if (const auto held_back = others_unread_.admit(platform_.clock.monotonic())) {
    platform_.log.error("What other servers recorded could not be read; it is tried again",
                        {{"error", looked.error().message}, {"held_back", *held_back}});
  }
  {
    const auto again = look_again_->lock();
    if (std::exchange(again->scheduled, true)) return;
  }
  options_.follow->post_after(look_again_pause, [again = look_again_] {
    const auto locked = again->lock();
    locked->scheduled = false;
    if (locked->writer != nullptr) locked->writer->set_to_look();
  });
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
  note_look(asked);
  for (Pending& pending : batch_) {
    if (!unsure(pending)) continue;
    pending.sure = asked.has_value();
    if (!asked && !pending.request) {
      pending.answer = fail(asked.error().kind, "database_away", asked.error().message);
    } else if (!pending.request) {
      continue;
    } else if (!asked) {
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

/// Once it is unknown what was recorded, a refusal by the state may be wrong: what was told to nobody may be there
/// after a restart.
void Writer::doubt_refusals() {
  if (std::ranges::none_of(batch_, &Pending::by_state) || store_.status().writable) return;
  for (Pending& pending : batch_) {
    if (pending.by_state) pending.answer = std::unexpected(refusal_in_doubt(others_.exist()));
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
    pending.answer = fail(ErrorKind::unavailable, "write_contention",
                          "other servers kept changing what this request is about; nothing was recorded; try again");
  }
  keep_promises();
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
  if (!pending.request) {
    // What others recorded has not been asked for then.
    if (unknown && !pending.sure && others_.exist()) {
      pending.answer = fail(ErrorKind::unavailable, "database_away", unknown->message);
    }
    return fresh || pending.sure || unknown;
  }
  if (pending.group) {
    const AppendResult& result = results[*pending.group];
    if (!result && result.error().kind == ErrorKind::conflict) return false;
    const Tally& tally = tallies_[*pending.group];
    if (result) {
      pending.answer = Receipt{pending.unchanged.value_or(result->versions.front()),
                               result->last,
                               pending.twin,
                               tally,
                               std::move(pending.value),
                               std::move(pending.told)};
    } else {
      pending.answer = std::unexpected(refusal_of_group(result.error(), tally));
    }
    return true;
  }
  if (unknown && (pending.by_state || !pending.rests_on.empty())) {
    const bool is_told_apart = pending.rests_on.empty() && others_.exist();
    pending.answer = std::unexpected(is_told_apart ? refusal_in_doubt(true) : *unknown);
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

/// What these events leave of their records, as it was decided; of a stream that several of them are on, what the last
/// one leaves.
std::vector<model::Record> Writer::left_by(std::span<const EventView> events) const {
  std::vector<model::Record> left(events.size());
  for (std::size_t at = 0; at < events.size(); ++at) {
    const auto state = pending_states_.find(events[at].stream);
    if (state != pending_states_.end() && state->second.record.version == events[at].version)
      left[at] = state->second.record;
  }
  return left;
}

/// Takes in what was recorded; false when something of others may have come before it.
bool Writer::apply(const std::vector<AppendResult>& results) {
  const std::vector<EventView> events = recorded_events(results);
  const std::vector<model::Record> left = left_by(events);  // before the cache takes what no live table has
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
    for (projection::TableFeed* feed : feeds_) feed->apply_live(events, left);
    last_visible_stamp_ = events.back().created_at.microseconds;
  }
  keep_receipts(results);
  if (!events.empty() && events.back().position == events.front().position.plus(events.size() - 1)) {
    receipts_.advance(events.front().position, projection::witness_of(events.back()));
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
                       Receipt{result->versions.front(), result->last, false, tallies_[*pending.group], {}, {}},
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
    if (answer) answer->durability = store_.durability_of(pending.asks);
    if (pending.home == &here) {
      give(platform_.log, pending.done, std::move(answer));
      continue;
    }
    auto group = std::ranges::find(elsewhere, pending.home, [](const auto& entry) { return entry.first; });
    if (group == elsewhere.end()) {
      elsewhere.emplace_back(pending.home, decltype(group->second){});
      group = std::prev(elsewhere.end());
      group->second.reserve(batch_.size());  // most often all of them
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
  references_.clear();
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
