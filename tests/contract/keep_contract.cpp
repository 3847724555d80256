// The contract of stores that keep what was recorded: it is there when the store is opened again.

#include "tests/contract/event_store_contract.hpp"

namespace annals::contract {
namespace {

/// The same suite over the stores that keep.
class KeptStoreContract : public EventStoreContract {};

TEST_P(KeptStoreContract, everything_is_there_after_opening_again) {
  for (int round = 0; round < 40; ++round) {
    clock_.advance(Duration{dice_.below(1'000)});
    Group group{
        .appends = {append_for("a-" + std::to_string(dice_.below(5)), ExpectedVersion::any(), 1 + dice_.below(3)),
                    append_for("b-" + std::to_string(dice_.below(5)))},
        .nothing_after = {}};
    group.appends[0].events[0].data = std::string(dice_.below(20'000), 'x');
    group.appends[1].events[0].causation_id = platform::make_uuid(clock_.now(), dice_);
    record(store(), group);
  }
  const auto before = everything(store());
  const auto stream_before = stream_of(store(), "a-3");
  const StoreStatus status = store().status();
  reopen();
  EXPECT_EQ(everything(store()), before);
  EXPECT_EQ(everything(store(), {}, Horizon::flushed), before) << "closing flushes";
  EXPECT_EQ(stream_of(store(), "a-3"), stream_before);
  EXPECT_EQ(store().status().visible, status.visible);
  EXPECT_TRUE(store().status().writable);
}

TEST_P(KeptStoreContract, versions_positions_and_times_go_on_after_opening_again) {
  const Appended before = record(store(), group_for("a", ExpectedVersion::none(), 3));
  reopen();
  EXPECT_THAT(append(store(), group_for("a", ExpectedVersion::none())), conflicts());
  Group next = group_for("a", ExpectedVersion::exact(StreamVersion{3}));
  next.nothing_after = before.last;
  const Appended after = record(store(), next);
  EXPECT_EQ(after.first, before.last.next());
  EXPECT_THAT(after.versions, testing::ElementsAre(StreamVersion{4}));
  EXPECT_EQ(after.created_at, before.created_at.plus(Duration{3})) << "the clock stood still";
}

TEST_P(KeptStoreContract, an_empty_store_opens_again_empty) {
  reopen();
  EXPECT_TRUE(everything(store()).empty());
  EXPECT_EQ(record(store(), group_for("a")).first, Position{1});
}

TEST_P(KeptStoreContract, cursors_outlive_a_clean_stop) {
  record(store(), group_for("a", ExpectedVersion::any(), 4));
  const Cursor cursor = store().cursor(Position{3});
  reopen();
  EXPECT_EQ(value_of(store().resolve(cursor)), Position{3});
  record(store(), group_for("a"));
  reopen();
  EXPECT_EQ(value_of(store().resolve(cursor)), Position{3});
  EXPECT_EQ(value_of(store().resolve(store().cursor(Position{5}))), Position{5});
}

TEST_P(KeptStoreContract, times_are_answered_the_same_after_opening_again) {
  std::vector<Instant> stamps;
  for (int round = 0; round < 30; ++round) {
    clock_.advance(std::chrono::seconds(1));
    stamps.push_back(record(store(), group_for(round % 2 == 0 ? "even" : "odd")).created_at);
  }
  reopen();
  for (std::size_t at = 0; at < stamps.size(); ++at) {
    EXPECT_EQ(value_of(store().position_at(stamps[at])), Position{at + 1});
    EXPECT_EQ(value_of(store().version_at("even", stamps[at])), StreamVersion{at / 2 + 1});
  }
}

TEST_P(KeptStoreContract, a_store_opened_many_times_grows_on) {
  for (std::uint64_t round = 1; round <= 12; ++round) {
    record(store(), group_for("a", ExpectedVersion::exact(StreamVersion{round - 1})));
    reopen();
    ASSERT_EQ(everything(store()).size(), round);
  }
}

TEST_P(KeptStoreContract, refused_groups_leave_no_trace_after_opening_again) {
  const auto results = append(store(), {group_for("a"), group_for("b", ExpectedVersion::exists()), group_for("c")});
  EXPECT_THAT(results[1], conflicts());
  reopen();
  EXPECT_EQ(everything(store()).size(), 2u);
  EXPECT_EQ(value_of(store().stream_version("b")), StreamVersion{});
}

std::vector<StoreUnderTest> those_that_keep() {
  std::vector<StoreUnderTest> keeping;
  for (const StoreUnderTest& entry : stores_under_test()) {
    if (entry.keeps) keeping.push_back(entry);
  }
  return keeping;
}

INSTANTIATE_TEST_SUITE_P(every_store, KeptStoreContract, testing::ValuesIn(those_that_keep()),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace annals::contract
