#pragma once
// Queries of the past: they read the store, so they are current whatever a model's consistency is. They block on the
// disk, for pages that are not in the system's cache. Functions without state; thread-safe.

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/fold.hpp"
#include "projection/read_table.hpp"

namespace annals::engine {

/// The record as it was right after version `version`; one that never existed (version 0) when the stream is shorter.
/// Errors: those of EventStore::read_stream.
[[nodiscard]] Result<model::Record> record_at_version(const Past& past, std::string_view key, StreamVersion version);

/// The record of a stream as it is in the store. Errors: those of EventStore::read_stream; corrupt.
[[nodiscard]] Result<model::Record> newest_record(const Past& past, std::string_view stream);

/// The record after the events of a stream up to version `last`, or to its end when that comes first; for models whose
/// last event does not tell the whole state. Errors: those of EventStore::read_stream; corrupt.
[[nodiscard]] Result<model::Record> fold(const Past& past, std::string_view stream, StreamVersion last);

/// The record as it was at `time`.
[[nodiscard]] Result<model::Record> record_at_time(const Past& past, std::string_view key, Instant time);

/// Walks over the keys of a model as they were at a time, in order, in pieces, so that a long list holds nobody up and
/// takes no more memory than what is in hand. Confined to one thread at a time.
class ListAtTime {
 public:
  struct Row {
    std::string key;
    model::Record record;
  };

  /// Everything outlives the list. `prefix` and `after` as in ReadTable::list.
  ListAtTime(Past past, const projection::ReadTable& table, Instant time, std::string prefix,
             std::optional<std::string> after);

  /// The next rows that existed then: up to `rows_max`, and no more once their values have `bytes_max` bytes or the
  /// turn is over; fewer, or none, also before the end. Errors: those of the store's reads; not_found
  /// ("past_not_shown"), when one was at a version that is not shown any more.
  [[nodiscard]] Result<std::vector<Row>> next(std::size_t rows_max, std::size_t bytes_max, const Turn& turn);
  /// True once no row can follow.
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  [[nodiscard]] Result<> begin();
  /// A page of events, for keys that the table does not know, because it is behind (models that are not live).
  [[nodiscard]] Result<> collect();
  /// nullopt when the turn is over before.
  [[nodiscard]] Result<std::optional<model::Record>> record_then(const std::string& key, const Turn& turn);
  [[nodiscard]] std::vector<std::string> next_keys(std::size_t limit) const;

  const Past past_;
  const projection::ReadTable& table_;
  const Instant time_;
  const std::string prefix_;
  std::optional<std::string> after_;
  std::set<std::string> unknown_keys_;
  std::vector<std::string> keys_;  // that are looked at next, from place_ on
  std::size_t place_ = 0;
  std::optional<PastRecord> looked_up_;  // that of place_, while the work on it goes on
  bool begun_ = false;
  Position collected_;          // events up to here have been collected from
  Position end_;                // and this is where that ends
  bool table_has_all_ = false;  // of what was recorded up to then
  bool ended_ = false;
};

}  // namespace annals::engine
