#pragma once
// Readers: the threads on which reads of a store are made that may wait for another machine
// (EventStore::remote_reads_max), so that no I/O thread waits with them, and with it all the connections that it
// serves. Reads wait here in one queue, whichever thread comes free; a long one takes turns (engine/turn.hpp) and goes
// to the end of the queue after each.
//
// Thread-safe.

#include <deque>
#include <vector>

#include "base/guarded.hpp"
#include "platform/platform.hpp"

namespace annals::http {

class Readers {
 public:
  /// Each of `threads` runs one read at a time. They end before this does.
  Readers(std::vector<platform::Executor*> threads, std::size_t waiting_max, Logger& log);

  /// False where reads are made on the I/O threads.
  [[nodiscard]] bool exist() const { return threads_ > 0; }
  /// All threads read, and as many reads wait as may: no further one is to be begun.
  [[nodiscard]] bool are_full() const;
  /// Runs `turn` on one of the threads, after those that wait. To go on with what has begun is always possible: there
  /// is one turn of it at a time.
  void run(platform::Task turn);

 private:
  struct State {
    std::deque<platform::Task> waiting;
    std::vector<platform::Executor*> idle;
    std::size_t reading = 0;  ///< threads that run a turn; one that is about to begin takes what waits
  };
  void work_on(platform::Executor& thread);

  const std::size_t threads_;
  const std::size_t waiting_max_;
  Logger& log_;
  Guarded<State> state_;
};

}  // namespace annals::http
