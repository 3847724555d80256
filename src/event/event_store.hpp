#pragma once
// THE WAIST: append groups on conditions, read a stream, read everything, hear of progress.
//
// An event store keeps events in streams, and all of them in one order. What it promises, on every implementation
// (tests/contract/event_store_contract.cpp holds each of them to it):
//
//   1. A group is recorded whole or not at all, also across several streams, also when power fails.
//   2. The events of a stream are given versions 1, 2, 3, ... without gaps,
//      and all events of the store positions 1, 2, 3, ...
//      The events of a group have consecutive positions. See promise 6.
//   3. `created_at` strictly increases with the position: a group is stamped with max(clock, last stamp + 1 us) and its
//      events 1 us apart. A clock that runs behind the log is logged as an alarm and never makes time run backwards.
//   4. Nothing can be read before it is recorded (see Durability), and a reader of everything never skips an event,
//      whatever commits late.
//   5. When it is not known whether a group was recorded, the answer is `unavailable` and no later append succeeds
//      until that is known (embedded: until it is opened again; postgres: once the database has been asked). Reads go
//      on where what is read is still there.
//   6. Nothing is ever changed or removed by way of this interface. Of a store that others write to too, somebody may
//      have removed events for good by other means (a hard delete in a database). Their positions then hold no event,
//      and none ever will again: what is recorded comes after `visible`, which does not go back for it. So positions
//      have gaps there, also before the first event and after the last, and a stream's versions may; whoever reads
//      everything goes on by EventPage::next_after, and counts what holds no event as read.
//
// Threads: every function may be called from any thread. Appends take effect in the order of the calls.
//
// Source: the vocabulary is that of Message DB, Equinox and the Elixir library EventStore; the conditions on appends
// are those of the "dynamic consistency boundary" in their smallest useful form (`nothing_after`).

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/histogram.hpp"
#include "base/result.hpp"
#include "event/cursor.hpp"
#include "event/durability.hpp"
#include "event/event.hpp"

namespace annals {

/// What version a stream must be at for an append to it.
class ExpectedVersion {
 public:
  enum class Rule : std::uint8_t { any, none, exists, exact };

  [[nodiscard]] static constexpr ExpectedVersion any() { return {Rule::any, {}}; }
  /// The stream has no events.
  [[nodiscard]] static constexpr ExpectedVersion none() { return {Rule::none, {}}; }
  /// The stream has at least one event.
  [[nodiscard]] static constexpr ExpectedVersion exists() { return {Rule::exists, {}}; }
  /// The stream's last event has this version; exact(0) is none().
  [[nodiscard]] static constexpr ExpectedVersion exact(StreamVersion version) { return {Rule::exact, version}; }

  [[nodiscard]] constexpr bool admits(StreamVersion current) const {
    switch (rule_) {
      case Rule::any: return true;
      case Rule::none: return current.value == 0;
      case Rule::exists: return current.value > 0;
      case Rule::exact: return current == version_;
    }
    return false;
  }
  [[nodiscard]] constexpr Rule rule() const { return rule_; }
  [[nodiscard]] constexpr StreamVersion version() const { return version_; }
  /// "version 3", "no events", "at least one event", "any version".
  [[nodiscard]] std::string to_text() const;

