#include "benchmarks/load_generator/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace annals::benchmarks {

// Values below 64 have a bucket each. Above, a value keeps its six bits after the highest: with the highest at place
// p, it falls into one of the 64 buckets of the power p, each 2^(p-6) wide.
std::size_t Histogram::bucket_of(std::uint64_t value) {
  constexpr std::uint64_t steps = 1u << step_bits;
  if (value < steps) return value;
  const auto shift = static_cast<unsigned>(std::bit_width(value)) - 1 - step_bits;
  return (std::size_t{shift} + 1) * steps + ((value >> shift) - steps);
}

std::uint64_t Histogram::last_value_of(std::size_t bucket) {
  constexpr std::uint64_t steps = 1u << step_bits;
  if (bucket < steps) return bucket;
  const std::uint64_t shift = bucket / steps - 1;
  return ((steps + bucket % steps) << shift) + ((std::uint64_t{1} << shift) - 1);
}

void Histogram::record(std::uint64_t nanoseconds) {
  ++buckets_[bucket_of(nanoseconds)];
  ++count_;
  sum_ += nanoseconds;
  max_ = std::max(max_, nanoseconds);
}

void Histogram::add(const Histogram& other) {
  for (std::size_t i = 0; i < bucket_count; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
}

double Histogram::mean() const {
  return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_);
}

std::uint64_t Histogram::quantile(double share) const {
  const auto wanted =
      std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < bucket_count; ++i) {
    seen += buckets_[i];
    if (seen >= wanted) return std::min(last_value_of(i), max_);
  }
  return max_;
}

}  // namespace annals::benchmarks
