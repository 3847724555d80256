#pragma once
// The event store in memory: the smallest correct one, for tests and for servers whose data may go with them. Read its
// source first when you add another.
//
// Thread-safe, as every EventStore.

#include <memory>

#include "event/event_store.hpp"
#include "platform/platform.hpp"

namespace annals::store {

/// An empty store, gone when it is destroyed. The platform outlives it.
[[nodiscard]] std::unique_ptr<EventStore> make_memory_store(platform::Platform platform);

}  // namespace annals::store
