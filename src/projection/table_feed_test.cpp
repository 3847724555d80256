#include "projection/table_feed.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "model/test_model.hpp"
#include "projection/test_world.hpp"

namespace annals::projection {
namespace {

using model::Consistency;
using std::chrono::seconds;

model::Model config_with(Consistency consistency) {
  model::Model model = model::Model::kv("config", {"/config"});
  model.consistency = consistency;
  return model;
}

class TableFeedTest : public testing::Test {
 protected:
  /// Records an event and hands it over, as the writer does.
  void write(TableFeed& feed, const std::string& stream, NewEvent event) {
    const Appended appended = record(store, stream, event);
    hand_over(feed, stream, event, appended);
  }
  static void hand_over(TableFeed& feed, const std::string& stream, const NewEvent& event, const Appended& appended) {
    EventView view;
    view.position = appended.first;
    view.stream = stream;
    view.version = appended.versions.front();
    view.type = event.type;
    view.data = event.data;
    view.created_at = appended.created_at;
    feed.apply_live({&view, 1});
  }
  [[nodiscard]] static std::string value(const TableFeed& feed, std::string_view key) {
    const auto record = feed.table().get(key).value();
    return record.exists() ? std::string(*record.value) : "(none)";
  }

  TestWorld world;
  ControlledStore store{world.platform()};
  const model::Model live_model = config_with(Consistency::live);
  const model::Model eventual_model = config_with(Consistency::eventual);
  const model::Model restart_model = config_with(Consistency::restart);
  int ready = 0;
};

TEST_F(TableFeedTest, a_live_table_catches_up_and_then_shows_what_is_handed_over_at_once) {
  for (int count = 0; count < 2500; ++count) record(store, "config-a", set_event(std::to_string(count)));
  TableFeed feed(live_model, store, world.platform(), world.executor);
  EXPECT_FALSE(feed.is_live());
  feed.start([&] { ++ready; });
  world.executor.run_ready();
  EXPECT_EQ(ready, 1);
  EXPECT_TRUE(feed.is_live());
  EXPECT_EQ(value(feed, "a"), "2499");
  write(feed, "config-a", set_event("new"));
  EXPECT_EQ(value(feed, "a"), "new");
  EXPECT_EQ(feed.table().progress().position(), Position{2501});
  EXPECT_EQ(world.executor.run_ready(), 0u) << "the runner has no part in it";
}

TEST_F(TableFeedTest, a_table_comes_to_the_end_of_a_store_whose_last_events_were_removed) {
  for (const model::Model* const model : {&live_model, &eventual_model, &restart_model}) {
    ready = 0;
    const Position kept = record(store, "config-a", set_event("kept")).last;
    const Position last = record(store, "config-b", set_event("removed")).last;
    store.remove(last);
    TableFeed feed(*model, store, world.platform(), world.executor);
    feed.start([&] { ++ready; });
    world.executor.run_ready();
    EXPECT_EQ(ready, 1);
    EXPECT_EQ(feed.table().progress().position(), last) << "who waits for it is not to wait for ever";
    EXPECT_EQ(feed.table().last().position, kept) << "a checkpoint names an event";
    EXPECT_EQ(value(feed, "a"), "kept");
    EXPECT_EQ(value(feed, "b"), "(none)");
    write(feed, "config-a", set_event("new"));
    feed.refresh([] {});
    world.executor.run_ready();
    EXPECT_EQ(value(feed, "a"), "new");
    EXPECT_EQ(feed.table().progress().position(), last.next());
  }
}

TEST_F(TableFeedTest, a_live_table_passes_over_what_its_writer_found_empty) {
  record(store, "config-a", set_event("1"));
  TableFeed feed(live_model, store, world.platform(), world.executor);
  feed.pass_over_live(Position{9});
  EXPECT_EQ(feed.table().progress().position(), Position{}) << "it is not live yet";
  feed.start([] {});
  world.executor.run_ready();
  const Position gone = record(store, "config-b", set_event("removed")).last;
  store.remove(gone);
  feed.pass_over_live(gone);
  EXPECT_EQ(feed.table().progress().position(), gone);
  write(feed, "config-a", set_event("2"));
  EXPECT_EQ(value(feed, "a"), "2");
}

TEST_F(TableFeedTest, while_the_store_is_away_a_table_shows_its_checkpoint_and_catches_up_once_it_is_there) {
  ASSERT_TRUE(world.files.create_directories("data"));
  const std::string path = "data/config.table";
  record(store, "config-a", set_event("old"));
  {
    TableFeed feed(live_model, store, world.platform(), world.executor, path);
    feed.start([] {});
    world.executor.run_ready();
    ASSERT_TRUE(feed.keeper()->write_all());
  }
  record(store, "config-b", set_event("new"));
  store.set_away("the database does not answer");
  TableFeed feed(live_model, store, world.platform(), world.executor, path);
  ASSERT_TRUE(feed.restore());
  EXPECT_EQ(value(feed, "a"), "old");
  EXPECT_EQ(feed.table().progress().position(), Position{1});
  feed.start([&] { ++ready; });
  for (int looks = 0; looks < 5; ++looks) world.executor.run_next_timer();
  EXPECT_EQ(feed.status().failures, 0u) << "there is nothing to read yet, which is nobody's failure";
  EXPECT_EQ(ready, 0);
  store.set_away(std::nullopt);
  world.executor.run_next_timer();
  world.executor.run_ready();
  EXPECT_EQ(ready, 1);
  EXPECT_TRUE(feed.is_live());
  EXPECT_EQ(value(feed, "a"), "old");
  EXPECT_EQ(value(feed, "b"), "new");
}

TEST_F(TableFeedTest, without_a_checkpoint_nothing_is_shown_while_the_store_is_away) {
  store.set_away("the database does not answer");
  TableFeed none(live_model, store, world.platform(), world.executor);
  EXPECT_FALSE(none.restore());
  TableFeed missing(live_model, store, world.platform(), world.executor, "data/config.table");
  EXPECT_FALSE(missing.restore());
}

TEST_F(TableFeedTest, what_is_handed_over_before_the_table_is_live_is_found_by_the_runner) {
  TableFeed feed(live_model, store, world.platform(), world.executor);
  feed.start([&] { ++ready; });
  write(feed, "config-a", set_event("early"));
  EXPECT_EQ(value(feed, "a"), "(none)");
  world.executor.run_ready();
  EXPECT_EQ(value(feed, "a"), "early");
  EXPECT_EQ(feed.table().get("a")->version, StreamVersion{1});
}

TEST_F(TableFeedTest, a_live_table_that_fails_catches_up_from_the_store_and_is_live_again) {
  TableFeed feed(live_model, store, world.platform(), world.executor);
  feed.start([&] { ++ready; });
  world.executor.run_ready();
  const Appended appended = record(store, "config-a", set_event("good"));
  NewEvent garbled = set_event("good");
  garbled.data = "{";
  hand_over(feed, "config-a", garbled, appended);
  EXPECT_FALSE(feed.is_live());
  EXPECT_EQ(value(feed, "a"), "(none)");
  EXPECT_EQ(world.logged("A live read table failed"), 1u);
  write(feed, "config-b", set_event("meanwhile"));
  EXPECT_EQ(value(feed, "b"), "(none)") << "not ahead of what it has missed";
  world.executor.run_ready();
  EXPECT_TRUE(feed.is_live());
  EXPECT_EQ(value(feed, "a"), "good");
  EXPECT_EQ(value(feed, "b"), "meanwhile");
  write(feed, "config-a", set_event("again"));
  EXPECT_EQ(value(feed, "a"), "again");
}

TEST_F(TableFeedTest, a_live_table_over_a_damaged_event_stays_behind_and_says_so) {
  TableFeed feed(live_model, store, world.platform(), world.executor);
  feed.start([&] { ++ready; });
  world.executor.run_ready();
  NewEvent broken = set_event("x");
  broken.data = "{}";
  write(feed, "config-a", broken);
  world.executor.run_ready();
  EXPECT_FALSE(feed.is_live());
  EXPECT_TRUE(feed.status().failing);
  for (int pause = 0; pause < 5; ++pause) world.executor.run_next_timer();
  EXPECT_EQ(feed.status().failures, 6u);
}

// Of a restart table, at its next refresh.
TEST_F(TableFeedTest, a_table_that_cannot_take_an_event_says_so_until_it_has_caught_up) {
  for (const model::Model* const model : {&live_model, &eventual_model, &restart_model}) {
    TableFeed feed(*model, store, world.platform(), world.executor);
    feed.start([] {});
    world.executor.run_ready();
    EXPECT_TRUE(feed.check());
    EXPECT_FALSE(feed.failure());
    std::size_t woken = 0;
    feed.table().watch().wait("other", world.executor, [&] { ++woken; });
    feed.table().progress().wait(Position{1000}, [&] { ++woken; });
    NewEvent broken = set_event("x");
    broken.data = "{}";
    record(store, "config-fine", set_event("x"));
    const Appended appended = record(store, "config-a", broken);
    hand_over(feed, "config-a", broken, appended);
    if (model == &restart_model) feed.refresh([] {});
    if (model != &live_model) world.executor.run_ready();
    const auto good = feed.check();
    ASSERT_FALSE(good) << to_string(model->consistency);
    EXPECT_EQ(good.error().kind, ErrorKind::unavailable);
    EXPECT_EQ(good.error().code, "table_failing");
    world.executor.run_ready();
    EXPECT_EQ(woken, 2u) << "who waits for what the table now lacks";
    const auto failure = feed.failure();
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->position, appended.first);
    EXPECT_EQ(failure->version, appended.versions.front());
    EXPECT_EQ(failure->type, "ConfigValueSet");
    EXPECT_EQ(failure->error.kind, ErrorKind::corrupt);
    world.executor.run_next_timer();
    EXPECT_FALSE(feed.check()) << "it was tried again";
    store.remove(appended.first);
    world.executor.run_next_timer();
    EXPECT_TRUE(feed.check()) << to_string(model->consistency);
    EXPECT_FALSE(feed.failure());
    EXPECT_EQ(value(feed, "fine"), "x");
    EXPECT_EQ(feed.is_live(), model == &live_model);
    feed.stop();
  }
}

/// Its records have a mail that no other one has.
model::Model account_model() {
  return model::declared_model(R"([model.account]
path = "/accounts"
[model.account.fields]
id   = { type = "string", primary_key = true }
mail = { type = "string", unique = true }
)");
}

NewEvent account_created(const std::string& key, const std::string& mail) {
  NewEvent event;
  event.type = "AccountCreated";
  event.data = R"({"account_id":")" + key + R"(","values":{"id":")" + key + R"(","mail":")" + mail + R"("}})";
  return event;
}

NewEvent account_deleted(const std::string& key) {
  NewEvent event;
  event.type = "AccountDeleted";
  event.data = R"({"account_id":")" + key + R"(","old_values":{},"deleted_at":"2026-01-01T00:00:00Z"})";
  return event;
}

void expect_mail_is_taken_twice(const TableFeed& feed) {
  const auto good = feed.check();
  ASSERT_FALSE(good);
  EXPECT_EQ(good.error().code, "table_failing");
  const auto failure = feed.failure();
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->error.code, "not_unique");
  EXPECT_EQ(failure->error.message, R"(1 value that is to be unique and is not: mail of "a" and "b")");
  EXPECT_EQ(failure->error.faults.front().detail, "1 value that is to be unique and is not") << "no keys for everybody";
}

