#include "store/postgres/append_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace annals::store {
namespace {

using testing::ElementsAre;

Group group_for(std::string stream, ExpectedVersion expected, std::size_t count = 1) {
  return {.appends = {{.stream = std::move(stream), .expected = expected, .events = std::vector<NewEvent>(count)}},
          .nothing_after = std::nullopt};
}

std::vector<std::string> names_of(const std::vector<Call>& calls) {
  std::vector<std::string> names;
  for (const Call& call : calls) names.emplace_back(call.statement.name);
  return names;
}

/// A store at position 10 whose stream "old" is at version 4.
class AppendPlanTest : public testing::Test {
 protected:
  AppendPlan plan_for(const std::vector<Group>& groups) {
    for (const Group& group : groups) streams_.add(group);
    for (NamedStreams::Stream& stream : streams_.all()) {
      if (stream.name != "old") continue;
      stream.id = 7;
      stream.version = StreamVersion{4};
    }
    return AppendPlan(streams_, Position{10}, Instant{1'000}, Instant{900}, 3);
  }
  NamedStreams streams_;
};

TEST_F(AppendPlanTest, positions_versions_and_times_go_on_from_what_was_read) {
  const std::vector<Group> groups{group_for("old", ExpectedVersion::exact(StreamVersion{4}), 2),
                                  group_for("new", ExpectedVersion::none()),
                                  group_for("old", ExpectedVersion::exact(StreamVersion{6}))};
  AppendPlan plan = plan_for(groups);
  const auto first = plan.add(groups[0], Position{10});
  EXPECT_EQ(first->first, Position{11});
  EXPECT_EQ(first->last, Position{12});
  EXPECT_EQ(first->created_at, Instant{1'001}) << "the clock is behind";
  EXPECT_THAT(first->versions, ElementsAre(StreamVersion{6}));
  EXPECT_EQ(plan.add(groups[1], Position{10})->created_at, Instant{1'003});
  EXPECT_EQ(plan.add(groups[2], Position{10})->versions.front(), StreamVersion{7});
  EXPECT_EQ(plan.head(), Position{14});
  EXPECT_EQ(plan.last_time(), Instant{1'004});
  EXPECT_EQ(plan.new_streams(), 1u);
}

TEST_F(AppendPlanTest, a_refused_group_leaves_no_trace) {
  const std::vector<Group> groups{group_for("old", ExpectedVersion::none()),
                                  group_for("new", ExpectedVersion::exists())};
  AppendPlan plan = plan_for(groups);
  for (const Group& group : groups) EXPECT_EQ(plan.add(group, Position{10}).error().kind, ErrorKind::conflict);
  EXPECT_TRUE(plan.empty());
  EXPECT_EQ(plan.head(), Position{10});
  EXPECT_EQ(plan.new_streams(), 0u);
}

TEST_F(AppendPlanTest, a_stream_whose_last_events_were_removed_is_at_the_version_of_what_is_left) {
  const std::vector<Group> groups{group_for("old", ExpectedVersion::exact(StreamVersion{2})),
                                  group_for("old", ExpectedVersion::exact(StreamVersion{5}))};
  AppendPlan plan = plan_for(groups);
  EXPECT_EQ(plan.add(groups[0], Position{10}).error().kind, ErrorKind::conflict) << "nobody has looked";
  streams_.at("old").last_event = StreamVersion{2};
  const auto added = plan.add(groups[0], Position{10});
  ASSERT_TRUE(added);
  EXPECT_THAT(added->versions, ElementsAre(StreamVersion{5})) << "no version is given twice";
  EXPECT_TRUE(plan.add(groups[1], Position{10})) << "it has an event again";
}

TEST_F(AppendPlanTest, who_has_taken_in_events_that_were_removed_is_told_so) {
  std::vector<Group> groups{group_for("old", ExpectedVersion::exact(StreamVersion{5})),
                            group_for("new", ExpectedVersion::exact(StreamVersion{1}))};
  AppendPlan plan = plan_for(groups);
  for (Group& group : groups) {
    EXPECT_EQ(plan.add(group, Position{10}).error().kind, ErrorKind::conflict) << "it may expect what never was";
    group.appends.front().known_at = Position{8};
    EXPECT_EQ(plan.add(group, Position{10}).error().code, "stream_removed");
  }
  EXPECT_TRUE(plan.empty());
}

TEST_F(AppendPlanTest, a_stream_that_is_ahead_is_looked_at_unless_others_may_have_recorded_that) {
  const NamedStreams::Stream stream{.name = "old", .id = 7, .version = StreamVersion{4}};
  Group group = group_for("old", ExpectedVersion::exact(StreamVersion{4}));
  StreamAppend& append = group.appends.front();
  EXPECT_FALSE(may_have_lost_its_end(append, stream, Position{10}));
  append.expected = ExpectedVersion::exact(StreamVersion{5});
  EXPECT_FALSE(may_have_lost_its_end(append, stream, Position{10})) << "it is behind";
  for (const auto expected : {ExpectedVersion::none(), ExpectedVersion::exact(StreamVersion{3})}) {
    append.expected = expected;
    append.known_at.reset();
    EXPECT_TRUE(may_have_lost_its_end(append, stream, Position{10}));
    append.known_at = Position{9};
    EXPECT_FALSE(may_have_lost_its_end(append, stream, Position{10}));
    append.known_at = Position{10};
    EXPECT_TRUE(may_have_lost_its_end(append, stream, Position{10}));
  }
}

TEST_F(AppendPlanTest, however_many_groups_there_are_they_take_the_same_few_statements) {
  std::vector<Group> groups;
  for (int number = 0; number < 50; ++number)
    groups.push_back(group_for("new" + std::to_string(number), ExpectedVersion::none()));
  groups.push_back(group_for("old", ExpectedVersion::any()));
  AppendPlan plan = plan_for(groups);
  for (const Group& group : groups) EXPECT_TRUE(plan.add(group, Position{10}));
  std::vector<Call> calls;
  plan.put_statements(Dialect{}, calls);
  EXPECT_THAT(names_of(calls),
              ElementsAre("insert_streams", "update_streams", "insert_events", "insert_stream_events", "update_all"));
}

TEST(postgres_types, the_prefix_of_the_original_is_put_before_what_it_knows_and_taken_from_everything) {
  EXPECT_TRUE(is_original_type("ConfigValueSet"));
  EXPECT_FALSE(is_original_type("ProductCreated"));
  EXPECT_EQ(without_original_prefix("Elixir.ConfigApi.Events.ConfigValueSet"), "ConfigValueSet");
  EXPECT_EQ(without_original_prefix("ProductCreated"), "ProductCreated");
}

TEST(postgres_statements, words_are_filled_in_for_the_database_at_hand) {
  const Statement statement{"x",
                            "CAST($1 AS :data_type), :data_read[], :metadata_type, :metadata_read, LISTEN :channel"};
  Dialect dialect{.schema = "a\"b", .data_type = "jsonb", .metadata_type = "bytea"};
  EXPECT_EQ(dialect.text_of(statement), "CAST($1 AS jsonb), text[], bytea, bytea, LISTEN \"a\"\"b.annals\"");
}

}  // namespace
}  // namespace annals::store
