#pragma once
// Progress: how far something got, and whoever waits for it to get further. Thread-safe.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>

#include "base/guarded.hpp"
#include "base/number.hpp"

namespace annals::projection {

class Progress {
 public:
  using Reached = std::move_only_function<void()>;
  using Ticket = std::uint64_t;

  [[nodiscard]] Position position() const { return Position{position_.load(std::memory_order_acquire)}; }

  /// Moves on to `position` (never back) and calls, on this thread, those who waited for it.
  void publish(Position position);

  /// Calls `reached` once `position` is reached, or all are woken: at once, inside this call, when it already is
  /// reached (the ticket is then 0), else on the thread that publishes or wakes.
  Ticket wait(Position position, Reached reached);

  /// Calls, on this thread, all who wait, wherever the position is: for a server that goes down.
  void wake_all();

  /// True when the ticket's callback has not been called and now never will be.
  bool cancel(Ticket ticket);

 private:
  struct Waiting {
    std::map<std::pair<Position, Ticket>, Reached> by_position;
    std::map<Ticket, Position> positions;
    Ticket last_ticket = 0;
  };

  std::atomic<std::uint64_t> position_{0};
  std::atomic<bool> anyone_{false};  // spares publish the lock while nobody waits
  Guarded<Waiting> waiting_;
};

}  // namespace annals::projection