 private:
  constexpr ExpectedVersion(Rule rule, StreamVersion version) : rule_(rule), version_(version) {}
  Rule rule_;
  StreamVersion version_;
};

/// Events for one stream. A group may name a stream once only.
struct StreamAppend {
  std::string stream;  ///< 1 to 1,024 bytes of UTF-8 without control characters
  ExpectedVersion expected = ExpectedVersion::any();
  std::vector<NewEvent> events;  ///< at least one
  /// When set: the caller has seen every event of the stream up to this position, and if `expected` is exact, it is the
  /// version that those events leave. A store that cannot look that far back just now may rely on this; it looks for
  /// events after the position all the same.
  std::optional<Position> known_at = std::nullopt;
};

/// What one command records: all of it or nothing.
struct Group {
  std::vector<StreamAppend> appends;  ///< at least one; recorded in this order
  /// When set: conflict if anything at all was recorded after this position, but for earlier groups of the same call,
  /// with which its caller decided it together.
  std::optional<Position> nothing_after;
  /// What its success is asked to promise. What is asked of one group is given to all that were recorded before it,
  /// because it may rest on them, and to those of the same call.
  AskedDurability durability = AskedDurability::store;
};

/// Where a group went. Its n-th event (from 0, in the group's order) is at `first.plus(n)`,
/// and is stamped `created_at` + n us.
struct Appended {
  Position first;
  Position last;
  Instant created_at;
  /// For each StreamAppend, the version of its last event.
  std::vector<StreamVersion> versions;
};

using AppendResult = Result<Appended>;
using AppendDone = std::move_only_function<void(std::vector<AppendResult>)>;

enum class Direction : std::uint8_t { forward, backward };

/// How far a reader of everything looks. They differ only where success may come before a flush.
enum class Horizon : std::uint8_t {
  flushed,  ///< what survives the loss of power: for subscribers and checkpoints
  visible,  ///< what replies have told of: for read tables in memory
};

/// Some events in the order asked for. Immutable; the events' text lives as long as the page.
class EventPage {
 public:
  EventPage() = default;
  EventPage(std::vector<EventView> events, std::shared_ptr<const void> storage, bool more, Position read_to = {})
      : events_(std::move(events)), storage_(std::move(storage)), more_(more), read_to_(read_to) {}

  [[nodiscard]] const std::vector<EventView>& events() const { return events_; }
  /// True when a further page, from after the last event of this one, would not have been empty.
  [[nodiscard]] bool more() const { return more_; }

  /// Of EventStore::read_all after `after`: the position after which a reader goes on. Between the two no event ever
  /// becomes visible but those of this page. It is that of the page's last event, or a later one, up to which no
  /// position holds an event any more; `after` itself when nothing of either kind is there.
  [[nodiscard]] Position next_after(Position after) const {
    return std::max({after, read_to_, events_.empty() ? Position{} : events_.back().position});
  }

 private:
  std::vector<EventView> events_;
  std::shared_ptr<const void> storage_;  // shared by copies of the page; keeps the text that the events borrow
  bool more_ = false;
  Position read_to_;  // 0 where it is that of the last event
};

/// A page's limits; it ends before the event that would exceed one of them, but has at least one event if there is one.
struct PageLimit {
  std::size_t events_max = 1000;
  std::size_t bytes_max = 1u << 20;
};

/// Stops a watch when destroyed. After the destructor returns, the callback does not run and will not run.
class Watch {
 public:
  virtual ~Watch() = default;
};

struct StoreStatus {
  Position visible;                   ///< the last position that can be read; it may hold no event (promise 6)
  Position flushed;                   ///< the last position that survives the loss of power
  bool writable = true;               ///< false once an append's outcome is unknown, until it is known (see promise 5)
  std::string reason;                 ///< why it is not writable: one sentence
  bool has_room = true;               ///< false while appends are refused for want of room; that ends by itself
  std::optional<bool> last_flush_ok;  ///< nullopt before the first
  Duration last_flush_duration{0};
  std::uint64_t damaged_reads = 0;  ///< that met something that is not what was written, since the store was opened
  /// Why nothing has been heard from the store since it was opened: a sentence that names no file and no host. Empty
  /// once it has been. Until then what the store tells of itself, cursors included, is what was remembered of it, and
  /// reads of events and appends are refused ("database_away").
  std::string away;
  /// Why what is found in the store's place is not what was read and recorded here: a sentence as of `away`, with what
  /// to do. Empty while it is. Until it is again, reads of events and appends are refused ("database_away"); the rest
  /// of this tells of what was.
  std::string displaced;
  /// Why the store, heard from before, cannot be asked at present: a sentence as of `away`. Empty while it can. Reads
  /// of events and appends are most likely refused meanwhile ("database_away").
  std::string unreachable;

