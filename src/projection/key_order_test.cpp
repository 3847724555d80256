#include "projection/key_order.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <memory>
#include <string>

namespace annals::projection {
namespace {

int sign(int order) {
  return (order > 0) - (order < 0);
}

/// In memory of exactly its size, so that a sanitizer sees whoever reads beyond.
struct Exactly {
  explicit Exactly(std::string_view text) : size(text.size()), bytes(std::make_unique<char[]>(text.size())) {
    text.copy(bytes.get(), size);
  }
  [[nodiscard]] std::string_view view() const { return {bytes.get(), size}; }
  std::size_t size;
  std::unique_ptr<char[]> bytes;
};

TEST(key_order, bytes_decide_and_then_the_length) {
  EXPECT_EQ(compare_keys("", ""), 0);
  EXPECT_LT(compare_keys("", "a"), 0);
  EXPECT_LT(compare_keys("key-00000009", "key-00000010"), 0);
  EXPECT_GT(compare_keys("key-00000010", "key-00000009"), 0);
  EXPECT_EQ(compare_keys("key-00000010", "key-00000010"), 0);
  EXPECT_LT(compare_keys("key-0000001", "key-00000010"), 0);
  EXPECT_GT(compare_keys("key-00000010", "key-0000001"), 0);
  EXPECT_LT(compare_keys("key-00000z", "key-00000\xc3\xa4"), 0);  // bytes from 128 on come last
}

RC_GTEST_PROP(key_order, is_that_of_the_bytes, ()) {
  const auto letters = rc::gen::element<char>('a', 'b', '\0', '\x7f', static_cast<char>(0x80), static_cast<char>(0xff));
  const auto common = *rc::gen::resize(40, rc::gen::container<std::string>(letters));
  const auto left = common + *rc::gen::resize(12, rc::gen::container<std::string>(letters));
  const auto right = common + *rc::gen::resize(12, rc::gen::container<std::string>(letters));
  const Exactly one(left);
  const Exactly other(right);
  RC_ASSERT(sign(compare_keys(one.view(), other.view())) == sign(left.compare(right)));
  RC_ASSERT(compare_keys(one.view(), one.view()) == 0);
}

}  // namespace
}  // namespace annals::projection
