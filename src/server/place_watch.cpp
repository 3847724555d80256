#include "server/place_watch.hpp"

#include <mutex>

namespace annals::server {

struct PlaceWatch::Shared {
  std::mutex mutex;
  EventStore* store = nullptr;  // guarded by mutex; null once the watch has ended
};

PlaceWatch::PlaceWatch(EventStore& store, platform::Executor& executor, Duration interval)
    : shared_(std::make_shared<Shared>()) {
  shared_->store = &store;
  ask_later(executor, interval, shared_);
}

PlaceWatch::~PlaceWatch() {
  const std::lock_guard lock(shared_->mutex);
  shared_->store = nullptr;
}

void PlaceWatch::ask_later(platform::Executor& executor, Duration interval, std::shared_ptr<Shared> shared) {
  executor.post_after(interval, [&executor, interval, shared = std::move(shared)]() mutable {
    {
      const std::lock_guard lock(shared->mutex);
      if (shared->store == nullptr) return;
      shared->store->check_place();
    }
    ask_later(executor, interval, std::move(shared));
  });
}

}  // namespace annals::server
