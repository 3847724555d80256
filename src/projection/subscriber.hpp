#pragma once
// Subscriber: whatever reacts to events, at its own pace, from its own checkpoint: read tables, the audit log, later
// live feeds, webhooks, Kafka. It pulls; the write path never calls it.

#include <string_view>

#include "base/result.hpp"
#include "event/event_store.hpp"

namespace annals::projection {

/// Confined to the executor of the Runner that runs it.
class Subscriber {
 public:
  virtual ~Subscriber() = default;

  /// For logs and health: "audit", "table config".
  [[nodiscard]] virtual std::string_view name() const = 0;

  [[nodiscard]] virtual Horizon horizon() const { return Horizon::flushed; }

  /// How long events are gathered after the first of them came, before they are handled together: a subscriber that
  /// nobody waits for should not wake a thread at every flush.
  [[nodiscard]] virtual Duration gathering_time() const { return Duration{0}; }

  /// Called at the start, after each failure, and, by a runner on demand, whenever it goes on after standing still:
  /// forgets what is not safe, and says after which position to go on.
  [[nodiscard]] virtual Result<Position> resume() = 0;

  /// Takes a page in; all of it, or an error, after which the runner pauses and calls `resume`.
  [[nodiscard]] virtual Result<> handle(const EventPage& page) = 0;

  /// Called when the positions up to `position`, after the last event that was handled, hold no event any more: they
  /// count as handled.
  [[nodiscard]] virtual Result<> pass_over(Position) { return {}; }

  /// Called when everything there is has been read.
  [[nodiscard]] virtual Result<> caught_up() { return {}; }
};

}  // namespace annals::projection
