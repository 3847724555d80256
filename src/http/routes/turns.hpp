#pragma once
// Turns: long reads take turns (engine/turn.hpp), and on each I/O thread one at a time: between two of them, whichever
// reads they belong to, the thread takes in and answers what has come meanwhile. So a short request waits for one turn,
// however many long reads are under way; those share what is left among them, each in its order.
//
// Thread-safe; each call is made on the thread of the executor that it names.

#include <deque>
#include <memory>
#include <unordered_map>

#include "base/guarded.hpp"
#include "platform/platform.hpp"

namespace annals::http {

class Turns {
 public:
  /// Runs the first turn of a read: at once when no turn waits on `home`, else after those that do.
  void begin(platform::Executor& home, platform::Task turn);
  /// Runs a further turn of a read, after those that wait on `home`.
  void go_on(platform::Executor& home, platform::Task turn);

 private:
  /// Those of one executor. Confined to its thread.
  struct Lane {
    std::deque<platform::Task> waiting;
    bool posted = false;
  };
  [[nodiscard]] std::shared_ptr<Lane> lane_of(platform::Executor& home);
  static void post_next(std::shared_ptr<Lane> lane, platform::Executor& home);

  Guarded<std::unordered_map<platform::Executor*, std::shared_ptr<Lane>>> lanes_;  // shared with what is posted
};

}  // namespace annals::http
