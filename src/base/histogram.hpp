#pragma once
// Histogram: how many of the values seen fell into each of some ranges, for metrics.
// Thread-safe: observing costs two relaxed additions; a snapshot taken meanwhile may lack what is being observed.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "base/invariant.hpp"

namespace annals {

struct HistogramSnapshot {
  std::vector<std::uint64_t> bounds;  ///< upper bounds, included, rising
  std::vector<std::uint64_t> counts;  ///< one for each bound, and one for what lies above the last
  std::uint64_t sum = 0;              ///< of all values

  /// Adds one with the same bounds; an empty one takes them over.
  void add(const HistogramSnapshot& other) {
    if (bounds.empty()) {
      *this = other;
      return;
    }
    INVARIANT(bounds == other.bounds, "histograms of one kind are added");
    for (std::size_t place = 0; place < counts.size(); ++place) counts[place] += other.counts[place];
    sum += other.sum;
  }
};

class Histogram {
 public:
  static constexpr std::size_t bounds_max = 24;

  /// `bounds` is static, rises, and has at most `bounds_max` numbers, in the unit of what is observed.
  explicit Histogram(std::span<const std::uint64_t> bounds) : bounds_(bounds) {
    INVARIANT(bounds.size() <= bounds_max && std::ranges::is_sorted(bounds), "bounds rise and there is room for them");
  }

  void observe(std::uint64_t value) {
    const auto place = static_cast<std::size_t>(std::ranges::lower_bound(bounds_, value) - bounds_.begin());
    counts_[place].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
  }

  [[nodiscard]] HistogramSnapshot snapshot() const {
    HistogramSnapshot snapshot{{bounds_.begin(), bounds_.end()}, {}, sum_.load(std::memory_order_relaxed)};
    for (std::size_t place = 0; place <= bounds_.size(); ++place)
      snapshot.counts.push_back(counts_[place].load(std::memory_order_relaxed));
    return snapshot;
  }

 private:
  const std::span<const std::uint64_t> bounds_;
  std::array<std::atomic<std::uint64_t>, bounds_max + 1> counts_{};
  std::atomic<std::uint64_t> sum_{0};
};

}  // namespace annals
