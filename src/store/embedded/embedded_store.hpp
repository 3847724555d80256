#pragma once
// The event store over one log: conditions, the index of streams, what is visible, and when it is flushed.
// Thread-safe.
//
// Locks, in the order in which they are taken: the queue's (never held while something else is done), the writer's
// (held by the one thread that appends or flushes), the view's (held for moments, by readers too).

#include <absl/container/flat_hash_map.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "base/guarded.hpp"
#include "event/group_check.hpp"
#include "store/append_queue.hpp"
#include "store/embedded/damage_notes.hpp"
#include "store/embedded/index/sealed_streams.hpp"
#include "store/embedded_store.hpp"
#include "store/watch_list.hpp"

namespace annals::store {

/// The index of the segment that an opening read last.
struct ReadSegment {
  std::optional<std::uint32_t> number;  ///< nullopt when it held no group, as did none before it that was read
  SegmentStreams streams;
};

/// What a caller knows of a stream (StreamAppend::known_at).
struct KnownVersion {
  StreamVersion version;
  Position at;
};

class EmbeddedStore final : public EventStore {
 public:
  /// `background` is null for a store that is only read.
  EmbeddedStore(EmbeddedOptions options, platform::Platform platform, platform::Executor* background,
                std::unique_ptr<log::Log> log, ReadSegment last_read);
  ~EmbeddedStore() override;

  void append(std::span<const Group> groups, AppendDone done) override;
  [[nodiscard]] Result<> restore(std::span<const EventView> events) override;
  [[nodiscard]] Result<EventPage> read_stream(std::string_view stream, StreamVersion from, Direction direction,
                                              PageLimit limit) const override {
    return damage_.noted(page_of_stream(stream, from, direction, limit));
  }
  [[nodiscard]] Result<EventPage> read_all(Position after, Horizon horizon, PageLimit limit) const override {
    return damage_.noted(page_of_all(after, horizon, limit));
  }
  [[nodiscard]] Result<StreamVersion> stream_version(std::string_view stream) const override {
    return damage_.noted(newest_version(stream));
  }
  [[nodiscard]] Result<StreamVersion> version_at(std::string_view stream, Instant time) const override {
    return damage_.noted(last_version_at(stream, time));
  }
  [[nodiscard]] Result<EventPage> read_at(std::string_view stream, Instant time) const override {
    return damage_.noted(page_at(stream, time));
  }
  [[nodiscard]] Result<Position> position_at(Instant time) const override {
    return damage_.noted(last_position_at(time));
  }
  [[nodiscard]] Result<> admits(const Group& group) const override;
  [[nodiscard]] Result<> settle(Instant time) override;
  [[nodiscard]] Cursor cursor(Position position) const override;
  [[nodiscard]] Result<Position> resolve(const Cursor& cursor) const override;
  [[nodiscard]] StoreStatus status() const override;
  [[nodiscard]] StoreMetrics metrics() const override;
  void check_place() override;
  void limit_searches(Duration time) override { sealed_->limit_searches(time); }
  [[nodiscard]] Result<> flush() override { return flush_now(); }
  [[nodiscard]] Result<> close() override;
  [[nodiscard]] Durability durability() const override { return durability_of(AskedDurability::store); }
  [[nodiscard]] Durability durability_of(AskedDurability asked) const override;
  [[nodiscard]] std::unique_ptr<Watch> watch(std::function<void(Position flushed)> progress) override;

 private:
  using Calls = AppendQueue::Calls;
  /// The versions of streams as the batch in hand would leave them.
  using Pending = absl::flat_hash_map<std::string_view, StreamVersion, StreamNameHash>;
  struct View {
    std::uint32_t segment = 0;  // that is being written
    SegmentStreams open;        // its streams; those of the segments before it are in sealed_
    Position visible;
    Position flushed;
    void check_invariants() const { INVARIANT(flushed <= visible, "what is flushed has been written"); }
  };

  // What the functions of EventStore answer.
  [[nodiscard]] Result<EventPage> page_of_stream(std::string_view stream, StreamVersion from, Direction direction,
                                                 PageLimit limit) const;
  [[nodiscard]] Result<EventPage> page_of_all(Position after, Horizon horizon, PageLimit limit) const;
  [[nodiscard]] Result<StreamVersion> newest_version(std::string_view stream,
                                                     std::optional<KnownVersion> known = std::nullopt) const;
  [[nodiscard]] Result<StreamVersion> last_version_at(std::string_view stream, Instant time) const;
  [[nodiscard]] Result<EventPage> page_at(std::string_view stream, Instant time) const;
  [[nodiscard]] Result<Position> last_position_at(Instant time) const;

