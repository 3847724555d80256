#pragma once
// TableWalk: a way through the rows of a read table: in order of their keys, or of an indexed field's values; up or
// down; all of them, or those in some ranges. Walked a few rows at a time, so that the table is held for no longer.
// Values; no thread rule.

#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "projection/stored_row.hpp"

namespace annals::projection {

/// From `low` on, up to before `high`; an empty `high`: up to the end.
struct WalkRange {
  std::string low;
  std::string high;

  bool operator==(const WalkRange&) const = default;
};

struct TableWalk {
  std::optional<std::size_t> index;  ///< the field's place in the model; nullopt: the order of the keys
  bool descending = false;           ///< of an index: values go down; where they are equal, keys go up all the same
  std::vector<WalkRange> ranges;     ///< of keys, or of values (model/value_order.hpp); ascending, and apart
};

/// Where a walk has come to.
struct WalkPlace {
  std::string order;  ///< of the value; of a walk in order of the keys, the key
  std::string key;    ///< empty: before the first record of that value
};

struct WalkedRows {
  std::vector<RowHolder> rows;      ///< of records that exist
  std::vector<std::string> orders;  ///< of a walk in order of a field: of each row's value
  std::optional<WalkPlace> place;   ///< where to go on; nullopt once nothing is left
};

/// Calls `visit(entry)` for the entries of a sorted set, as `walk` has it, after `after`, until it answers false: true
/// when it never did. `at(order, key)` is what the set looks up, `order_of(entry)` an entry's order.
template <class Set, class At, class OrderOf, class Visit>
bool walk_over(const Set& set, const TableWalk& walk, const std::optional<WalkPlace>& after, At at, OrderOf order_of,
               Visit visit) {
  const auto end_of = [&](const WalkRange& range) {
    return range.high.empty() ? set.end() : set.lower_bound(at(range.high, {}));
  };
  const auto holds = [](const WalkRange& range, const std::string& order) {
    return order >= range.low && (range.high.empty() || order < range.high);
  };
  const auto up = [&](auto from, auto to) {
    for (; from != to; ++from) {
      if (!visit(*from)) return false;
    }
    return true;
  };
  // Groups of equal orders from the last to the first, each of them upwards.
  const auto down = [&](const WalkRange& range) {
    auto to = end_of(range);
    if (after && holds(range, after->order)) {
      auto next = set.upper_bound(at(after->order, after->key));
      for (; next != set.end() && order_of(*next) == after->order; ++next) {
        if (!visit(*next)) return false;
      }
      to = set.lower_bound(at(after->order, {}));
    }
    while (to != set.begin()) {
      auto from = std::prev(to);
      if (order_of(*from) < std::string_view(range.low)) break;
      if (from != set.begin() && order_of(*std::prev(from)) == order_of(*from))
        from = set.lower_bound(at(order_of(*from), {}));
      if (!up(from, to)) return false;
      to = from;
    }
    return true;
  };
  if (walk.descending) {
    for (auto range = walk.ranges.rbegin(); range != walk.ranges.rend(); ++range) {
      if (after && after->order < range->low) continue;
      if (!down(*range)) return false;
    }
    return true;
  }
  for (const WalkRange& range : walk.ranges) {
    if (after && !range.high.empty() && after->order >= range.high) continue;
    const bool within = after && after->order >= range.low;
    const auto from = within ? set.upper_bound(at(after->order, after->key)) : set.lower_bound(at(range.low, {}));
    if (!up(from, end_of(range))) return false;
  }
  return true;
}

}  // namespace annals::projection
