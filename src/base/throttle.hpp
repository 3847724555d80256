#pragma once
// Throttle: lets one of many through in an interval, and counts those that it holds back: for lines of a log that would
// otherwise come as often as requests do. Thread-safe.

#include <atomic>
#include <cstdint>
#include <optional>

#include "base/instant.hpp"

namespace annals {

class Throttle {
 public:
  /// The first is let through, and after each that is, none for `interval`.
  explicit Throttle(Duration interval) : interval_(interval) {}

  /// When this one is let through: how many were held back since the last that was. `now` is monotonic time.
  [[nodiscard]] std::optional<std::uint64_t> admit(Duration now) {
    std::int64_t next = next_.load(std::memory_order_relaxed);
    if (now.count() < next || !next_.compare_exchange_strong(next, (now + interval_).count())) {
      held_back_.fetch_add(1, std::memory_order_relaxed);
      return std::nullopt;
    }
    return held_back_.exchange(0, std::memory_order_relaxed);
  }

 private:
  const Duration interval_;
  std::atomic<std::int64_t> next_{INT64_MIN};
  std::atomic<std::uint64_t> held_back_{0};
};

}  // namespace annals
