#pragma once
// PlaceWatch: asks a store again and again whether it still is where it was opened, so that one whose directory was
// removed under it stops taking writes that nobody would find again, also when nobody asks for its health.
//
// Made and destroyed on one thread, not that of the executor.

#include <memory>

#include "event/event_store.hpp"
#include "platform/platform.hpp"

namespace annals::server {

class PlaceWatch {
 public:
  /// The store and the executor outlive the watch.
  PlaceWatch(EventStore& store, platform::Executor& executor, Duration interval = std::chrono::seconds{1});
  /// Afterwards the store is not asked any more.
  ~PlaceWatch();
  PlaceWatch(const PlaceWatch&) = delete;
  PlaceWatch& operator=(const PlaceWatch&) = delete;

 private:
  struct Shared;
  static void ask_later(platform::Executor& executor, Duration interval, std::shared_ptr<Shared> shared);
  std::shared_ptr<Shared> shared_;  // shared with the task that waits for its time
};

}  // namespace annals::server
