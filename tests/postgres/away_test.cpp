// What a store does that is opened while its database cannot be used.

#include <atomic>
#include <utility>

#include "tests/postgres/test_database.hpp"

namespace annals::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

/// A database with three events, that a store has been closed on; and a checkpoint of the first two.
class AwayTest : public PostgresTest {
 protected:
  AwayTest() {
    EXPECT_TRUE(files_.create_directories("data"));
    options().known_path = "data/checkpoints/database";
  }
  ~AwayTest() override {
    if (stopped_) server().start();
  }
  void record_and_close() {
    const auto store = value_of(open_here());
    for (const char* const data : {"one", "two", "three"}) ASSERT_TRUE(append(*store, group_saying("a", data)));
    const EventPage page = value_of(store->read_all(Position{}, Horizon::visible, {}));
    options().seen = {{"data/checkpoints/config.table", store->cursor(Position{2}), page.events()[1].id}};
    ASSERT_TRUE(store->close());
  }
  [[nodiscard]] Result<std::unique_ptr<EventStore>> open_here() {
    return store::open_postgres_store(options(), {platform::system_clock(), platform::system_random(), files_, log_});
  }
  void stop_server() {
    server().stop();
    stopped_ = true;
  }
  void start_server() {
    server().start();
    stopped_ = false;
  }
  /// Opens while the server is down, and starts it.
  [[nodiscard]] std::unique_ptr<EventStore> open_before_the_server() {
    stop_server();
    auto store = value_of(open_here());
    start_server();
    return store;
  }
  static void expect_refused(const EventStore& store, const std::string& why) {
    EXPECT_TRUE(comes_true([&] { return store.status().away.find(why) != std::string::npos; }))
        << store.status().away << ": " << store.status().reason;
    EXPECT_FALSE(store.status().writable);
    EXPECT_EQ(store.stream_version("a").error().code, "database_away");
    EXPECT_EQ(store.status().visible, Position{2});
  }

  platform::SimulatedFileSystem files_;
  bool stopped_ = false;
};

TEST_F(AwayTest, a_store_tells_of_its_checkpoints_while_its_database_is_away_and_goes_on_once_it_is_there) {
  record_and_close();
  stop_server();
  const auto store = value_of(open_here());
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(store->status().away, "the database does not answer");
  EXPECT_THAT(store->status().reason, HasSubstr("cannot connect"));
  EXPECT_FALSE(store->status().writable);
  EXPECT_EQ(store->status().visible, Position{2});
  EXPECT_EQ(store->status().flushed, Position{2});
  const Cursor seen = options().seen.front().cursor;
  EXPECT_EQ(store->cursor(Position{2}), seen);
  EXPECT_EQ(value_of(store->resolve(seen)), Position{2});
  EXPECT_EQ(store->resolve({seen.epoch + 1, Position{2}}).error().kind, ErrorKind::unavailable)
      << "it may be of an epoch that another server has begun";
  EXPECT_EQ(append(*store, group_saying("a", "lost")).error().kind, ErrorKind::unavailable);
  EXPECT_EQ(store->read_all(Position{}, Horizon::visible, {}).error().code, "database_away");
  EXPECT_EQ(store->stream_version("a").error().code, "database_away");
  EXPECT_EQ(store->newest().error().kind, ErrorKind::unavailable);
  EXPECT_EQ(store->hold_others_off().error().kind, ErrorKind::unavailable);

  std::atomic<std::uint64_t> told = 0;
  const auto watch = store->watch([&](Position flushed) { told = flushed.value; });
  start_server();
  ASSERT_TRUE(comes_true([&] { return store->status().away.empty() && store->status().writable; }));
  EXPECT_TRUE(comes_true([&] { return told == 3; }));
  EXPECT_THAT(log_.lines(), Contains(StartsWith("INFO The database answers again")));
  EXPECT_EQ(value_of(append(*store, group_saying("a", "four", ExpectedVersion::exact(StreamVersion{3})))).first,
            Position{4});
  EXPECT_THAT(everything(*store), ElementsAre("1 a@1 one", "2 a@2 two", "3 a@3 three", "4 a@4 four"));
}

