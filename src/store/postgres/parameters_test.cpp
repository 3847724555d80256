#include "store/postgres/parameters.hpp"

#include <gtest/gtest.h>

namespace annals::store {
namespace {

using std::string_literals::operator""s;

TEST(postgres_parameters, integers_are_written_most_significant_byte_first) {
  Parameters parameters;
  parameters.add(std::int64_t{0x0102030405060708}).add(std::int64_t{-2});
  EXPECT_EQ(parameters.values()[0], "\1\2\3\4\5\6\7\10"s);
  EXPECT_EQ(parameters.values()[1], "\xff\xff\xff\xff\xff\xff\xff\xfe"s);
}

TEST(postgres_parameters, times_count_from_the_year_2000_and_before_its_range_are_infinite) {
  EXPECT_EQ(to_database_time(*Instant::from_text("2000-01-01T00:00:00Z")), 0);
  EXPECT_EQ(to_database_time(*Instant::from_text("1999-12-31T23:59:59.999999Z")), -1);
  EXPECT_EQ(to_database_time(Instant{INT64_MIN}), INT64_MIN);
  EXPECT_EQ(from_database_time(INT64_MIN), Instant{INT64_MIN});
  EXPECT_EQ(to_database_time(Instant{INT64_MAX}), INT64_MAX - 946'684'800'000'000);
  for (const std::int64_t microseconds : {std::int64_t{253'402'300'799'999'999}, std::int64_t{0}, std::int64_t{-1},
                                          std::int64_t{1'770'890'400'000'000}}) {
    EXPECT_EQ(from_database_time(to_database_time(Instant{microseconds})), Instant{microseconds});
  }
}

TEST(postgres_parameters, times_beyond_the_year_9999_are_the_first_day_of_it) {
  EXPECT_EQ(latest_of_others, *Instant::from_text("9999-01-01T00:00:00Z"));
  const std::int64_t last = to_database_time(*Instant::from_text("9999-12-31T23:59:59.999999Z"));
  EXPECT_EQ(from_database_time(last + 1), latest_of_others);
  EXPECT_EQ(from_database_time(INT64_MAX), latest_of_others);
}

TEST(postgres_parameters, an_array_has_a_header_and_each_element_its_length) {
  ArrayParameter array(ArrayParameter::Element::text);
  array.add(std::string_view("ab"));
  array.add_null();
  EXPECT_EQ(array.size(), 2u);
  EXPECT_EQ(std::move(array).encoded(),
            "\0\0\0\1"s
            "\0\0\0\1"s
            "\0\0\0\x19"s
            "\0\0\0\2"s
            "\0\0\0\1"s
            "\0\0\0\2"s
            "ab"s
            "\xff\xff\xff\xff"s);
}

TEST(postgres_parameters, an_empty_array_has_no_dimension) {
  EXPECT_EQ(ArrayParameter(ArrayParameter::Element::integer).encoded(),
            "\0\0\0\0"s
            "\0\0\0\0"s
            "\0\0\0\x14"s);
}

}  // namespace
}  // namespace annals::store
