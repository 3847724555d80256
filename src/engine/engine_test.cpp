#include "engine/engine.hpp"

#include <gtest/gtest.h>

#include "engine/event_feed.hpp"
#include "engine/event_json.hpp"
#include "engine/event_metadata.hpp"
#include "engine/queries.hpp"
#include "engine/test_engine.hpp"

namespace annals::engine {
namespace {

using model::Consistency;
using projection::deleted_event;
using projection::record;
using projection::set_event;

class EngineTest : public testing::Test {
 protected:
  void run() { world.executor.run_ready(); }
  void open(Consistency consistency = Consistency::live) {
    engine = std::make_unique<Engine>(std::vector{kv("config", consistency), kv("flag")}, store, world.platform(),
                                      world.executor, EngineOptions{});
    ASSERT_TRUE(engine->start([this] { ++ready; }));
  }
  std::string write(WriteRequest request) {
    std::string text;
    engine->writer().submit(std::move(request), world.executor,
                            [&](const Result<Receipt>& answer) { text = to_text(answer); });
    run();
    return text;
  }
  [[nodiscard]] std::string list_at(Instant time, const std::string& prefix = "",
                                    std::optional<std::string> after = std::nullopt, std::size_t piece = 2) {
    ListAtTime list(engine->past(0), engine->feed(0).table(), time, prefix, std::move(after));
    std::string all;
    while (true) {
      const auto rows = list.next(piece, 1u << 20, Turn::endless());
      EXPECT_TRUE(rows.has_value());
      for (const auto& row : *rows) all += row.key + "=" + std::string(*row.record.value) + " ";
      EXPECT_EQ(rows->size() < piece, list.ended());
      if (list.ended()) return all;
    }
  }

  [[nodiscard]] Health health() {
    std::optional<Health> found;
    engine->check_health(world.executor, [&](const Health& now) { found = now; });
    EXPECT_TRUE(found) << "without a thread for it the store is read at once";
    return found.value_or(Health{});
  }

