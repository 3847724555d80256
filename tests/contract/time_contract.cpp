// The contract of times: stamps strictly increase, settled times stay settled, questions about the past are answered.

#include <algorithm>

#include "tests/contract/event_store_contract.hpp"

namespace annals::contract {
namespace {

void expect_strictly_rising_times(const std::vector<Recorded>& events) {
  for (std::size_t at = 1; at < events.size(); ++at) {
    EXPECT_LT(events[at - 1].created_at, events[at].created_at) << events[at];
  }
}

/// The version of the event that read_at gives, which must be of the stream and not after the time; 0 when it gives
/// none.
StreamVersion version_read_at(const EventStore& store, std::string_view stream, Instant time) {
  const EventPage page = value_of(store.read_at(stream, time));
  if (page.events().empty()) return {};
  EXPECT_EQ(page.events().size(), 1u);
  const EventView& event = page.events().front();
  EXPECT_EQ(event.stream, stream);
  EXPECT_LE(event.created_at, time);
  EXPECT_FALSE(event.data.empty());
  return event.version;
}

TEST_P(EventStoreContract, a_group_is_stamped_with_the_clock_and_its_events_a_microsecond_apart) {
  clock_.advance(std::chrono::seconds(5));
  const Appended appended =
      record(store(), {.appends = {append_for("a", ExpectedVersion::any(), 2), append_for("b")}, .nothing_after = {}});
  EXPECT_EQ(appended.created_at, clock_.now());
  const auto events = everything(store());
  ASSERT_EQ(events.size(), 3u);
  for (std::size_t at = 0; at < 3; ++at) EXPECT_EQ(events[at].created_at, appended.created_at.plus(Duration{at}));
}

TEST_P(EventStoreContract, times_strictly_increase_while_the_clock_stands_still) {
  const Instant start = clock_.now();
  record(store(), group_for("a", ExpectedVersion::any(), 10));
  EXPECT_EQ(record(store(), group_for("b")).created_at, start.plus(Duration{10}));
  const auto results = append(store(), {group_for("c"), group_for("d", ExpectedVersion::exists()), group_for("c")});
  EXPECT_EQ(results[0]->created_at, start.plus(Duration{11}));
  EXPECT_EQ(results[2]->created_at, start.plus(Duration{12}));
  expect_strictly_rising_times(everything(store()));
}

TEST_P(EventStoreContract, a_clock_that_steps_back_raises_an_alarm_and_times_increase_all_the_same) {
  const Appended before = record(store(), group_for("a"));
  clock_.set(clock_.now().plus(-std::chrono::hours(2)));
  const Appended after = record(store(), group_for("a", ExpectedVersion::any(), 3));
  EXPECT_EQ(after.created_at, before.created_at.plus(Duration{1}));
  expect_strictly_rising_times(everything(store()));
  EXPECT_THAT(log_.lines(),
              testing::Contains(testing::AllOf(testing::StartsWith("WARNING"), testing::HasSubstr("clock"))));
  clock_.set(before.created_at.plus(std::chrono::hours(1)));
  EXPECT_EQ(record(store(), group_for("a")).created_at, clock_.now());
}

TEST_P(EventStoreContract, no_event_is_stamped_at_or_before_a_settled_time) {
  record(store(), group_for("a"));
  clock_.advance(std::chrono::seconds(1));
  const Instant settled = clock_.now();
  EXPECT_TRUE(store().settle(settled));
  EXPECT_TRUE(store().settle(settled.plus(-std::chrono::seconds(1))));  // an earlier time takes nothing back
  EXPECT_EQ(record(store(), group_for("a")).created_at, settled.plus(Duration{1}));
  clock_.set(settled.plus(-std::chrono::minutes(1)));
  EXPECT_GT(record(store(), group_for("a")).created_at, settled);
  EXPECT_EQ(value_of(store().version_at("a", settled)), StreamVersion{1});
}

TEST_P(EventStoreContract, settling_an_empty_store_counts_too) {
  EXPECT_TRUE(store().settle(clock_.now()));
  EXPECT_EQ(record(store(), group_for("a")).created_at, clock_.now().plus(Duration{1}));
}

TEST_P(EventStoreContract, settling_a_time_to_come_is_ignored) {
  EXPECT_TRUE(store().settle(clock_.now().plus(std::chrono::hours(1))));
  EXPECT_EQ(record(store(), group_for("a")).created_at, clock_.now());
}

TEST_P(EventStoreContract, a_time_has_the_version_and_position_of_the_last_event_up_to_it) {
  EXPECT_EQ(value_of(store().position_at(clock_.now())), Position{});
  const char* const streams[] = {"a", "b", "c"};
  for (int round = 0; round < 60; ++round) {
    clock_.advance(Duration{dice_.below(3) * 5});
    record(store(), group_for(streams[dice_.below(3)], ExpectedVersion::any(), 1 + dice_.below(4)));
  }
  const auto events = everything(store());
  const auto version_then = [&](std::string_view stream, Instant time) {
    return std::ranges::count_if(
        events, [&](const Recorded& event) { return event.stream == stream && event.created_at <= time; });
  };
  const auto position_then = [&](Instant time) {
    return std::ranges::count_if(events, [&](const Recorded& event) { return event.created_at <= time; });
  };
  std::vector<Instant> times{Instant{INT64_MIN}, Instant{}, Instant{INT64_MAX}};
  for (const Recorded& event : events) {
    for (int offset : {-1, 0, 1}) times.push_back(event.created_at.plus(Duration{offset}));
  }
  for (const Instant time : times) {
    ASSERT_EQ(value_of(store().position_at(time)).value, static_cast<std::uint64_t>(position_then(time)))
        << time.microseconds;
    for (const char* stream : streams) {
      ASSERT_EQ(value_of(store().version_at(stream, time)).value,
                static_cast<std::uint64_t>(version_then(stream, time)))
          << stream << " at " << time.microseconds;
      ASSERT_EQ(version_read_at(store(), stream, time).value, static_cast<std::uint64_t>(version_then(stream, time)))
          << stream << " at " << time.microseconds;
    }
  }
}

TEST_P(EventStoreContract, questions_about_times_are_answered_across_a_long_history) {
  // Long enough to leave one segment, block or page of whatever a store keeps its events in.
  std::vector<Instant> stamps;
  for (int round = 0; round < 400; ++round) {
    clock_.advance(std::chrono::milliseconds(10));
    Group group = group_for(round % 5 == 0 ? "rare" : "often");
    group.appends[0].events[0].data = std::string(3'000, 'x');
    stamps.push_back(record(store(), group).created_at);
  }
  for (std::size_t at = 0; at < stamps.size(); at += 7) {
    ASSERT_EQ(value_of(store().position_at(stamps[at])), Position{at + 1});
    ASSERT_EQ(value_of(store().position_at(stamps[at].plus(Duration{-1}))), Position{at});
    ASSERT_EQ(value_of(store().version_at("rare", stamps[at])), StreamVersion{at / 5 + 1});
    ASSERT_EQ(value_of(store().version_at("often", stamps[at])), StreamVersion{at - at / 5});
    ASSERT_EQ(version_read_at(store(), "rare", stamps[at]), StreamVersion{at / 5 + 1});
    ASSERT_EQ(version_read_at(store(), "often", stamps[at]), StreamVersion{at - at / 5});
  }
}

}  // namespace
}  // namespace annals::contract
