// Who connects, and what was set for them: rights, settings of roles, names.

#include <thread>

#include "tests/postgres/test_database.hpp"

namespace annals::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A role of the test's own, by which the options connect.
class AsRole : public PostgresTest {
 protected:
  AsRole() {
    run_sql(server().url(), "CREATE ROLE " + role_ + " LOGIN");
    std::string& url = options().url;
    url.replace(url.find("user="), std::string::npos, "user=" + role_);
  }
  ~AsRole() override { run_sql(server().url(), "DROP OWNED BY " + role_ + "; DROP ROLE " + role_); }

  [[nodiscard]] const std::string& role() const { return role_; }
  void grant(const std::string& rights) { sql("GRANT " + rights + " TO " + role_); }
  void set(const std::string& setting) { run_sql(server().url(), "ALTER ROLE " + role_ + " SET " + setting); }
  /// In the schema, for the role to find.
  void make_tables() {
    store::PostgresOptions owner = options();
    owner.url = server().url();
    EXPECT_TRUE(value_of(store::init_postgres_store(owner)));
  }
  void grant_all() {
    grant("USAGE ON SCHEMA \"" + options().schema + "\"");
    grant("SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA \"" + options().schema + "\"");
    grant("USAGE ON ALL SEQUENCES IN SCHEMA \"" + options().schema + "\"");
  }

 private:
  static inline int count_ = 0;
  const std::string role_ = "annals_role_" + std::to_string(++count_);
};

TEST_F(AsRole, who_may_only_make_tables_in_the_schema_opens_a_database_of_the_original) {
  make_tables();
  sql("DROP TABLE annals_store, annals_epochs, annals_writers, annals_foreign");
  grant_all();
  grant("CREATE ON SCHEMA \"" + options().schema + "\"");
  EXPECT_TRUE(append(*open(), group_saying("a", "{}")));
}

// A standby begins no transaction of that kind, not even the one in which it is turned off.
TEST_F(AsRole, who_is_serializable_by_default_reads_a_standby) {
  make_tables();
  grant_all();
  set("default_transaction_isolation = 'serializable'");
  options().init = false;
  ASSERT_TRUE(append(*open(), group_saying("a", "one")));
  server().standby();
  EXPECT_THAT(everything(*value_of(store::open_postgres_store_to_read(options(), world()))), ElementsAre("1 a@1 one"));
  const auto refused = store::open_postgres_store(options(), world());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "database_read_only") << refused.error().message;
  server().promote();
}

TEST_F(AsRole, who_may_not_write_is_told_so_and_reads) {
  make_tables();
  {
    store::PostgresOptions owner = options();
    owner.url = server().url();
    const auto store = value_of(store::open_postgres_store(owner, world()));
    ASSERT_TRUE(append(*store, group_saying("a", "one")));
  }
  grant("USAGE ON SCHEMA \"" + options().schema + "\"");
  grant("SELECT ON ALL TABLES IN SCHEMA \"" + options().schema + "\"");
  options().init = false;
  const auto refused = store::open_postgres_store(options(), world());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::usage);
  EXPECT_THAT(refused.error().message, HasSubstr("permission denied"));

  const auto reading = value_of(store::open_postgres_store_to_read(options(), world()));
  EXPECT_THAT(everything(*reading), ElementsAre("1 a@1 one"));
  EXPECT_EQ(reading->status().visible, Position{1});
  EXPECT_FALSE(reading->status().writable);
  EXPECT_EQ(value_of(reading->version_at("a", Instant{INT64_MAX})), StreamVersion{1});
  const auto appended = append(*reading, group_saying("a", "two"));
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().kind, ErrorKind::unavailable);
  EXPECT_THAT(appended.error().message, HasSubstr("to read"));
  const Instant last = value_of(reading->read_all(Position{}, Horizon::visible, {})).events()[0].created_at;
  EXPECT_TRUE(reading->settle(last)) << "whoever records stamps after the last event";
  const auto settled = reading->settle(last.plus(Duration{1}));
  ASSERT_FALSE(settled);
  EXPECT_EQ(settled.error().kind, ErrorKind::unavailable);
  EXPECT_THAT(settled.error().message, HasSubstr("UPDATE on the table annals_store"));
}

