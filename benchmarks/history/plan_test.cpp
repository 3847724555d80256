#include "benchmarks/history/plan.hpp"

#include <gtest/gtest.h>

#include <map>

namespace annals::benchmarks {
namespace {

TEST(HistoryPlan, one_key_has_a_tenth_of_the_events_and_one_has_ten_of_them_and_all_have_some) {
  for (const std::uint64_t events : {100u, 1000u, 20'000u}) {
    Plan plan(events, 50, 1);
    std::map<std::uint64_t, std::uint64_t> counts;
    for (std::uint64_t event = 0; event < events; ++event) ++counts[plan.next()];
    EXPECT_EQ(counts[long_key], events / 10);
    EXPECT_EQ(counts[short_key], short_versions);
    EXPECT_LT(counts.rbegin()->first, 50u);
    EXPECT_GT(counts.size(), events >= 1000 ? 49u : 2u);
  }
}

}  // namespace
}  // namespace annals::benchmarks
