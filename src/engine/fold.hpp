#pragma once
// Folding: records as they were, from their events. A record with a long history and no snapshots takes long, so the
// work goes on in turns.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "engine/turn.hpp"
#include "event/event_store.hpp"
#include "model/decider.hpp"
#include "projection/table_feed.hpp"

namespace annals::engine {

/// Where the past of a model is read. A value; what it names outlives it.
struct Past {
  const EventStore& store;
  const model::Model& model;
  projection::Snapshots* snapshots = nullptr;    ///< null: every record is folded from its first event
  std::atomic<std::uint64_t>* folded = nullptr;  ///< counts the events that are; null: nobody counts
};

[[nodiscard]] inline Past past_of(const EventStore& store, const projection::TableFeed& feed) {
  return {store, feed.model(), feed.snapshots(), &feed.folded()};
}

/// The record after the events of a stream up to a version, or to its end when that comes first. Begins at the nearest
/// snapshot, and makes those that it misses. Confined to one thread at a time.
class Fold {
 public:
  Fold(Past past, std::string stream, StreamVersion last) : past_(past), stream_(std::move(stream)), last_(last) {}

  /// Works until the record is there or the turn is over; true when it is there. Errors: those of
  /// EventStore::read_stream; corrupt.
  [[nodiscard]] Result<bool> go_on(const Turn& turn);
  /// Once, when it is there.
  [[nodiscard]] model::Record take() { return std::move(record_); }

 private:
  [[nodiscard]] Result<> begin();
  [[nodiscard]] Result<bool> begin_at_snapshot();
  [[nodiscard]] Result<EventPage> read_on(StreamVersion from, StreamVersion last) const;

  const Past past_;
  const std::string stream_;
  const StreamVersion last_;
  bool begun_ = false;
  model::Record record_;
  EventPage page_;
  std::size_t place_ = 0;  // in the page, of the event that comes next
};

/// When a record is asked for: right after one of its versions, or at a time.
using When = std::variant<StreamVersion, Instant>;

/// The record of a key as it was then; one that never existed (version 0) when there was none, and at a version that
/// there is not. Confined to one thread at a time.
class PastRecord {
 public:
  /// `now`: what of the past is shown (engine/shown_past.hpp) is counted from then. nullopt: for a list, whose time was
  /// looked at already.
  PastRecord(Past past, std::string_view key, When when, std::optional<Instant> now);

  /// As Fold::go_on. Errors: those, and not_found ("past_not_shown").
  [[nodiscard]] Result<bool> go_on(const Turn& turn);
  [[nodiscard]] model::Record take() { return std::move(record_); }

 private:
  /// True when the record is there already.
  [[nodiscard]] Result<bool> begin();

  const Past past_;
  const std::string key_;
  const When when_;
  const std::optional<Instant> now_;
  std::optional<Fold> fold_;
  model::Record record_;
};

}  // namespace annals::engine
