#include "base/number.hpp"

#include <gtest/gtest.h>

#include <unordered_set>

namespace annals {
namespace {

TEST(number, kinds_of_numbers_cannot_be_swapped) {
  static_assert(!std::is_convertible_v<StreamVersion, Position>);
  static_assert(!std::is_convertible_v<std::uint64_t, Position>);
  static_assert(!std::is_constructible_v<Position, StreamVersion>);
  EXPECT_EQ(Position{}, Position{0});
}

TEST(number, numbers_are_counted_compared_and_hashed) {
  EXPECT_EQ(Position{4}.next(), Position{5});
  EXPECT_EQ(Position{4}.plus(3), Position{7});
  EXPECT_LT(Position{4}, Position{5});
  EXPECT_EQ(to_string(StreamVersion{12}), "12");
  EXPECT_EQ((std::unordered_set<Position>{Position{1}, Position{1}, Position{2}}.size()), 2u);
}

}  // namespace
}  // namespace annals