  /// Why reads of events are refused, of the three above, or empty.
  [[nodiscard]] const std::string& why_unread() const {
    if (!away.empty()) return away;
    return displaced.empty() ? unreachable : displaced;
  }
};

/// What a store counts; zeros and empty where it has no such thing.
struct StoreMetrics {
  HistogramSnapshot flush_durations;  ///< microseconds
  std::uint64_t log_bytes = 0;        ///< that the events take on the disk
  std::uint64_t segments = 0;
  std::uint64_t segments_unindexed = 0;  ///< whose index was lost and is still to be made anew
  std::uint64_t index_bytes = 0;         ///< that the files of indexes take on the disk
  std::uint64_t index_memory_bytes = 0;  ///< that indexes take of memory, files' pages included; more or less
};

/// Keeps the other servers of a shared store from recording anything, until the next append of this one, or until it is
/// destroyed. Whoever holds it reads, decides and appends at once.
class Hold {
 public:
  virtual ~Hold() = default;
};

class EventStore {
 public:
  virtual ~EventStore() = default;

  /// Records the groups, one after another, each whole or not at all. Once one is refused, a later group of the same
  /// call that names one of its streams is refused too, with conflict, and so on from that one: it was decided on what
  /// did not come to be. To the other groups a refusal is no matter; they see the store without it. They are made
  /// durable together, as the one that asks for most. `done` is called exactly once, with a result a group, inside the
  /// call to append or later on some other thread; until then nobody can read the events, and `groups` stay the
  /// caller's to keep alive and unchanged.
  ///
  /// Errors, a group: conflict ("version_conflict": a stream is not at its expected version, something was recorded
  /// after `nothing_after`, or an earlier group of the call with one of its streams was refused; nothing of the group
  /// is recorded and nothing else is touched); gone ("stream_removed": events of a stream that the caller has taken in,
  /// by its `known_at`, were removed for good, see promise 6; nothing is recorded); invalid, too_large (a limit in
  /// event.hpp; nothing recorded); unavailable ("no_room", "index_missing", "database_away", "database_exhausted":
  /// nothing of the group is recorded, and the same append may succeed later; any other code: it is unknown whether the
  /// group was recorded, or an earlier outcome is: see promise 5).
  virtual void append(std::span<const Group> groups, AppendDone done) = 0;

  /// Records events of another store as they are, with position, version, id, time and node; for a store that is to
  /// become a copy, and that nobody else appends to. They go on where this store ends. They are durable when it
  /// returns.
  ///
  /// Errors: conflict ("not_next"), for an event that does not go on where the one before it ended: in position, in its
  /// stream's version, or in time; those of append. The events before the one that was refused may have been recorded,
  /// and it and those after it have not.
  [[nodiscard]] virtual Result<> restore(std::span<const EventView> events) = 0;

  /// Events of one stream, from version `from` on (forward) or down (backward; a `from` beyond the end means the end).
  /// An unknown stream is an empty page. Reads what is visible.
  /// Errors: corrupt, input_output, unavailable.
  [[nodiscard]] virtual Result<EventPage> read_stream(std::string_view stream, StreamVersion from, Direction direction,
                                                      PageLimit limit) const = 0;

  /// Events of all streams after position `after`, in order. Unless there are more, the page's `next_after` is no
  /// earlier than what `status` told of the horizon before the call. Errors: corrupt, input_output, unavailable.
  [[nodiscard]] virtual Result<EventPage> read_all(Position after, Horizon horizon, PageLimit limit) const = 0;

  /// The version of the stream's last visible event; 0 when it has none.
  [[nodiscard]] virtual Result<StreamVersion> stream_version(std::string_view stream) const = 0;

  /// The version that the stream had at `time`: that of its last event with created_at <= time; 0 when there is none.
  /// Costs a logarithm of the stream's length.
  [[nodiscard]] virtual Result<StreamVersion> version_at(std::string_view stream, Instant time) const = 0;

  /// The stream's last event with created_at <= time; an empty page when there is none. Whether more follows is not
  /// told. What version_at and read_stream find together, for stores that can find it at once.
  /// Errors: corrupt, input_output, unavailable.
  [[nodiscard]] virtual Result<EventPage> read_at(std::string_view stream, Instant time) const;

  /// The position of the last event with created_at <= time, of all streams; 0 when there is none.
  [[nodiscard]] virtual Result<Position> position_at(Instant time) const = 0;

