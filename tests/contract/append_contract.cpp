// The contract of append: conditions, groups, limits.

#include "tests/contract/event_store_contract.hpp"

namespace annals::contract {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto any = ExpectedVersion::any();
constexpr auto none = ExpectedVersion::none();
constexpr auto exists = ExpectedVersion::exists();

ExpectedVersion exact(std::uint64_t version) {
  return ExpectedVersion::exact(StreamVersion{version});
}

/// Appends what the store may refuse for its own sake, of which it says so beforehand.
AppendResult append_as_admitted(EventStore& store, const Group& group) {
  const Result<> admitted = store.admits(group);
  AppendResult appended = append(store, group);
  EXPECT_EQ(admitted.has_value(), appended.has_value());
  if (!admitted && !appended) {
    EXPECT_EQ(admitted.error().message, appended.error().message);
  }
  return appended;
}

TEST_P(EventStoreContract, a_fresh_store_has_nothing_and_can_be_written) {
  EXPECT_THAT(everything(store()), IsEmpty());
  const StoreStatus status = store().status();
  EXPECT_EQ(status.visible, Position{});
  EXPECT_EQ(status.flushed, Position{});
  EXPECT_TRUE(status.writable);
  EXPECT_EQ(status.reason, "");
}

TEST_P(EventStoreContract, versions_begin_at_1_and_positions_of_a_group_are_consecutive) {
  const Appended first = record(store(), group_for("a", none, 3));
  EXPECT_EQ(first.first, Position{1});
  EXPECT_EQ(first.last, Position{3});
  EXPECT_THAT(first.versions, ElementsAre(StreamVersion{3}));
  const Appended second =
      record(store(), {.appends = {append_for("b", any, 2), append_for("a", any, 1)}, .nothing_after = {}});
  EXPECT_EQ(second.first, Position{4});
  EXPECT_EQ(second.last, Position{6});
  EXPECT_THAT(second.versions, ElementsAre(StreamVersion{2}, StreamVersion{4}));
  EXPECT_EQ(store().status().visible, Position{6});
}

TEST_P(EventStoreContract, an_append_at_the_wrong_version_conflicts_and_records_nothing) {
  record(store(), group_for("a", exact(0), 2));
  EXPECT_THAT(append(store(), group_for("a", exact(1))), conflicts());
  EXPECT_THAT(append(store(), group_for("a", exact(3))), conflicts());
  EXPECT_THAT(append(store(), group_for("a", exact(0))), conflicts());
  EXPECT_EQ(everything(store()).size(), 2u);
  EXPECT_EQ(record(store(), group_for("a", exact(2))).versions.front(), StreamVersion{3});
}

TEST_P(EventStoreContract, a_conflict_names_the_stream_and_both_versions) {
  record(store(), group_for("config-x", none, 3));
  const AppendResult result = append(store(), group_for("config-x", exact(2)));
  ASSERT_THAT(result, conflicts());
  EXPECT_THAT(result.error().message,
              testing::AllOf(testing::HasSubstr("config-x"), testing::HasSubstr("3"), testing::HasSubstr("2")));
}

TEST_P(EventStoreContract, none_admits_only_a_stream_without_events) {
  record(store(), group_for("a", none));
  EXPECT_THAT(append(store(), group_for("a", none)), conflicts());
}

TEST_P(EventStoreContract, exists_admits_only_a_stream_with_events) {
  EXPECT_THAT(append(store(), group_for("a", exists)), conflicts());
  record(store(), group_for("a", any));
  record(store(), group_for("a", exists));
  EXPECT_EQ(value_of(store().stream_version("a")), StreamVersion{2});
}

TEST_P(EventStoreContract, nothing_after_admits_only_while_nothing_was_recorded_after) {
  Group first = group_for("a");
  first.nothing_after = Position{};
  record(store(), first);
  EXPECT_THAT(append(store(), first), conflicts());
  Group second = group_for("b");
  second.nothing_after = Position{1};
  record(store(), second);
  EXPECT_THAT(append(store(), second), conflicts());
  Group third = group_for("b");
  third.nothing_after = Position{9};
  record(store(), third);
  EXPECT_EQ(everything(store()).size(), 3u);
}

TEST_P(EventStoreContract, nothing_after_does_not_count_earlier_groups_of_the_same_call) {
  record(store(), group_for("a"));
  std::vector<Group> groups{group_for("b"), group_for("c"), group_for("d")};
  groups[0].nothing_after = groups[2].nothing_after = Position{1};
  groups[1].nothing_after = Position{};
  const auto results = append(store(), groups);
  ASSERT_EQ(results.size(), 3u);
  EXPECT_TRUE(results[0]);
  EXPECT_THAT(results[1], conflicts()) << "the first call's group came after it";
  EXPECT_TRUE(results[2]);
  EXPECT_THAT(append(store(), groups[2]), conflicts()) << "in a call of its own";
}

TEST_P(EventStoreContract, a_group_across_streams_is_recorded_whole_or_not_at_all) {
  record(store(), group_for("a"));
  Group group{.appends = {append_for("b", none, 2), append_for("a", exact(7)), append_for("c", none)},
              .nothing_after = {}};
  EXPECT_THAT(append(store(), group), conflicts());
  EXPECT_EQ(everything(store()).size(), 1u);
  EXPECT_EQ(value_of(store().stream_version("b")), StreamVersion{});
  EXPECT_EQ(value_of(store().stream_version("c")), StreamVersion{});
  group.appends[1].expected = exact(1);
  const Appended appended = record(store(), group);
  EXPECT_THAT(appended.versions, ElementsAre(StreamVersion{2}, StreamVersion{2}, StreamVersion{1}));
  const auto events = everything(store());
  ASSERT_EQ(events.size(), 5u);
  EXPECT_THAT((std::vector{events[1].stream, events[2].stream, events[3].stream, events[4].stream}),
              ElementsAre("b", "b", "a", "c"));
}

TEST_P(EventStoreContract, a_conflict_of_one_group_is_no_matter_to_those_of_other_streams) {
  const auto results = append(store(), {
                                           group_for("a", none, 2),
                                           group_for("b", exists),    // conflicts
                                           group_for("a", exact(2)),  // sees the first
                                           group_for("c", none),
                                           group_for("a", exact(3)),
                                       });
  ASSERT_EQ(results.size(), 5u);
  EXPECT_TRUE(results[0]);
  EXPECT_THAT(results[1], conflicts());
  EXPECT_TRUE(results[2]);
  EXPECT_TRUE(results[3]);
  EXPECT_TRUE(results[4]);
  std::vector<std::string> streams;
  for (const Recorded& event : everything(store())) streams.push_back(event.stream + std::to_string(event.version));
  EXPECT_THAT(streams, ElementsAre("a1", "a2", "a3", "c1", "a4"));
  EXPECT_EQ(results[3]->first, Position{4});
  EXPECT_EQ(results[4]->first, Position{5});
}

TEST_P(EventStoreContract, what_was_decided_on_a_refused_group_of_the_call_is_refused_too) {
  const auto both = [](std::string one, std::string other) {
    return Group{.appends = {append_for(std::move(one)), append_for(std::move(other))}, .nothing_after = {}};
  };
  const auto results = append(store(), {
                                           group_for("a", exact(1)),  // conflicts
                                           group_for("a", any),       // would be admitted by itself
                                           both("b", "a"),            // names one of its streams
                                           group_for("b", none),      // names one of that one's
                                           group_for("c", none),
                                       });
  ASSERT_EQ(results.size(), 5u);
  for (const std::size_t at : {0u, 1u, 2u, 3u}) EXPECT_THAT(results[at], conflicts()) << at;
  EXPECT_THAT(results[1].error().message, testing::HasSubstr("stream a"));
  EXPECT_TRUE(results[4]);
  EXPECT_EQ(everything(store()).size(), 1u);
  EXPECT_EQ(record(store(), group_for("a", none)).first, Position{2}) << "the next call is another matter";
}

TEST_P(EventStoreContract, what_was_decided_on_an_invalid_group_of_the_call_is_refused_too) {
  Group invalid = group_for("a");
  invalid.appends[0].events[0].type = "";
  const auto results = append(store(), {invalid, group_for("a"), group_for("b")});
  ASSERT_EQ(results.size(), 3u);
  EXPECT_THAT(results[0], fails_with(ErrorKind::invalid, std::string_view("invalid_event_type")));
  EXPECT_THAT(results[1], conflicts());
  EXPECT_TRUE(results[2]);
}

TEST_P(EventStoreContract, an_invalid_group_is_no_matter_to_the_others_of_the_call) {
  const auto results = append(store(), {group_for("a"), Group{}, group_for("a", exact(1))});
  ASSERT_EQ(results.size(), 3u);
  EXPECT_TRUE(results[0]);
  EXPECT_FALSE(results[1]);
  EXPECT_TRUE(results[2]);
  EXPECT_EQ(everything(store()).size(), 2u);
}

TEST_P(EventStoreContract, a_call_without_groups_is_answered_without_results) {
  EXPECT_THAT(append(store(), std::vector<Group>{}), IsEmpty());
}

TEST_P(EventStoreContract, a_call_of_refused_groups_alone_records_nothing) {
  const auto results = append(store(), {group_for("a", exists), group_for("b", exact(4))});
  EXPECT_THAT(results, ElementsAre(conflicts(), conflicts()));
  EXPECT_EQ(store().status().visible, Position{});
  EXPECT_EQ(record(store(), group_for("a")).first, Position{1});
}

TEST_P(EventStoreContract, groups_that_no_store_could_take_are_refused_and_record_nothing) {
  const std::string_view invalid_group = "invalid_group";
  const std::string_view invalid_name = "invalid_stream_name";
  EXPECT_THAT(append_as_admitted(store(), Group{}), fails_with(ErrorKind::invalid, invalid_group));
  EXPECT_THAT(append_as_admitted(store(), group_for("a", any, 0)), fails_with(ErrorKind::invalid, invalid_group));
  EXPECT_THAT(append_as_admitted(store(),
                                 {.appends = {append_for("a"), append_for("b"), append_for("a")}, .nothing_after = {}}),
              fails_with(ErrorKind::invalid, invalid_group));
  EXPECT_THAT(append_as_admitted(store(), group_for("")), fails_with(ErrorKind::invalid, invalid_name));
  EXPECT_THAT(append_as_admitted(store(), group_for("a\nb")), fails_with(ErrorKind::invalid, invalid_name));
  EXPECT_THAT(append_as_admitted(store(), group_for("a\xff")), fails_with(ErrorKind::invalid, invalid_name));
  EXPECT_THAT(everything(store()), IsEmpty());
}

TEST_P(EventStoreContract, what_is_larger_than_a_limit_is_refused_and_records_nothing) {
  const auto too_large = fails_with(ErrorKind::too_large, std::string_view("too_large"));
  EXPECT_THAT(append_as_admitted(store(), group_for(std::string(stream_name_bytes_max + 1, 's'))), too_large);
  EXPECT_THAT(append_as_admitted(store(), group_for("a", any, group_events_max + 1)), too_large);
  Group group = group_for("a");
  NewEvent& event = group.appends[0].events[0];
  event.type = std::string(event_type_bytes_max + 1, 't');
  EXPECT_THAT(append_as_admitted(store(), group), too_large);
  event = event_saying(std::string(event_data_bytes_max + 1, 'd'));
  EXPECT_THAT(append_as_admitted(store(), group), too_large);
  event = event_saying("");
  event.metadata = std::string(event_metadata_bytes_max + 1, 'm');
  EXPECT_THAT(append_as_admitted(store(), group), too_large);
  group.appends[0].events.assign(3, event_saying(std::string(group_bytes_max / 3 + 1, 'd')));
  EXPECT_THAT(append_as_admitted(store(), group), too_large);
  EXPECT_THAT(everything(store()), IsEmpty());
}

TEST_P(EventStoreContract, what_is_as_large_as_every_limit_is_recorded) {
  use_place_for(GroupSize::up_to_the_limit);
  Group group = group_for(std::string(stream_name_bytes_max, 's'));
  NewEvent& event = group.appends[0].events[0];
  event.type = std::string(event_type_bytes_max, 't');
  event.data = std::string(event_data_bytes_max, 'd');
  event.metadata = std::string(event_metadata_bytes_max, 'm');
  record(store(), group);

  Group largest = group_for("b", any, 2);
  const std::size_t other_bytes =
      2 * (1 + largest.appends[0].events[0].type.size() + largest.appends[0].events[0].metadata.size());
  largest.appends[0].events[0].data = std::string(event_data_bytes_max, 'x');
  largest.appends[0].events[1].data = std::string(group_bytes_max - other_bytes - event_data_bytes_max, 'y');
  record(store(), largest);
  record(store(), group_for("c", any, group_events_max));

  const EventPage page =
      value_of(store().read_all(Position{}, Horizon::visible, {.events_max = 3, .bytes_max = 1u << 30}));
  ASSERT_EQ(page.events().size(), 3u);
  EXPECT_EQ(page.events()[0].stream, group.appends[0].stream);
  EXPECT_EQ(page.events()[0].type, event.type);
  EXPECT_EQ(page.events()[0].data, event.data);
  EXPECT_EQ(page.events()[0].metadata, event.metadata);
  EXPECT_EQ(page.events()[1].data, largest.appends[0].events[0].data);
  EXPECT_EQ(page.events()[2].data, largest.appends[0].events[1].data);
  EXPECT_EQ(value_of(store().stream_version("c")), StreamVersion{group_events_max});
}

TEST_P(EventStoreContract, success_of_an_append_says_what_status_and_durability_say) {
  record(store(), group_for("a", any, 2));
  const StoreStatus status = store().status();
  EXPECT_EQ(status.visible, Position{2});
  EXPECT_LE(status.flushed, status.visible);
  if (store().durability() == Durability::local || store().durability() == Durability::quorum) {
    EXPECT_EQ(status.flushed, Position{2}) << "a success is durable";
    EXPECT_EQ(status.last_flush_ok, std::optional(true));
  }
}

TEST_P(EventStoreContract, an_append_gets_at_least_the_durability_that_it_asks_for) {
  std::uint64_t last = 0;
  for (const AskedDurability asked : {AskedDurability::memory, AskedDurability::store, AskedDurability::local}) {
    SCOPED_TRACE(to_string(asked));
    Group group = group_for("a");
    group.durability = asked;
    record(store(), group);
    ++last;
    const Durability given = store().durability_of(asked);
    const StoreStatus status = store().status();
    EXPECT_EQ(status.visible, Position{last});
    EXPECT_LE(status.flushed, status.visible);
    if (given == Durability::local || given == Durability::quorum) {
      EXPECT_EQ(status.flushed, Position{last}) << "and all that was recorded before it";
    }
    ASSERT_TRUE(store().flush());
    EXPECT_EQ(store().status().flushed, Position{last});
  }
  EXPECT_EQ(store().durability_of(AskedDurability::store), store().durability());
}

TEST_P(EventStoreContract, the_groups_of_a_call_are_as_durable_as_the_one_that_asks_for_most) {
  std::vector<Group> groups{group_for("a"), group_for("b"), group_for("c")};
  groups[0].durability = groups[2].durability = AskedDurability::memory;
  groups[1].durability = AskedDurability::local;
  for (const AppendResult& result : append(store(), groups)) EXPECT_TRUE(result);
  if (store().durability_of(AskedDurability::local) == Durability::local) {
    EXPECT_EQ(store().status().flushed, Position{3});
  }
  EXPECT_EQ(everything(store()).size(), 3u);
}

}  // namespace
}  // namespace annals::contract
