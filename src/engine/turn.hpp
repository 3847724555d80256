#pragma once
// Turn: how long a piece of work keeps a thread that others wait for. What a key costs depends on the store, the disk
// and the length of histories, so long work is cut by the clock and not by a number of keys: whoever does it looks at
// its turn after each key, and goes on in another one.
//
// A value; confined to one thread.

#include <chrono>

#include "platform/clock.hpp"

namespace annals::engine {

/// A turn ends with the step that is under way after this time.
inline constexpr Duration turn_time = std::chrono::milliseconds(2);

class Turn {
 public:
  /// Begins now. `clock` outlives the turn.
  explicit Turn(const platform::Clock& clock) : clock_(&clock), end_(clock.monotonic() + turn_time) {}
  /// One that is never over, for a thread that nobody else waits for.
  [[nodiscard]] static Turn endless() { return {}; }

  [[nodiscard]] bool is_over() const { return clock_ != nullptr && clock_->monotonic() >= end_; }

 private:
  Turn() = default;

  const platform::Clock* clock_ = nullptr;
  Duration end_{0};
};

}  // namespace annals::engine
