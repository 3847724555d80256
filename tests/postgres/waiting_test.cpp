// Reads that wait for somebody else's lock, and are given up.

#include <libpq-fe.h>

#include <array>
#include <atomic>
#include <thread>

#include "event/read_interest.hpp"
#include "tests/postgres/test_database.hpp"

namespace annals::test {
namespace {

/// Holds the table of the events until it goes.
class Locked {
 public:
  Locked(const std::string& url, const std::string& schema) : connection_(PQconnectdb(url.c_str()), PQfinish) {
    const std::string text = "BEGIN; LOCK TABLE \"" + schema + "\".events IN ACCESS EXCLUSIVE MODE";
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(connection_.get(), text.c_str()), PQclear);
    EXPECT_EQ(PQresultStatus(result.get()), PGRES_COMMAND_OK) << PQerrorMessage(connection_.get());
  }

 private:
  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
};

class WaitingTest : public PostgresTest {
 protected:
  /// Waits until as many reads wait for a lock.
  [[nodiscard]] bool wait_for_waiting(int count) {
    return comes_true([&] {
      const std::string waiting = run_sql(server().url(), "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted");
      return waiting == std::to_string(count);
    });
  }
};

TEST_F(WaitingTest, a_time_is_not_settled_while_another_append_is_under_way) {
  const auto store = open();
  const std::unique_ptr<PGconn, void (*)(PGconn*)> appending(PQconnectdb(server().url().c_str()), PQfinish);
  PQclear(PQexec(appending.get(),
                 ("BEGIN; SELECT FROM \"" + options().schema + "\".annals_store FOR NO KEY UPDATE").c_str()));
  Result<> settled;
  std::thread asking([&] { settled = store->settle(platform::system_clock().now()); });
  EXPECT_TRUE(wait_for_waiting(1));
  store->let_reads_wait(false);
  asking.join();
  ASSERT_FALSE(settled);
  EXPECT_EQ(settled.error().kind, ErrorKind::unavailable);
  store->let_reads_wait(true);
  PQclear(PQexec(appending.get(), "ROLLBACK"));
  EXPECT_TRUE(store->settle(platform::system_clock().now()));
}

TEST_F(WaitingTest, reads_that_wait_are_given_up_when_told_so_and_made_again_once_they_may) {
  const auto store = open();
  ASSERT_TRUE(append(*store, group_saying("a", "{}")));
  {
    const Locked locked(server().url(), options().schema);
    std::vector<Result<EventPage>> pages(3);
    std::vector<std::thread> readers;
    for (auto& page : pages) {
      readers.emplace_back([&] { page = store->read_stream("a", StreamVersion{1}, Direction::forward, PageLimit{}); });
    }
    EXPECT_TRUE(wait_for_waiting(3));
    store->let_reads_wait(false);
    for (std::thread& reader : readers) reader.join();
    for (const auto& page : pages) {
      ASSERT_FALSE(page);
      EXPECT_EQ(page.error().kind, ErrorKind::unavailable) << page.error().message;
    }
    EXPECT_FALSE(store->stream_version("a")) << "none begins to wait";
  }
  store->let_reads_wait(true);
  EXPECT_EQ(value_of(store->read_stream("a", StreamVersion{1}, Direction::forward, {})).events().size(), 1u);
}

// The table stays locked: it is not the lock that ends the waiting in the database.
TEST_F(WaitingTest, a_read_that_nobody_waits_for_any_more_is_given_up_and_cancelled_in_the_database) {
  const auto store = open();
  ASSERT_TRUE(append(*store, group_saying("a", "{}")));
  const Locked locked(server().url(), options().schema);
  std::atomic<bool> wanted = true;
  Result<EventPage> page;
  std::thread reader([&] {
    const ReadInterest interest([&] { return wanted.load(); });
    page = store->read_stream("a", StreamVersion{1}, Direction::forward, PageLimit{});
  });
  Result<EventPage> other;
  std::thread waits_on([&] { other = store->read_stream("a", StreamVersion{1}, Direction::forward, PageLimit{}); });
  EXPECT_TRUE(wait_for_waiting(2));
  wanted = false;
  reader.join();
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().kind, ErrorKind::unavailable);
  EXPECT_TRUE(wait_for_waiting(1)) << "the statement of somebody else waits on";
  run_sql(server().url(), "SELECT pg_cancel_backend(pid) FROM pg_locks WHERE NOT granted");
  waits_on.join();
  EXPECT_FALSE(other);
}

