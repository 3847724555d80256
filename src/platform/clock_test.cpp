#include "platform/clock.hpp"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

#include "platform/simulated.hpp"

namespace annals::platform {
namespace {

TEST(system_clock, monotonic_time_never_goes_backwards_and_the_time_of_day_is_of_this_age) {
  Duration last = system_clock().monotonic();
  for (int round = 0; round < 1'000; ++round) {
    const Duration now = system_clock().monotonic();
    ASSERT_GE(now, last);
    last = now;
  }
  EXPECT_GT(system_clock().now(), Instant::from_text("2024-01-01T00:00:00Z").value());
}

TEST(system_random, threads_draw_different_numbers) {
  std::vector<std::vector<std::uint64_t>> drawn(4);
  std::vector<std::thread> threads;
  for (auto& numbers : drawn) {
    threads.emplace_back([&numbers] {
      for (int round = 0; round < 200; ++round) numbers.push_back(system_random().next());
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::uint64_t> different;
  for (const auto& numbers : drawn) different.insert(numbers.begin(), numbers.end());
  EXPECT_EQ(different.size(), 800u) << "of 800 fair draws none is likely to come twice";
}

TEST(system_random, every_bit_is_drawn_both_ways) {
  std::uint64_t ever_set = 0;
  std::uint64_t always_set = UINT64_MAX;
  for (int round = 0; round < 300; ++round) {
    const std::uint64_t number = system_random().next();
    ever_set |= number;
    always_set &= number;
  }
  EXPECT_EQ(ever_set, UINT64_MAX);
  EXPECT_EQ(always_set, 0u);
}

TEST(make_uuid, uuids_are_of_version_7_and_differ) {
  std::set<Uuid> uuids;
  for (int round = 0; round < 1'000; ++round) uuids.insert(make_uuid(Instant{1'770'890'400'000'000}, system_random()));
  EXPECT_EQ(uuids.size(), 1'000u);
  EXPECT_EQ(uuids.begin()->to_text()[14], '7');
  EXPECT_EQ(uuids.begin()->to_text().substr(0, 13), uuids.rbegin()->to_text().substr(0, 13));
}

TEST(simulated_clock, stands_still_until_it_is_moved) {
  SimulatedClock clock;
  const Instant start = clock.now();
  EXPECT_EQ(start.to_text(), "2026-02-12T10:00:00.000000Z");
  EXPECT_EQ(clock.now(), start);
  clock.advance(std::chrono::seconds(3));
  EXPECT_EQ(clock.now(), start.plus(std::chrono::seconds(3)));
  EXPECT_EQ(clock.monotonic(), std::chrono::seconds(3));
  clock.set(Instant{5});
  EXPECT_EQ(clock.now(), Instant{5});
  EXPECT_EQ(clock.monotonic(), std::chrono::seconds(3)) << "setting the clock does not move monotonic time";
}

TEST(simulated_random, the_same_seed_gives_the_same_numbers) {
  SimulatedRandom one(7);
  SimulatedRandom two(7);
  SimulatedRandom three(8);
  const std::uint64_t number = one.next();
  EXPECT_EQ(two.next(), number);
  EXPECT_NE(three.next(), number);
  // The first number of the reference implementation for seed 1234567 (Vigna's splitmix64.c).
  EXPECT_EQ(SimulatedRandom(1'234'567).next(), 6'457'827'717'110'365'317u);
}

TEST(collecting_logger, keeps_records_as_text) {
  CollectingLogger log;
  log.info("It began", {{"port", 4000}, {"secure", false}, {"host", "here"}});
  log.error("It ended");
  EXPECT_EQ(log.lines(),
            (std::vector<std::string>{"INFO It began port=4000 secure=false host=here", "ERROR It ended"}));
}

}  // namespace
}  // namespace annals::platform
