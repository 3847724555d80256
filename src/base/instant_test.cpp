#include "base/instant.hpp"

#include <gtest/gtest.h>

namespace annals {
namespace {

constexpr Instant ten_o_clock{1'770'890'400'000'000};  // 2026-02-12T10:00:00Z

std::optional<std::int64_t> microseconds_of(std::string_view text) {
  const auto instant = Instant::from_text(text);
  if (!instant) return std::nullopt;
  return instant->microseconds;
}

TEST(instant, text_is_utc_with_six_decimals) {
  EXPECT_EQ(ten_o_clock.to_text(), "2026-02-12T10:00:00.000000Z");
  EXPECT_EQ(ten_o_clock.plus(Duration{123'456}).to_text(), "2026-02-12T10:00:00.123456Z");
  EXPECT_EQ(Instant{}.to_text(), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(Instant{-1}.to_text(), "1969-12-31T23:59:59.999999Z");
}

TEST(instant, text_with_an_offset_is_the_same_moment) {
  for (const char* text : {"2026-02-12T10:00:00Z", "2026-02-12t10:00:00z", "2026-02-12T11:00:00+01:00",
                           "2026-02-12T09:30:00-00:30", "2026-02-13T00:00:00.000+14:00", "2026-02-12T10:00:00.0Z"}) {
    EXPECT_EQ(Instant::from_text(text), ten_o_clock) << text;
  }
}

TEST(instant, decimals_beyond_microseconds_are_cut) {
  EXPECT_EQ(Instant::from_text("2026-02-12T10:00:00.5Z"), ten_o_clock.plus(Duration{500'000}));
  EXPECT_EQ(Instant::from_text("2026-02-12T10:00:00.123456999Z"), ten_o_clock.plus(Duration{123'456}));
}

TEST(instant, what_no_calendar_has_is_refused) {
  for (const char* text :
       {"2026-02-29T10:00:00Z", "2026-13-01T10:00:00Z", "2026-00-01T10:00:00Z", "2026-01-00T10:00:00Z",
        "2026-01-32T10:00:00Z", "2026-02-12T24:00:00Z", "2026-02-12T10:60:00Z", "2026-02-12T10:00:61Z"}) {
    EXPECT_EQ(Instant::from_text(text), std::nullopt) << text;
  }
  EXPECT_TRUE(Instant::from_text("2024-02-29T10:00:00Z"));
}

TEST(instant, what_is_not_rfc_3339_is_refused) {
  for (const char* text : {"", "2026-02-12", "2026-02-12T10:00:00", "2026-02-12 10:00:00Z", "2026-02-12T10:00Z",
                           "2026-02-12T10:00:00.Z", "2026-02-12T10:00:00Zx", "2026-02-12T10:00:00+0100",
                           "2026-02-12T10:00:00+24:00", "2026-02-12T10:00:00+01:60", "2026-2-12T10:00:00Z",
                           " 2026-02-12T10:00:00Z", "+026-02-12T10:00:00Z", "2026-02-12T10:00:00,5Z", "1770890400"}) {
    EXPECT_EQ(Instant::from_text(text), std::nullopt) << text;
  }
}

TEST(instant, a_leap_second_is_the_last_microsecond_of_its_minute) {
  EXPECT_EQ(Instant::from_text("2016-12-31T23:59:60Z"), Instant::from_text("2016-12-31T23:59:59.999999Z"));
  EXPECT_EQ(Instant::from_text("2016-12-31T23:59:60.5Z"), Instant::from_text("2016-12-31T23:59:59.999999Z"));
}

TEST(instant, the_first_and_last_year_read_back_as_they_were_written) {
  for (const char* text :
       {"0000-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z", "1582-10-10T12:00:00.000001Z"}) {
    const auto instant = Instant::from_text(text);
    ASSERT_TRUE(instant) << text;
    EXPECT_EQ(instant->to_text(), text);
  }
}

TEST(instant, moments_are_ordered_and_apart_by_durations) {
  const Instant later = ten_o_clock.plus(std::chrono::hours(1));
  EXPECT_LT(ten_o_clock, later);
  EXPECT_EQ(later.since(ten_o_clock), std::chrono::hours(1));
  EXPECT_EQ(microseconds_of("1970-01-01T00:00:00.000001Z"), 1);
}

TEST(instant, what_does_not_fit_ends_at_the_first_or_last_moment) {
  constexpr Instant first{INT64_MIN};
  constexpr Instant last{INT64_MAX};
  EXPECT_EQ(last.plus(Duration{1}), last);
  EXPECT_EQ(last.plus(Duration{-1}), Instant{INT64_MAX - 1});
  EXPECT_EQ(first.plus(Duration{-1}), first);
  EXPECT_EQ(first.plus(Duration{INT64_MIN}), first);
  EXPECT_EQ(Instant{1}.plus(Duration{INT64_MAX}), last);
  EXPECT_EQ(last.since(first), Duration{INT64_MAX});
  EXPECT_EQ(first.since(last), Duration{INT64_MIN});
  EXPECT_EQ(first.since(first), Duration{0});
}

TEST(instant, a_moment_that_rfc_3339_cannot_name_is_shown_as_the_nearest_that_it_can) {
  EXPECT_EQ(Instant{INT64_MAX}.to_text(), "9999-12-31T23:59:59.999999Z");
  EXPECT_EQ(Instant::from_text("9999-12-31T23:59:59.999999Z")->plus(Duration{1}).to_text(),
            "9999-12-31T23:59:59.999999Z");
  EXPECT_EQ(Instant{INT64_MIN}.to_text(), "0000-01-01T00:00:00.000000Z");
}

TEST(duration, text_names_a_number_and_a_unit) {
  EXPECT_EQ(duration_from_text("250us"), Duration{250});
  EXPECT_EQ(duration_from_text("250ms"), std::chrono::milliseconds(250));
  EXPECT_EQ(duration_from_text("30s"), std::chrono::seconds(30));
  EXPECT_EQ(duration_from_text("5m"), std::chrono::minutes(5));
  EXPECT_EQ(duration_from_text("24h"), std::chrono::hours(24));
  EXPECT_EQ(duration_from_text("7d"), std::chrono::days(7));
  EXPECT_EQ(duration_from_text("0"), Duration{0});
}

TEST(duration, what_is_no_duration_is_refused) {
  for (const char* text : {"", "s", "-1s", "1.5s", "1 s", "1S", "1w", "1h30m", " 1s", "1s ", "30", "1",
                           "99999999999999999999s", "36526d"}) {
    EXPECT_EQ(duration_from_text(text), std::nullopt) << text;
  }
  EXPECT_TRUE(duration_from_text("36525d")) << "a hundred years are the limit";
}

TEST(duration, text_has_the_largest_unit_that_is_exact) {
  EXPECT_EQ(to_text(Duration{0}), "0s");
  EXPECT_EQ(to_text(Duration{1}), "1us");
  EXPECT_EQ(to_text(std::chrono::milliseconds(1'500)), "1500ms");
  EXPECT_EQ(to_text(std::chrono::seconds(90)), "90s");
  EXPECT_EQ(to_text(std::chrono::minutes(90)), "90m");
  EXPECT_EQ(to_text(std::chrono::hours(24)), "24h");
  EXPECT_EQ(to_text(std::chrono::hours(25)), "25h");
  EXPECT_EQ(to_text(std::chrono::hours(48)), "2d");
  EXPECT_EQ(to_text(std::chrono::days(36'525)), "36525d");
}

TEST(duration, text_reads_back_as_what_was_written) {
  for (const Duration duration : {Duration{0}, Duration{7}, Duration{1'001}, Duration{61'000'000},
                                  Duration{86'400'000'000}, Duration{2 * 86'400'000'000}}) {
    EXPECT_EQ(duration_from_text(to_text(duration)), duration);
  }
}

}  // namespace
}  // namespace annals
