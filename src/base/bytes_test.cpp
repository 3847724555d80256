#include "base/bytes.hpp"

#include <gtest/gtest.h>

namespace annals {
namespace {

TEST(bytes, integers_are_written_least_significant_byte_first) {
  std::string out;
  put(out, std::uint32_t{0x04030201});
  put(out, std::uint8_t{5});
  EXPECT_EQ(out, "\x01\x02\x03\x04\x05");
  put_at(out.data() + 1, std::uint16_t{0x0a09});
  EXPECT_EQ(out, "\x01\x09\x0a\x04\x05");
  EXPECT_EQ(get_at<std::uint16_t>(out.data() + 1), 0x0a09);
}

TEST(bytes, a_reader_gives_back_what_was_written) {
  std::string out;
  put(out, std::int64_t{-2});
  out += "text";
  put(out, std::uint16_t{7});
  ByteReader reader(out);
  EXPECT_EQ(reader.integer<std::int64_t>(), -2);
  EXPECT_EQ(reader.take(4), "text");
  EXPECT_EQ(reader.rest().size(), 2u);
  EXPECT_EQ(reader.integer<std::uint16_t>(), 7);
  EXPECT_TRUE(reader.at_end());
  EXPECT_TRUE(reader.ok());
}

TEST(bytes, a_read_past_the_end_fails_once_and_for_all) {
  ByteReader reader("abc");
  EXPECT_EQ(reader.integer<std::uint32_t>(), 0u);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.integer<std::uint8_t>(), 0u) << "nothing is left to read after a failure";
  EXPECT_EQ(reader.take(1), "");
  EXPECT_FALSE(reader.ok());
}

TEST(bytes, taking_nothing_at_the_end_is_no_failure) {
  ByteReader reader("");
  EXPECT_EQ(reader.take(0), "");
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.take(1), "");
  EXPECT_FALSE(reader.ok());
}

}  // namespace
}  // namespace annals
