#pragma once
// Checkpoints: writes down, now and then and at a stop, what is kept in memory, so that a start need not read the whole
// log. One state at a time, a piece at a time, on an executor that others use too.
//
// A state is written down when a start would have to read as many events again as half of its records, and at least
// 100,000; and not before 5 s after the last time, nor before 20 times as long as that took. So a start reads no more
// events than half of the records it loads, or 100,000, or what came in that time; no event is cause for more than two
// records written; and no more than a twentieth of the time goes into writing.
//
// Thread-safe.

#include <memory>
#include <vector>

#include "platform/platform.hpp"
#include "projection/state_keeper.hpp"

namespace annals::engine {

struct CheckpointRule {
  std::uint64_t events_min = 100'000;
  Duration pause_min = std::chrono::seconds(5);
  Duration look_every = std::chrono::seconds(1);
};

class Checkpoints {
 public:
  /// `executor` is where the keepers' states are read and written; it and the keepers outlive the checkpoints, or
  /// `stop` has been called before they go.
  Checkpoints(std::vector<projection::StateKeeper*> keepers, CheckpointRule rule, platform::Platform platform,
              platform::Executor& executor);
  ~Checkpoints();

  /// Begins to look; once all states have been read back.
  void start();

  /// Stops looking. What a start would have to read more than a moment for is written down now, on this thread: nothing
  /// changes the states any more.
  void finish();

  /// Stops looking. Idempotent; not from the executor itself.
  void stop();

 private:
  struct Core;
  std::shared_ptr<Core> core_;  // shared with the tasks that wait in the executor
};

}  // namespace annals::engine