TEST_F(TableFeedTest, a_live_table_whose_records_have_a_unique_value_twice_says_so_until_they_have_not) {
  const model::Model model = account_model();
  TableFeed feed(model, store, world.platform(), world.executor);
  feed.start([&] { ++ready; });
  world.executor.run_ready();
  write(feed, "account-a", account_created("a", "x"));
  EXPECT_TRUE(feed.check());
  std::size_t woken = 0;
  feed.table().watch().wait("other", world.executor, [&] { ++woken; });
  write(feed, "account-b", account_created("b", "x"));  // by a declaration that lets it be so
  expect_mail_is_taken_twice(feed);
  EXPECT_TRUE(feed.is_live()) << "it lacks nothing";
  world.executor.run_ready();
  EXPECT_EQ(woken, 1u);
  EXPECT_EQ(world.logged("Records of a model have values that are to be unique"), 1u);
  write(feed, "account-c", account_created("c", "y"));
  expect_mail_is_taken_twice(feed);
  EXPECT_EQ(world.logged("Records of a model have values that are to be unique"), 1u);
  feed.refresh([] {});
  world.executor.run_ready();
  expect_mail_is_taken_twice(feed);
  write(feed, "account-a", account_deleted("a"));
  EXPECT_TRUE(feed.check());
  EXPECT_FALSE(feed.failure());
}

