// The contract of reading: pages of streams, pages of everything, cursors.

#include <ranges>

#include "tests/contract/event_store_contract.hpp"

namespace annals::contract {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Result<EventPage> read_forward(const EventStore& store, std::uint64_t from, std::size_t events_max) {
  return store.read_stream("a", StreamVersion{from}, Direction::forward, {.events_max = events_max});
}

Result<EventPage> read_backward(const EventStore& store, std::uint64_t from, std::size_t events_max) {
  return store.read_stream("a", StreamVersion{from}, Direction::backward, {.events_max = events_max});
}

TEST_P(EventStoreContract, an_event_reads_back_as_it_was_recorded) {
  Group group = group_for("order-\xc3\xa9 7", ExpectedVersion::none(), 2);
  NewEvent& first = group.appends[0].events[0];
  first.type = "OrderCreated";
  first.data = std::string("{\"bytes\":\"\0\xff\n\"}", 16);
  first.metadata = "";
  first.correlation_id = platform::make_uuid(clock_.now(), dice_);
  first.causation_id = platform::make_uuid(clock_.now(), dice_);
  const NewEvent& second = group.appends[0].events[1];
  const Appended appended = record(store(), group);

  for (const auto& events : {everything(store()), stream_of(store(), group.appends[0].stream)}) {
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0], (Recorded{1, group.appends[0].stream, 1, first.id, first.type, first.data, first.metadata,
                                   first.correlation_id, first.causation_id, appended.created_at}));
    EXPECT_EQ(events[1], (Recorded{2, group.appends[0].stream, 2, second.id, second.type, second.data, second.metadata,
                                   second.correlation_id, std::nullopt, appended.created_at.plus(Duration{1})}));
  }
}

TEST_P(EventStoreContract, an_unknown_stream_is_empty_and_at_version_0) {
  record(store(), group_for("a"));
  for (const Direction direction : {Direction::forward, Direction::backward}) {
    const EventPage page = value_of(store().read_stream("unknown", StreamVersion{1}, direction, {}));
    EXPECT_THAT(page.events(), IsEmpty());
    EXPECT_FALSE(page.more());
  }
  EXPECT_EQ(value_of(store().stream_version("unknown")), StreamVersion{});
  EXPECT_EQ(value_of(store().version_at("unknown", clock_.now())), StreamVersion{});
}

TEST_P(EventStoreContract, streams_whose_names_begin_alike_do_not_mix) {
  for (const char* name : {"a", "ab", "a-", "A", "a b"}) record(store(), group_for(name));
  for (const char* name : {"a", "ab", "a-", "A", "a b"}) {
    const auto events = stream_of(store(), name);
    ASSERT_EQ(events.size(), 1u) << name;
    EXPECT_EQ(events[0].stream, name);
  }
}

TEST_P(EventStoreContract, forward_pages_of_a_stream_follow_each_other) {
  for (int number = 0; number < 7; ++number) {
    record(store(), group_for("a"));
    record(store(), group_for("between"));
  }
  const EventPage first = value_of(read_forward(store(), 1, 3));
  EXPECT_THAT(versions_of(first), ElementsAre(1, 2, 3));
  EXPECT_TRUE(first.more());
  const EventPage second = value_of(read_forward(store(), 4, 3));
  EXPECT_THAT(versions_of(second), ElementsAre(4, 5, 6));
  EXPECT_TRUE(second.more());
  const EventPage third = value_of(read_forward(store(), 7, 3));
  EXPECT_THAT(versions_of(third), ElementsAre(7));
  EXPECT_FALSE(third.more());
  EXPECT_FALSE(value_of(read_forward(store(), 5, 3)).more()) << "a page that ends with the stream has no more";
  EXPECT_THAT(value_of(read_forward(store(), 8, 3)).events(), IsEmpty());
}

TEST_P(EventStoreContract, backward_pages_of_a_stream_follow_each_other) {
  record(store(), group_for("a", ExpectedVersion::any(), 7));
  const EventPage first = value_of(read_backward(store(), 7, 3));
  EXPECT_THAT(versions_of(first), ElementsAre(7, 6, 5));
  EXPECT_TRUE(first.more());
  const EventPage last = value_of(read_backward(store(), 3, 3));
  EXPECT_THAT(versions_of(last), ElementsAre(3, 2, 1));
  EXPECT_FALSE(last.more());
  EXPECT_THAT(value_of(read_backward(store(), 0, 3)).events(), IsEmpty());
  EXPECT_THAT(versions_of(value_of(read_backward(store(), UINT64_MAX, 2))), ElementsAre(7, 6))
      << "a place beyond the end means the end";
}

