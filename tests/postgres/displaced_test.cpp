// A running store whose database turns out to be another one, or an older state of it.

#include "tests/postgres/test_database.hpp"

namespace annals::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class DisplacedTest : public PostgresTest {
 protected:
  /// Puts the schema `from` in the place of the options' schema, which becomes `aside`.
  void put_in_place(const std::string& from, const std::string& aside, bool ends_connections) {
    const std::string& schema = options().schema;
    run_sql(server().url(), "ALTER SCHEMA \"" + schema + "\" RENAME TO \"" + aside + "\"; ALTER SCHEMA \"" + from +
                                "\" RENAME TO \"" + schema + "\"");
    if (ends_connections) end_connections();
  }
  static void end_connections() {
    run_sql(server().url(),
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'annals'");
  }
  /// Other events from position 3 on, as whoever restored a backup of two events would record them; at once.
  void set_back_to_two_and_go_on_to(int last) {
    std::string text =
        "SET eventstore.enable_hard_deletes = 'on'; "
        "CREATE TEMP TABLE lost AS SELECT event_id FROM stream_events WHERE stream_id = 0 AND stream_version > 2; "
        "DELETE FROM stream_events WHERE event_id IN (SELECT event_id FROM lost); "
        "DELETE FROM events WHERE event_id IN (SELECT event_id FROM lost); ";
    for (int position = 3; position <= last; ++position) {
      const std::string number = std::to_string(position);
      const std::string id = "md5('" + options().schema + number + "')::uuid";
      text += "INSERT INTO events (event_id, event_type, data, metadata) VALUES (" + id + ", 'Said', 'new', '{}'); " +
              "INSERT INTO stream_events SELECT " + id + ", place, " + number + ", stream_id, " + number +
              " FROM streams, unnest(ARRAY[0, stream_id]) AS place WHERE stream_uuid = 'a'; ";
    }
    const std::string end = std::to_string(last);
    sql("BEGIN; " + text + "UPDATE streams SET stream_version = " + end +
        "; UPDATE annals_store SET last_position = " + end + "; COMMIT");
  }
  [[nodiscard]] std::string count_of_events(const std::string& schema) {
    return run_sql(server().url(), "SELECT count(*) FROM \"" + schema + "\".events");
  }
  /// Nothing is read of what is there, and nothing is recorded.
  static void expect_displaced(EventStore& store) {
    EXPECT_EQ(store.read_all(Position{}, Horizon::visible, {}).error().code, "database_away");
    EXPECT_EQ(store.read_stream("a", StreamVersion{1}, Direction::forward, {}).error().code, "database_away");
    EXPECT_EQ(store.stream_version("a").error().code, "database_away");
    EXPECT_EQ(store.version_at("a", Instant{INT64_MAX}).error().code, "database_away");
    EXPECT_EQ(append(store, group_saying("a", "stray")).error().kind, ErrorKind::unavailable);
    EXPECT_EQ(store.newest().error().kind, ErrorKind::unavailable);
    EXPECT_EQ(store.hold_others_off().error().kind, ErrorKind::unavailable);
    EXPECT_THAT(store.status().displaced, HasSubstr("another database"));
    EXPECT_THAT(store.status().reason, HasSubstr("is not the one that this server has served"));
    EXPECT_FALSE(store.status().writable);
  }
};

TEST_F(DisplacedTest, a_database_that_takes_the_place_of_another_is_neither_read_nor_written) {
  const std::string here = options().schema;
  const std::string other = here + "_other";
  const std::string aside = here + "_aside";
  options().schema = other;
  {
    const auto elsewhere = open();
    for (int number = 0; number < 9; ++number) ASSERT_TRUE(append(*elsewhere, group_saying("a", "theirs")));
  }
  options().schema = here;
  for (const bool ends_connections : {true, false}) {
    const auto store = open();
    ASSERT_TRUE(append(*store, group_saying("a", "ours")));
    // What another server records is seen by the thread that follows alone. Once it is, that thread has its connection
    // and looks for this event, as an append does: whoever of the two is the first finds the same.
    const Position last = value_of(append(*open(), group_saying("a", "ours"))).last;
    ASSERT_TRUE(comes_true([&] { return store->status().visible == last; }));
    put_in_place(other, aside, ends_connections);
    // Whoever comes first is the first to find it: the one that records, without a look before.
    const auto refused = append(*store, group_saying("a", "stray"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::unavailable) << refused.error().message;
    expect_displaced(*store);
    EXPECT_EQ(count_of_events(here), "9");
    EXPECT_EQ(store->status().visible, last);
    EXPECT_THAT(log_.lines(), Contains(AllOf(StartsWith("ERROR The database is not the one"),
                                             HasSubstr("another event at position " + to_string(last)))));

    put_in_place(aside, other, false);
    EXPECT_TRUE(comes_true([&] { return store->status().displaced.empty() && store->status().writable; }));
    EXPECT_THAT(log_.lines(), Contains(StartsWith("INFO The database is the one again")));
    EXPECT_EQ(value_of(append(*store, group_saying("a", "ours"))).first, last.next());
  }
  EXPECT_EQ(count_of_events(other), "9");
  EXPECT_EQ(count_of_events(here), "6");
}

TEST_F(DisplacedTest, a_read_of_the_past_finds_it_too) {
  const std::string here = options().schema;
  const std::string other = here + "_other";
  options().schema = other;
  {
    const auto elsewhere = open();
    for (int number = 0; number < 9; ++number) ASSERT_TRUE(append(*elsewhere, group_saying("a", "theirs")));
  }
  options().schema = here;
  options().poll_interval = std::chrono::hours(1);  // it does not look by itself
  const auto store = open();
  ASSERT_TRUE(append(*store, group_saying("a", "ours")));
  EXPECT_EQ(value_of(store->stream_version("a")), StreamVersion{1});
  put_in_place(other, here + "_aside", false);
  EXPECT_EQ(store->stream_version("a").error().code, "database_away");
  expect_displaced(*store);
}

TEST_F(DisplacedTest, a_database_that_was_set_back_and_has_gone_on_is_noticed) {
  for (const bool ends_connections : {false, true}) {
    options().schema += ends_connections ? "_ends" : "";
    auto store = open();
    for (const char* const data : {"1", "2", "3", "4", "5"}) ASSERT_TRUE(append(*store, group_saying("a", data)));
    set_back_to_two_and_go_on_to(8);
    if (ends_connections) end_connections();
    EXPECT_TRUE(comes_true([&] { return !store->status().displaced.empty(); }));
    expect_displaced(*store);
    EXPECT_THAT(store->status().reason, HasSubstr("another event at position 5"));
    EXPECT_EQ(count_of_events(options().schema), "8");
    store = open();
    EXPECT_TRUE(append(*store, group_saying("a", "9", ExpectedVersion::exact(StreamVersion{8}))));
  }
}

TEST_F(DisplacedTest, what_only_another_server_recorded_is_known_by_who_read_it) {
  const auto other = open();
  for (const char* const data : {"1", "2", "3", "4", "5"}) ASSERT_TRUE(append(*other, group_saying("a", data)));
  const auto store = open();
  EXPECT_EQ(everything(*store).size(), 5u);
  set_back_to_two_and_go_on_to(6);
  EXPECT_TRUE(comes_true([&] { return !store->status().displaced.empty(); }));
  EXPECT_FALSE(append(*store, group_saying("a", "stray")));
  EXPECT_EQ(count_of_events(options().schema), "6");
}

TEST_F(DisplacedTest, a_schema_that_has_gone_is_another_database) {
  const auto store = open();
  ASSERT_TRUE(append(*store, group_saying("a", "1")));
  const std::string aside = options().schema + "_aside";
  run_sql(server().url(), "ALTER SCHEMA \"" + options().schema + "\" RENAME TO \"" + aside + "\"");
  EXPECT_TRUE(comes_true([&] { return !store->status().displaced.empty(); }));
  EXPECT_THAT(store->status().reason, HasSubstr("no tables"));
  run_sql(server().url(), "ALTER SCHEMA \"" + aside + "\" RENAME TO \"" + options().schema + "\"");
  EXPECT_TRUE(comes_true([&] { return store->status().displaced.empty() && store->status().writable; }));
  EXPECT_THAT(everything(*store), ElementsAre("1 a@1 1"));
}

// As the original service does when it removes a stream for good.
TEST_F(DisplacedTest, an_event_that_was_removed_does_not_make_it_another_database) {
  const auto store = open();
  ASSERT_TRUE(append(*store, group_saying("b", "1")));
  ASSERT_TRUE(append(*store, group_saying("a", "2")));
  sql("SET eventstore.enable_hard_deletes = 'on'; DELETE FROM stream_events WHERE stream_version = 2 AND stream_id = "
      "0; "
      "DELETE FROM stream_events WHERE original_stream_id = (SELECT stream_id FROM streams WHERE stream_uuid = 'a')");
  end_connections();
  EXPECT_TRUE(comes_true([&] { return append(*store, group_saying("b", "3")).has_value(); }));
  EXPECT_EQ(store->status().displaced, "");
  EXPECT_THAT(everything(*store), ElementsAre("1 b@1 1", "3 b@2 3"));
}

}  // namespace
}  // namespace annals::test
