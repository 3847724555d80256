#pragma once
// Histogram: how long things took, in nanoseconds, in buckets that grow with the value, so that every quantile is
// right to within 1/64 of itself at constant cost and size.
//
// Confined to one thread; `add` merges what other threads have collected. Source: the idea of HdrHistogram.

#include <array>
#include <cstddef>
#include <cstdint>

namespace annals::benchmarks {

class Histogram {
 public:
  void record(std::uint64_t nanoseconds);
  void add(const Histogram& other);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t max() const { return max_; }
  /// 0 when nothing was recorded.
  [[nodiscard]] double mean() const;
  /// The smallest value that at least `share` (0 to 1) of the records do not exceed, rounded up within its bucket and
  /// never beyond max(); 0 when nothing was recorded.
  [[nodiscard]] std::uint64_t quantile(double share) const;

 private:
  static constexpr unsigned step_bits = 6;  // 64 buckets for each power of two
  static constexpr std::size_t bucket_count = (64 - step_bits + 1) << step_bits;

  [[nodiscard]] static std::size_t bucket_of(std::uint64_t value);
  [[nodiscard]] static std::uint64_t last_value_of(std::size_t bucket);

  std::array<std::uint64_t, bucket_count> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace annals::benchmarks