TEST_P(EventStoreContract, pages_of_everything_follow_each_other_in_order_of_position) {
  for (int number = 0; number < 10; ++number)
    record(store(), group_for(number % 2 == 0 ? "even" : "odd", ExpectedVersion::any(), 3));
  const EventPage middle = value_of(store().read_all(Position{4}, Horizon::visible, {.events_max = 3}));
  EXPECT_THAT(positions_of(middle), ElementsAre(5, 6, 7));
  EXPECT_TRUE(middle.more());
  const EventPage end = value_of(store().read_all(Position{28}, Horizon::visible, {.events_max = 2}));
  EXPECT_THAT(positions_of(end), ElementsAre(29, 30));
  EXPECT_FALSE(end.more());
  EXPECT_THAT(value_of(store().read_all(Position{30}, Horizon::visible, {})).events(), IsEmpty());
  EXPECT_THAT(value_of(store().read_all(Position{99}, Horizon::visible, {})).events(), IsEmpty());

  EXPECT_EQ(middle.next_after(Position{4}), Position{7});
  EXPECT_EQ(end.next_after(Position{28}), Position{30});
  for (const std::uint64_t after : {30u, 99u}) {
    const EventPage none = value_of(store().read_all(Position{after}, Horizon::visible, {}));
    EXPECT_EQ(none.next_after(Position{after}), Position{after}) << "what is recorded later is not passed over";
  }

  const auto whole = everything(store());
  ASSERT_EQ(whole.size(), 30u);
  for (std::size_t events_max : {1u, 2u, 7u, 29u, 30u, 31u})
    EXPECT_EQ(everything(store(), {.events_max = events_max}), whole);
}

TEST_P(EventStoreContract, a_page_ends_before_the_event_that_would_exceed_its_bytes) {
  for (int number = 0; number < 5; ++number) {
    Group group = group_for("a");
    group.appends[0].events[0].data = std::string(20'000, static_cast<char>('a' + number));
    record(store(), group);
  }
  const PageLimit limit{.events_max = 100, .bytes_max = 50'000};
  const EventPage forward = value_of(store().read_stream("a", StreamVersion{1}, Direction::forward, limit));
  EXPECT_THAT(versions_of(forward), ElementsAre(1, 2));
  EXPECT_TRUE(forward.more());
  const EventPage backward = value_of(store().read_stream("a", StreamVersion{5}, Direction::backward, limit));
  EXPECT_THAT(versions_of(backward), ElementsAre(5, 4));
  EXPECT_TRUE(backward.more());
  const EventPage all = value_of(store().read_all(Position{1}, Horizon::visible, limit));
  EXPECT_THAT(positions_of(all), ElementsAre(2, 3));
  EXPECT_TRUE(all.more());
}

TEST_P(EventStoreContract, a_page_has_an_event_if_there_is_one_whatever_its_limits) {
  record(store(), group_for("a", ExpectedVersion::any(), 3));
  for (const PageLimit limit :
       {PageLimit{.events_max = 10, .bytes_max = 1}, PageLimit{.events_max = 10, .bytes_max = 0},
        PageLimit{.events_max = 0, .bytes_max = 1'000}}) {
    EXPECT_THAT(versions_of(value_of(store().read_stream("a", StreamVersion{2}, Direction::forward, limit))),
                ElementsAre(2));
    EXPECT_THAT(versions_of(value_of(store().read_stream("a", StreamVersion{2}, Direction::backward, limit))),
                ElementsAre(2));
    const EventPage all = value_of(store().read_all(Position{1}, Horizon::visible, limit));
    EXPECT_THAT(positions_of(all), ElementsAre(2));
    EXPECT_TRUE(all.more());
    EXPECT_FALSE(value_of(store().read_all(Position{2}, Horizon::visible, limit)).more());
    EXPECT_EQ(everything(store(), limit).size(), 3u);
  }
}

TEST_P(EventStoreContract, a_page_keeps_its_text_whatever_happens_to_the_store) {
  record(store(), group_for("a", ExpectedVersion::any(), 2));
  const EventPage stream = value_of(store().read_stream("a", StreamVersion{1}, Direction::forward, {}));
  const EventPage all = value_of(store().read_all(Position{}, Horizon::visible, {}));
  for (int number = 0; number < 500; ++number) record(store(), group_for("b" + std::to_string(number)));
  close();
  for (const EventPage& page : {stream, all}) {
    ASSERT_EQ(page.events().size(), 2u);
    EXPECT_EQ(page.events()[1].stream, "a");
    EXPECT_EQ(page.events()[1].data, "a 2");
    EXPECT_EQ(page.events()[1].type, "Said");
  }
}

TEST_P(EventStoreContract, a_cursor_of_this_store_resolves_to_its_position_also_as_text) {
  record(store(), group_for("a", ExpectedVersion::any(), 5));
  for (const std::uint64_t number : {0u, 1u, 5u, 6u, 1'000u}) {
    const Cursor cursor = store().cursor(Position{number});
    EXPECT_EQ(value_of(store().resolve(cursor)), Position{number});
    const auto read_back = Cursor::from_text(cursor.to_text());
    ASSERT_TRUE(read_back);
    EXPECT_EQ(value_of(store().resolve(*read_back)), Position{number});
  }
  EXPECT_EQ(store().cursor(Position{}).to_text(), "0");
}

TEST_P(EventStoreContract, a_cursor_of_another_store_is_gone) {
  record(store(), group_for("a", ExpectedVersion::any(), 5));
  const auto [place, other] = make_other_store();
  record(*other, group_for("a", ExpectedVersion::any(), 5));
  EXPECT_THAT(store().resolve(other->cursor(Position{3})),
              fails_with(ErrorKind::gone, std::string_view("cursor_gone")));
  EXPECT_EQ(value_of(store().resolve(other->cursor(Position{}))), Position{}) << "the start is every store's";
}

}  // namespace
}  // namespace annals::contract
