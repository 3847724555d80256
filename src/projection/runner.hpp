#pragma once
// Runner: feeds one Subscriber from a store, and supervises it. A subscriber that fails (an error or an exception)
// starts again from its checkpoint after a pause that doubles from 100 ms to 30 s; nobody else notices but health.
// While the store cannot be asked the subscriber waits, and goes on as soon as it can be: that is no failure of its.
// Source: S1's supervision tree (one_for_one), with the growing pause that OTP lacks.
//
// Thread-safe; the subscriber runs on the executor only. Stop it (or destroy it) before the store and the subscriber
// go; the executor must still run then, or have been destroyed.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "event/event_store.hpp"
#include "platform/platform.hpp"
#include "projection/subscriber.hpp"

namespace annals::projection {

struct RunnerStatus {
  Position position;  ///< up to here all was taken in
  bool failing = false;
  std::uint64_t failures = 0;    ///< in all
  std::string error;             ///< the last failure's message while failing
  bool caught_up = false;        ///< has been, since the start or the last failure
  bool waits_for_store = false;  ///< the store could not be asked for what follows, and will be asked again
};

class Runner {
 public:
  enum class Mode : std::uint8_t {
    follow,     ///< goes on whenever the store makes progress
    on_demand,  ///< goes on when asked to
  };

  static constexpr Duration pause_min = std::chrono::milliseconds(100);
  static constexpr Duration pause_max = std::chrono::seconds(30);
  /// Between two looks whether a store that cannot be asked can be again: until then there is nothing to read.
  static constexpr Duration look_for_store_every = std::chrono::milliseconds(100);

  Runner(Subscriber& subscriber, EventStore& store, Mode mode, platform::Platform platform,
         platform::Executor& executor);
  ~Runner();

  /// Begins; call once.
  void start();

  /// Reads on as far as there is anything, and calls `done` on the executor when it has caught up with all that was
  /// there at the call (after a failure: when it finally has). Dropped, uncalled, when the runner is stopped first.
  void catch_up(std::move_only_function<void()> done);

  /// Goes on soon, if it stands still.
  void wake();

  /// Wakes it again and again, `every` so often, until it is stopped. Call once.
  void wake_every(Duration every);

  /// Returns once the subscriber does not run and will not run. Idempotent; not from the executor itself.
  void stop();

  [[nodiscard]] RunnerStatus status() const;

 private:
  struct Core;
  std::shared_ptr<Core> core_;  // shared with the tasks that wait in the executor
  std::unique_ptr<Watch> watch_;
};

}  // namespace annals::projection
