#pragma once
// BodyBudget: what the bodies of requests may take of memory, all connections together. Thread-safe.
//
// A body's first `bytes_free` bytes do not count: a connection may hold as much anyway, and a small request is answered
// whatever the large ones do.

#include <atomic>
#include <cstdint>

namespace annals::http {

class BodyBudget {
 public:
  static constexpr std::uint64_t bytes_free = 64u << 10;  ///< of each connection

  explicit BodyBudget(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

  /// Changes what one holds from `held` to `wanted` bytes; false, and nothing is changed, when that is more than there
  /// is. Less can always be had.
  [[nodiscard]] bool change(std::uint64_t held, std::uint64_t wanted) {
    std::uint64_t taken = taken_.load(std::memory_order_relaxed);
    do {
      if (wanted > held && (taken > bytes_max_ || wanted - held > bytes_max_ - taken)) return false;
    } while (!taken_.compare_exchange_weak(taken, taken - held + wanted, std::memory_order_relaxed));
    return true;
  }

  /// True when so many bytes could be had now.
  [[nodiscard]] bool has(std::uint64_t bytes) const {
    const std::uint64_t taken = taken_.load(std::memory_order_relaxed);
    return taken <= bytes_max_ && bytes <= bytes_max_ - taken;
  }

  [[nodiscard]] std::uint64_t taken() const { return taken_.load(std::memory_order_relaxed); }

 private:
  const std::uint64_t bytes_max_;
  std::atomic<std::uint64_t> taken_{0};
};

/// What one connection holds of a budget; given back when it goes.
class BodyShare {
 public:
  explicit BodyShare(BodyBudget* budget) : budget_(budget) {}  ///< null: there is no limit
  ~BodyShare() { (void)hold(0); }
  BodyShare(const BodyShare&) = delete;
  BodyShare& operator=(const BodyShare&) = delete;

  /// From now on the connection has a buffer of `bytes` bytes; false when the budget does not allow it.
  [[nodiscard]] bool hold(std::uint64_t bytes) {
    const std::uint64_t wanted = counted(bytes);
    if (budget_ != nullptr && wanted != held_ && !budget_->change(held_, wanted)) return false;
    held_ = wanted;
    return true;
  }
  /// False when a buffer of `bytes` bytes could not be had now.
  [[nodiscard]] bool could_hold(std::uint64_t bytes) const {
    return budget_ == nullptr || counted(bytes) <= held_ || budget_->has(counted(bytes) - held_);
  }

 private:
  [[nodiscard]] static std::uint64_t counted(std::uint64_t bytes) {
    return bytes > BodyBudget::bytes_free ? bytes - BodyBudget::bytes_free : 0;
  }

  BodyBudget* const budget_;
  std::uint64_t held_ = 0;
};

}  // namespace annals::http
