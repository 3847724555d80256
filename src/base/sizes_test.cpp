#include "base/sizes.hpp"

#include <gtest/gtest.h>

namespace annals {
namespace {

TEST(bytes_from_text, units_are_binary_and_spelled_out) {
  EXPECT_EQ(bytes_from_text("0"), 0);
  EXPECT_EQ(bytes_from_text("7B"), 7);
  EXPECT_EQ(bytes_from_text("2KiB"), 2048);
  EXPECT_EQ(bytes_from_text("3MiB"), 3 << 20);
  EXPECT_EQ(bytes_from_text("1GiB"), 1 << 30);
  for (const char* bad :
       {"", "KiB", "1 KiB", "1kib", "1KB", "1M", "-1", "1.5MiB", "99999999999GiB", "9223372036854775808"}) {
    EXPECT_FALSE(bytes_from_text(bad)) << bad;
  }
}

TEST(bytes_to_text, the_largest_unit_that_is_exact_is_taken) {
  for (const char* text : {"0", "7", "1023", "1KiB", "1025", "64MiB", "65537KiB", "3GiB"})
    EXPECT_EQ(bytes_to_text(bytes_from_text(text).value()), text);
  EXPECT_EQ(bytes_to_text(2048), "2KiB");
}

TEST(bytes_beside, a_short_string_takes_none_and_a_long_one_its_capacity_and_a_null) {
  EXPECT_EQ(bytes_beside("short"), 0);
  const std::string longer(1000, 'x');
  EXPECT_EQ(bytes_beside(longer), longer.capacity() + 1);
}

}  // namespace
}  // namespace annals