TEST_F(TableFeedTest, a_table_that_finds_a_unique_value_twice_at_its_start_says_so_and_is_there) {
  const model::Model model = account_model();
  record(store, "account-a", account_created("a", "x"));
  record(store, "account-b", account_created("b", "x"));
  TableFeed feed(model, store, world.platform(), world.executor);
  feed.start([&] { ++ready; });
  world.executor.run_ready();
  EXPECT_EQ(ready, 1) << "other models wait for it";
  expect_mail_is_taken_twice(feed);
  EXPECT_FALSE(feed.status().failing) << "there is nothing that could be tried again";
}

// A page of events may end amid a group.
TEST_F(TableFeedTest, a_unique_value_that_goes_from_one_record_to_another_is_not_taken_twice) {
  const model::Model model = account_model();
  TableFeed feed(model, store, world.platform(), world.executor);
  feed.start([] {});
  world.executor.run_ready();
  write(feed, "account-a", account_created("a", "x"));
  const NewEvent taken = account_created("b", "x");
  const NewEvent gone = account_deleted("a");
  Group group;
  group.appends.push_back({"account-b", ExpectedVersion::exact(StreamVersion{0}), {taken}});
  group.appends.push_back({"account-a", ExpectedVersion::exact(StreamVersion{1}), {gone}});
  std::vector<Group> groups(1, group);
  std::optional<AppendResult> result;
  store.append(groups, [&](std::vector<AppendResult> results) { result = std::move(results.front()); });
  world.executor.run_ready();
  ASSERT_TRUE(result && *result);
  const Appended& appended = **result;
  hand_over(feed, "account-b", taken, {appended.first, appended.first, appended.created_at, {StreamVersion{1}}});
  EXPECT_TRUE(feed.check()) << "the rest of the group is still to come";
  hand_over(feed, "account-a", gone, {appended.last, appended.last, appended.created_at, {StreamVersion{2}}});
  EXPECT_TRUE(feed.check());
  EXPECT_EQ(world.logged("Records of a model have values that are to be unique"), 0u);
}

