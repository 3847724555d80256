#include "http/request.hpp"

#include <gtest/gtest.h>

namespace annals::http {
namespace {

TEST(Request, a_field_is_found_in_any_case_and_the_first_counts) {
  Request request;
  request.fields = {{"X-One", "1"}, {"x-ONE", "2"}, {"Two", ""}};
  EXPECT_EQ(request.field("x-one"), "1");
  EXPECT_EQ(request.field("two"), "");
  EXPECT_EQ(request.field("three"), std::nullopt);
}

TEST(Request, names_are_compared_without_regard_to_the_case_of_letters_only) {
  EXPECT_TRUE(equal_ignoring_case("Content-Length", "content-LENGTH"));
  EXPECT_FALSE(equal_ignoring_case("a", "ab"));
  EXPECT_FALSE(equal_ignoring_case("[", "{"));
  EXPECT_FALSE(equal_ignoring_case("\xc4", "\xe4"));
}

// Words of eight bytes, or of four, are compared, the last one across the one before.
TEST(Request, every_byte_of_a_name_counts_at_every_place_whatever_its_length) {
  for (std::size_t size = 1; size <= 20; ++size) {
    for (std::size_t place = 0; place < size; ++place) {
      for (int left = 0; left < 256; ++left) {
        for (int right = 0; right < 256; ++right) {
          // All of them where one letter stands alone, else each beside its neighbours in the table.
          if (size > 1 && right != left && right != (left ^ 0x20) && right != (left ^ 0x80)) continue;
          std::string first(size, 'a');
          std::string second(size, 'A');
          first[place] = static_cast<char>(left);
          second[place] = static_cast<char>(right);
          const auto lower = [](int byte) { return byte >= 'A' && byte <= 'Z' ? byte + 0x20 : byte; };
          ASSERT_EQ(equal_ignoring_case(first, second), lower(left) == lower(right)) << left << " and " << right;
        }
      }
    }
  }
  EXPECT_TRUE(equal_ignoring_case("", ""));
}

TEST(Request, percent_decoding_takes_whole_escapes_only) {
  EXPECT_EQ(percent_decode("a%2Fb%2fc+d"), "a/b/c+d");
  EXPECT_EQ(percent_decode("%00"), std::string(1, '\0'));
  EXPECT_EQ(percent_decode(""), "");
  for (std::string_view broken : {"%", "%1", "a%", "%zz", "%1g", "%%41"})
    EXPECT_EQ(percent_decode(broken), std::nullopt) << broken;
}

TEST(Request, a_path_is_plain_once_the_escapes_of_unreserved_characters_are_decoded) {
  std::string storage = "what was there before";
  EXPECT_EQ(plain_path("/%63onfi%67/%7e%2D%2e%5F%41%39", storage), "/config/~-._A9");
  EXPECT_EQ(plain_path("%61", storage), "a");
  // A character that may mean something else stays as it is, and so does what is no escape.
  for (std::string_view plain : {"", "/", "/config/a", "/config/a%2Fb%2f%3F%25%00%c3%a4", "/%", "/%6", "/%zz%6g"}) {
    EXPECT_EQ(plain_path(plain, storage), plain);
    EXPECT_EQ(plain_path(plain, storage).data(), plain.data()) << "nothing is copied";
  }
  // What is decoded makes no escape that was not there.
  EXPECT_EQ(plain_path("/%25%36%33%63", storage), "/%2563c");
  for (std::string_view broken : {"/%%36%31", "/%2%35", "/%6%31", "/%61%", "/%61%4"})
    EXPECT_EQ(plain_path(broken, storage), broken);
}

TEST(Request, percent_encoding_is_undone_by_decoding) {
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  const std::string encoded = percent_encode(every);
  EXPECT_EQ(percent_decode(encoded), every);
  EXPECT_EQ(percent_encode("aZ09-._~/ \xc3\xa4"), "aZ09-._~%2F%20%C3%A4");
}

}  // namespace
}  // namespace annals::http
