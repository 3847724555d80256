#pragma once
// Witness: an event by what tells it from every other, in a state file that speaks of it: no other store, and no other
// tail of this one, has the same. A value.

#include "base/instant.hpp"
#include "base/number.hpp"
#include "base/uuid.hpp"
#include "event/event_store.hpp"

namespace annals::projection {

struct Witness {
  Position position;  ///< 0, with zeros in the rest, stands for the place before the first event
  Uuid id;
  Instant created_at;
  bool operator==(const Witness&) const = default;
};

[[nodiscard]] inline Witness witness_of(const EventView& event) {
  return {event.position, event.id, event.created_at};
}

/// The one that comes later in the store's order; `left` when they are at the same place.
[[nodiscard]] inline const Witness& later(const Witness& left, const Witness& right) {
  return left.position < right.position ? right : left;
}

/// Asks the store. Errors: gone, when it has no event at `position`; those of EventStore::read_all.
[[nodiscard]] Result<Witness> witness_at(const EventStore& store, Position position);

}  // namespace annals::projection
