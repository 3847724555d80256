// Several stores over one database, as several servers have them.

#include <atomic>
#include <condition_variable>
#include <thread>

#include "tests/postgres/test_database.hpp"

namespace annals::test {
namespace {

using testing::ElementsAre;

TEST_F(PostgresTest, what_one_records_the_other_sees_and_is_told_of) {
  const auto one = open();
  options().node_id = 2;
  const auto other = open();
  std::atomic<std::uint64_t> told = 0;
  const auto watch = other->watch([&](Position flushed) { told = flushed.value; });
  const Appended appended = value_of(append(*one, group_saying("a", "one", ExpectedVersion::none())));
  EXPECT_EQ(value_of(other->stream_version("a")), StreamVersion{1});
  EXPECT_TRUE(comes_true([&] { return told == 1; }));
  EXPECT_EQ(other->status().visible, Position{1});
  const Appended second = value_of(append(*other, group_saying("a", "two", ExpectedVersion::exact(StreamVersion{1}))));
  EXPECT_GT(second.created_at, appended.created_at);
  const EventPage page = value_of(one->read_all(Position{}, Horizon::visible, {}));
  ASSERT_EQ(page.events().size(), 2u);
  EXPECT_EQ(page.events()[0].node_id, 1u);
  EXPECT_EQ(page.events()[1].node_id, 2u);
  EXPECT_GE(one->status().visible, Position{2}) << "what was read is visible";
}

// With an hour until it would look by itself.
TEST_F(PostgresTest, a_hint_wakes_who_follows) {
  const auto one = open();
  options().poll_interval = std::chrono::hours(1);
  const auto other = open();
  // The first may be found when it begins to follow; by then it listens.
  for (std::uint64_t position = 1; position <= 3; ++position) {
    ASSERT_TRUE(append(*one, group_saying("a", "more")));
    EXPECT_TRUE(comes_true([&] { return other->status().visible == Position{position}; })) << position;
  }
}

TEST_F(PostgresTest, without_a_hint_who_follows_looks_by_itself) {
  const auto one = open();
  const auto other = open();
  ASSERT_TRUE(append(*one, group_saying("a", "one")));
  EXPECT_TRUE(comes_true([&] { return other->status().visible == Position{1}; }));
  // Whoever records without a word to others.
  for (int position = 2; position <= 4; ++position) {
    const std::string number = std::to_string(position);
    sql("WITH event AS (INSERT INTO events (event_id, event_type, data, metadata) "
        "               VALUES (md5('" +
        number +
        "')::uuid, 'Said', '{}', '{}') RETURNING event_id), "
        "stream AS (UPDATE streams SET stream_version = stream_version + 1 WHERE stream_uuid = 'a' RETURNING *), "
        "everything AS (UPDATE streams SET stream_version = stream_version + 1 WHERE stream_id = 0 RETURNING *) "
        "INSERT INTO stream_events (event_id, stream_id, stream_version, original_stream_id, original_stream_version) "
        "SELECT event_id, place.stream_id, place.stream_version, stream.stream_id, stream.stream_version FROM event, "
        "stream, (SELECT stream_id, stream_version FROM stream UNION ALL SELECT stream_id, stream_version FROM "
        "everything) AS place");
    EXPECT_TRUE(comes_true([&] { return other->status().visible.value == static_cast<std::uint64_t>(position); }))
        << position;
  }
  EXPECT_EQ(value_of(other->stream_version("a")), StreamVersion{4});
}

TEST_F(PostgresTest, who_follows_listens_again_once_its_connection_was_ended) {
  const auto one = open();
  options().poll_interval = std::chrono::hours(1);
  const auto other = open();
  ASSERT_TRUE(append(*one, group_saying("a", "one")));
  EXPECT_TRUE(comes_true([&] { return other->status().visible == Position{1}; }));
  for (std::uint64_t position = 2; position <= 3; ++position) {
    sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'annals'");
    EXPECT_TRUE(comes_true([&] { return append(*one, group_saying("a", "more")).has_value(); }));
    EXPECT_TRUE(comes_true([&] { return other->status().visible == Position{position}; })) << position;
  }
}

TEST_F(PostgresTest, what_was_decided_on_old_versions_conflicts) {
  const auto one = open();
  const auto other = open();
  ASSERT_TRUE(append(*one, group_saying("a", "one")));
  Group group = group_saying("b", "unique");
  group.nothing_after = Position{};
  EXPECT_EQ(append(*other, group).error().kind, ErrorKind::conflict);
  EXPECT_EQ(other->status().visible, Position{1}) << "a refusal is told on what is known by then";
  EXPECT_EQ(append(*other, group_saying("a", "two", ExpectedVersion::none())).error().kind, ErrorKind::conflict);
}

TEST_F(PostgresTest, cursors_of_each_are_cursors_of_all) {
  const auto one = open();
  const auto other = open();
  for (int round = 0; round < 3; ++round) {
    for (const auto* store : {&one, &other}) {
      const Appended appended = value_of(append(**store, group_saying("a", "more")));
      const Cursor cursor = (*store)->cursor(appended.last);
      for (const auto* asked : {&one, &other}) EXPECT_EQ(value_of((*asked)->resolve(cursor)), appended.last);
      (void)value_of((*(store == &one ? &other : &one))->read_all(Position{}, Horizon::visible, {}));
      EXPECT_EQ(other->cursor(appended.last), one->cursor(appended.last));
    }
  }
}

TEST_F(PostgresTest, a_time_that_one_settles_is_settled_for_the_other) {
  platform::SimulatedClock ahead(Instant{1'800'000'000'000'000});
  platform::SimulatedClock behind(Instant{1'700'000'000'000'000});
  const auto store_with = [&](platform::SimulatedClock& clock) {
    return value_of(
        store::open_postgres_store(options(), {clock, platform::system_random(), platform::posix_files(), log_}));
  };
  const auto one = store_with(ahead);
  const auto other = store_with(behind);
  ASSERT_TRUE(append(*other, group_saying("a", "one")));
  ASSERT_TRUE(one->settle(ahead.now()));
  EXPECT_EQ(value_of(one->version_at("a", ahead.now())), StreamVersion{1});
  EXPECT_GT(value_of(append(*other, group_saying("a", "two"))).created_at, ahead.now());
  EXPECT_EQ(value_of(one->version_at("a", ahead.now())), StreamVersion{1}) << "an answer about the past never changes";
}

TEST_F(PostgresTest, a_reader_sees_every_event_once_and_in_order_whoever_writes) {
  constexpr int stores = 2;
  constexpr int writers_each = 8;
  constexpr int groups_each = 25;
  std::vector<std::unique_ptr<EventStore>> opened;
  for (int number = 0; number < stores; ++number) opened.push_back(open());
  const auto reading = open();
  std::atomic<int> writing = stores * writers_each;
  std::vector<std::thread> threads;
  for (int number = 0; number < stores * writers_each; ++number) {
    threads.emplace_back([&, number] {
      EventStore& store = *opened[static_cast<std::size_t>(number % stores)];
      for (std::uint64_t done = 0; done < groups_each;) {
        Group group = group_saying("own-" + std::to_string(number), std::to_string(done),
                                   ExpectedVersion::exact(StreamVersion{done}));
        group.appends.push_back(group_saying("shared", "x").appends[0]);
        const auto result = append(store, group);
        EXPECT_TRUE(result) << result.error().message;
        ++done;
      }
      --writing;
    });
  }
  std::uint64_t seen = 0;
  Instant last_time{INT64_MIN};
  EXPECT_TRUE(comes_true([&] {
    const bool over = writing == 0;
    const EventPage page = value_of(reading->read_all(Position{seen}, Horizon::visible, {.events_max = 37}));
    for (const EventView& event : page.events()) {
      EXPECT_EQ(event.position.value, ++seen);
      EXPECT_GT(event.created_at, last_time);
      last_time = event.created_at;
    }
    return over && page.events().empty();
  }));
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(seen, stores * writers_each * groups_each * 2u);
}

}  // namespace
}  // namespace annals::test