  TestWorld world;
  ControlledStore store{world.platform()};
  std::unique_ptr<Engine> engine;
  int ready = 0;
};

TEST_F(EngineTest, it_is_ready_once_all_tables_have_caught_up) {
  record(store, "config-a", set_event("x"));
  open();
  EXPECT_EQ(engine->why_not_ready(), "the read tables are still catching up");
  EXPECT_EQ(health().projection.state, "down");
  run();
  EXPECT_EQ(ready, 1);
  EXPECT_EQ(engine->why_not_ready(), std::nullopt);
  store.set_writable(false);
  EXPECT_NE(engine->why_not_ready(), std::nullopt);
  engine->set_draining();
  EXPECT_EQ(engine->why_not_ready(), "draining");
  EXPECT_TRUE(engine->serving());
}

class EngineAwayTest : public EngineTest {
 protected:
  EngineAwayTest() {
    EXPECT_TRUE(world.files.create_directories("data"));
    store.share();
    EXPECT_TRUE(open_here());
    run();
    EXPECT_EQ(write(with_key(set_request("a", "old"), "key", "body")), "1");
    engine.reset();  // writes its checkpoints
  }
  [[nodiscard]] Result<> open_here() {
    ready = 0;
    EngineOptions options;
    options.checkpoint_directory = "data";
    engine = std::make_unique<Engine>(std::vector{kv("config"), kv("flag")}, store, world.platform(), world.executor,
                                      options);
    return engine->start([this] { ++ready; });
  }
  [[nodiscard]] std::string value(std::string_view key) {
    const model::Record record = engine->feed(0).table().get(key).value();
    return record.exists() ? std::string(*record.value) : "(none)";
  }
  void look_again() {
    for (int timers = 0; timers < 40; ++timers) world.executor.run_next_timer();
    run();
  }
};

TEST_F(EngineAwayTest, it_starts_from_checkpoints_while_the_store_is_away_and_catches_up_once_it_is_there) {
  record(store, "config-b", set_event("theirs"));
  store.set_away("the database does not answer");
  ASSERT_TRUE(open_here());
  EXPECT_EQ(ready, 1);
  EXPECT_TRUE(engine->serving());
  EXPECT_TRUE(engine->behind_store());
  EXPECT_EQ(value("a"), "old");
  EXPECT_FALSE(engine->feed(0).table().get("b")->exists());
  EXPECT_NE(engine->why_not_ready(), std::nullopt);
  EXPECT_EQ(health().eventstore.state, "error");
  EXPECT_EQ(health().projection.state, "down");
  EXPECT_EQ(health().database.state, "error");
  EXPECT_EQ(health().database.detail, "the database does not answer");
  look_again();
  EXPECT_TRUE(engine->behind_store());

  store.set_away(std::nullopt);
  look_again();
  EXPECT_FALSE(engine->behind_store());
  EXPECT_EQ(ready, 1) << "once";
  EXPECT_EQ(engine->why_not_ready(), std::nullopt);
  EXPECT_TRUE(health().healthy());
  EXPECT_EQ(value("b"), "theirs");
  EXPECT_EQ(write(with_key(set_request("a", "old"), "key", "body")), "1 replayed");
  EXPECT_EQ(write(set_request("a", "new")), "2");
  EXPECT_EQ(write(set_request("b", "ours")), "2");
}

TEST_F(EngineAwayTest, what_the_writer_must_know_is_read_on_from_where_it_failed) {
  store.set_away("the database does not answer");
  ASSERT_TRUE(open_here());
  store.set_away(std::nullopt);
  store.fail_reads(Error(ErrorKind::unavailable, "the connection was lost"));
  look_again();
  EXPECT_TRUE(engine->behind_store());
  store.fail_reads(std::nullopt);
  look_again();
  EXPECT_FALSE(engine->behind_store());
  EXPECT_EQ(write(with_key(set_request("a", "old"), "key", "body")), "1 replayed");
}

TEST_F(EngineAwayTest, without_the_checkpoint_of_a_table_it_does_not_start_while_the_store_is_away) {
  ASSERT_TRUE(world.files.remove("data/flag.table"));
  store.set_away("the database does not answer");
  const auto started = open_here();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, ErrorKind::unavailable);
  EXPECT_NE(started.error().message.find("no checkpoint of the table flag"), std::string::npos);
}

TEST_F(EngineAwayTest, it_stops_while_the_store_is_away_and_its_checkpoints_stay_what_they_were) {
  store.set_away("the database does not answer");
  ASSERT_TRUE(open_here());
  engine.reset();
  look_again();
  ASSERT_TRUE(open_here());
  EXPECT_EQ(value("a"), "old");
}

TEST_F(EngineTest, a_list_of_the_past_holds_no_more_values_at_once_than_asked_for) {
  open();
  run();
  for (const char* key : {"a", "b", "c", "d"}) EXPECT_EQ(write(set_request(key, std::string(400, 'x'))), "1");
  world.clock.advance(std::chrono::seconds(1));
  ListAtTime list(engine->past(0), engine->feed(0).table(), world.clock.now(), "", std::nullopt);
  std::vector<std::string> pieces;
  while (!list.ended()) {
    const auto rows = list.next(100, 1000, Turn::endless());
    ASSERT_TRUE(rows.has_value());
    std::string& piece = pieces.emplace_back();
    for (const auto& row : *rows) piece += row.key;
  }
  EXPECT_EQ(pieces, (std::vector<std::string>{"abc", "d"}));
}

TEST_F(EngineTest, a_list_of_the_past_that_takes_long_is_read_in_turns) {
  open();
  run();
  constexpr int keys = 40;
  for (const char* value : {"1", "2"}) {
    for (int key = 0; key < keys; ++key) write(set_request("k" + std::to_string(100 + key), value));
  }
  const Instant time = store.read_all({}, Horizon::visible, {}).value().events()[keys - 1].created_at;
  store.before_each_stream_read([&] { world.clock.advance(std::chrono::milliseconds{1}); });
  ListAtTime list(engine->past(0), engine->feed(0).table(), time, "", std::nullopt);
  std::vector<std::string> found;
  std::size_t turns = 0;
  for (; !list.ended(); ++turns) {
    const Duration begun = world.clock.monotonic();
    const auto rows = list.next(100, 1u << 20, Turn(world.clock));
    ASSERT_TRUE(rows);
    for (const auto& row : *rows) found.push_back(row.key + "=" + std::string(*row.record.value));
    EXPECT_LE(world.clock.monotonic() - begun, turn_time) << "a key has one read";
  }
  ASSERT_EQ(found.size(), static_cast<std::size_t>(keys));
  EXPECT_EQ(found.front(), "k100=1");
  EXPECT_EQ(found.back(), "k139=1");
  EXPECT_GE(turns, keys / 2u);
}

TEST_F(EngineTest, a_list_of_the_past_that_the_table_is_far_behind_is_found_in_turns) {
  open(Consistency::restart);
  run();
  constexpr int keys = 5000;
  std::vector<Group> groups(1);
  for (int key = 0; key < keys; ++key) {
    groups[0].appends.push_back({"config-k" + std::to_string(10'000 + key), ExpectedVersion::any(), {set_event("1")}});
  }
  store.inner().append(groups, [](const std::vector<AppendResult>& results) { ASSERT_TRUE(results[0]); });
  ListAtTime list(engine->past(0), engine->feed(0).table(), world.clock.now().plus(std::chrono::seconds{9}), "",
                  std::nullopt);
  std::size_t found = 0;
  std::size_t pages_max = 0;
  while (!list.ended()) {
    const std::size_t pages = store.read_from().size();
    world.clock.advance(turn_time);
    const Turn over = [&] {
      Turn turn(world.clock);
      world.clock.advance(turn_time);
      return turn;
    }();
    found += list.next(100, 1u << 20, over).value().size();
    pages_max = std::max(pages_max, store.read_from().size() - pages);
  }
  EXPECT_EQ(found, static_cast<std::size_t>(keys));
  EXPECT_EQ(pages_max, 1u) << "a page of events is a turn here";
}

TEST_F(EngineTest, one_event_touches_the_table_of_its_model_only) {
  open();
  run();
  WriteRequest request = set_request("a", "x");
  request.model = 1;
  EXPECT_EQ(write(request), "1");
  EXPECT_FALSE(engine->feed(0).table().get("a")->exists());
  EXPECT_TRUE(engine->feed(1).table().get("a")->exists());
  EXPECT_EQ(engine->feed(0).table().progress().position(), Position{1}) << "but both know how far they are";
  EXPECT_EQ(engine->model_of("flag-a")->name, "flag");
  EXPECT_EQ(engine->model_of("other-a"), nullptr);
}

TEST_F(EngineTest, health_of_a_sound_server_is_ok) {
  open();
  run();
  EXPECT_TRUE(health().healthy()) << "with an empty store";
  write(set_request("a", "x"));
  EXPECT_TRUE(health().healthy());
}

TEST_F(EngineTest, health_tells_of_a_store_that_takes_no_writes_while_reads_go_on) {
  open();
  run();
  write(set_request("a", "x"));
  store.set_writable(false);
  const Health found = health();
  EXPECT_FALSE(found.healthy());
  EXPECT_EQ(found.eventstore.state, "error");
  EXPECT_FALSE(found.eventstore.detail.empty());
  EXPECT_EQ(found.projection.state, "ok");
  EXPECT_EQ(found.database.state, "ok");
}

TEST_F(EngineTest, health_tells_of_damage_that_some_read_has_met) {
  open();
  run();
  write(set_request("a", "x"));
  store.set_damaged_reads(1);
  const Health found = health();
  EXPECT_FALSE(found.healthy());
  EXPECT_EQ(found.database.state, "error");
  EXPECT_NE(found.database.detail.find("annals verify"), std::string::npos);
  EXPECT_EQ(found.eventstore.state, "ok");
}

TEST_F(EngineTest, health_tells_of_what_cannot_be_read_back) {
  open();
  run();
  write(set_request("a", "x"));
  store.fail_reads(Error(ErrorKind::corrupt, "/data/segment is damaged"));
  const Health found = health();
  EXPECT_EQ(found.database.state, "error");
  EXPECT_EQ(found.database.detail.find("/data"), std::string::npos) << "no names of files";
  EXPECT_EQ(found.eventstore.state, "ok");
}

TEST_F(EngineTest, health_does_not_say_of_a_store_that_does_not_answer_that_it_cannot_be_read_back) {
  open();
  run();
  write(set_request("a", "x"));
  for (const Error& error : {Error(ErrorKind::unavailable, "database_away", "cannot connect to db.example.org"),
                             Error(ErrorKind::overloaded, "all connections to db.example.org are in use")}) {
    store.fail_reads(error);
    const Health::Check found = health().database;
    EXPECT_EQ(found.state, "error");
    EXPECT_EQ(found.detail,
              "the store did not answer when it was asked for the last event; the log of the server says why");
  }
}

TEST_F(EngineTest, health_tells_in_the_words_of_the_store_why_it_cannot_be_asked_and_does_not_ask) {
  store.share();
  open();
  run();
  write(set_request("a", "x"));
  store.set_unreachable("the database refuses this server's login");
  const std::size_t reads = store.read_from().size();
  const Health found = health();
  EXPECT_EQ(found.eventstore.state, "error");
  EXPECT_EQ(found.database.state, "error");
  EXPECT_EQ(found.database.detail, "the database refuses this server's login");
  EXPECT_EQ(store.read_from().size(), reads);
  store.set_unreachable(std::nullopt);
  EXPECT_TRUE(health().healthy());
}

TEST_F(EngineTest, health_tells_of_a_subscriber_that_waits_for_the_store_until_it_has_gone_on) {
  class Idle final : public projection::Subscriber {
   public:
    [[nodiscard]] std::string_view name() const override { return "idle"; }
    [[nodiscard]] Result<Position> resume() override { return Position{}; }
    [[nodiscard]] Result<> handle(const EventPage&) override { return {}; }
  } idle;
  open();
  projection::Runner runner(idle, store, projection::Runner::Mode::follow, world.platform(), world.executor);
  engine->watch_subscriber("idle", runner);
  runner.start();
  run();
  store.set_unreachable("the database does not answer");
  runner.wake();
  run();
  EXPECT_EQ(health().projection.state, "down");
  EXPECT_NE(health().projection.detail.find("the subscriber idle waits for the store"), std::string::npos);
  store.set_unreachable(std::nullopt);
  EXPECT_EQ(health().projection.state, "down") << "it has not gone on yet";
  ASSERT_TRUE(world.executor.run_next_timer());
  EXPECT_TRUE(health().healthy());
  runner.stop();
  engine->stop();
}

TEST_F(EngineTest, health_tells_of_what_others_recorded_and_cannot_be_read) {
  store.share();
  open();
  run();
  store.fail_reads(Error(ErrorKind::unavailable, "the server is away"));
  record(store.inner(), "config-a", set_event("theirs"));
  run();
  EXPECT_EQ(health().projection.state, "error");
  EXPECT_NE(health().projection.detail.find("other servers"), std::string::npos);
  store.fail_reads(std::nullopt);
  while (!engine->writer().sees_others() && world.executor.run_next_timer()) run();
  EXPECT_TRUE(health().healthy());
}

TEST_F(EngineTest, health_tells_of_tables_and_subscribers_that_fail) {
  class Broken final : public projection::Subscriber {
   public:
    [[nodiscard]] std::string_view name() const override { return "broken"; }
    [[nodiscard]] Result<Position> resume() override { return fail(ErrorKind::input_output, "no"); }
    [[nodiscard]] Result<> handle(const EventPage&) override { return {}; }
  } broken;
  open();
  projection::Runner runner(broken, store, projection::Runner::Mode::follow, world.platform(), world.executor);
  engine->watch_subscriber("broken", runner);
  run();
  EXPECT_TRUE(health().healthy());
  runner.start();
  run();
  EXPECT_EQ(health().projection.state, "error");
  EXPECT_NE(health().projection.detail.find("subscriber broken"), std::string::npos);
  runner.stop();
  engine->stop();

  NewEvent garbled = set_event("x");
  garbled.data = "{}";
  record(store, "config-a", garbled);
  open();
  run();
  EXPECT_EQ(health().projection.state, "error");
  EXPECT_NE(health().projection.detail.find("read table of config"), std::string::npos);
  EXPECT_NE(engine->why_not_ready(), std::nullopt);
  EXPECT_EQ(ready, 1) << "the first time only";
}

TEST_F(EngineTest, settle_answers_inside_the_call_unless_something_is_under_way) {
  open();
  run();
  int passed = 0;
  engine->settle(world.clock.now(), world.executor, [&](const Result<>&) { ++passed; });
  EXPECT_EQ(passed, 1);
  world.clock.advance(std::chrono::seconds(1));
  store.hold(true);
  engine->writer().submit(set_request("a", "x"), world.executor, [](const Result<Receipt>&) {});
  run();
  engine->settle(world.clock.now(), world.executor, [&](const Result<>&) { ++passed; });
  run();
  EXPECT_EQ(passed, 1);
  store.release();
  run();
  EXPECT_EQ(passed, 2);
}

TEST_F(EngineTest, an_answer_about_a_settled_time_never_changes) {
  open();
  run();
  write(set_request("a", "before"));
  world.clock.advance(std::chrono::seconds(1));
  const Instant asked = world.clock.now();
  std::string answer = "(none)";
  engine->settle(asked, world.executor,
                 [&](const Result<>&) { answer = *record_at_time(engine->past(0), "a", asked)->value; });
  EXPECT_EQ(answer, "before");
  write(set_request("a", "after"));  // in the same microsecond
  EXPECT_EQ(*record_at_time(engine->past(0), "a", asked)->value, "before");
}

TEST_F(EngineTest, a_time_that_the_store_cannot_settle_gets_no_answer) {
  store.share();
  open();
  run();
  store.fail_settle(Error(ErrorKind::unavailable, "database_away", "no answer"));
  std::optional<Result<>> settled;
  world.clock.advance(std::chrono::seconds(1));
  const auto ask = [&] {
    settled.reset();
    engine->settle(world.clock.now(), world.executor, [&](const Result<>& result) { settled = result; });
    run();
  };
  ask();
  ASSERT_TRUE(settled);
  ASSERT_FALSE(*settled);
  EXPECT_EQ(settled->error().code, "database_away");
  store.fail_settle(std::nullopt);
  store.fail_newest(Error(ErrorKind::unavailable, "no answer"));
  ask();
  ASSERT_TRUE(settled);
  EXPECT_FALSE(*settled) << "what others recorded before is not known";
  store.fail_newest(std::nullopt);
  ask();
  ASSERT_TRUE(settled);
  EXPECT_TRUE(*settled);
}

TEST_F(EngineTest, whoever_waits_for_a_flushed_position_is_called) {
  record(store, "config-a", set_event("x"));
  open();
  run();
  EXPECT_EQ(engine->flushed().position(), Position{1});
  int reached = 0;
  engine->flushed().wait(Position{2}, [&] { ++reached; });
  write(set_request("a", "y"));
  EXPECT_EQ(reached, 1);
  const auto held = std::make_shared<int>(0);
  engine->flushed().wait(Position{9}, [held] {});
  engine.reset();
  EXPECT_EQ(held.use_count(), 1) << "what still waits goes with the engine";
}

// --- Queries of the past
// ---------------------------------------------------------------------------------------------------------

TEST_F(EngineTest, a_record_can_be_asked_for_at_any_version_and_time) {
  const Instant first = record(store, "config-a", set_event("one")).created_at;
  world.clock.advance(std::chrono::seconds(1));
  const Instant second = record(store, "config-a", deleted_event()).created_at;
  world.clock.advance(std::chrono::seconds(1));
  const Instant third = record(store, "config-a", set_event("three")).created_at;
  open();
  const model::Model& config = engine->model(0);
  EXPECT_EQ(*record_at_version({store, config}, "a", StreamVersion{1})->value, "one");
  EXPECT_TRUE(record_at_version({store, config}, "a", StreamVersion{2})->was_deleted());
  EXPECT_EQ(*record_at_version({store, config}, "a", StreamVersion{3})->value, "three");
  EXPECT_EQ(record_at_version({store, config}, "a", StreamVersion{4})->version, StreamVersion{});
  EXPECT_EQ(record_at_version({store, config}, "a", StreamVersion{})->version, StreamVersion{});
  EXPECT_EQ(record_at_version({store, config}, "a", StreamVersion{~std::uint64_t{0}})->version, StreamVersion{});
  EXPECT_EQ(record_at_time({store, config}, "a", first.plus(Duration{-1}))->version, StreamVersion{});
  EXPECT_EQ(*record_at_time({store, config}, "a", first)->value, "one");
  EXPECT_EQ(*record_at_time({store, config}, "a", second.plus(Duration{-1}))->value, "one");
  EXPECT_TRUE(record_at_time({store, config}, "a", second)->was_deleted());
  EXPECT_EQ(*record_at_time({store, config}, "a", third.plus(std::chrono::hours(1)))->value, "three");
  EXPECT_EQ(record_at_time({store, config}, "b", third)->version, StreamVersion{});
}

TEST_F(EngineTest, a_list_at_a_time_has_what_existed_then) {
  record(store, "config-a", set_event("1"));
  record(store, "config-b", set_event("1"));
  record(store, "config-gone", set_event("1"));
  record(store, "other-x", set_event("1"));
  record(store, "config-gone", deleted_event());
  const Instant then = record(store, "config-c", set_event("1")).created_at;
  world.clock.advance(std::chrono::seconds(1));
  record(store, "config-a", set_event("2"));
  record(store, "config-b", deleted_event());
  record(store, "config-bb", set_event("2"));
  open();
  run();
  EXPECT_EQ(list_at(then), "a=1 b=1 c=1 ");
  EXPECT_EQ(list_at(then, "b"), "b=1 ");
  EXPECT_EQ(list_at(then, "", "a"), "b=1 c=1 ");
  EXPECT_EQ(list_at(then, "", std::nullopt, 100), "a=1 b=1 c=1 ");
  EXPECT_EQ(list_at(world.clock.now().plus(std::chrono::seconds(1))), "a=2 bb=2 c=1 ");
  EXPECT_EQ(list_at(then.plus(-std::chrono::hours(1))), "");
}

TEST_F(EngineTest, a_list_at_a_time_has_the_keys_that_a_table_which_is_behind_does_not_know) {
  record(store, "config-b", set_event("1"));
  record(store, "config-d", set_event("1"));
  open(Consistency::restart);
  run();
  for (const char* key : {"e", "a", "c", "ca", "cb"}) record(store, std::string("config-") + key, set_event("2"));
  const Instant then = record(store, "config-b", set_event("2")).created_at;
  world.clock.advance(std::chrono::seconds(1));
  record(store, "config-z", set_event("3"));
  for (std::size_t piece : {1u, 2u, 3u, 100u}) {
    EXPECT_EQ(list_at(then, "", std::nullopt, piece), "a=2 b=2 c=2 ca=2 cb=2 d=1 e=2 ") << piece;
    EXPECT_EQ(list_at(then, "c", std::nullopt, piece), "c=2 ca=2 cb=2 ") << piece;
    EXPECT_EQ(list_at(then, "", "ca", piece), "cb=2 d=1 e=2 ") << piece;
  }
}

TEST_F(EngineTest, events_are_read_of_everything_or_of_one_stream_after_a_position) {
  for (int round = 0; round < 20; ++round) {
    record(store, "config-a", set_event("x"));
    record(store, "config-b", set_event("x"));
    record(store, "config-b", set_event("x"));
  }
  const auto first = [&](const std::optional<std::string>& stream, std::uint64_t after) -> std::uint64_t {
    const auto page = read_events(store, stream, Position{after}, PageLimit{});
    EXPECT_TRUE(page.has_value());
    return page->events().empty() ? 0 : page->events().front().position.value;
  };
  for (std::uint64_t after = 0; after <= 61; ++after) {
    const auto next = [&](auto belongs) -> std::uint64_t {
      for (std::uint64_t position = after + 1; position <= 60; ++position) {
        if (belongs(position)) return position;
      }
      return 0;
    };
    EXPECT_EQ(first(std::nullopt, after), next([](std::uint64_t) { return true; })) << after;
    EXPECT_EQ(first("config-a", after), next([](std::uint64_t position) { return position % 3 == 1; })) << after;
    EXPECT_EQ(first("config-b", after), next([](std::uint64_t position) { return position % 3 != 1; })) << after;
    EXPECT_EQ(first("config-c", after), 0u);
  }
}

TEST_F(EngineTest, events_of_a_stream_that_are_not_flushed_are_not_read_out) {
  for (int round = 0; round < 4; ++round) record(store, "config-a", set_event("x"));
  store.set_flushed(Position{2});
  const auto page = read_events(store, "config-a", Position{}, PageLimit{});
  EXPECT_EQ(page->events().size(), 2u);
  EXPECT_FALSE(page->more());
}

// --- Events as JSON, metadata, digests
// ---------------------------------------------------------------------------------------------

TEST(event_json, an_event_leaves_in_one_shape) {
  EventView event;
  event.position = Position{17};
  event.stream = "config-a\"b";
  event.version = StreamVersion{3};
  event.id = *Uuid::from_text("0192e4a0-7a3c-7def-8123-456789abcdef");
  event.correlation_id = *Uuid::from_text("0192e4a0-7a3c-7def-8123-000000000000");
  event.type = "ConfigValueSet";
  event.data = R"({"value":"x"})";
  const std::string metadata = make_metadata("some\"body", Idempotency{digest_of({"k"}), digest_of({"r"})});
  event.metadata = metadata;
  event.created_at = *Instant::from_text("2026-02-12T10:00:00.123456Z");
  event.node_id = 1;
  model::Model model = kv("config");
  model.event_type_prefix = "Elixir.";
  std::string out;
  append_event_json(out, event, &model);
  EXPECT_EQ(
      out,
      R"({"event_id":"0192e4a0-7a3c-7def-8123-456789abcdef","event_type":"Elixir.ConfigValueSet","stream":"config-a\"b",)"
      R"("stream_version":3,"position":"17","data":{"value":"x"},"metadata":{"aggregate_id":"a\"b","aggregate_type":"ConfigValue",)"
      R"("actor":"some\"body","correlation_id":"0192e4a0-7a3c-7def-8123-000000000000","causation_id":null,"node_id":"1"},)"
      R"("created_at":"2026-02-12T10:00:00.123456Z"})");
  event.causation_id = event.id;
  event.data = "not JSON";
  event.metadata = "neither";
  out.clear();
  append_event_json(out, event, nullptr);
  EXPECT_NE(out.find(R"("data":"not JSON")"), std::string::npos);
  EXPECT_NE(out.find(R"("actor":"unknown")"), std::string::npos);
  EXPECT_NE(out.find(R"("aggregate_type":null)"), std::string::npos);
  EXPECT_NE(out.find(R"("causation_id":"0192e4a0-7a3c-7def-8123-456789abcdef")"), std::string::npos);
  EXPECT_NE(out.find(R"("event_type":"ConfigValueSet")"), std::string::npos);
}

