#include "http/routes/query_parameters.hpp"

#include <gtest/gtest.h>

#include <random>

namespace annals::http {
namespace {

TEST(KeyToken, a_list_goes_on_after_the_name_that_its_token_was_made_of) {
  for (const std::string& key : {std::string("a"), std::string("ab"), std::string("abc"), std::string("\xff\x00\n", 3),
                                 std::string(512, 'x'), std::string(511, '/')}) {
    const std::string token = key_token(key);
    EXPECT_EQ(token.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"),
              std::string::npos);
    const auto read = key_from_token(token);
    ASSERT_TRUE(read) << token;
    EXPECT_EQ(*read, key);
  }
  const auto start = key_from_token("0");
  ASSERT_TRUE(start);
  EXPECT_FALSE(start->has_value());
}

TEST(KeyToken, what_no_list_gave_out_is_refused) {
  for (const char* token : {"", "1", "k", "k--", "ka", "kabc", "k61", "kzzzz", "k6162x", "K6162", "k--6161", "k616",
                            "k6A6a", "x6162", "k--6", "a"}) {
    const auto read = key_from_token(token);
    ASSERT_FALSE(read) << token;
    EXPECT_EQ(read.error().code, "invalid_cursor") << token;
  }
}

TEST(KeyToken, neither_a_list_nor_a_position_takes_the_others_token) {
  std::mt19937_64 dice(20260212);
  for (int round = 0; round < 20'000; ++round) {
    std::string key(1 + dice() % 9, ' ');
    for (char& character : key) character = static_cast<char>(dice());
    EXPECT_EQ(Cursor::from_text(key_token(key)), std::nullopt) << key_token(key);
    Cursor cursor{static_cast<std::uint32_t>(dice()) | 1, Position{(dice() >> (dice() % 60)) | 1}};
    EXPECT_FALSE(key_from_token(cursor.to_text())) << cursor.to_text();
  }
  // The epoch that looks most like a name: its token is k and digits.
  const auto looks_alike = Cursor::from_text("ka0a0ac");
  ASSERT_TRUE(looks_alike);
  EXPECT_FALSE(key_from_token(looks_alike->to_text()));
}

TEST(PlaceToken, a_place_of_a_sorted_list_comes_back_and_is_taken_for_nothing_else) {
  for (const std::string& bytes : {std::string("a"), std::string("\0\xff", 2), std::string(1700, 'x')}) {
    const std::string token = place_token(bytes);
    EXPECT_EQ(place_from_token(token).value(), bytes);
    EXPECT_FALSE(key_from_token(token)) << token;
    EXPECT_EQ(Cursor::from_text(token), std::nullopt) << token;
    EXPECT_FALSE(place_from_token(key_token(bytes))) << token;
    EXPECT_FALSE(place_from_token(token + "0")) << token;
  }
  EXPECT_FALSE(place_from_token("0").value().has_value()) << "the start";
}

TEST(QueryParameters, what_is_not_known_is_kept_where_it_may_be_a_filter_but_nothing_is_given_twice) {
  const auto all = QueryParameters::parse_all("limit=1&price%5Bgte%5D=1%2C0&name[prefix]=a");
  ASSERT_TRUE(all);
  ASSERT_EQ(all->all().size(), 3u);
  EXPECT_EQ(all->all()[1].name, "price[gte]");
  EXPECT_EQ(all->all()[1].value, "1,0");
  EXPECT_EQ(*all->find("name[prefix]"), "a");
  EXPECT_EQ(QueryParameters::parse_all("a=1&%61=2").error().code, "duplicate_parameter");
  EXPECT_EQ(QueryParameters::parse_all("a=%zz").error().code, "invalid_query");
}

TEST(QueryParameters, a_plus_is_a_blank_where_forms_are_read_and_not_in_a_time) {
  const auto form = QueryParameters::parse_all("a+b=John+Smith%2B&at=2026-02-12T10:00:00+01:00&c=+");
  ASSERT_TRUE(form);
  EXPECT_EQ(*form->find("a b"), "John Smith+");
  EXPECT_EQ(*form->find("at"), "2026-02-12T10:00:00+01:00");
  EXPECT_EQ(*form->find("c"), " ");
  EXPECT_EQ(QueryParameters::parse_all("a=+%zz").error().code, "invalid_query");
  const auto names = QueryParameters::parse("prefix=a+b", {"prefix"});
  ASSERT_TRUE(names);
  EXPECT_EQ(*names->find("prefix"), "a+b");
}

TEST(QueryParameters, a_plus_is_a_blank_but_in_a_time_and_in_each_time_of_a_list) {
  const auto value_of = [](std::string_view query) {
    const auto parameters = QueryParameters::parse_all(query);
    return parameters ? parameters->all().front().value : "(" + parameters.error().code + ")";
  };
  EXPECT_EQ(value_of("a=b+c"), "b c");
  EXPECT_EQ(value_of("a=2026-01-01T00:00:00+01:00"), "2026-01-01T00:00:00+01:00");
  EXPECT_EQ(value_of("a[in]=2026-01-01T00:00:00+01:00,2026-01-02T00:00:00+02:00"),
            "2026-01-01T00:00:00+01:00,2026-01-02T00:00:00+02:00");
  EXPECT_EQ(value_of("a%5Bin%5D=2026-01-01T00:00:00%2B01:00%2c2026-01-02T00:00:00+02:00,"),
            "2026-01-01T00:00:00+01:00,2026-01-02T00:00:00+02:00,");
  EXPECT_EQ(value_of("a[in]=b+c,2026-01-01T00:00:00+01:00,d%2Be,,+"), "b c,2026-01-01T00:00:00+01:00,d+e,, ");
  EXPECT_EQ(value_of("a[in]=b\\,c+d%5C%2Ce"), "b\\,c d\\,e");
  EXPECT_EQ(value_of("a[in]="), "");
  EXPECT_EQ(value_of("a[in]=b,%4"), "(invalid_query)");
  EXPECT_EQ(value_of("a[in]=b%,2C"), "(invalid_query)");
}

}  // namespace
}  // namespace annals::http
