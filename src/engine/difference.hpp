#pragma once
// Difference: what of a model differs between two times, in order of keys, found in turns, so that a long answer holds
// nobody up and takes no more memory than what is in hand.
//
// It looks at the events between the two times where they are fewer than the keys there are, and else at every key; a
// key costs a logarithm of its history either way. Reads the store, so it is current whatever the model's consistency
// is; it blocks on the disk as the other queries do. Confined to one thread at a time.

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/queries.hpp"
#include "engine/turn.hpp"
#include "event/event_store.hpp"
#include "model/decider.hpp"
#include "projection/read_table.hpp"

namespace annals::engine {

/// How a record got from one state to another: its values are compared, not its versions.
enum class Change : std::uint8_t { none, added, changed, removed };
[[nodiscard]] Change change_between(const model::Record& from, const model::Record& to);
/// "none", "added", "changed", "removed".
[[nodiscard]] std::string_view to_string(Change change);

/// What a question about time is between. The later may come first: then the answer is told backwards.
struct Interval {
  Instant from;
  std::optional<Instant> to;  ///< nullopt: the newest there is
};

class Difference {
 public:
  struct Row {
    std::string key;
    model::Record from;
    model::Record to;
  };

  /// Everything outlives it. `prefix` and `after` as in ReadTable::list.
  Difference(Past past, const projection::ReadTable& table, Interval interval, std::string prefix,
             std::optional<std::string> after);

  /// Up to `limit` keys that differ, and no more once their values have 1 MiB or the turn is over; fewer, or none, also
  /// before the end. Errors: those of the store's reads.
  [[nodiscard]] Result<std::vector<Row>> next(std::size_t limit, const Turn& turn);
  [[nodiscard]] bool ended() const { return phase_ == Phase::ended; }

  /// Events up to this position have been looked at, once `next` has been called; with `to` given, none after it count.
  [[nodiscard]] Position position() const { return end_; }

  /// What the keys that were collected from events take of memory, about.
  [[nodiscard]] std::size_t bytes_of_keys() const { return touched_bytes_; }

  /// How one key differs; nullopt when it does not.
  [[nodiscard]] Result<std::optional<Row>> compare(const std::string& key) const;

 private:
  enum class Phase : std::uint8_t { unbegun, collecting, comparing, ended };

  [[nodiscard]] Result<> begin();
  [[nodiscard]] Result<> collect();
  void look_at_whole_table();
  [[nodiscard]] std::vector<std::string> next_keys() const;

  const Past past_;
  const projection::ReadTable& table_;
  const Interval interval_;
  const std::string prefix_;
  std::optional<std::string> after_;
  Phase phase_ = Phase::unbegun;
  bool whole_table_ = false;       // the keys of the table are looked at too
  Position collected_;             // events up to here have been collected from
  Position end_;                   // and this is where that ends
  Position begin_;                 // where the events in between begin
  Position table_at_;              // where the table was when this began
  std::set<std::string> touched_;  // keys that events in between are about
  std::size_t touched_bytes_ = 0;
  std::vector<std::string> keys_;  // that are looked at next, from place_ on
  std::size_t place_ = 0;
};

/// What the values of a row take.
[[nodiscard]] std::size_t bytes_of(const Difference::Row& row);

}  // namespace annals::engine
