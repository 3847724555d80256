#include "base/throttle.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace annals {
namespace {

using std::chrono::milliseconds;

TEST(throttle, lets_one_through_in_an_interval_and_tells_it_how_many_it_held_back) {
  Throttle throttle(milliseconds(1000));
  EXPECT_EQ(throttle.admit(milliseconds(5)), 0u);
  EXPECT_EQ(throttle.admit(milliseconds(5)), std::nullopt);
  EXPECT_EQ(throttle.admit(milliseconds(1004)), std::nullopt);
  EXPECT_EQ(throttle.admit(milliseconds(1005)), 2u);
  EXPECT_EQ(throttle.admit(milliseconds(9000)), 0u) << "nobody was held back in between";
}

TEST(throttle, of_many_threads_at_one_moment_one_is_let_through_and_all_others_are_counted) {
  constexpr int threads = 8;
  constexpr int times = 1000;
  Throttle throttle(milliseconds(1));
  std::atomic<std::uint64_t> admitted{0};
  std::vector<std::thread> all;
  for (int thread = 0; thread < threads; ++thread) {
    all.emplace_back([&] {
      for (int time = 0; time < times; ++time) admitted += throttle.admit(milliseconds(7)) ? 1 : 0;
    });
  }
  for (std::thread& thread : all) thread.join();
  EXPECT_EQ(admitted, 1u);
  EXPECT_EQ(throttle.admit(milliseconds(8)), threads * times - 1u);
}

}  // namespace
}  // namespace annals
