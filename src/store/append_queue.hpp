#pragma once
// The calls of append that wait for their turn: whoever finds nobody recording records all that wait, its own call
// included, and the others find their results when they wake. So calls that come while one is recorded are recorded
// together. Thread-safe.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <span>
#include <vector>

#include "event/event_store.hpp"

namespace annals::store {

class AppendQueue {
 public:
  /// One call, on the stack of the thread that waits for it.
  struct Call {
    std::span<const Group> groups;
    std::vector<AppendResult> results;
    bool done = false;
  };
  using Calls = std::vector<Call*>;
  /// Gives every group of every call its result; runs on one of the waiting threads, one at a time, without any lock of
  /// the queue's.
  using Record = std::function<void(const Calls& calls)>;

  explicit AppendQueue(Record record) : record_(std::move(record)) {}

  /// Waits until the groups have been recorded.
  [[nodiscard]] std::vector<AppendResult> run(std::span<const Group> groups);

 private:
  const Record record_;
  std::mutex mutex_;
  std::condition_variable turn_;
  Calls waiting_;           // guarded by mutex_
  bool recording_ = false;  // guarded by mutex_
};

}  // namespace annals::store
