// An engine over a store of which somebody else has removed events for good.

#include <gtest/gtest.h>

#include "engine/engine.hpp"
#include "engine/event_metadata.hpp"
#include "engine/prefix_rollback.hpp"
#include "engine/test_engine.hpp"

namespace annals::engine {
namespace {

using projection::record;
using projection::set_event;

class RemovedEventsTest : public testing::Test {
 protected:
  RemovedEventsTest() {
    EXPECT_TRUE(world.files.create_directories("data"));
    store.share();
  }
  void run() { world.executor.run_ready(); }
  void open() {
    ready = 0;
    EngineOptions options;
    options.checkpoint_directory = "data";
    engine = std::make_unique<Engine>(std::vector{kv("config")}, store, world.platform(), world.executor, options);
    ASSERT_TRUE(engine->start([this] { ++ready; }));
    run();
  }
  std::string write(WriteRequest request) {
    std::string text;
    engine->writer().submit(std::move(request), world.executor,
                            [&](const Result<Receipt>& answer) { text = to_text(answer); });
    run();
    return text;
  }
  [[nodiscard]] std::string value(std::string_view key) {
    const model::Record record = engine->feed(0).table().get(key).value();
    return record.exists() ? std::string(*record.value) : "(none)";
  }
  [[nodiscard]] Position shown() { return engine->feed(0).table().progress().position(); }
  /// An event that is removed before anybody has read it.
  Position record_and_remove() {
    const Position position = record(store.inner(), "config-removed", set_event("removed")).last;
    store.remove(position);
    return position;
  }

  TestWorld world;
  ControlledStore store{world.platform()};
  std::unique_ptr<Engine> engine;
  int ready = 0;
};

TEST_F(RemovedEventsTest, a_start_comes_to_its_end_when_the_last_event_is_gone) {
  record(store.inner(), "config-a", set_event("kept"));
  const Position last = record_and_remove();
  open();
  EXPECT_EQ(ready, 1);
  EXPECT_EQ(engine->why_not_ready(), std::nullopt);
  EXPECT_EQ(shown(), last);
  EXPECT_EQ(value("a"), "kept");
  EXPECT_EQ(write(with_key(set_request("a", "new"), "key", "body")), "2");
  EXPECT_EQ(store.appends(), (std::vector<std::size_t>{1}));
  EXPECT_EQ(shown(), last.next());
}

TEST_F(RemovedEventsTest, a_start_comes_to_its_end_when_every_event_is_gone) {
  record_and_remove();
  const Position last = record_and_remove();
  for (int starts = 0; starts < 2; ++starts) {
    open();
    EXPECT_EQ(ready, 1);
    EXPECT_EQ(shown(), last);
    engine.reset();  // writes what checkpoints there are to write
  }
}

TEST_F(RemovedEventsTest, the_only_event_may_stand_far_from_the_beginning) {
  for (int number = 0; number < 5; ++number) record_and_remove();
  record(store, "config-a", set_event("only"));
  for (int starts = 0; starts < 2; ++starts) {
    open();
    EXPECT_EQ(ready, 1);
    EXPECT_EQ(value("a"), "only");
    engine.reset();
  }
  EXPECT_EQ(world.logged("cannot be used"), 0u);
}

TEST_F(RemovedEventsTest, a_running_engine_passes_over_what_was_gone_before_it_looked) {
  open();
  EXPECT_EQ(write(set_request("a", "1")), "1");
  const Position last = record_and_remove();
  run();
  EXPECT_EQ(shown(), last) << "who waits for the position that another server told of is answered";
  // Its condition is that nothing was recorded after what is known; it would be refused again and again.
  EXPECT_EQ(write(with_key(set_request("a", "2"), "key", "body")), "2");
  EXPECT_EQ(store.appends(), (std::vector<std::size_t>{1, 1}));
  record_and_remove();
  record(store.inner(), "config-b", set_event("theirs"));
  run();
  EXPECT_EQ(value("b"), "theirs");
  EXPECT_TRUE(engine->feed(0).is_live());
  engine.reset();
  open();
  EXPECT_EQ(write(with_key(set_request("a", "2"), "key", "body")), "2 replayed");
  EXPECT_EQ(world.logged("A checkpoint was loaded"), 2u) << "those of the table and of the receipts, which go as far";
}

TEST_F(RemovedEventsTest, a_checkpoint_whose_last_event_is_gone_is_made_anew) {
  open();
  EXPECT_EQ(write(set_request("a", "1")), "1");
  EXPECT_EQ(write(set_request("removed", "1")), "1");
  engine.reset();
  store.remove(store.status().visible);
  open();
  EXPECT_EQ(ready, 1);
  EXPECT_EQ(value("a"), "1");
  EXPECT_EQ(value("removed"), "(none)");
  EXPECT_GE(world.logged("cannot be used"), 1u);
}

TEST_F(RemovedEventsTest, health_tells_a_removed_event_from_one_that_cannot_be_found) {
  record(store, "config-a", set_event("kept"));
  record_and_remove();
  open();
  std::optional<Health> found;
  engine->check_health(world.executor, [&](const Health& now) { found = now; });
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->healthy()) << found->database.detail;
}

TEST_F(RemovedEventsTest, the_rollback_of_a_prefix_looks_no_further_than_there_is_something) {
  open();
  EXPECT_EQ(write(set_request("a", "1")), "1");
  const Instant at = store.read_all({}, Horizon::visible, {})->events().back().created_at;
  EXPECT_EQ(write(set_request("a", "2")), "2");
  const auto rollback = std::make_shared<PrefixRollback>(engine->past(0), 0, engine->feed(0).table(), at, "");
  record_and_remove();
  Result<bool> done = false;
  while (done && !*done) done = rollback->prepare(Turn::endless());
  ASSERT_TRUE(done);
  record_and_remove();
  WriteRequest request;
  request.actor = "anonymous";
  request.plan = [rollback] { return rollback->plan(); };
  EXPECT_EQ(write(std::move(request)), "3");
  EXPECT_EQ(value("a"), "1");
}

}  // namespace
}  // namespace annals::engine