TEST(event_metadata, what_was_put_in_comes_out) {
  const Idempotency idempotency{digest_of({"key"}), digest_of({"request"})};
  const auto found = remembered_of(make_metadata("anonymous", idempotency));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->idempotency.key, idempotency.key);
  EXPECT_EQ(found->idempotency.request, idempotency.request);
  EXPECT_EQ(found->tally, Tally{});
  const Tally tally{3, 1, 4};
  EXPECT_EQ(remembered_of(make_metadata("anonymous", idempotency, tally))->tally, tally);
  EXPECT_EQ(make_metadata("anonymous", std::nullopt), R"({"actor":"anonymous"})");
  EXPECT_EQ(actor_of(make_metadata("a\"\\\n", std::nullopt)), "a\"\\\n");
}

TEST(event_metadata, what_others_wrote_is_no_idempotency_key) {
  const std::string digest(32, 'a');
  for (const std::string& metadata :
       {std::string{}, std::string{"{}"}, std::string{R"({"idempotency":null})"},
        std::string{R"({"idempotency":["key"]})"}, std::string{R"({"idempotency":{"key":"x","request":"y"}})"},
        R"({"idempotency":{"key":")" + digest + R"("}})",
        R"({"idempotency":{"key":")" + digest + R"(","request":")" + std::string(31, 'a') + R"("}})",
        R"({"actor":"\"idempotency\""})" + std::string{}}) {
    EXPECT_FALSE(remembered_of(metadata)) << metadata;
  }
}

TEST(digest, parts_are_told_apart_and_hex_goes_both_ways) {
  EXPECT_EQ(digest_of({"a", "bc"}), digest_of({"a", "bc"}));
  EXPECT_NE(digest_of({"a", "bc"}), digest_of({"ab", "c"}));
  EXPECT_NE(digest_of({"a"}), digest_of({"a", ""}));
  EXPECT_NE(digest_of({}), digest_of({""}));
  // SHA-256 of no bytes at all begins so (FIPS 180-4).
  EXPECT_EQ(to_hex(digest_of({})), "e3b0c44298fc1c149afbf4c8996fb924");
  EXPECT_EQ(digest_from_hex(to_hex(digest_of({"a"}))), digest_of({"a"}));
  for (const std::string& text : {std::string{}, std::string(31, '0'), std::string(33, '0'), std::string(31, '0') + "g",
                                  std::string(31, '0') + "A"}) {
    EXPECT_FALSE(digest_from_hex(text)) << text;
  }
}

}  // namespace
}  // namespace annals::engine