TEST_F(AwayTest, what_it_learns_of_the_database_later_is_kept_too) {
  record_and_close();
  const auto first = value_of(open_here());
  ASSERT_TRUE(append(*first, group_saying("a", "begins an epoch")));
  const Cursor fourth = first->cursor(Position{4});
  EXPECT_NE(fourth.epoch, options().seen.front().cursor.epoch);
  EXPECT_TRUE(comes_true([&] {
    const auto text = platform::read_whole_file(files_, options().known_path, 4096);
    return text && text->find("epoch " + std::to_string(fourth.epoch)) != std::string::npos;
  })) << "without being closed";
  options().seen = {{"data/checkpoints/config.table", fourth, std::nullopt}};
  stop_server();
  EXPECT_EQ(value_of(open_here())->status().visible, Position{4});
}

TEST_F(AwayTest, without_checkpoints_of_this_database_it_does_not_open_while_that_is_away) {
  stop_server();
  const auto refusal = [&] {
    const auto opened = open_here();
    EXPECT_FALSE(opened.has_value());
    return opened ? Error(ErrorKind::internal, "") : opened.error();
  };
  EXPECT_EQ(refusal().kind, ErrorKind::unavailable) << "it has never been there";
  EXPECT_THAT(refusal().message, HasSubstr("cannot connect"));
  EXPECT_THAT(refusal().message, HasSubstr("no checkpoints of this database"));
  start_server();
  record_and_close();
  stop_server();
  const auto seen = std::exchange(options().seen, {});
  EXPECT_EQ(refusal().kind, ErrorKind::unavailable) << "no checkpoint";
  options().seen = {{"of/another", {seen.front().cursor.epoch + 1, Position{2}}, std::nullopt}};
  EXPECT_EQ(refusal().kind, ErrorKind::unavailable) << "a checkpoint of another database";
  options().seen = seen;
  const std::string schema = std::exchange(options().schema, "elsewhere");
  EXPECT_EQ(refusal().kind, ErrorKind::unavailable) << "another address";
  options().schema = schema;
  files_.damage(options().known_path, [](std::string& bytes) { bytes[30] ^= 1; });
  EXPECT_EQ(refusal().kind, ErrorKind::unavailable) << "damaged";
  EXPECT_THAT(log_.lines(), Contains(HasSubstr("is damaged")));
  files_.damage(options().known_path, [](std::string& bytes) { bytes[30] ^= 1; });
  EXPECT_TRUE(open_here()) << "nothing else was in the way";
}

TEST_F(AwayTest, another_database_that_comes_back_in_its_place_is_not_touched) {
  record_and_close();
  sql("DROP SCHEMA \"" + options().schema + "\" CASCADE");
  {
    store::PostgresOptions of_another_server = options();
    of_another_server.known_path.clear();
    const auto other = value_of(store::open_postgres_store(of_another_server, world()));
    for (const char* const data : {"other one", "other two", "other three"}) {
      ASSERT_TRUE(append(*other, group_saying("a", data)));
    }
  }
  {
    const auto store = open_before_the_server();
    expect_refused(*store, "another database");
    EXPECT_THAT(store->status().reason, HasSubstr("its epochs are others"));
    EXPECT_EQ(append(*store, group_saying("a", "lost")).error().kind, ErrorKind::unavailable);
    EXPECT_THAT(log_.lines(), Contains(StartsWith("ERROR The database cannot be used as it is")));
  }
  const auto store = value_of(open_here());
  EXPECT_THAT(everything(*store), ElementsAre("1 a@1 other one", "2 a@2 other two", "3 a@3 other three"));
  EXPECT_THAT(log_.lines(), Contains(StartsWith("WARNING The database is not the one that this directory")));
  stop_server();
  EXPECT_FALSE(open_here()) << "the checkpoints are of a database that was here once";
}

