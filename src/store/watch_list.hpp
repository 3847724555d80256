#pragma once
// Whoever wants to hear of progress. Thread-safe; must outlive the watches that it gave out.

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "event/event_store.hpp"

namespace annals::store {

class WatchList {
 public:
  [[nodiscard]] std::unique_ptr<Watch> add(std::function<void(Position)> progress, Position already_flushed);

  /// Tells everybody who has not heard of as much yet.
  void tell(Position flushed);

 private:
  struct Watcher;
  class Entry;
  using Watchers = std::vector<std::shared_ptr<Watcher>>;  // shared with the Watch that was given out

  std::mutex mutex_;
  std::shared_ptr<const Watchers> watchers_ = std::make_shared<const Watchers>();  // replaced, never changed
};

}  // namespace annals::store
