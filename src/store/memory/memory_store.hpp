#pragma once
// One vector of events, one map of streams, one lock. Everything recorded is at once visible, flushed and told.
// Thread-safe.
//
// Locks, in the order in which they are taken: `telling_`, `state_`.

#include <deque>
#include <map>
#include <mutex>
#include <optional>

#include "base/guarded.hpp"
#include "base/invariant.hpp"
#include "base/text_hash.hpp"
#include "event/group_check.hpp"
#include "store/memory_store.hpp"

namespace annals::store {

class MemoryStore final : public EventStore {
 public:
  explicit MemoryStore(platform::Platform platform);
  ~MemoryStore() override;

  void append(std::span<const Group> groups, AppendDone done) override;
  [[nodiscard]] Result<> restore(std::span<const EventView> events) override;
  [[nodiscard]] Result<EventPage> read_stream(std::string_view stream, StreamVersion from, Direction direction,
                                              PageLimit limit) const override;
  [[nodiscard]] Result<EventPage> read_all(Position after, Horizon horizon, PageLimit limit) const override;
  [[nodiscard]] Result<StreamVersion> stream_version(std::string_view stream) const override;
  [[nodiscard]] Result<StreamVersion> version_at(std::string_view stream, Instant time) const override;
  [[nodiscard]] Result<Position> position_at(Instant time) const override;
  [[nodiscard]] Result<> settle(Instant time) override;
  [[nodiscard]] Cursor cursor(Position position) const override;
  [[nodiscard]] Result<Position> resolve(const Cursor& cursor) const override;
  [[nodiscard]] StoreStatus status() const override;
  [[nodiscard]] Durability durability() const override { return Durability::memory; }
  [[nodiscard]] std::unique_ptr<Watch> watch(std::function<void(Position flushed)> progress) override;

 private:
  struct Recorded {
    NewEvent event;
    std::string stream;
    StreamVersion version;
    Instant created_at;
    std::uint32_t node_id = 1;
  };
  /// A deque, because pages borrow the text of events that later ones must not move; a page shares it, so that the text
  /// outlives the store if it must. The event at position p is at p - 1.
  using History = std::deque<Recorded>;
  /// The positions of a stream's events: that of version v is at v - 1.
  using Stream = std::vector<Position>;
  struct State {
    std::shared_ptr<History> history = std::make_shared<History>();
    TextMap<std::string, Stream> streams;
    std::optional<Instant> settled;
    std::optional<Duration> alarmed_at;

    [[nodiscard]] Position last() const { return Position{history->size()}; }
    [[nodiscard]] const Recorded& at(Position position) const { return (*history)[position.value - 1]; }
    [[nodiscard]] const Stream& stream(std::string_view name) const;
    [[nodiscard]] StreamVersion version(std::string_view name) const { return StreamVersion{stream(name).size()}; }
  };
  struct Watcher {
    std::function<void(Position)> progress;
    Position told;
  };
  class WatcherEntry;

  /// `before` is the last position before the call that the group belongs to.
  AppendResult record(const Group& group, Position before, State& state, const RefusedStreams& refused);
  [[nodiscard]] static Result<> check_conditions(const Group& group, Position before, const State& state);
  [[nodiscard]] Instant next_stamp(State& state);
  void alarm_when_behind(Instant now, State& state);
  void tell();

  /// A page of the events at `positions`, which are in the order asked for.
  template <class Positions>
  [[nodiscard]] static EventPage make_page(const State& state, const Positions& positions, PageLimit limit);

  const platform::Platform platform_;
  const std::uint32_t epoch_;
  Guarded<State> state_;

  std::mutex telling_;  // held while watchers are told, so that calls come one at a time and end before a watch does
  std::map<std::uint64_t, Watcher> watchers_;  // guarded by telling_
  std::uint64_t watches_given_ = 0;            // guarded by telling_
};

}  // namespace annals::store
