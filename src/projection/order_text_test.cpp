#include "projection/order_text.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

namespace annals::projection {
namespace {

int sign_of(int number) {
  return number < 0 ? -1 : number > 0 ? 1 : 0;
}

void expect_ordered_as_strings(const std::string& one, const std::string& other) {
  const OrderText left(one);
  const OrderText right(other);
  EXPECT_EQ(left.view(), one);
  EXPECT_EQ(sign_of(left.compare(right)), sign_of(one.compare(other))) << one.size() << " and " << other.size();
  EXPECT_EQ(sign_of(left.compare(other, WordsOf(other))), sign_of(one.compare(other)));
}

TEST(order_text, texts_of_all_lengths_that_begin_alike_are_in_order_of_their_bytes) {
  std::vector<std::string> texts;
  for (std::size_t size = 0; size <= 40; ++size) {
    for (const char last : {'\0', '\1', 'a', '\x7f', '\xff'}) {
      texts.emplace_back(size, 'a');
      texts.emplace_back(size, '\0');
      if (size > 0) texts[texts.size() - 1].back() = texts[texts.size() - 2].back() = last;
    }
  }
  for (const std::string& one : texts) {
    for (const std::string& other : texts) expect_ordered_as_strings(one, other);
  }
}

RC_GTEST_PROP(order_text, any_texts_are_in_order_of_their_bytes, (const std::string& one, const std::string& other)) {
  RC_ASSERT(OrderText(one).view() == one);
  RC_ASSERT(sign_of(OrderText(one).compare(OrderText(other))) == sign_of(one.compare(other)));
  RC_ASSERT(sign_of(OrderText(one).compare(other, WordsOf(other))) == sign_of(one.compare(other)));
}

TEST(order_text, a_text_that_is_moved_stays_what_it_is) {
  for (const std::size_t size : {3u, 15u, 16u, 300u}) {
    OrderText text(std::string(size, 'x'));
    OrderText moved = std::move(text);
    EXPECT_EQ(moved.view(), std::string(size, 'x'));
    OrderText other(std::string(20, 'y'));
    other = std::move(moved);
    EXPECT_EQ(other.view(), std::string(size, 'x'));
  }
}

}  // namespace
}  // namespace annals::projection
