// Databases of the original service: opened as they are, and written by both.

#include <fstream>
#include <sstream>

#include "tests/postgres/test_database.hpp"

namespace annals::test {
namespace {

using testing::ElementsAre;

Instant at(const std::string& time) {
  return *Instant::from_text("2026-02-12T10:00:" + time + "Z");
}

std::vector<std::uint32_t> nodes_after(const EventStore& store, Position after) {
  std::vector<std::uint32_t> nodes;
  const EventPage page = value_of(store.read_all(after, Horizon::visible, {}));
  for (const EventView& event : page.events()) nodes.push_back(event.node_id);
  return nodes;
}

class OriginalDatabase : public PostgresTest {
 protected:
  OriginalDatabase() {
    options().init = false;
    std::ostringstream text;
    text << std::ifstream(ANNALS_POSTGRES_TESTS "/original_database.sql").rdbuf();
    run_sql(server().url(), "CREATE SCHEMA \"" + options().schema + "\"");
    sql(text.str());
  }
  void original_append(const std::string& stream, const std::string& time) {
    sql("SELECT original_append('" + stream + "', 'ConfigValueSet', '{\"from\":\"the original\"}', '{}', '" +
        at(time).to_text() + "')");
  }
};

TEST_F(OriginalDatabase, its_events_are_read_as_they_are_without_the_prefix_of_their_types) {
  const auto store = open();
  const EventPage page = value_of(store->read_all(Position{}, Horizon::visible, {}));
  ASSERT_EQ(page.events().size(), 5u);
  EXPECT_FALSE(page.more());
  const EventView& third = page.events()[2];
  EXPECT_EQ(third.position, Position{3});
  EXPECT_EQ(third.stream, "config-database_url");
  EXPECT_EQ(third.version, StreamVersion{2});
  EXPECT_EQ(third.type, "ConfigValueSet");
  EXPECT_EQ(
      third.data,
      R"({"config_name":"database_url","value":"postgres://new","old_value":"postgres://old","timestamp":"2026-02-12T10:00:03Z"})");
  EXPECT_EQ(third.metadata, "null");
  EXPECT_EQ(third.created_at, at("03"));
  EXPECT_EQ(third.correlation_id, Uuid{});
  EXPECT_EQ(third.causation_id, std::nullopt);
  EXPECT_EQ(third.node_id, 0u);
  EXPECT_EQ(page.events()[1].metadata, "");
  EXPECT_EQ(page.events()[3].type, "ConfigValueDeleted");
}

TEST_F(OriginalDatabase, time_travel_uses_the_running_maximum_of_its_times) {
  const auto store = open();
  EXPECT_EQ(value_of(store->position_at(at("00"))), Position{});
  EXPECT_EQ(value_of(store->position_at(at("01"))), Position{1});
  EXPECT_EQ(value_of(store->position_at(at("04"))), Position{1})
      << "what stands after an event of second 5 is not before it";
  EXPECT_EQ(value_of(store->position_at(at("05"))), Position{4});
  EXPECT_EQ(value_of(store->position_at(at("09"))), Position{5});
  EXPECT_EQ(value_of(store->version_at("config-database_url", at("04"))), StreamVersion{1});
  EXPECT_EQ(value_of(store->version_at("config-database_url", at("05"))), StreamVersion{2});
  EXPECT_EQ(value_of(store->version_at("config-limit", at("04"))), StreamVersion{});
  EXPECT_EQ(value_of(store->version_at("config-limit", at("05"))), StreamVersion{2});
}

TEST_F(OriginalDatabase, both_write_to_it_in_turn_and_positions_versions_and_times_go_on) {
  auto store = open();
  const Appended ours =
      value_of(append(*store, group_saying("config-colour", "one", ExpectedVersion::exact(StreamVersion{1}))));
  EXPECT_EQ(ours.first, Position{6});
  EXPECT_GT(ours.created_at, at("09"));
  original_append("config-colour", "20");
  original_append("config-new", "30");
  EXPECT_THAT(nodes_after(*store, Position{5}), ElementsAre(1, 0, 0)) << "the original is node 0 from the first";
  EXPECT_EQ(value_of(store->stream_version("config-colour")), StreamVersion{3});
  EXPECT_EQ(value_of(store->position_at(ours.created_at.plus(Duration{-1}))), Position{5});
  EXPECT_EQ(value_of(store->position_at(ours.created_at)), Position{8}) << "whose times lie before ours";
  const Appended again =
      value_of(append(*store, group_saying("config-new", "two", ExpectedVersion::exact(StreamVersion{1}))));
  EXPECT_EQ(again.first, Position{9});
  EXPECT_THAT(nodes_after(*store, Position{5}), ElementsAre(1, 0, 0, 1));
  EXPECT_GT(again.created_at, ours.created_at);
  EXPECT_EQ(value_of(store->position_at(ours.created_at)), Position{8});
  EXPECT_EQ(value_of(store->position_at(again.created_at)), Position{9});
  EXPECT_EQ(value_of(store->version_at("config-colour", ours.created_at)), StreamVersion{3});

  original_append("config-new", "40");
  const auto before = everything(*store);
  EXPECT_EQ(before.size(), 10u);
  std::vector<Cursor> cursors;
  for (std::uint64_t position = 1; position <= 10; ++position) cursors.push_back(store->cursor(Position{position}));
  store = open();
  EXPECT_EQ(everything(*store), before);
  for (std::uint64_t position = 1; position <= 10; ++position) {
    EXPECT_EQ(value_of(store->resolve(cursors[position - 1])), Position{position}) << position;
  }
  EXPECT_EQ(sql("SELECT event_type FROM events WHERE event_type NOT LIKE 'Elixir.ConfigApi.Events.%'"), "Said\nSaid");
}

// As a restore leaves it that brought back some of the tables.
TEST_F(OriginalDatabase, what_of_annals_own_tables_is_lost_is_made_again_and_tells_the_same_of_times_and_servers) {
  {
    const auto store = open();
    ASSERT_TRUE(append(*store, group_saying("config-colour", "one")));
    original_append("config-colour", "02");
    original_append("config-new", "30");
    ASSERT_TRUE(append(*store, group_saying("config-new", "two")));
  }
  std::vector<Instant> times{at("00"), at("01"), at("04"), at("05"), at("09"), at("40")};
  for (const char* const lost :
       {"annals_store", "annals_foreign", "annals_store, annals_foreign", "annals_store, annals_epochs"}) {
    SCOPED_TRACE(lost);
    std::vector<Position> before;
    std::vector<std::uint32_t> nodes;
    {
      const auto store = open();
      times.push_back(value_of(append(*store, group_saying("config-new", "more"))).created_at);
      for (const Instant time : times) before.push_back(value_of(store->position_at(time)));
      nodes = nodes_after(*store, Position{});
    }
    sql(std::string("DROP TABLE ") + lost);
    const auto store = open();
    for (std::size_t number = 0; number < times.size(); ++number) {
      EXPECT_EQ(value_of(store->position_at(times[number])), before[number]) << times[number].to_text();
    }
    EXPECT_EQ(nodes_after(*store, Position{}), nodes);
    original_append("config-new", "50");
    const Appended after = value_of(append(*store, group_saying("config-new", "after")));
    EXPECT_THAT(nodes_after(*store, Position{nodes.size()}), ElementsAre(0, 1));
    EXPECT_GT(after.created_at, times.back());
    EXPECT_EQ(value_of(store->position_at(times.back())), Position{nodes.size() + 1});
    EXPECT_EQ(value_of(store->position_at(after.created_at)), after.first);
  }
}

TEST_F(OriginalDatabase, what_accounts_for_more_events_than_there_are_is_refused_in_words) {
  {
    const auto store = open();
    ASSERT_TRUE(append(*store, group_saying("config-colour", "one")));
  }
  sql("UPDATE annals_foreign SET last_position = 900; DROP TABLE annals_store");
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto refused = store::open_postgres_store(options(), world());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::usage);
    EXPECT_THAT(refused.error().message,
                testing::AllOf(testing::HasSubstr("900"), testing::HasSubstr("restore all tables of one moment")));
  }
}

TEST_F(OriginalDatabase, a_long_history_of_its_own_is_accounted_for) {
  sql("INSERT INTO streams (stream_uuid, stream_version) VALUES ('config-long', 12000); "
      "INSERT INTO events (event_id, event_type, data, metadata, created_at) "
      "SELECT md5(n::text)::uuid, 'Elixir.ConfigApi.Events.ConfigValueSet', '{}', '{}', "
      "'2026-02-12T11:00:00Z'::timestamptz + n * interval '1 s' - (n % 7) * interval '3 s' "
      "FROM generate_series(1, 12000) AS n; "
      "INSERT INTO stream_events "
      "(event_id, stream_id, stream_version, original_stream_id, original_stream_version) "
      "SELECT md5(n::text)::uuid, place.stream_id, place.before + n, long.stream_id, n "
      "FROM generate_series(1, 12000) AS n, (SELECT * FROM streams WHERE stream_uuid = 'config-long') AS long, "
      "LATERAL (VALUES (long.stream_id, 0), (0, 5)) AS place (stream_id, before); "
      "UPDATE streams SET stream_version = 12005 WHERE stream_id = 0");
  const auto store = open();
  // The first event later than the time, counted by hand.
  for (const int second : {0, 500, 999, 1000, 1001, 1500, 2499, 9996, 10'000, 10'001, 11'999, 12'100}) {
    const Instant time = Instant::from_text("2026-02-12T11:00:00Z")->plus(std::chrono::seconds(second));
    const std::string expected =
        sql("SELECT coalesce(min(a.stream_version) - 1, 12005) FROM stream_events a JOIN events e USING (event_id) "
            "WHERE a.stream_id = 0 AND e.created_at > '" +
            time.to_text() + "'");
    EXPECT_EQ(to_string(value_of(store->position_at(time))), expected) << second;
  }
}

// More than one step accounts for, of which one in a thousand lies far from the next.
TEST_F(OriginalDatabase, a_history_with_gaps_is_accounted_for_by_its_events_and_not_by_its_positions) {
  sql("INSERT INTO streams (stream_uuid, stream_version) VALUES ('config-long', 21000); "
      "INSERT INTO events (event_id, event_type, data, metadata, created_at) "
      "SELECT md5(n::text)::uuid, 'Elixir.ConfigApi.Events.ConfigValueSet', '{}', '{}', "
      "'2026-02-12T11:00:00Z'::timestamptz + n * interval '1 s' FROM generate_series(1, 21000) AS n; "
      "INSERT INTO stream_events "
      "(event_id, stream_id, stream_version, original_stream_id, original_stream_version) "
      "SELECT md5(n::text)::uuid, place.stream_id, place.before + n + place.gap * (n / 1000), long.stream_id, n "
      "FROM generate_series(1, 21000) AS n, (SELECT * FROM streams WHERE stream_uuid = 'config-long') AS long, "
      "LATERAL (VALUES (long.stream_id, 0, 0), (0, 5, 52357690000)) AS place (stream_id, before, gap); "
      "UPDATE streams SET stream_version = 1099511627776 WHERE stream_id = 0");
  const auto store = open();
  EXPECT_EQ(sql("SELECT last_position FROM annals_store"), "1099511627776");
  EXPECT_LE(std::stoi(sql("SELECT count(*) FROM annals_foreign")), 24);
  for (const int second : {1, 999, 1000, 1001, 9999, 10'000, 10'001, 20'999, 21'000}) {
    const Instant time = Instant::from_text("2026-02-12T11:00:00Z")->plus(std::chrono::seconds(second));
    EXPECT_EQ(value_of(store->version_at("config-long", time)).value, static_cast<std::uint64_t>(second));
  }
  const Appended ours = value_of(append(*store, group_saying("config-long", "{}")));
  EXPECT_EQ(ours.first, Position{1'099'511'627'777});
  EXPECT_EQ(ours.versions.front(), StreamVersion{21'001});
}

TEST_F(OriginalDatabase, times_that_no_calendar_has_are_clamped_and_ours_rise_after_them) {
  for (const char* const time :
       {"-infinity", "infinity", "294276-12-31 23:59:59+00", "9999-12-31 23:59:59.999999+00"}) {
    sql("WITH event AS (INSERT INTO events (event_id, event_type, data, metadata, created_at) VALUES "
        "(gen_random_uuid(), 'Elixir.ConfigApi.Events.ConfigValueSet', '{}', '{}', '" +
        std::string(time) +
        "') RETURNING event_id), "
        "stream AS (UPDATE streams SET stream_version = stream_version + 1 WHERE stream_uuid = 'config-colour' "
        "RETURNING *), "
        "everything AS (UPDATE streams SET stream_version = stream_version + 1 WHERE stream_id = 0 RETURNING *) "
        "INSERT INTO stream_events (event_id, stream_id, stream_version, original_stream_id, original_stream_version) "
        "SELECT event_id, place.stream_id, place.stream_version, stream.stream_id, stream.stream_version FROM event, "
        "stream, (SELECT stream_id, stream_version FROM stream UNION ALL SELECT stream_id, stream_version FROM "
        "everything) AS place");
    const auto store = open();
    const Instant asked = *Instant::from_text("2030-01-01T00:00:00Z");
    const Position then = value_of(store->position_at(asked));
    const Appended one = value_of(append(*store, group_saying("config-colour", "{}")));
    const Appended two = value_of(append(*store, group_saying("config-colour", "{}")));
    EXPECT_LT(one.created_at, two.created_at) << time;
    EXPECT_LT(two.created_at, *Instant::from_text("9999-01-02T00:00:00Z")) << time;
    const EventPage page = value_of(store->read_all(Position{one.first.value - 2}, Horizon::visible, {}));
    ASSERT_EQ(page.events().size(), 3u);
    const bool is_late = time[0] != '-';
    EXPECT_EQ(page.events()[0].created_at.to_text().starts_with("9999-"), is_late) << time;
    EXPECT_EQ(page.events()[1].created_at, one.created_at);
    EXPECT_EQ(page.events()[2].created_at, two.created_at);
    EXPECT_EQ(value_of(store->position_at(one.created_at)), one.first) << time;
    EXPECT_EQ(value_of(store->position_at(asked)) == then, is_late) << time;
  }
}

TEST_F(OriginalDatabase, the_types_that_the_original_knows_are_written_with_its_prefix) {
  const auto store = open();
  Group group = group_saying("config-a", "{}");
  group.appends[0].events[0].type = "ConfigValueSet";
  EXPECT_TRUE(append(*store, group));
  EXPECT_EQ(sql("SELECT e.event_type FROM events e JOIN stream_events a USING (event_id) WHERE a.stream_id = 0 AND "
                "a.stream_version = 6"),
            "Elixir.ConfigApi.Events.ConfigValueSet");
  EXPECT_EQ(value_of(store->read_all(Position{5}, Horizon::visible, {})).events()[0].type, "ConfigValueSet");
}

TEST_F(PostgresTest, the_stream_of_all_events_is_nobodys_to_append_to_or_to_read_as_a_stream) {
  const auto store = open();
  EXPECT_EQ(append(*store, group_saying("$all", "{}")).error().code, "invalid_stream_name");
  ASSERT_TRUE(append(*store, group_saying("a", "{}")));
  EXPECT_EQ(value_of(store->stream_version("$all")), StreamVersion{});
  EXPECT_TRUE(value_of(store->read_stream("$all", StreamVersion{1}, Direction::forward, {})).events().empty());
}

TEST_F(PostgresTest, an_event_that_is_there_already_is_refused_alone) {
  const auto store = open();
  const Group group = group_saying("a", "one");
  ASSERT_TRUE(append(*store, group));
  const auto results = append(*store, {group_saying("b", "two"), group, group_saying("c", "three")});
  EXPECT_TRUE(results[0]);
  EXPECT_EQ(results[1].error().code, "invalid_event");
  EXPECT_TRUE(results[2]);
  EXPECT_THAT(everything(*store), ElementsAre("1 a@1 one", "2 b@1 two", "3 c@1 three"));
}

TEST_F(PostgresTest, a_database_that_keeps_jsonb_is_served_and_what_is_not_json_is_refused_alone) {
  options().init = true;
  open().reset();
  sql("DROP VIEW annals_events; ALTER TABLE events ALTER data TYPE jsonb USING '{}', ALTER metadata TYPE jsonb USING "
      "'{}'");
  const auto store = open();
  const auto results = append(*store, {group_saying("a", R"({"b":[1, 2]})"), group_saying("b", "not JSON"),
                                       group_saying("b", R"({"rests":"on that"})"),
                                       group_saying("c", R"({"nul":"\u0000"})"), group_saying("d", "{}")});
  EXPECT_TRUE(results[0]);
  EXPECT_EQ(results[1].error().code, "invalid_event");
  EXPECT_THAT(results[1].error().message, testing::Not(testing::HasSubstr(" at /"))) << "clients see it";
  EXPECT_EQ(results[2].error().kind, ErrorKind::conflict);
  EXPECT_EQ(results[3].error().code, "invalid_event");
  EXPECT_TRUE(results[4]);
  EXPECT_THAT(everything(*store), ElementsAre(R"(1 a@1 {"b": [1, 2]})", "2 d@1 {}"));
}

}  // namespace
}  // namespace annals::test