TEST_F(WaitingTest, what_is_given_up_as_a_store_goes_down_is_cancelled_in_the_database) {
  auto store = open();
  ASSERT_TRUE(append(*store, group_saying("a", "{}")));
  const Locked locked(server().url(), options().schema);
  Result<EventPage> page;
  std::thread reader([&] { page = store->read_stream("a", StreamVersion{1}, Direction::forward, PageLimit{}); });
  EXPECT_TRUE(wait_for_waiting(1));
  store->let_reads_wait(false);
  reader.join();
  EXPECT_FALSE(page);
  store.reset();
  EXPECT_TRUE(wait_for_waiting(0));
}

TEST_F(WaitingTest, a_read_that_the_database_ends_is_unavailable_and_no_defect) {
  const auto store = open();
  ASSERT_TRUE(append(*store, group_saying("a", "{}")));
  const Locked locked(server().url(), options().schema);
  Result<EventPage> page;
  std::thread reader([&] { page = store->read_stream("a", StreamVersion{1}, Direction::forward, PageLimit{}); });
  EXPECT_TRUE(wait_for_waiting(1));
  run_sql(server().url(), "SELECT pg_cancel_backend(pid) FROM pg_locks WHERE NOT granted");
  reader.join();
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().kind, ErrorKind::unavailable);
  EXPECT_EQ(page.error().code, "database_away");
}

// The database takes three connections of ours: one that appends, one that follows, and one that reads.
TEST_F(WaitingTest, who_reads_waits_for_a_connection_that_is_there_where_the_database_gives_no_other) {
  ASSERT_TRUE(value_of(store::init_postgres_store(options())));
  const std::string role = "few_" + options().schema;
  run_sql(server().url(), "CREATE ROLE \"" + role + "\" LOGIN CONNECTION LIMIT 3");
  sql("GRANT ALL ON SCHEMA \"" + options().schema + "\" TO \"" + role + "\"");
  sql("GRANT ALL ON ALL TABLES IN SCHEMA \"" + options().schema + "\" TO \"" + role + "\"");
  sql("GRANT ALL ON ALL SEQUENCES IN SCHEMA \"" + options().schema + "\" TO \"" + role + "\"");
  std::string& url = options().url;
  url.replace(url.find("user="), std::string::npos, "user=" + role);
  {
    const auto store = open();
    ASSERT_TRUE(append(*store, group_saying("a", "{}")));
    const std::string ours = "SELECT count(*) FROM pg_stat_activity WHERE usename = '" + role + "'";
    EXPECT_TRUE(comes_true([&] { return run_sql(server().url(), ours) == "2"; }));
    const Locked locked(server().url(), options().schema);
    std::array<Result<EventPage>, 6> pages;
    std::array<std::atomic<bool>, 6> wait{};  // or have ended
    std::atomic<bool> wanted = true;
    std::vector<std::thread> readers;
    for (std::size_t reader = 0; reader < pages.size(); ++reader) {
      readers.emplace_back([&, reader] {
        const ReadInterest interest([&, reader] {
          wait[reader] = true;
          return reader != 1 || wanted.load();
        });
        pages[reader] = store->read_stream("a", StreamVersion{1}, Direction::forward, PageLimit{});
        wait[reader] = true;
      });
      EXPECT_TRUE(comes_true([&] { return wait[reader].load(); }));
    }
    EXPECT_TRUE(wait_for_waiting(1)) << "of the database one of them asks at a time";
    wanted = false;
    readers[1].join();
    EXPECT_FALSE(pages[1]) << "nobody waits for it any more";
    run_sql(server().url(),
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK%' AND "
            "query LIKE '%" +
                options().schema + "%' AND pid <> pg_backend_pid()");
    for (std::size_t reader = 0; reader < pages.size(); ++reader) {
      if (readers[reader].joinable()) readers[reader].join();
      if (reader == 1) continue;
      EXPECT_EQ(value_of(std::move(pages[reader])).events().size(), 1u) << reader;
    }
  }
  run_sql(server().url(), "DROP OWNED BY \"" + role + "\"; DROP ROLE \"" + role + "\"");
}

TEST_F(WaitingTest, some_connections_are_left_to_others_than_those_who_read_the_past) {
  for (const auto& [pool_size, reads_max] :
       {std::pair(3u, 1u), std::pair(4u, 1u), std::pair(5u, 1u), std::pair(10u, 6u)}) {
    options().pool_size = pool_size;
    EXPECT_EQ(open()->remote_reads_max(), reads_max) << pool_size;
  }
}

}  // namespace
}  // namespace annals::test
