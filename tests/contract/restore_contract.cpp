// The contract of restore: events of another store, as they are.

#include "tests/contract/event_store_contract.hpp"

namespace annals::contract {
namespace {

using testing::IsEmpty;

auto not_next() {
  return fails_with(ErrorKind::conflict, std::string_view("not_next"));
}

class RestoreContract : public EventStoreContract {
 protected:
  /// A store of the same kind with some history, over several streams and with gaps in time.
  RestoreContract() {
    std::tie(place_of_source_, source_) = make_other_store();
    for (int round = 0; round < 30; ++round) {
      clock_.advance(Duration{dice_.below(3)});
      Group group{
          .appends = {append_for("a-" + std::to_string(dice_.below(4)), ExpectedVersion::any(), 1 + dice_.below(3)),
                      append_for("b", ExpectedVersion::any(), 1 + dice_.below(2))},
          .nothing_after = {}};
      group.appends[1].events[0].causation_id = platform::make_uuid(clock_.now(), dice_);
      record(*source_, group);
    }
  }

  [[nodiscard]] EventPage page_of_source(Position after = {}, std::size_t events = 10'000) {
    return value_of(source_->read_all(after, Horizon::visible, {.events_max = events}));
  }

  std::unique_ptr<StorePlace> place_of_source_;
  std::unique_ptr<EventStore> source_;
};

TEST_P(RestoreContract, makes_a_copy_that_reads_the_same) {
  for (Position after; after < source_->status().visible; after = store().status().visible) {
    const EventPage page = page_of_source(after, 7);
    ASSERT_TRUE(store().restore(page.events()));
  }
  EXPECT_EQ(everything(store()), everything(*source_));
  EXPECT_EQ(everything(store(), {}, Horizon::flushed), everything(*source_)) << "all of it is durable";
  EXPECT_EQ(stream_of(store(), "b"), stream_of(*source_, "b"));
  const EventPage copies = value_of(store().read_all({}, Horizon::visible, {}));
  const EventPage originals = page_of_source();
  ASSERT_EQ(copies.events().size(), originals.events().size());
  for (std::size_t at = 0; at < copies.events().size(); ++at) {
    EXPECT_EQ(copies.events()[at].node_id, originals.events()[at].node_id);
  }
  for (const EventView& event : originals.events()) {
    EXPECT_EQ(value_of(store().position_at(event.created_at)), event.position);
    EXPECT_EQ(value_of(store().version_at(event.stream, event.created_at)), event.version);
  }
}

TEST_P(RestoreContract, keeps_the_node_of_each_event) {
  const EventPage page = page_of_source({}, 2);
  std::vector<EventView> events = page.events();
  events[0].node_id = 7;
  events[1].node_id = 4'000'000'000;
  ASSERT_TRUE(store().restore(events));
  const EventPage copies = value_of(store().read_all({}, Horizon::visible, {}));
  EXPECT_EQ(copies.events()[0].node_id, 7u);
  EXPECT_EQ(copies.events()[1].node_id, 4'000'000'000u);
}

TEST_P(RestoreContract, goes_on_where_the_store_ends_and_appends_go_on_where_it_ended) {
  ASSERT_TRUE(store().restore(page_of_source({}, 5).events()));
  const EventPage rest = page_of_source(Position{5});
  ASSERT_TRUE(store().restore(rest.events()));
  const EventView& last = rest.events().back();
  const Appended appended = record(store(), group_for(std::string(last.stream), ExpectedVersion::exact(last.version)));
  EXPECT_EQ(appended.first, last.position.next());
  EXPECT_GT(appended.created_at, last.created_at);
}

TEST_P(RestoreContract, refuses_what_does_not_go_on_where_the_store_ends) {
  const EventPage page = page_of_source({}, 6);
  EXPECT_THAT(store().restore(std::span(page.events()).subspan(1)), not_next()) << "a gap at the start";
  EXPECT_THAT(everything(store()), IsEmpty());
  ASSERT_TRUE(store().restore(std::span(page.events()).first(3)));
  EXPECT_THAT(store().restore(std::span(page.events()).first(3)), not_next()) << "once more";
  EXPECT_THAT(store().restore(std::span(page.events()).subspan(4)), not_next()) << "a gap";

  std::vector<EventView> changed{page.events()[3]};
  changed[0].version = changed[0].version.next();
  EXPECT_THAT(store().restore(changed), not_next()) << "a version is missing";
  changed[0] = page.events()[3];
  changed[0].created_at = page.events()[2].created_at;
  EXPECT_THAT(store().restore(changed), not_next()) << "time stands still";
  EXPECT_EQ(everything(store()).size(), 3u);
  ASSERT_TRUE(store().restore(std::span(page.events()).subspan(3)));
  EXPECT_EQ(everything(store()).size(), 6u);
}

TEST_P(RestoreContract, nothing_behind_a_refused_event_is_recorded) {
  const EventPage page = page_of_source({}, 6);
  std::vector<EventView> events = page.events();
  events[3].position = Position{9};
  EXPECT_THAT(store().restore(events), not_next());
  const auto recorded = everything(store());
  EXPECT_LE(recorded.size(), 3u);
  const auto originals = everything(*source_);
  EXPECT_TRUE(std::equal(recorded.begin(), recorded.end(), originals.begin()));
}

TEST_P(RestoreContract, refuses_an_event_beyond_the_limits) {
  const EventPage page = page_of_source({}, 1);
  std::vector<EventView> events = page.events();
  const std::string long_name(event_type_bytes_max + 1, 'x');
  events[0].type = long_name;
  const auto refused = store().restore(events);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::too_large);
  EXPECT_THAT(everything(store()), IsEmpty());
}

TEST_P(RestoreContract, tells_those_who_watch) {
  Position told;
  const auto watch = store().watch([&](Position flushed) { told = flushed; });
  ASSERT_TRUE(store().restore(page_of_source({}, 4).events()));
  EXPECT_EQ(told, Position{4});
}

INSTANTIATE_TEST_SUITE_P(every_store, RestoreContract, testing::ValuesIn(stores_under_test()),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace annals::contract
