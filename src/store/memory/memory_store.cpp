#include "store/memory/memory_store.hpp"

#include <algorithm>
#include <ranges>

#include "store/clock_alarm.hpp"

namespace annals::store {
namespace {

/// By chance, so that a cursor of another store is recognised; never 0, which stands for the start.
std::uint32_t draw_epoch(platform::Random& random) {
  const auto epoch = static_cast<std::uint32_t>(random.next());
  return epoch == 0 ? 1 : epoch;
}

}  // namespace

std::unique_ptr<EventStore> make_memory_store(platform::Platform platform) {
  return std::make_unique<MemoryStore>(platform);
}

MemoryStore::MemoryStore(platform::Platform platform) : platform_(platform), epoch_(draw_epoch(platform.random)) {}

MemoryStore::~MemoryStore() {
  INVARIANT(watchers_.empty(), "a store outlives the watches that it gave out");
}

// --- Writing
// -----------------------------------------------------------------------------------------------------------

void MemoryStore::append(std::span<const Group> groups, AppendDone done) {
  std::vector<AppendResult> results;
  results.reserve(groups.size());
  {
    const auto state = state_.lock();
    const Position before = state->last();
    RefusedStreams refused;
    for (const Group& group : groups) {
      results.push_back(record(group, before, *state, refused));
      if (!results.back()) refused.add(group);
    }
  }
  tell();
  done(std::move(results));
}

Result<> MemoryStore::restore(std::span<const EventView> events) {
  Result<> restored;
  {
    const auto state = state_.lock();
    for (const EventView& event : events) {
      const std::optional<Instant> last =
          state->history->empty() ? std::nullopt : std::optional(state->history->back().created_at);
      restored = check_next(event, state->last(), state->version(event.stream), last);
      Group group = group_of(event);
      if (restored) restored = check_group(group);
      if (!restored) break;
      const auto entry = state->streams.try_emplace(std::string(event.stream)).first;
      entry->second.push_back(event.position);
      NewEvent& copied = group.appends.front().events.front();
      state->history->push_back({std::move(copied), entry->first, event.version, event.created_at, event.node_id});
    }
  }
  tell();
  return restored;
}

AppendResult MemoryStore::record(const Group& group, Position before, State& state, const RefusedStreams& refused) {
  TRY(check_group(group));
  TRY(refused.check(group));
  TRY(check_conditions(group, before, state));
  Appended appended{
      .first = state.last().next(), .last = state.last(), .created_at = next_stamp(state), .versions = {}};
  for (const StreamAppend& append : group.appends) {
    const auto entry = state.streams.try_emplace(append.stream).first;
    for (const NewEvent& event : append.events) {
      const Instant stamp = appended.created_at.plus(Duration{appended.last.value + 1 - appended.first.value});
      appended.last = appended.last.next();
      entry->second.push_back(appended.last);
      state.history->push_back({event, entry->first, StreamVersion{entry->second.size()}, stamp, 1});
    }
    appended.versions.emplace_back(entry->second.size());
  }
  return appended;
}

Result<> MemoryStore::check_conditions(const Group& group, Position before, const State& state) {
  if (group.nothing_after && before > *group.nothing_after) {
    return fail(ErrorKind::conflict, "version_conflict",
                "the store is at position " + to_string(before) + ", and nothing was to be recorded after " +
                    to_string(*group.nothing_after));
  }
  for (const StreamAppend& append : group.appends) {
    const StreamVersion version = state.version(append.stream);
    if (append.expected.admits(version)) continue;
    return fail(ErrorKind::conflict, "version_conflict",
                "stream " + append.stream + " is at version " + to_string(version) + ", and the append expects " +
                    append.expected.to_text());
  }
  return {};
}

Instant MemoryStore::next_stamp(State& state) {
  Instant stamp = platform_.clock.now();
  alarm_when_behind(stamp, state);
  if (!state.history->empty()) stamp = std::max(stamp, state.history->back().created_at.plus(Duration{1}));
  if (state.settled) stamp = std::max(stamp, state.settled->plus(Duration{1}));
  return stamp;
}

void MemoryStore::alarm_when_behind(Instant now, State& state) {
  if (state.history->empty() || now.plus(clock_behind_tolerated) >= state.history->back().created_at) return;
  const Duration moment = platform_.clock.monotonic();
  if (state.alarmed_at && moment - *state.alarmed_at < clock_alarm_interval) return;
  state.alarmed_at = moment;
  platform_.log.warning("the clock runs behind the log; events are stamped after the last one until it has caught up",
                        {{"clock", now.to_text()}, {"log", state.history->back().created_at.to_text()}});
}

Result<> MemoryStore::settle(Instant time) {
  const auto state = state_.lock();
  if (time > platform_.clock.now()) return {};
  state->settled = std::max(state->settled.value_or(time), time);
  return {};
}

// --- Reading
// -----------------------------------------------------------------------------------------------------------

const MemoryStore::Stream& MemoryStore::State::stream(std::string_view name) const {
  static const Stream none;
  const auto found = streams.find(name);
  return found == streams.end() ? none : found->second;
}

template <class Positions>
EventPage MemoryStore::make_page(const State& state, const Positions& positions, PageLimit limit) {
  std::vector<EventView> events;
  std::size_t bytes = 0;
  for (const Position position : positions) {
    const Recorded& recorded = state.at(position);
    const NewEvent& event = recorded.event;
    bytes += recorded.stream.size() + event.type.size() + event.data.size() + event.metadata.size();
    const bool full = events.size() >= limit.events_max || bytes > limit.bytes_max;
    if (full && !events.empty()) return EventPage(std::move(events), state.history, true);
    events.push_back({.position = position,
                      .stream = recorded.stream,
                      .version = recorded.version,
                      .id = event.id,
                      .type = event.type,
                      .data = event.data,
                      .metadata = event.metadata,
                      .correlation_id = event.correlation_id,
                      .causation_id = event.causation_id,
                      .created_at = recorded.created_at,
                      .node_id = recorded.node_id});
  }
  return EventPage(std::move(events), state.history, false);
}

Result<EventPage> MemoryStore::read_stream(std::string_view stream, StreamVersion from, Direction direction,
                                           PageLimit limit) const {
  const auto state = state_.lock();
  const std::span<const Position> all = state->stream(stream);
  if (direction == Direction::forward) {
    const std::size_t skipped = std::min<std::size_t>(std::max<std::uint64_t>(from.value, 1) - 1, all.size());
    return make_page(*state, all.subspan(skipped), limit);
  }
  return make_page(*state, all.first(std::min<std::size_t>(from.value, all.size())) | std::views::reverse, limit);
}

Result<EventPage> MemoryStore::read_all(Position after, Horizon, PageLimit limit) const {
  const auto state = state_.lock();
  const std::uint64_t last = state->last().value;
  const auto positions = std::views::iota(std::min(after.value, last) + 1, last + 1) |
                         std::views::transform([](std::uint64_t number) { return Position{number}; });
  return make_page(*state, positions, limit);
}

Result<StreamVersion> MemoryStore::stream_version(std::string_view stream) const {
  return state_.lock()->version(stream);
}

Result<StreamVersion> MemoryStore::version_at(std::string_view stream, Instant time) const {
  const auto state = state_.lock();
  const Stream& positions = state->stream(stream);
  const auto later = std::ranges::partition_point(
      positions, [&](Position position) { return state->at(position).created_at <= time; });
  return StreamVersion{static_cast<std::uint64_t>(later - positions.begin())};
}

Result<Position> MemoryStore::position_at(Instant time) const {
  const auto state = state_.lock();
  const auto later = std::ranges::partition_point(
      *state->history, [&](const Recorded& recorded) { return recorded.created_at <= time; });
  return Position{static_cast<std::uint64_t>(later - state->history->begin())};
}

Cursor MemoryStore::cursor(Position position) const {
  if (position.value == 0) return {};
  return {epoch_, position};
}

Result<Position> MemoryStore::resolve(const Cursor& cursor) const {
  if (cursor.is_start()) return Position{};
  if (cursor.epoch == epoch_) return cursor.position;
  return fail(ErrorKind::gone, "cursor_gone", "the cursor comes from another store; read again from the start");
}

StoreStatus MemoryStore::status() const {
  StoreStatus status;
  status.visible = status.flushed = state_.lock()->last();
  return status;
}

// --- Watching
// ----------------------------------------------------------------------------------------------------------

class MemoryStore::WatcherEntry final : public Watch {
 public:
  WatcherEntry(MemoryStore& store, std::uint64_t number) : store_(store), number_(number) {}
  ~WatcherEntry() override {
    const std::lock_guard lock(store_.telling_);
    store_.watchers_.erase(number_);
  }

 private:
  MemoryStore& store_;
  std::uint64_t number_;
};

std::unique_ptr<Watch> MemoryStore::watch(std::function<void(Position flushed)> progress) {
  const std::lock_guard lock(telling_);
  const std::uint64_t number = ++watches_given_;
  watchers_[number] = {std::move(progress), state_.lock()->last()};
  return std::make_unique<WatcherEntry>(*this, number);
}

void MemoryStore::tell() {
  const std::lock_guard lock(telling_);
  // Looked up only now: another thread may have told of more while this one waited.
  const Position last = state_.lock()->last();
  for (auto& [number, watcher] : watchers_) {
    if (watcher.told >= last) continue;
    watcher.told = last;
    watcher.progress(last);
  }
}

}  // namespace annals::store