  /// From now on a read or an append that has to look through the log itself, because the index that would tell is
  /// being made anew, is refused (unavailable, "index_missing"; nothing was recorded) once that has taken about so
  /// long. Until it is called, it takes as long as it takes. For a server, whose clients wait.
  virtual void limit_searches(Duration) {}

  /// What append would refuse of the group for its own sake, whatever is recorded already.
  /// Errors: those of check_group (event/group_check.hpp); too_large, when the store has no room for it as a whole.
  [[nodiscard]] virtual Result<> admits(const Group& group) const;

  /// From now on no event will be stamped at or before `time`, so that an answer about it never changes. A time in the
  /// future (by the store's clock) is ignored. Appends already under way here may still be stamped before it: whoever
  /// needs them too waits for those to finish after this call. In a shared store it waits for those of other servers;
  /// `newest` then tells of them.
  /// Errors: unavailable, overloaded, when other servers cannot be kept from it: an answer about `time` may change yet.
  [[nodiscard]] virtual Result<> settle(Instant time) = 0;

  /// True when other servers append to the same events. What they record becomes visible here soon after, and `watch`
  /// tells of it.
  [[nodiscard]] virtual bool shared() const { return false; }

  /// Asks what is recorded, whoever recorded it: the last position, which is visible here from now on.
  /// Errors: unavailable, when the store cannot be asked.
  [[nodiscard]] virtual Result<Position> newest() { return status().visible; }

  /// Keeps others from appending, for a caller that they came before again and again; null where there are no others.
  /// To be followed by `newest`. Errors: unavailable.
  [[nodiscard]] virtual Result<std::unique_ptr<Hold>> hold_others_off() { return nullptr; }

  /// How many reads (of events, versions and positions, and what `resolve` asks) this store makes at a time that may
  /// wait for another machine, be it that its locks or a network that is silent keep them for many seconds. Whoever
  /// must not wait so long has them made on as many threads apart. 0: reads wait for this machine alone, and are made
  /// where they are asked.
  [[nodiscard]] virtual std::size_t remote_reads_max() const { return 0; }

  /// With false, reads that wait for another machine are given up (unavailable), and none begins to, until it is told
  /// true: for a server that goes down, whose threads have to end. Where `remote_reads_max` is 0 it does nothing.
  virtual void let_reads_wait(bool) {}

  /// The token for a position of this store.
  [[nodiscard]] virtual Cursor cursor(Position position) const = 0;

  /// The position that a cursor stands for. It may be beyond the end (not yet visible here).
  /// Errors: gone ("cursor_gone"), when it points into a lost tail or comes from another store.
  [[nodiscard]] virtual Result<Position> resolve(const Cursor& cursor) const = 0;

  /// True when `resolve` answers about the cursor without asking another machine.
  [[nodiscard]] virtual bool knows(const Cursor&) const { return true; }

  [[nodiscard]] virtual StoreStatus status() const = 0;
  [[nodiscard]] virtual StoreMetrics metrics() const { return {}; }

  /// Finds out whether what the store writes can still be found where it was opened, and takes no append any more when
  /// it cannot (its directory was removed under it): the status then says so. To be called now and then, on any thread.
  virtual void check_place() {}

  /// Makes durable what is visible, where that is not so by itself (see durability_of). Errors: unavailable, when
  /// writing had failed before or fails now.
  [[nodiscard]] virtual Result<> flush() { return {}; }

  /// Makes durable what is not yet and closes the store: no append may follow. Call it once everybody has stopped, to
  /// hear whether all went well; the destructor does it otherwise.
  /// Errors: unavailable, when writing had failed before or fails now.
  [[nodiscard]] virtual Result<> close() { return {}; }

  /// What success of an append means that asks for nothing else.
  [[nodiscard]] virtual Durability durability() const = 0;

  /// What success of an append means that asks for this much.
  [[nodiscard]] virtual Durability durability_of(AskedDurability) const { return durability(); }

  /// Calls `progress` with the last flushed position, after it has grown. Calls may be merged, come on any thread, one
  /// at a time, and must return quickly: post to an executor, do not read or append from inside.
  [[nodiscard]] virtual std::unique_ptr<Watch> watch(std::function<void(Position flushed)> progress) = 0;
};

}  // namespace annals