TEST_F(TableFeedTest, that_the_store_cannot_be_asked_is_no_failure_of_a_table) {
  TableFeed feed(live_model, store, world.platform(), world.executor);
  feed.start([] {});
  world.executor.run_ready();
  record(store, "config-foreign", set_event("theirs"));
  store.fail_reads(Error(ErrorKind::unavailable, "database_away", "nobody answers"));
  write(feed, "config-ours", set_event("ours"));
  world.executor.run_ready();
  EXPECT_FALSE(feed.is_live());
  EXPECT_TRUE(feed.check());
  store.fail_reads(std::nullopt);
  world.executor.run_next_timer();
  EXPECT_TRUE(feed.is_live());
  EXPECT_EQ(value(feed, "foreign"), "theirs");
}

TEST_F(TableFeedTest, a_live_table_misses_nothing_that_others_recorded_in_between) {
  TableFeed feed(live_model, store, world.platform(), world.executor);
  feed.start([&] { ++ready; });
  world.executor.run_ready();
  record(store, "config-foreign", set_event("theirs"));
  write(feed, "config-ours", set_event("ours"));
  EXPECT_EQ(value(feed, "ours"), "ours");
  EXPECT_EQ(value(feed, "foreign"), "theirs");
  EXPECT_TRUE(feed.is_live());
}

