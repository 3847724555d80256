#include "benchmarks/load_generator/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace annals::benchmarks {
namespace {

TEST(Histogram, an_empty_one_says_zero) {
  const Histogram histogram;
  EXPECT_EQ(histogram.quantile(0.99), 0u);
  EXPECT_EQ(histogram.mean(), 0);
}

TEST(Histogram, one_value_is_every_quantile) {
  for (std::uint64_t value : {std::uint64_t{0}, std::uint64_t{63}, std::uint64_t{64}, std::uint64_t{123'457},
                              std::numeric_limits<std::uint64_t>::max()}) {
    Histogram histogram;
    histogram.record(value);
    EXPECT_EQ(histogram.quantile(0), value);
    EXPECT_EQ(histogram.quantile(0.5), value);
    EXPECT_EQ(histogram.quantile(1), value);
  }
}

TEST(Histogram, quantiles_of_a_million_values_are_right_to_within_a_64th) {
  std::mt19937_64 dice(7);
  std::lognormal_distribution<double> durations(12, 1.5);
  Histogram first;
  Histogram second;
  std::vector<std::uint64_t> values;
  for (int i = 0; i < 1'000'000; ++i) {
    const auto value = static_cast<std::uint64_t>(durations(dice));
    values.push_back(value);
    (i % 2 == 0 ? first : second).record(value);
  }
  first.add(second);
  std::sort(values.begin(), values.end());
  for (double share : {0.001, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto exact = static_cast<double>(values[static_cast<std::size_t>(std::ceil(share * 1e6)) - 1]);
    const auto found = static_cast<double>(first.quantile(share));
    EXPECT_GE(found, exact) << share;
    EXPECT_LE(found, exact * (1 + 1.0 / 64) + 1) << share;
  }
  EXPECT_EQ(first.max(), values.back());
  EXPECT_EQ(first.count(), values.size());
}

}  // namespace
}  // namespace annals::benchmarks
