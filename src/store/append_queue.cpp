#include "store/append_queue.hpp"

namespace annals::store {

std::vector<AppendResult> AppendQueue::run(std::span<const Group> groups) {
  Call call{.groups = groups, .results = {}};
  std::unique_lock lock(mutex_);
  waiting_.push_back(&call);
  turn_.wait(lock, [&] { return call.done || !recording_; });
  if (!call.done) {
    recording_ = true;
    Calls calls;
    calls.swap(waiting_);
    lock.unlock();
    record_(calls);
    lock.lock();
    for (Call* recorded : calls) recorded->done = true;
    recording_ = false;
    lock.unlock();
    turn_.notify_all();
  }
  return std::move(call.results);
}

}  // namespace annals::store