TEST_F(AsRole, who_may_not_make_or_remove_a_database_is_told_which_right_that_takes) {
  options().url.replace(options().url.find("postgres?"), 8, "of_nobody");
  const auto made = store::create_postgres_database(options());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::usage);
  EXPECT_THAT(made.error().message, testing::AllOf(HasSubstr("permission denied to create database"),
                                                   HasSubstr("CREATEDB"), testing::Not(HasSubstr("SELECT"))));
  run_sql(server().url(), "CREATE DATABASE of_nobody");
  const auto dropped = store::drop_postgres_database(options());
  ASSERT_FALSE(dropped);
  EXPECT_EQ(dropped.error().kind, ErrorKind::usage);
  EXPECT_THAT(dropped.error().message,
              testing::AllOf(HasSubstr("must be owner of database"), testing::Not(HasSubstr("SELECT"))));
  run_sql(server().url(), "DROP DATABASE of_nobody");
}

TEST_F(AsRole, a_time_is_settled_whatever_was_set_for_a_role) {
  make_tables();
  grant_all();
  set("default_transaction_read_only = 'on'");
  set("default_transaction_isolation = 'serializable'");
  const auto store = open();
  const Instant now = platform::system_clock().now();
  EXPECT_TRUE(store->settle(now));
  sql("UPDATE annals_store SET settled = settled + interval '1 hour'");
  EXPECT_GT(value_of(append(*open(), group_saying("a", "one"))).created_at, now.plus(std::chrono::minutes(59)));
}

TEST_F(AsRole, a_time_that_cannot_be_settled_is_said_to_be_open) {
  make_tables();
  grant_all();
  const auto store = open();
  sql("REVOKE UPDATE ON annals_store FROM PUBLIC; REVOKE UPDATE ON annals_store FROM " + role());
  EXPECT_FALSE(store->settle(platform::system_clock().now()));
}

TEST_F(AsRole, what_was_set_for_a_role_changes_nothing) {
  make_tables();
  grant_all();
  for (const char* const setting :
       {"statement_timeout = '1s'", "lock_timeout = '5ms'", "default_transaction_isolation = 'serializable'",
        "default_transaction_read_only = 'on'", "synchronous_commit = 'off'", "timezone = 'Asia/Tokyo'",
        "default_transaction_deferrable = 'on'", "idle_in_transaction_session_timeout = '1ms'",
        "idle_session_timeout = '500ms'", "bytea_output = 'escape'", "search_path = 'nowhere'",
        "client_encoding = 'LATIN1'"}) {
    set(setting);
  }
  const auto one = open();
  const auto other = open();
  std::thread holder([&] {
    run_sql(server().url(), "BEGIN; UPDATE \"" + options().schema +
                                "\".streams SET stream_version = stream_version WHERE stream_id = 0; "
                                "SELECT pg_sleep(1.5); COMMIT");
  });
  EXPECT_TRUE(comes_true([&] {
    return run_sql(server().url(), "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "1";
  }));
  for (int number = 0; number < 20; ++number) {
    for (const auto* store : {&one, &other}) {
      const auto appended = append(**store, group_saying("gr\u00f6\u00dfe-\u20ac", "\u20ac\\x"));
      EXPECT_TRUE(appended) << appended.error().message;
    }
  }
  holder.join();
  const EventPage page =
      value_of(other->read_stream("gr\u00f6\u00dfe-\u20ac", StreamVersion{40}, Direction::forward, {}));
  ASSERT_EQ(page.events().size(), 1u);
  EXPECT_EQ(page.events()[0].data, "\u20ac\\x");
}

TEST_F(PostgresTest, a_schema_may_have_a_name_as_long_as_its_channels_allow) {
  options().schema = std::string(56, 's');
  const auto one = open();
  const auto other = open();
  ASSERT_TRUE(append(*one, group_saying("a", "one")));
  EXPECT_TRUE(comes_true([&] { return other->status().visible == Position{1}; }));
  options().schema += 's';
  EXPECT_THAT(store::open_postgres_store(options(), world()).error().message,
              HasSubstr("has 57 bytes; the most is 56"));
  EXPECT_EQ(store::init_postgres_store(options()).error().kind, ErrorKind::usage);
}

}  // namespace
}  // namespace annals::test