TEST_F(TableFeedTest, asking_a_live_table_to_refresh_does_not_read_the_log_again) {
  TableFeed feed(live_model, store, world.platform(), world.executor);
  feed.start([&] { ++ready; });
  world.executor.run_ready();
  for (int count = 0; count < 3000; ++count) write(feed, "config-a", set_event("x"));
  const std::size_t before = store.read_from().size();
  feed.refresh([&] { ++ready; });
  world.executor.run_ready();
  EXPECT_EQ(ready, 2);
  const auto reads = store.read_from();
  ASSERT_GT(reads.size(), before) << "it looked whether there is more";
  for (std::size_t read = before; read < reads.size(); ++read) EXPECT_EQ(reads[read], Position{3000});
}

TEST_F(TableFeedTest, an_eventual_table_follows_by_itself_and_takes_nothing_from_the_writer) {
  TableFeed feed(eventual_model, store, world.platform(), world.executor);
  feed.start([&] { ++ready; });
  world.executor.run_ready();
  write(feed, "config-a", set_event("x"));
  EXPECT_FALSE(feed.is_live());
  EXPECT_EQ(value(feed, "a"), "(none)");
  world.executor.run_ready();
  EXPECT_EQ(value(feed, "a"), "x");
  EXPECT_EQ(feed.table().progress().position(), Position{1});
}

TEST_F(TableFeedTest, a_restart_table_stands_still_until_it_is_refreshed_and_then_changes_at_once) {
  record(store, "config-a", set_event("first"));
  TableFeed feed(restart_model, store, world.platform(), world.executor);
  feed.start([&] { ++ready; });
  world.executor.run_ready();
  EXPECT_EQ(value(feed, "a"), "first");
  write(feed, "config-a", set_event("second"));
  for (int count = 0; count < 1500; ++count) write(feed, "config-b", set_event(std::to_string(count)));
  world.executor.run_ready();
  EXPECT_EQ(value(feed, "a"), "first");
  EXPECT_EQ(feed.table().progress().position(), Position{1});
  feed.refresh([&] {
    ++ready;
    EXPECT_EQ(value(feed, "a"), "second");
    EXPECT_EQ(value(feed, "b"), "1499");
  });
  world.executor.run_ready();
  EXPECT_EQ(ready, 2);
  EXPECT_EQ(feed.table().progress().position(), Position{1502});
}

TEST_F(TableFeedTest, a_restart_table_that_fails_halfway_shows_nothing_of_it) {
  TableFeed feed(restart_model, store, world.platform(), world.executor);
  feed.start([&] { ++ready; });
  world.executor.run_ready();
  record(store, "config-a", set_event("x"));
  NewEvent broken = set_event("x");
  broken.data = "{}";
  record(store, "config-b", broken);
  feed.refresh([&] { ++ready; });
  world.executor.run_ready();
  EXPECT_EQ(ready, 1);
  EXPECT_TRUE(feed.status().failing);
  EXPECT_EQ(value(feed, "a"), "(none)");
}

TEST_F(TableFeedTest, a_restart_table_refreshes_by_itself_when_it_is_told_to) {
  model::Model model = restart_model;
  model.refresh_every = seconds(30);
  TableFeed feed(model, store, world.platform(), world.executor);
  feed.start([&] { ++ready; });
  world.executor.run_ready();
  record(store, "config-a", set_event("x"));
  world.clock.advance(seconds(29));
  world.executor.run_ready();
  EXPECT_EQ(value(feed, "a"), "(none)");
  world.clock.advance(seconds(1));
  world.executor.run_ready();
  EXPECT_EQ(value(feed, "a"), "x");
}

