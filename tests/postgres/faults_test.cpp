// What happens when the server or the way to it fails.

#include <libpq-fe.h>

#include <atomic>
#include <optional>
#include <set>
#include <thread>

#include "tests/postgres/behind_proxy.hpp"

namespace annals::test {
namespace {

using testing::ElementsAre;
using Cut = CuttingProxy::Cut;

TEST_F(BehindProxy, an_append_whose_answer_was_lost_is_looked_up_and_told_as_recorded) {
  const auto store = open();
  ASSERT_TRUE(append(*store, group_saying("a", "one")));
  proxy().cut_next(Cut::after_commit, false);
  const Appended appended =
      value_of(append(*store, group_saying("a", "two", ExpectedVersion::exact(StreamVersion{1}))));
  EXPECT_TRUE(proxy().has_cut());
  EXPECT_EQ(appended.first, Position{2});
  EXPECT_TRUE(append(*store, group_saying("a", "three", ExpectedVersion::exact(StreamVersion{2}))));
  EXPECT_THAT(everything(*store), ElementsAre("1 a@1 one", "2 a@2 two", "3 a@3 three"));
  EXPECT_TRUE(store->status().writable);
  EXPECT_EQ(value_of(store->resolve(store->cursor(Position{3}))), Position{3});
}

TEST_F(BehindProxy, an_append_that_did_not_reach_the_server_is_recorded_once) {
  const auto store = open();
  proxy().cut_next(Cut::before_commit, false);
  EXPECT_EQ(value_of(append(*store, group_saying("a", "one", ExpectedVersion::none()))).first, Position{1});
  EXPECT_TRUE(proxy().has_cut());
  EXPECT_THAT(everything(*store), ElementsAre("1 a@1 one"));
}

TEST_F(BehindProxy, while_an_outcome_cannot_be_found_out_nothing_is_taken_and_then_all_goes_on) {
  for (const Cut cut : {Cut::after_commit, Cut::before_commit}) {
    const auto store = open();
    const std::size_t already = everything(*store).size();
    proxy().cut_next(cut, true);
    const auto unknown = append(*store, group_saying("a", "in doubt"));
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().kind, ErrorKind::unavailable);
    EXPECT_EQ(unknown.error().code, "outcome_unknown");
    EXPECT_FALSE(store->status().writable);
    EXPECT_THAT(store->status().reason, testing::HasSubstr("unknown"));
    const auto meanwhile = append(*store, group_saying("b", "meanwhile"));
    EXPECT_EQ(meanwhile.error().kind, ErrorKind::unavailable);
    EXPECT_EQ(meanwhile.error().code, "database_away") << "it was not tried";
    EXPECT_THAT(meanwhile.error().message, testing::HasSubstr("nothing of this one was recorded"));
    EXPECT_EQ(store->read_all(Position{}, Horizon::visible, {}).error().kind, ErrorKind::unavailable);
    proxy().accept_again();
    ASSERT_TRUE(comes_true([&] { return store->status().writable; })) << "nobody has to ask for that";
    const std::size_t recorded = cut == Cut::after_commit ? 1 : 0;
    EXPECT_EQ(store->status().visible.value, already + recorded);
    EXPECT_EQ(everything(*store).size(), already + recorded);
    EXPECT_TRUE(append(*store, group_saying("b", "afterwards")));
    EXPECT_EQ(everything(*store).size(), already + recorded + 1);
  }
}

TEST_F(PostgresTest, a_server_that_is_killed_under_load_loses_nothing_that_was_told_and_comes_back_by_itself) {
  const auto store = open();
  std::atomic<bool> over = false;
  std::mutex mutex;
  std::set<std::string> told;      // successes
  std::set<std::string> not_told;  // refusals, which say whether it was recorded or not
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 4; ++writer) {
    writers.emplace_back([&, writer] {
      for (int number = 0; !over; ++number) {
        const std::string data = std::to_string(writer) + "/" + std::to_string(number);
        const auto result = append(*store, group_saying("w-" + std::to_string(writer), data));
        const std::lock_guard lock(mutex);
        (result ? told : not_told).insert(data);
        EXPECT_TRUE(result || result.error().kind == ErrorKind::unavailable) << result.error().message;
      }
    });
  }
  std::size_t before = 0;
  for (int round = 0; round < 3; ++round) {
    EXPECT_TRUE(comes_true([&] {
      const std::lock_guard lock(mutex);
      return told.size() > before + 100;
    }));
    server().kill();
    server().start();
    const std::lock_guard lock(mutex);
    before = told.size();
  }
  EXPECT_TRUE(comes_true([&] {
    const std::lock_guard lock(mutex);
    return told.size() > before + 100;
  }));
  over = true;
  for (std::thread& writer : writers) writer.join();

