#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "base/invariant.hpp"
#include "platform/executor.hpp"

namespace annals::platform {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

class ThreadExecutor final : public Executor {
 public:
  explicit ThreadExecutor(const char* name) : thread_([this, text = std::string(name).substr(0, 15)] { run(text); }) {}

  ~ThreadExecutor() override {
    INVARIANT(std::this_thread::get_id() != thread_.get_id(), "an executor is not destroyed by one of its own tasks");
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }

  void post(Task task) override {
    INVARIANT(task != nullptr, "a task can be called");
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      ready_.push_back(std::move(task));
    }
    changed_.notify_one();
  }

  void post_after(Duration delay, Task task) override {
    INVARIANT(task != nullptr, "a task can be called");
    const SteadyTime due = std::chrono::steady_clock::now() + delay;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      waiting_.emplace(due, std::move(task));
    }
    changed_.notify_one();
  }

 private:
  void run(const std::string& name) {
    pthread_setname_np(pthread_self(), name.c_str());
    while (Task task = next()) task();
  }

  /// Waits for a task; an empty one once the executor is stopping and what was posted before has run.
  Task next() {
    std::unique_lock lock(mutex_);
    while (true) {
      take_what_is_due();
      if (!ready_.empty()) {
        Task task = std::move(ready_.front());
        ready_.pop_front();
        return task;
      }
      if (stopping_) return {};
      if (waiting_.empty()) {
        changed_.wait(lock);
      } else {
        // A copy: the map may change while the lock is released.
        const SteadyTime due = waiting_.begin()->first;
        changed_.wait_until(lock, due);
      }
    }
  }

  void take_what_is_due() {
    if (waiting_.empty() || stopping_) return;
    const SteadyTime now = std::chrono::steady_clock::now();
    while (!waiting_.empty() && waiting_.begin()->first <= now) {
      ready_.push_back(std::move(waiting_.begin()->second));
      waiting_.erase(waiting_.begin());
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> ready_;                   // guarded by mutex_
  std::multimap<SteadyTime, Task> waiting_;  // guarded by mutex_; those of one moment in the order of their posting
  bool stopping_ = false;                    // guarded by mutex_
  std::thread thread_;                       // last: it uses the others as soon as it is there
};

}  // namespace

std::unique_ptr<Executor> make_thread_executor(const char* name) {
  return std::make_unique<ThreadExecutor>(name);
}

}  // namespace annals::platform
