#include "base/base64url.hpp"

#include <gtest/gtest.h>

namespace annals {
namespace {

TEST(base64url, bytes_are_what_the_rfc_says_without_padding) {
  EXPECT_EQ(to_base64url(""), "");
  EXPECT_EQ(to_base64url("f"), "Zg");
  EXPECT_EQ(to_base64url("fo"), "Zm8");
  EXPECT_EQ(to_base64url("foobar"), "Zm9vYmFy");
  EXPECT_EQ(to_base64url("\xfb\xff\xfe"), "-__-");
}

TEST(base64url, what_was_made_is_read_and_nothing_else) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) {
    bytes += static_cast<char>(byte);
    EXPECT_EQ(from_base64url(to_base64url(bytes)), bytes);
  }
  for (const std::string_view text : {"Zg==", "Z", "Zh", "Zm8+", "Zm/8", "Zm 8"})
    EXPECT_FALSE(from_base64url(text)) << text;
}

}  // namespace
}  // namespace annals
