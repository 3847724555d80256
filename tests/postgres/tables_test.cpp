// Databases and their tables: made, found missing, removed; and what people see who query them.

#include "tests/postgres/test_database.hpp"

namespace annals::test {
namespace {

using testing::HasSubstr;

TEST_F(PostgresTest, a_database_without_tables_is_refused_with_the_command_that_makes_them) {
  options().init = false;
  const auto refused = store::open_postgres_store(options(), world());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::usage);
  EXPECT_THAT(refused.error().message, testing::AllOf(HasSubstr("annals store init"), HasSubstr(options().schema)));
  EXPECT_TRUE(value_of(store::init_postgres_store(options())));
  EXPECT_FALSE(value_of(store::init_postgres_store(options()))) << "there already";
  EXPECT_TRUE(append(*open(), group_saying("a", "{}")));
}

TEST_F(PostgresTest, a_database_is_created_initialised_and_dropped) {
  options().url.replace(options().url.find("postgres?"), 8, "annals \"shop");
  options().schema = "public";
  EXPECT_EQ(value_of(store::postgres_database_name(options())), "annals \"shop");
  EXPECT_EQ(store::open_postgres_store(options(), world()).error().kind, ErrorKind::usage)
      << "there is no such database";
  EXPECT_TRUE(value_of(store::create_postgres_database(options())));
  EXPECT_FALSE(value_of(store::create_postgres_database(options())));
  {
    const auto store = open();
    EXPECT_TRUE(append(*store, group_saying("a", "{}")));
    EXPECT_EQ(store::drop_postgres_database(options()).error().kind, ErrorKind::conflict) << "somebody is connected";
  }
  EXPECT_TRUE(value_of(store::drop_postgres_database(options())));
  EXPECT_FALSE(value_of(store::drop_postgres_database(options())));
}

// The one that there is where nobody made another.
TEST_F(PostgresTest, the_database_that_is_connected_to_for_others_is_no_exception) {
  options().schema = "public";
  // What another test has closed may be there for a moment yet.
  EXPECT_TRUE(comes_true([&] { return store::drop_postgres_database(options()).value_or(false); }));
  EXPECT_FALSE(value_of(store::drop_postgres_database(options())));
  EXPECT_TRUE(value_of(store::create_postgres_database(options())));
  EXPECT_FALSE(value_of(store::create_postgres_database(options())));
}

TEST_F(PostgresTest, a_name_that_the_encoding_of_the_database_lacks_is_one_that_never_was) {
  const std::string database = "latin_" + options().schema;
  run_sql(server().url(), "CREATE DATABASE \"" + database + "\" ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
  options().url.replace(options().url.find("postgres?"), 8, database);
  {
    const auto store = open();
    const auto appended = append(*store, group_saying("price-\u20ac", "{}"));
    ASSERT_FALSE(appended);
    EXPECT_EQ(appended.error().kind, ErrorKind::invalid);
    ASSERT_TRUE(append(*store, group_saying("gr\u00f6\u00dfe", "{}")));
    for (const Direction direction : {Direction::forward, Direction::backward}) {
      EXPECT_TRUE(value_of(store->read_stream("price-\u20ac", StreamVersion{1}, direction, {})).events().empty());
    }
    EXPECT_EQ(value_of(store->stream_version("price-\u20ac")), StreamVersion{});
    EXPECT_EQ(value_of(store->version_at("price-\u20ac", Instant{INT64_MAX})), StreamVersion{});
    EXPECT_TRUE(value_of(store->read_at("price-\u20ac", Instant{INT64_MAX})).events().empty());
    EXPECT_EQ(value_of(store->stream_version("gr\u00f6\u00dfe")), StreamVersion{1});
  }
  EXPECT_TRUE(value_of(store::drop_postgres_database(options())));
}

TEST_F(PostgresTest, an_option_that_libpq_does_not_take_is_a_wrong_configuration) {
  for (const char* const option : {"sslmode=nonsense", "target_session_attrs=nonsense", "connect_timeout=soon"}) {
    store::PostgresOptions wrong = options();
    wrong.url += std::string("&") + option;
    const auto refused = store::open_postgres_store(wrong, world());
    ASSERT_FALSE(refused) << option;
    EXPECT_EQ(refused.error().kind, ErrorKind::usage) << refused.error().message;
    const std::string_view name = std::string_view(option).substr(0, std::string_view(option).find('='));
    EXPECT_THAT(refused.error().message, HasSubstr(std::string(name)));
  }
}

TEST_F(PostgresTest, what_was_recorded_cannot_be_changed_or_removed_by_sql) {
  const auto store = open();
  ASSERT_TRUE(append(*store, group_saying("a", "{}")));
  for (const char* const text :
       {"UPDATE events SET event_type = 'x'", "DELETE FROM events", "UPDATE stream_events SET stream_version = 9",
        "DELETE FROM stream_events", "DELETE FROM streams"}) {
    EXPECT_THAT(refusal_of(text), HasSubstr("EventStore: Cannot")) << text;
  }
}

TEST_F(PostgresTest, people_see_events_as_json_in_a_view) {
  const auto store = open();
  ASSERT_TRUE(append(*store, group_saying("a", R"({"b":"\u00e4"})")));
  ASSERT_TRUE(append(*store, group_saying("a", "not JSON")));
  EXPECT_EQ(sql("SELECT position, stream, version, event_type, data->>'b', metadata->>'actor' FROM annals_events ORDER "
                "BY position"),
            "1|a|1|Said|\xc3\xa4|somebody\n2|a|2|Said||somebody");
}

TEST_F(PostgresTest, an_event_that_is_nested_too_deep_for_the_database_does_not_hide_the_others) {
  const auto store = open();
  ASSERT_TRUE(append(*store, group_saying("a", R"({"b":1})")));
  ASSERT_TRUE(append(*store, group_saying("a", std::string(100'000, '['))));
  EXPECT_EQ(sql("SELECT position, data->>'b', data IS NULL FROM annals_events ORDER BY position"), "1|1|f\n2||t");
}

TEST_F(PostgresTest, a_view_of_an_older_version_is_mended_when_the_database_is_opened) {
  {
    const auto store = open();
  }
  sql("CREATE OR REPLACE FUNCTION annals_json(bytes bytea) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE STRICT AS "
      "'BEGIN RETURN convert_from(bytes, ''UTF8'')::jsonb; END'");
  const auto store = open();
  ASSERT_TRUE(append(*store, group_saying("a", "not JSON")));
  EXPECT_EQ(sql("SELECT position, data IS NULL FROM annals_events"), "1|t");
}

TEST_F(PostgresTest, numbers_of_streams_go_on_behind_those_that_are_there_although_the_sequence_does_not) {
  {
    const auto store = open();
    for (int number = 0; number < 100; ++number) {
      ASSERT_TRUE(append(*store, group_saying("stream-" + std::to_string(number), "{}")));
    }
  }
  sql("SELECT setval(pg_get_serial_sequence('streams', 'stream_id'), 1)");
  const auto store = open();
  EXPECT_TRUE(append(*store, group_saying("new", "{}")));
  EXPECT_TRUE(append(*store, group_saying("newer", "{}")));
  EXPECT_EQ(sql("SELECT count(*) = count(DISTINCT stream_id) AND count(*) = 103 FROM streams"), "t");
}

TEST_F(PostgresTest, a_taken_place_is_the_databases_fault_and_not_that_of_who_writes) {
  const auto store = open();
  ASSERT_TRUE(append(*store, group_saying("a", "{}")));
  // As a restore leaves it that brought back the rows of one table and not of the other.
  sql("UPDATE streams SET stream_version = 0 WHERE stream_uuid = 'a'");
  const auto refused = append(*store, group_saying("a", "{}"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unavailable) << refused.error().message;
  EXPECT_THAT(refused.error().message, HasSubstr("restore"));
  EXPECT_EQ(store->status().last_flush_ok, false) << "/health says so";
  EXPECT_TRUE(append(*store, group_saying("b", "{}"))) << "who has no part in it goes on";
}

TEST_F(PostgresTest, tables_of_the_same_names_without_events_are_no_event_store) {
  {
    const auto store = open();
  }
  sql("DROP VIEW annals_events; DROP TABLE stream_events, events; CREATE TABLE stream_events (x int)");
  options().init = false;
  const auto refused = store::open_postgres_store(options(), world());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("has no tables of an event store"));
}

TEST_F(PostgresTest, subscribers_of_the_original_are_told_of_each_stream_and_of_all) {
  const auto store = open();
  const auto told = told_on("events", 2, [&] { EXPECT_TRUE(append(*store, group_saying("a", "{}"))); });
  EXPECT_EQ(sql("SELECT stream_uuid, stream_version FROM streams ORDER BY stream_id"), "$all|1\na|1");
  // Stream, its number, the first version that is new, and the last.
  const std::string number = sql("SELECT stream_id FROM streams WHERE stream_uuid = 'a'");
  EXPECT_THAT(told, testing::ElementsAre("$all,0,1,1", "a," + number + ",1,1"));
  Group two = group_saying("a", "{}");
  two.appends[0].events.push_back(group_saying("a", "{}").appends[0].events[0]);
  EXPECT_THAT(told_on("events", 2, [&] { EXPECT_TRUE(append(*store, two)); }),
              testing::ElementsAre("$all,0,2,3", "a," + number + ",2,3"));
  EXPECT_EQ(sql("SELECT tgname FROM pg_trigger WHERE tgrelid = 'streams'::regclass AND NOT tgisinternal ORDER BY 1"),
            "event_notification\nno_delete_streams");
}

// As after a restore of some of the tables.
TEST_F(PostgresTest, what_of_annals_own_tables_is_missing_is_made_and_the_epochs_begin_again) {
  {
    const auto store = open();
    for (const char* const data : {"1", "2"}) ASSERT_TRUE(append(*store, group_saying("a", data)));
  }
  options().init = false;
  for (const char* const table : {"annals_epochs", "annals_writers", "annals_foreign", "annals_store"}) {
    SCOPED_TRACE(table);
    sql(std::string("DROP TABLE ") + table);
    const auto store = open();
    EXPECT_EQ(everything(*store).size(), 2u);
    const Cursor second = store->cursor(Position{2});
    EXPECT_NE(second.epoch, 0u) << "else it would be the cursor of the start";
    EXPECT_EQ(value_of(store->resolve(second)), Position{2});
    EXPECT_TRUE(store->settle(platform::system_clock().now()));
    EXPECT_EQ(value_of(store->position_at(platform::system_clock().now())), Position{2});
  }
  EXPECT_EQ(value_of(append(*open(), group_saying("a", "3"))).first, Position{3});
}

TEST_F(PostgresTest, tables_whose_numbers_are_of_another_type_are_refused) {
  ASSERT_TRUE(value_of(store::init_postgres_store(options())));
  sql("DROP VIEW annals_events; ALTER TABLE stream_events ALTER COLUMN stream_version TYPE integer");
  const auto refused = store::open_postgres_store(options(), world());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::usage);
  EXPECT_THAT(refused.error().message, HasSubstr("stream_events.stream_version is of type integer"));
}

TEST_F(PostgresTest, where_no_sequence_gives_numbers_no_stream_is_made_and_the_others_go_on) {
  const auto store = open();
  ASSERT_TRUE(append(*store, group_saying("a", "1")));
  for (const char* const spoilt :
       {"ALTER SEQUENCE streams_stream_id_seq INCREMENT BY -1 MINVALUE -1000000",
        "ALTER SEQUENCE streams_stream_id_seq INCREMENT BY 1 MAXVALUE 3 RESTART WITH 3",
        "ALTER TABLE streams ALTER COLUMN stream_id DROP DEFAULT; DROP SEQUENCE streams_stream_id_seq"}) {
    SCOPED_TRACE(spoilt);
    sql(spoilt);
    const auto other = open();  // which has drawn none yet
    const auto refused = append(*other, group_saying("new", "1"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "database_away");
    EXPECT_THAT(refused.error().message, testing::AllOf(HasSubstr("sequence"), HasSubstr("nothing was recorded")));
    EXPECT_TRUE(append(*other, group_saying("a", "more"))) << "nobody holds the lock";
  }
}

TEST_F(PostgresTest, no_error_shows_the_password) {
  for (const char* const url :
       {"postgres://user:sec%20ret@127.0.0.1:1/db", "postgres://user:sec/ret@127.0.0.1/db",
        "postgres://user:sec%zzret@127.0.0.1/db", "host=127.0.0.1 port=1 dbname=db password='sec ret'",
        "host=127.0.0.1 password='sec ret"}) {
    options().url = url;
    const auto refused = store::open_postgres_store(options(), world());
    ASSERT_FALSE(refused) << url;
    EXPECT_THAT(refused.error().message, testing::Not(HasSubstr("sec"))) << url;
    EXPECT_THAT(refused.error().message, testing::Not(HasSubstr("ret@"))) << url;
  }
}

TEST_F(PostgresTest, parts_of_an_address_complete_each_other) {
  const std::string url = options().url;
  const auto part = [&](const std::string& name) {
    const std::size_t begin = url.find(name + "=") + name.size() + 1;
    return url.substr(begin, url.find('&', begin) - begin);
  };
  options().url = "";
  options().hostname = part("host");
  options().port = static_cast<std::uint16_t>(std::stoi(part("port")));
  options().username = part("user");
  options().database = "postgres";
  EXPECT_TRUE(append(*open(), group_saying("a", "{}")));
}

}  // namespace
}  // namespace annals::test
