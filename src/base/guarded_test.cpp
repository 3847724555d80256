#include "base/guarded.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace annals {
namespace {

TEST(guarded, threads_take_turns) {
  Guarded<std::vector<int>> numbers;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int number = 0; number < 1'000; ++number) numbers.lock()->push_back(number);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(numbers.lock()->size(), 4'000u);
}

TEST(guarded, the_state_is_made_in_place) {
  const Guarded<std::string> text(std::in_place, 3u, 'x');
  EXPECT_EQ(*text.lock(), "xxx");
}

#ifndef NDEBUG
struct Counted {
  mutable int checks = 0;
  void check_invariants() const { ++checks; }
};

TEST(guarded, debug_builds_check_invariants_as_the_lock_is_taken_and_released) {
  Guarded<Counted> counted;
  {
    const auto access = counted.lock();
  }
  EXPECT_EQ(counted.lock()->checks, 3);
}
#endif

}  // namespace
}  // namespace annals
