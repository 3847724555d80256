#include "projection/progress.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace annals::projection {
namespace {

TEST(progress, it_moves_on_and_never_back) {
  Progress progress;
  progress.publish(Position{5});
  progress.publish(Position{3});
  EXPECT_EQ(progress.position(), Position{5});
}

TEST(progress, whoever_waits_for_what_is_reached_is_called_inside_the_call) {
  Progress progress;
  progress.publish(Position{5});
  int calls = 0;
  EXPECT_EQ(progress.wait(Position{5}, [&] { ++calls; }), 0u);
  EXPECT_EQ(progress.wait(Position{0}, [&] { ++calls; }), 0u);
  EXPECT_EQ(calls, 2);
}

TEST(progress, waiters_are_called_once_each_in_the_order_of_their_positions) {
  Progress progress;
  std::vector<int> order;
  EXPECT_NE(progress.wait(Position{3}, [&] { order.push_back(3); }), 0u);
  EXPECT_NE(progress.wait(Position{1}, [&] { order.push_back(1); }), 0u);
  EXPECT_NE(progress.wait(Position{2}, [&] { order.push_back(2); }), 0u);
  EXPECT_NE(progress.wait(Position{9}, [&] { order.push_back(9); }), 0u);
  progress.publish(Position{2});
  EXPECT_EQ(order, (std::vector{1, 2}));
  progress.publish(Position{2});
  progress.publish(Position{8});
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

TEST(progress, what_is_cancelled_is_not_called_and_what_was_called_cannot_be_cancelled) {
  Progress progress;
  int calls = 0;
  const auto kept = progress.wait(Position{2}, [&] { ++calls; });
  const auto cancelled = progress.wait(Position{2}, [&] { calls += 100; });
  EXPECT_TRUE(progress.cancel(cancelled));
  EXPECT_FALSE(progress.cancel(cancelled));
  EXPECT_FALSE(progress.cancel(0));
  progress.publish(Position{2});
  EXPECT_FALSE(progress.cancel(kept));
  EXPECT_EQ(calls, 1);
}

TEST(progress, a_waiter_may_wait_again_from_inside_its_call) {
  Progress progress;
  std::vector<std::uint64_t> seen;
  std::function<void()> again = [&] {
    seen.push_back(progress.position().value);
    if (seen.size() < 3) progress.wait(progress.position().next(), [&] { again(); });
  };
  progress.wait(Position{1}, [&] { again(); });
  for (std::uint64_t position = 1; position <= 5; ++position) progress.publish(Position{position});
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST(progress, what_a_cancelled_callback_holds_is_let_go) {
  Progress progress;
  const auto held = std::make_shared<int>(0);
  const auto ticket = progress.wait(Position{1}, [held] {});
  EXPECT_EQ(held.use_count(), 2);
  EXPECT_TRUE(progress.cancel(ticket));
  EXPECT_EQ(held.use_count(), 1);
}

// Each waiter waits for the position that comes next while others publish: were a wake-up lost, the test would hang on
// it and the count fall short.
TEST(progress, no_wake_up_is_lost_between_threads) {
  constexpr std::uint64_t last = 20'000;
  Progress progress;
  std::atomic<std::uint64_t> woken{0};
  std::atomic<std::uint64_t> asked{0};
  {
    std::jthread publisher([&] {
      while (asked.load() < 3) std::this_thread::yield();
      for (std::uint64_t position = 1; position <= last; ++position) progress.publish(Position{position});
    });
    std::vector<std::jthread> waiters;
    for (int thread = 0; thread < 3; ++thread) {
      waiters.emplace_back([&] {
        while (progress.position() < Position{last}) {
          const Position next{std::min(progress.position().value + 1, last)};
          ++asked;
          progress.wait(next, [&] { ++woken; });
        }
      });
    }
  }
  EXPECT_GT(asked.load(), 0u);
  EXPECT_EQ(woken.load(), asked.load());
}

TEST(progress, all_who_wait_can_be_woken_and_those_who_come_later_wait_again) {
  Progress progress;
  int near = 0;
  int far = 0;
  int later = 0;
  const auto ticket = progress.wait(Position{2}, [&] { ++near; });
  progress.wait(Position{2000}, [&] { ++far; });
  progress.wake_all();
  EXPECT_EQ(near + far, 2);
  EXPECT_FALSE(progress.cancel(ticket));
  progress.wait(Position{2}, [&] { ++later; });
  EXPECT_EQ(later, 0);
  progress.publish(Position{2});
  EXPECT_EQ(near + far + later, 3);
}

TEST(progress, a_callback_is_either_called_or_cancelled_never_both_nor_neither) {
  constexpr int rounds = 5'000;
  Progress progress;
  std::vector<std::atomic<int>> outcomes(rounds);
  std::atomic<std::uint64_t> reached{0};
  {
    std::jthread publisher([&] {
      for (std::uint64_t position = 1; position <= rounds; ++position) {
        while (reached.load() < position) std::this_thread::yield();
        progress.publish(Position{position});
      }
    });
    for (int round = 0; round < rounds; ++round) {
      auto& outcome = outcomes[static_cast<std::size_t>(round)];
      const auto ticket = progress.wait(Position{static_cast<std::uint64_t>(round) + 1}, [&outcome] { outcome += 1; });
      reached.store(static_cast<std::uint64_t>(round) + 1);
      if (ticket != 0 && progress.cancel(ticket)) outcome += 10;
    }
  }
  for (const auto& outcome : outcomes) EXPECT_TRUE(outcome == 1 || outcome == 10) << outcome;
}

}  // namespace
}  // namespace annals::projection
