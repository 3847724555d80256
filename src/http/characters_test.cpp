#include "http/characters.hpp"

#include <gtest/gtest.h>

#include <string>

namespace annals::http {
namespace {

static_assert(is_token("X-Request-Id") && !is_token("X Y") && !is_token(""));

TEST(Characters, what_is_no_text_is_found_wherever_it_stands) {
  for (int byte = 0; byte < 256; ++byte) {
    for (std::size_t place = 0; place < 20; ++place) {
      std::string bytes = "\tGET /ab\xc3\xa4 H\x80TP/1.1\x01";
      ASSERT_EQ(bytes.size(), 20u);
      bytes[place] = static_cast<char>(byte);
      for (std::size_t begin = 0; begin <= bytes.size(); ++begin) {
        std::size_t expected = begin;
        while (expected < bytes.size() && characters::in(characters::text, bytes[expected])) ++expected;
        ASSERT_EQ(characters::find_not_text(bytes.data(), begin, bytes.size()), expected)
            << "byte " << byte << " at " << place << ", from " << begin;
      }
    }
  }
}

}  // namespace
}  // namespace annals::http
