#include "base/invariant.hpp"

#include <gtest/gtest.h>

namespace annals {
namespace {

TEST(invariant, what_holds_changes_nothing) {
  int evaluated = 0;
  INVARIANT(++evaluated == 1, "it is evaluated once");
  EXPECT_EQ(evaluated, 1);
}

TEST(invariant_death_test, what_does_not_hold_stops_the_program_and_says_why) {
  EXPECT_DEATH(INVARIANT(1 + 1 == 3, "numbers add up"), "numbers add up.*1 \\+ 1 == 3.*invariant_test.cpp");
}

}  // namespace
}  // namespace annals