TEST_F(AwayTest, a_database_that_lacks_what_the_checkpoints_have_is_another_one) {
  record_and_close();
  const auto seen = options().seen;
  options().seen.front().event = Uuid{};
  expect_refused(*open_before_the_server(), "another database");
  options().seen = seen;
  options().seen.front().cursor.position = Position{4};
  const auto store = open_before_the_server();
  EXPECT_TRUE(comes_true([&] { return store->status().away.starts_with("another database"); }));
  EXPECT_THAT(store->status().reason, HasSubstr("no event at position 4"));
}

// As the original service does when it removes a stream for good. A server that was not down goes on, too.
TEST_F(AwayTest, an_event_that_was_removed_does_not_make_it_another_database) {
  record_and_close();
  sql("SET eventstore.enable_hard_deletes = 'on'; "
      "CREATE TEMP TABLE gone AS SELECT event_id FROM stream_events WHERE stream_id = 0 AND stream_version = 2; "
      "DELETE FROM stream_events WHERE event_id IN (SELECT event_id FROM gone); "
      "DELETE FROM events WHERE event_id IN (SELECT event_id FROM gone)");
  const auto store = open_before_the_server();
  EXPECT_TRUE(comes_true([&] { return store->status().away.empty() && store->status().writable; }))
      << store->status().reason;
  EXPECT_THAT(log_.lines(), Contains(StartsWith("WARNING The event that a checkpoint ends with was removed")));
  EXPECT_EQ(value_of(append(*store, group_saying("a", "four"))).first, Position{4});
  EXPECT_THAT(everything(*store), ElementsAre("1 a@1 one", "3 a@3 three", "4 a@4 four"));
}

TEST_F(AwayTest, a_database_that_comes_back_without_tables_is_not_given_any) {
  record_and_close();
  sql("DROP SCHEMA \"" + options().schema + "\" CASCADE");
  expect_refused(*open_before_the_server(), "no tables");
  EXPECT_TRUE(options().init);
  EXPECT_EQ(run_sql(server().url(), "SELECT count(*) FROM pg_namespace WHERE nspname = '" + options().schema + "'"),
            "0");
}

TEST_F(AwayTest, a_login_that_is_refused_is_waited_for) {
  const std::string role = options().schema;
  run_sql(server().url(), "CREATE ROLE \"" + role + "\" LOGIN; GRANT CREATE ON DATABASE postgres TO \"" + role + "\"");
  const std::size_t user = options().url.find("user=");
  ASSERT_NE(user, std::string::npos);
  options().url.replace(user, options().url.find('&', user) - user, "user=" + role);
  record_and_close();
  run_sql(server().url(), "ALTER ROLE \"" + role + "\" NOLOGIN");
  const auto store = value_of(open_here());
  expect_refused(*store, "refuses this server's login");
  run_sql(server().url(), "ALTER ROLE \"" + role + "\" LOGIN");
  EXPECT_TRUE(comes_true([&] { return store->status().away.empty(); }));
  EXPECT_TRUE(append(*store, group_saying("a", "four")));
}

TEST_F(AwayTest, a_standby_is_waited_for_until_it_is_promoted) {
  record_and_close();
  server().standby();
  {
    const auto seen = std::exchange(options().seen, {});
    const auto refused = open_here();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "database_read_only");
    EXPECT_THAT(refused.error().message, HasSubstr("is read-only, as a standby is"));
    options().seen = seen;
  }
  const auto store = value_of(open_here());
  expect_refused(*store, "read-only, as a standby is");
  server().promote();
  EXPECT_TRUE(comes_true([&] { return store->status().away.empty(); }));
  EXPECT_EQ(value_of(append(*store, group_saying("a", "four"))).first, Position{4});
}

}  // namespace
}  // namespace annals::test
