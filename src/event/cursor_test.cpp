#include "event/cursor.hpp"

#include <gtest/gtest.h>

namespace annals {
namespace {

TEST(cursor, the_start_is_0) {
  EXPECT_EQ(Cursor{}.to_text(), "0");
  EXPECT_TRUE(Cursor::from_text("0").value().is_start());
}

TEST(cursor, text_reads_back_as_the_same_cursor) {
  for (const std::uint64_t position :
       {std::uint64_t{1}, std::uint64_t{255}, std::uint64_t{256}, std::uint64_t{1} << 40, UINT64_MAX}) {
    for (const std::uint32_t epoch : {1u, 0x80000000u, UINT32_MAX}) {
      const Cursor cursor{epoch, Position{position}};
      EXPECT_EQ(Cursor::from_text(cursor.to_text()), cursor) << cursor.to_text();
    }
  }
}

TEST(cursor, text_is_made_of_letters_digits_hyphens_and_underscores) {
  const std::string text = Cursor{0xfbefbeff, Position{0xfbefbefffbefbeff}}.to_text();
  EXPECT_EQ(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
            std::string::npos)
      << text;
}

TEST(cursor, a_worked_example) {
  EXPECT_EQ((Cursor{0x04030201, Position{0x0605}}.to_text()), "AQIDBAUG");
}

TEST(cursor, what_no_cursor_looks_like_is_refused) {
  for (const char* text : {"", "00", "1", "AAAA", "AQIDBA", "AQIDBAUG=", "AQIDBAX", "AQIDBAUGAA", "AAAAAAUG",
                           "AQ DBAUG", "AQ+DBAUG", "AQIDBAUGBwgJCgsMDQ", "-"}) {
    EXPECT_EQ(Cursor::from_text(text), std::nullopt) << text;
  }
}

TEST(cursor, every_cursor_has_one_spelling_only) {
  const std::string text = Cursor{0x04030201, Position{5}}.to_text();  // 5 bytes in 7 characters, 2 bits to spare
  ASSERT_EQ(text.size(), 7u);
  int accepted = 0;
  for (char last : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")) {
    const auto cursor = Cursor::from_text(text.substr(0, 6) + last);
    if (!cursor) continue;
    ++accepted;
    EXPECT_EQ(cursor->to_text(), text.substr(0, 6) + last);
  }
  EXPECT_EQ(accepted, 15) << "sixteen values of the last four bits, less a position that ends with a zero byte";
}

}  // namespace
}  // namespace annals
