#include "store/watch_list.hpp"

namespace annals::store {

struct WatchList::Watcher {
  std::mutex mutex;  // held while the callback runs, so that calls come one at a time and end before the watch does
  std::function<void(Position)> progress;
  Position told;
};

class WatchList::Entry final : public Watch {
 public:
  Entry(WatchList& list, std::shared_ptr<Watcher> watcher) : list_(list), watcher_(std::move(watcher)) {}
  ~Entry() override {
    {
      const std::lock_guard lock(list_.mutex_);
      auto left = std::make_shared<Watchers>(*list_.watchers_);
      std::erase(*left, watcher_);
      list_.watchers_ = std::move(left);
    }
    const std::lock_guard lock(watcher_->mutex);
    watcher_->progress = nullptr;
  }

 private:
  WatchList& list_;
  std::shared_ptr<Watcher> watcher_;
};

std::unique_ptr<Watch> WatchList::add(std::function<void(Position)> progress, Position already_flushed) {
  auto watcher = std::make_shared<Watcher>();
  watcher->progress = std::move(progress);
  watcher->told = already_flushed;
  const std::lock_guard lock(mutex_);
  auto more = std::make_shared<Watchers>(*watchers_);
  more->push_back(watcher);
  watchers_ = std::move(more);
  return std::make_unique<Entry>(*this, std::move(watcher));
}

void WatchList::tell(Position flushed) {
  std::shared_ptr<const Watchers> watchers;
  {
    const std::lock_guard lock(mutex_);
    watchers = watchers_;
  }
  for (const auto& watcher : *watchers) {
    const std::lock_guard lock(watcher->mutex);
    if (!watcher->progress || watcher->told >= flushed) continue;
    watcher->told = flushed;
    watcher->progress(flushed);
  }
}

}  // namespace annals::store
