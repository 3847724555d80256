#include "base/result.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace annals {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return fail(ErrorKind::invalid, "odd_number", std::to_string(number) + " is odd");
  return number / 2;
}

Result<> check_even(int number) {
  [[maybe_unused]] const int halved = TRY(half(number));
  return {};
}

Result<int> quarter(int number) {
  const int once = TRY(half(number));
  return TRY(half(once));
}

Result<std::unique_ptr<int>> boxed_half(int number) {
  std::unique_ptr<int> box = TRY(Result<std::unique_ptr<int>>(std::make_unique<int>(number)));
  *box = TRY(half(*box));
  return box;
}

TEST(result, try_gives_the_value_of_a_success) {
  EXPECT_EQ(quarter(12), Result<int>(3));
  EXPECT_TRUE(check_even(4).has_value());
}

TEST(result, try_returns_the_error_of_a_failure) {
  const Result<int> failed = quarter(6);
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error(), Error(ErrorKind::invalid, "odd_number", "3 is odd"));
  EXPECT_EQ(check_even(5).error().code, "odd_number");
}

TEST(result, try_moves_what_cannot_be_copied) {
  EXPECT_EQ(**boxed_half(8), 4);
  EXPECT_FALSE(boxed_half(7));
}

TEST(result, an_error_without_a_code_has_that_of_its_kind) {
  EXPECT_EQ(Error(ErrorKind::not_found, "no such thing").code, "not_found");
  EXPECT_EQ(Error(ErrorKind::input_output, "no room").code, "input_output");
}

TEST(result, every_kind_has_a_word_of_its_own) {
  std::vector<std::string_view> words;
  for (auto number = 0; number <= static_cast<int>(ErrorKind::internal); ++number) {
    const std::string_view word = to_string(static_cast<ErrorKind>(number));
    EXPECT_EQ(std::count(words.begin(), words.end(), word), 0) << word;
    words.push_back(word);
  }
}

}  // namespace
}  // namespace annals
