#include "base/shared_text.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace annals {
namespace {

TEST(shared_text, none_is_not_the_same_as_empty) {
  const SharedText none;
  const SharedText empty("");
  EXPECT_FALSE(none);
  EXPECT_TRUE(none == nullptr);
  EXPECT_EQ(*none, "");
  EXPECT_TRUE(static_cast<bool>(empty));
  EXPECT_EQ(*empty, "");
}

TEST(shared_text, copies_share_the_text_and_outlive_the_first_holder) {
  SharedText copy;
  {
    const SharedText first(std::string(1000, 'x'));
    copy = first;
    EXPECT_EQ(copy->data(), first->data());
  }
  EXPECT_EQ(*copy, std::string(1000, 'x'));
  const SharedText moved = std::move(copy);
  EXPECT_EQ(moved->size(), 1000u);
  SharedText again = moved;
  again = nullptr;
  EXPECT_FALSE(again);
  EXPECT_EQ(moved->size(), 1000u);
}

TEST(shared_text, threads_may_let_go_at_once) {
  for (int round = 0; round < 200; ++round) {
    SharedText text("shared");
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 3; ++thread) {
      threads.emplace_back([mine = text]() mutable {
        EXPECT_EQ(*mine, "shared");
        mine = nullptr;
      });
    }
    text = nullptr;
  }
}

}  // namespace
}  // namespace annals
