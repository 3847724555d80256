#pragma once
// Reading events out: of everything, or of one stream, after a position. For `/-/events` and `annals events`.
// Functions; thread-safe.

#include <optional>
#include <string>

#include "event/event_store.hpp"

namespace annals::engine {

/// Flushed events after `after`, of one stream when it is given. Errors: those of the store's reads.
[[nodiscard]] Result<EventPage> read_events(const EventStore& store, const std::optional<std::string>& stream,
                                            Position after, PageLimit limit);

}  // namespace annals::engine