TEST_F(TableFeedTest, live_tables_show_what_is_visible_the_others_what_is_flushed) {
  // The memory store flushes at once; what is asked for is what counts.
  class Horizons final : public EventStore {
   public:
    explicit Horizons(EventStore& inner) : inner_(inner) {}
    void append(std::span<const Group> groups, AppendDone done) override { inner_.append(groups, std::move(done)); }
    Result<> restore(std::span<const EventView> events) override { return inner_.restore(events); }
    Result<EventPage> read_stream(std::string_view stream, StreamVersion from, Direction direction,
                                  PageLimit limit) const override {
      return inner_.read_stream(stream, from, direction, limit);
    }
    Result<EventPage> read_all(Position after, Horizon horizon, PageLimit limit) const override {
      asked.push_back(horizon);
      return inner_.read_all(after, horizon, limit);
    }
    Result<StreamVersion> stream_version(std::string_view stream) const override {
      return inner_.stream_version(stream);
    }
    Result<StreamVersion> version_at(std::string_view stream, Instant time) const override {
      return inner_.version_at(stream, time);
    }
    Result<Position> position_at(Instant time) const override { return inner_.position_at(time); }
    Result<> settle(Instant time) override { return inner_.settle(time); }
    Cursor cursor(Position position) const override { return inner_.cursor(position); }
    Result<Position> resolve(const Cursor& cursor) const override { return inner_.resolve(cursor); }
    StoreStatus status() const override { return inner_.status(); }
    Durability durability() const override { return inner_.durability(); }
    std::unique_ptr<Watch> watch(std::function<void(Position)> progress) override {
      return inner_.watch(std::move(progress));
    }
    mutable std::vector<Horizon> asked;

   private:
    EventStore& inner_;
  };
  for (const model::Model* model : {&live_model, &eventual_model, &restart_model}) {
    Horizons horizons(store);
    TableFeed feed(*model, horizons, world.platform(), world.executor);
    feed.start([] {});
    world.executor.run_ready();
    const Horizon expected = model == &live_model ? Horizon::visible : Horizon::flushed;
    ASSERT_FALSE(horizons.asked.empty());
    for (const Horizon asked : horizons.asked) EXPECT_EQ(asked, expected) << to_string(model->consistency);
  }
}

// The table goes live in the middle of a stream of writes, on another thread, falling out and coming back on the way:
// whatever the interleaving, it misses nothing, and once it is live each write is seen as soon as it was handed over.
TEST(table_feed_threads, writer_and_runner_may_race_for_the_moment_of_going_live) {
  for (int round = 0; round < 20; ++round) {
    TestWorld world;
    const auto store = store::make_memory_store(world.platform());
    const model::Model model = config_with(Consistency::live);
    for (int count = 0; count < 300; ++count) record(*store, "config-before", set_event(std::to_string(count)));
    const auto executor = platform::make_thread_executor("feed-test");
    TableFeed feed(model, *store, world.platform(), *executor);
    std::atomic<bool> ready{false};
    feed.start([&] { ready = true; });
    int unseen = 0;
    std::uint64_t written = 0;
    while (!ready.load() || !feed.is_live() || written < 600) {
      const NewEvent event = set_event(std::to_string(++written));
      const Appended appended = record(*store, "config-a", event);
      EventView view;
      view.position = appended.first;
      view.stream = "config-a";
      view.version = appended.versions.front();
      view.type = event.type;
      view.data = written % 200 == 0 && written < 600 ? "garbled" : std::string_view(event.data);
      const bool was_live = feed.is_live();
      feed.apply_live({&view, 1});
      if (was_live && view.data == event.data && feed.table().get("a")->version.value != written) ++unseen;
    }
    EXPECT_EQ(unseen, 0);
    EXPECT_EQ(*feed.table().get("a")->value, std::to_string(written));
    EXPECT_EQ(feed.table().get("a")->version.value, written);
    EXPECT_EQ(*feed.table().get("before")->value, "299");
    EXPECT_EQ(feed.table().progress().position(), Position{300 + written});
    feed.stop();
  }
}

}  // namespace
}  // namespace annals::projection
