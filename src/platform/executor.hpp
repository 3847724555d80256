#pragma once
// Executors: where work runs. Nobody above platform makes a thread; components are handed an Executor and are stepped
// by it, so that one day a whole server runs on one simulated thread.

#include <functional>
#include <memory>

#include "base/instant.hpp"

namespace annals::platform {

using Task = std::move_only_function<void()>;

/// Runs tasks one after another, in the order of their posting, on one thread. `post` and `post_after` are thread-safe.
class Executor {
 public:
  virtual ~Executor() = default;

  /// Runs `task` soon, after those posted before it; never inside the call to `post`. A task posted to an executor that
  /// has been stopped is destroyed without being run.
  virtual void post(Task task) = 0;

  /// Runs `task` once `delay` has passed.
  virtual void post_after(Duration delay, Task task) = 0;
};

/// An executor with a thread of its own. Destroying it runs what was posted before, drops what waits for its time, and
/// joins the thread; so it must not be destroyed on its own thread.
/// `name` is what the operating system shows for the thread (15 characters at most).
[[nodiscard]] std::unique_ptr<Executor> make_thread_executor(const char* name);

}  // namespace annals::platform
