#include "event/read_interest.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace annals {
namespace {

TEST(read_interest, a_thread_that_reads_for_nobody_in_particular_goes_on) {
  EXPECT_FALSE(ReadInterest::may_end());
  EXPECT_FALSE(ReadInterest::has_ended());
}

TEST(read_interest, it_is_that_of_the_innermost_scope_of_the_thread) {
  bool outer_wanted = true;
  bool inner_wanted = true;
  const ReadInterest outer([&] { return outer_wanted; });
  {
    const ReadInterest inner([&] { return inner_wanted; });
    outer_wanted = false;
    EXPECT_FALSE(ReadInterest::has_ended());
    inner_wanted = false;
    EXPECT_TRUE(ReadInterest::has_ended());
    std::thread([] { EXPECT_FALSE(ReadInterest::may_end()) << "another thread reads for others"; }).join();
    outer_wanted = true;
  }
  EXPECT_TRUE(ReadInterest::may_end());
  EXPECT_FALSE(ReadInterest::has_ended());
}

}  // namespace
}  // namespace annals
