#include "base/histogram.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace annals {
namespace {

constexpr std::array<std::uint64_t, 3> bounds{1, 10, 100};

TEST(histogram, a_value_falls_into_the_first_range_that_it_does_not_exceed) {
  Histogram histogram(bounds);
  for (const std::uint64_t value : std::array<std::uint64_t, 8>{0, 1, 2, 10, 11, 100, 101, 100'000})
    histogram.observe(value);
  const HistogramSnapshot snapshot = histogram.snapshot();
  EXPECT_EQ(snapshot.bounds, (std::vector<std::uint64_t>{1, 10, 100}));
  EXPECT_EQ(snapshot.counts, (std::vector<std::uint64_t>{2, 2, 2, 2}));
  EXPECT_EQ(snapshot.sum, 100'225u);
}

TEST(histogram, snapshots_add_up) {
  Histogram one(bounds);
  Histogram other(bounds);
  one.observe(5);
  other.observe(6);
  other.observe(500);
  HistogramSnapshot total;
  total.add(one.snapshot());
  total.add(other.snapshot());
  EXPECT_EQ(total.counts, (std::vector<std::uint64_t>{0, 2, 0, 1}));
  EXPECT_EQ(total.sum, 511u);
}

TEST(histogram, nothing_is_lost_when_many_threads_observe) {
  Histogram histogram(bounds);
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&] {
        for (int count = 0; count < 10'000; ++count) histogram.observe(7);
      });
    }
  }
  EXPECT_EQ(histogram.snapshot().counts[1], 40'000u);
}

}  // namespace
}  // namespace annals