  std::set<std::string> found;
  std::uint64_t position = 0;
  for (const std::string& event : everything(*store)) {
    EXPECT_EQ(event.substr(0, event.find(' ')), std::to_string(++position)) << "positions have no gaps";
    EXPECT_TRUE(found.insert(event.substr(event.rfind(' ') + 1)).second) << event << " is there twice";
  }
  for (const std::string& data : told) EXPECT_TRUE(found.contains(data)) << data << " was told and is lost";
  for (const std::string& data : found) {
    EXPECT_TRUE(told.contains(data) || not_told.contains(data)) << data << " was never appended";
  }
  // Whoever follows the database may have met the last kill later than the writers.
  EXPECT_TRUE(comes_true([&] { return store->status().writable; }));
}

TEST_F(PostgresTest, while_the_server_is_away_reads_and_appends_are_refused_and_then_go_on) {
  const auto store = open();
  ASSERT_TRUE(append(*store, group_saying("a", "one")));
  server().stop();
  const auto refused = append(*store, group_saying("a", "two"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unavailable);
  EXPECT_EQ(refused.error().code, "database_away");
  EXPECT_THAT(refused.error().message, testing::HasSubstr("nothing was recorded"));
  EXPECT_EQ(store->newest().error().code, "database_away");
  EXPECT_EQ(store->hold_others_off().error().code, "database_away");
  EXPECT_EQ(store->stream_version("a").error().code, "database_away");
  EXPECT_TRUE(comes_true([&] { return !store->status().writable; }));
  EXPECT_EQ(store->status().unreachable, "the database does not answer");
  EXPECT_TRUE(store->status().away.empty()) << "it has been heard from";
  server().start();
  EXPECT_TRUE(comes_true([&] { return store->status().writable; }));
  EXPECT_TRUE(comes_true([&] { return append(*store, group_saying("a", "three")).has_value(); }));
  EXPECT_THAT(everything(*store), ElementsAre("1 a@1 one", "2 a@2 three"));
  EXPECT_THAT(log_.lines(), testing::Contains(testing::StartsWith("INFO The database answers again")));
  EXPECT_EQ(store->status().unreachable, "");
}

TEST_F(BehindProxy, an_append_that_gets_no_connection_is_known_not_to_be_recorded) {
  const auto store = open();
  ASSERT_TRUE(append(*store, group_saying("a", "one")));
  proxy().refuse();
  const auto refused = append(*store, group_saying("a", "two"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unavailable);
  EXPECT_EQ(refused.error().code, "database_away");
  proxy().accept_again();
  EXPECT_TRUE(comes_true([&] { return append(*store, group_saying("a", "three")).has_value(); }));
  EXPECT_THAT(everything(*store), ElementsAre("1 a@1 one", "2 a@2 three"));
}

// The server says that it ends the connection, and has not come to the commit: so nothing is in doubt.
TEST_F(BehindProxy, an_append_that_the_server_gives_up_before_its_commit_is_known_not_to_be_recorded) {
  const auto store = open();
  ASSERT_TRUE(append(*store, group_saying("a", "one")));
  const std::unique_ptr<PGconn, void (*)(PGconn*)> holder(PQconnectdb(server().url().c_str()), PQfinish);
  // What is written waits for this, and what is read does not.
  PQclear(PQexec(holder.get(), ("BEGIN; LOCK TABLE \"" + options().schema + "\".events IN SHARE MODE").c_str()));
  std::optional<AppendResult> refused;
  std::thread appending([&] { refused = append(*store, group_saying("a", "two")); });
  EXPECT_TRUE(comes_true(
      [&] { return run_sql(server().url(), "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted") == "1"; }));
  proxy().refuse_new();
  run_sql(server().url(), "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted");
  appending.join();
  ASSERT_TRUE(refused && !*refused);
  EXPECT_EQ(refused->error().kind, ErrorKind::unavailable);
  EXPECT_EQ(refused->error().code, "database_away") << refused->error().message;
  PQclear(PQexec(holder.get(), "ROLLBACK"));
  proxy().accept_again();
  EXPECT_TRUE(comes_true([&] { return append(*store, group_saying("a", "three")).has_value(); }));
  EXPECT_THAT(everything(*store), ElementsAre("1 a@1 one", "2 a@2 three"));
}

TEST_F(PostgresTest, once_the_database_is_found_to_answer_again_nobody_waits_for_the_time_of_his_next_attempt) {
  const auto store = open();
  ASSERT_TRUE(append(*store, group_saying("a", "one")));
  for (int outage = 0; outage < 2; ++outage) {
    server().stop();
    // Each that fails spreads the next ones further.
    const Duration begun = platform::system_clock().monotonic();
    while (platform::system_clock().monotonic() - begun < std::chrono::seconds(2)) {
      EXPECT_FALSE(store->stream_version("a"));
      EXPECT_FALSE(append(*store, group_saying("a", "lost")));
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ASSERT_TRUE(comes_true([&] { return !store->status().writable; }));
    server().start();
    ASSERT_TRUE(comes_true([&] { return store->status().writable; }));
    EXPECT_TRUE(store->stream_version("a"));
    EXPECT_TRUE(append(*store, group_saying("a", "more")));
  }
}

TEST_F(PostgresTest, a_transaction_that_stays_open_holds_nobody_up) {
  const auto store = open();
  ASSERT_TRUE(append(*store, group_saying("a", "one")));
  std::atomic<bool> begun = false;
  std::atomic<bool> over = false;
  std::thread holder([&] {
    options().init = false;
    const auto other = open();  // to have the schema's name quoted by nobody twice
    begun = true;
    run_sql(server().url(),
            "BEGIN; SELECT count(*) FROM \"" + options().schema + "\".events; SELECT pg_sleep(1); COMMIT");
    over = true;
  });
  EXPECT_TRUE(comes_true([&] { return begun.load(); }));
  std::uint64_t appended = 0;
  while (!over) {
    ASSERT_TRUE(append(*store, group_saying("a", "more")));
    EXPECT_EQ(store->status().visible.value, ++appended + 1);
  }
  holder.join();
  EXPECT_GT(appended, 0u);
}

TEST_F(PostgresTest, a_database_that_is_set_back_is_noticed_and_cursors_into_what_was_lost_are_gone) {
  auto store = open();
  for (const char* const data : {"1", "2", "3", "4", "5"}) ASSERT_TRUE(append(*store, group_saying("a", data)));
  const Cursor second = store->cursor(Position{2});
  const Cursor fifth = store->cursor(Position{5});
  sql("SET eventstore.enable_hard_deletes = 'on'; "
      "CREATE TEMP TABLE lost AS SELECT event_id FROM stream_events WHERE stream_id = 0 AND stream_version > 2; "
      "DELETE FROM stream_events WHERE event_id IN (SELECT event_id FROM lost); "
      "DELETE FROM events WHERE event_id IN (SELECT event_id FROM lost); "
      "UPDATE streams SET stream_version = 2; UPDATE annals_store SET last_position = 2");
  EXPECT_TRUE(comes_true([&] { return !store->status().writable; }));
  EXPECT_THAT(store->status().reason, testing::HasSubstr("went back from position 5 to 2"));
  const auto refused = append(*store, group_saying("a", "other"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unavailable);
  store = open();
  for (const char* const data : {"other 3", "other 4", "other 5"}) ASSERT_TRUE(append(*store, group_saying("a", data)));
  EXPECT_EQ(value_of(store->resolve(second)), Position{2});
  EXPECT_EQ(store->resolve(fifth).error().code, "cursor_gone");
  EXPECT_EQ(value_of(store->resolve(store->cursor(Position{5}))), Position{5});
}

}  // namespace
}  // namespace annals::test
