#include "http/characters.hpp"

#include <gtest/gtest.h>

#include <string>

namespace annals::http {
namespace {

// Eight bytes are looked at together.
TEST(characters, the_text_of_a_line_ends_at_its_first_control_character_wherever_that_stands) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    for (std::size_t size = 1; size <= 26; ++size) {
      for (std::size_t place = 0; place < size; ++place) {
        std::string line(size, '~');
        line[place] = static_cast<char>(byte);
        const bool ends = (byte < 0x20 && byte != '\t') || byte == 0x7f;
        ASSERT_EQ(characters::text_length(line), ends ? place : size) << byte << " at " << place;
      }
    }
  }
  EXPECT_EQ(characters::text_length(""), 0u);
  EXPECT_EQ(characters::text_length("\t\ttabs\tand \xe4 \t umlauts\t\r\n"), 23u);
}

}  // namespace
}  // namespace annals::http
