#include "base/utf8.hpp"

#include <gtest/gtest.h>

#include <string>

namespace annals {
namespace {

/// Straight from RFC 3629 section 3.
std::string encode(std::uint32_t code) {
  std::string out;
  const auto add = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    add(code);
  } else if (code < 0x800) {
    add(0xc0 | (code >> 6));
    add(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    add(0xe0 | (code >> 12));
    add(0x80 | ((code >> 6) & 0x3f));
    add(0x80 | (code & 0x3f));
  } else {
    add(0xf0 | (code >> 18));
    add(0x80 | ((code >> 12) & 0x3f));
    add(0x80 | ((code >> 6) & 0x3f));
    add(0x80 | (code & 0x3f));
  }
  return out;
}

TEST(utf8, every_character_and_no_surrogate_is_accepted) {
  for (std::uint32_t code = 0; code <= 0x110000; ++code) {
    const std::string text = encode(code);
    const bool is_character = code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    ASSERT_EQ(utf8_character_bytes(text), is_character ? text.size() : 0) << code;
    ASSERT_EQ(utf8_character_bytes(text + "x"), is_character ? text.size() : 0) << code;
    ASSERT_TRUE(text.size() == 1 || !is_utf8(text.substr(0, text.size() - 1))) << code;
  }
}

TEST(utf8, overlong_forms_and_stray_bytes_are_refused) {
  for (const char* text :
       {"\x80", "\xbf", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\xfe", "\xff", "\xc3", "\xc3(", "\xe2\x82", "\xe2(\xac", "\xe2\x82(", "a\xff"}) {
    EXPECT_FALSE(is_utf8(text)) << testing::PrintToString(text);
  }
  EXPECT_EQ(utf8_character_bytes(""), 0u);
  EXPECT_TRUE(is_utf8(""));
}

TEST(utf8, exactly_65_characters_are_controls) {
  int controls = 0;
  for (std::uint32_t code = 0; code <= 0xffff; ++code) {
    const std::string text = encode(code);
    if (is_utf8(text) && !is_utf8_without_controls(text)) {
      ++controls;
      EXPECT_TRUE(code < 0x20 || (code >= 0x7f && code <= 0x9f)) << code;
    }
  }
  EXPECT_EQ(controls, 65);
}

// Words of eight bytes are looked at together, the last one across the one before.
TEST(utf8, every_byte_counts_at_every_place_of_a_text_of_every_length) {
  for (std::size_t size = 1; size <= 26; ++size) {
    for (std::size_t place = 0; place < size; ++place) {
      for (unsigned byte = 0; byte < 256; ++byte) {
        std::string text(size, '~');
        text[place] = static_cast<char>(byte);
        ASSERT_EQ(is_utf8(text), byte < 0x80) << byte << " at " << place << " of " << size;
        ASSERT_EQ(is_utf8_without_controls(text), byte >= 0x20 && byte < 0x7f) << byte << " at " << place;
      }
    }
  }
}

TEST(utf8, a_control_anywhere_is_found) {
  EXPECT_TRUE(is_utf8_without_controls("caf\xc3\xa9 \xf0\x9f\x98\x80"));
  EXPECT_FALSE(is_utf8_without_controls(std::string_view("a\0b", 3)));
  EXPECT_FALSE(is_utf8_without_controls("tab\t"));
  EXPECT_FALSE(is_utf8_without_controls("next line \xc2\x85."));
  EXPECT_FALSE(is_utf8_without_controls("broken \xc2"));
}

}  // namespace
}  // namespace annals