  void append_together(const Calls& calls);
  /// `before` is the last position before the call that the group belongs to.
  AppendResult stage(const Group& group, Position before, log::Batch& batch, Pending& pending,
                     const RefusedStreams& refused);
  /// `group` is of the event alone.
  [[nodiscard]] AppendResult stage_restored(const EventView& event, const Group& group, log::Batch& batch,
                                            Pending& pending);
  /// The versions that the group's streams have before it.
  [[nodiscard]] Result<std::vector<StreamVersion>> check_conditions(const Group& group, Position before,
                                                                    const Pending& pending) const;
  /// Errors: unavailable, when the stream cannot be found out about.
  [[nodiscard]] Result<StreamVersion> version_of(std::string_view stream, const Pending& pending,
                                                 std::optional<KnownVersion> known = std::nullopt) const;
  /// `visitor` after it has taken what it needs of a stream, newest pieces first: `passes_over(SegmentSpan)` says of
  /// which segments it needs nothing, `Result<bool> take(const Piece&)`
  /// says whether older ones are needed. Errors: corrupt, input_output.
  template <class Visitor>
  [[nodiscard]] Result<Visitor> look_up(std::string_view stream, const Visitor& visitor) const;
  /// The last event of a stream at or before a time, and where it is; version 0 when there is none.
  struct Found {
    StreamVersion version;
    Address address;
  };
  [[nodiscard]] Result<Found> find_at(std::string_view stream, Instant time) const;
  void publish(const Calls& calls, const log::Batch& batch);
  void alarm_when_clock_is_behind();

  // Flushes that nobody waits for.
  struct Timer;
  void schedule_flush();
  /// Errors: unavailable; every append is refused from then on, and the status says why.
  [[nodiscard]] Result<> flush_now();

  const EmbeddedOptions options_;
  const platform::Platform platform_;
  platform::Executor* const background_;

  AppendQueue queue_{[this](const Calls& calls) { append_together(calls); }};

  std::mutex writer_mutex_;
  std::unique_ptr<log::Log> log_;
  std::optional<Duration> alarmed_at_;  // guarded by writer_mutex_
  bool flush_scheduled_ = false;        // guarded by writer_mutex_

  mutable std::mutex settled_mutex_;
  Instant settled_{INT64_MIN};

  mutable DamageNotes damage_;
  std::unique_ptr<SealedStreams> sealed_;  // reads the log
  Guarded<View> view_;
  WatchList watches_;
  std::atomic<std::uint64_t> place_checks_ = 0;
  std::shared_ptr<Timer> timer_;  // shared with the tasks that were posted
};

template <class Visitor>
Result<Visitor> EmbeddedStore::look_up(std::string_view stream, const Visitor& visitor) const {
  for (;;) {
    Visitor asked = visitor;
    std::shared_ptr<const SealedStreams::Ranges> ranges;
    {
      const auto view = view_.lock();
      if (const StreamStretch* stretch = view->open.find(stream)) {
        if (!TRY(asked.take(Piece(*stretch)))) return asked;
      }
      ranges = sealed_->ranges();  // under the lock, so that no segment is sealed between the two
    }
    if (TRY(sealed_->visit(*ranges, stream, asked))) return asked;
    // An index was lost. Each is lost once, so this ends: what comes in its place is made from the log.
  }
}

/// Finds the newest version of a stream. Where the index of segments is missing all of whose events its caller has
/// taken in, the caller's word is taken for theirs. That gives the right version: the segments are visited newest
/// first, and the visit ends at the first that has the stream, so the stream has no event in those behind; the last
/// event, if any, is in this one or an older one, hence at or before `at`, and what those leave is what the caller
/// knows.
struct NewestVersion {
  const log::Log& log;
  std::optional<KnownVersion> known;
  StreamVersion version{};
  [[nodiscard]] static bool passes_over(SegmentSpan) { return false; }
  /// `segments` are sealed, so there is one behind them.
  bool knows(SegmentSpan segments) {
    if (!known || log.first_of_segment(segments.last + 1) > known->at.next()) return false;
    version = known->version;
    return true;
  }
  Result<bool> take(const Piece& piece) {
    version = piece.last();
    return false;
  }
};

}  // namespace annals::store
