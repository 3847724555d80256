#include "projection/runner.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "projection/test_world.hpp"

namespace annals::projection {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Notes what it is given; fails as told.
class Noting final : public Subscriber {
 public:
  explicit Noting(std::string name = "noting") : name_(std::move(name)) {}
  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] Duration gathering_time() const override { return gathering; }
  [[nodiscard]] Result<Position> resume() override {
    ++resumes;
    if (failing_resumes > 0 && failing_resumes-- > 0) return std::unexpected(resume_error);
    return checkpoint;
  }
  [[nodiscard]] Result<> handle(const EventPage& page) override {
    ++pages;
    for (const EventView& event : page.events()) {
      if (event.position == fails_at && failures_left > 0) {
        --failures_left;
        if (throws) throw std::runtime_error("thrown");
        if (throws_oddly) throw 7;
        return fail(ErrorKind::internal, "refused " + to_string(event.position));
      }
    }
    for (const EventView& event : page.events()) seen.push_back(event.position.value);
    if (keeps_checkpoint) checkpoint = page.events().back().position;
    return {};
  }
  [[nodiscard]] Result<> pass_over(Position position) override {
    passed.push_back(position.value);
    return {};
  }
  [[nodiscard]] Result<> caught_up() override {
    ++caught;
    return {};
  }

  Duration gathering{0};
  std::vector<std::uint64_t> seen;
  std::vector<std::uint64_t> passed;
  Position checkpoint;
  Position fails_at;
  int failures_left = 1'000'000;
  int failing_resumes = 0;
  Error resume_error{ErrorKind::input_output, "no checkpoint"};
  int resumes = 0;
  int pages = 0;
  int caught = 0;
  bool throws = false;
  bool throws_oddly = false;
  bool keeps_checkpoint = true;

 private:
  const std::string name_;
};

class RunnerTest : public testing::Test {
 protected:
  void record_some(int count) {
    for (int done = 0; done < count; ++done) record(store, "config-a", set_event("x"));
  }
  [[nodiscard]] Runner follow(Subscriber& subscriber) {
    return Runner(subscriber, store, Runner::Mode::follow, world.platform(), world.executor);
  }

  TestWorld world;
  ControlledStore store{world.platform()};
  Noting noting;
};

std::vector<std::uint64_t> numbers(std::uint64_t from, std::uint64_t to) {
  std::vector<std::uint64_t> all;
  for (std::uint64_t number = from; number <= to; ++number) all.push_back(number);
  return all;
}

TEST_F(RunnerTest, a_follower_is_given_every_event_once_in_order) {
  record_some(2500);  // more than a page
  auto runner = follow(noting);
  EXPECT_TRUE(noting.seen.empty());
  runner.start();
  world.executor.run_ready();
  EXPECT_EQ(noting.seen, numbers(1, 2500));
  EXPECT_GE(noting.pages, 3);
  EXPECT_TRUE(runner.status().caught_up);
  EXPECT_EQ(runner.status().position, Position{2500});
  record_some(3);
  world.executor.run_ready();
  EXPECT_EQ(noting.seen, numbers(1, 2503));
  EXPECT_EQ(noting.resumes, 1);
}

TEST_F(RunnerTest, positions_that_hold_no_event_any_more_count_as_handled) {
  record_some(2500);
  for (const std::uint64_t position : {1u, 2u, 1000u, 2499u, 2500u}) store.remove(Position{position});
  auto runner = follow(noting);
  int caught_up = 0;
  runner.catch_up([&] { ++caught_up; });
  world.executor.run_ready();
  EXPECT_EQ(caught_up, 1) << "nobody has an event at the position that it waits for";
  EXPECT_EQ(noting.seen.size(), 2495u);
  EXPECT_EQ(noting.seen.back(), 2498u);
  EXPECT_EQ(noting.passed.back(), 2500u);
  EXPECT_EQ(runner.status().position, Position{2500});
  record_some(1);
  world.executor.run_ready();
  EXPECT_EQ(noting.seen.back(), 2501u);
  EXPECT_EQ(noting.caught, 2);
}

TEST_F(RunnerTest, a_store_of_which_everything_was_removed_has_been_read) {
  record_some(3);
  for (const std::uint64_t position : {1u, 2u, 3u}) store.remove(Position{position});
  auto runner = follow(noting);
  int caught_up = 0;
  runner.catch_up([&] { ++caught_up; });
  world.executor.run_ready();
  EXPECT_EQ(caught_up, 1);
  EXPECT_EQ(noting.pages, 0);
  EXPECT_EQ(noting.passed, (std::vector<std::uint64_t>{3}));
}

TEST_F(RunnerTest, one_on_demand_stands_still_until_it_is_asked) {
  Runner runner(noting, store, Runner::Mode::on_demand, world.platform(), world.executor);
  runner.start();
  world.executor.run_ready();
  record_some(2);
  world.executor.run_ready();
  EXPECT_TRUE(noting.seen.empty());
  runner.wake();
  world.executor.run_ready();
  EXPECT_EQ(noting.seen, numbers(1, 2));
}

TEST_F(RunnerTest, one_on_demand_goes_on_from_where_its_subscriber_has_come_to_meanwhile) {
  Runner runner(noting, store, Runner::Mode::on_demand, world.platform(), world.executor);
  runner.start();
  world.executor.run_ready();
  record_some(5000);
  noting.checkpoint = Position{4999};  // brought there by somebody else
  runner.wake();
  world.executor.run_ready();
  EXPECT_EQ(noting.seen, numbers(5000, 5000));
}

TEST_F(RunnerTest, it_goes_on_from_the_checkpoint) {
  record_some(5);
  noting.checkpoint = Position{3};
  auto runner = follow(noting);
  runner.start();
  world.executor.run_ready();
  EXPECT_EQ(noting.seen, numbers(4, 5));
}

TEST_F(RunnerTest, a_failure_pauses_100_ms_and_doubles_up_to_30_s) {
  record_some(1);
  noting.fails_at = Position{1};
  auto runner = follow(noting);
  runner.start();
  world.executor.run_ready();
  std::vector<Duration> pauses;
  for (int failure = 0; failure < 12; ++failure) {
    EXPECT_TRUE(runner.status().failing);
    EXPECT_EQ(runner.status().failures, static_cast<std::uint64_t>(failure) + 1);
    const Duration before = world.clock.monotonic();
    record_some(1);  // progress of the store does not cut the pause short
    runner.wake();   // nor does being woken
    EXPECT_EQ(world.executor.run_ready(), 0u);
    ASSERT_TRUE(world.executor.run_next_timer());
    pauses.push_back(world.clock.monotonic() - before);
  }
  const std::vector<Duration> expected{milliseconds(100),   milliseconds(200),  milliseconds(400),  milliseconds(800),
                                       milliseconds(1600),  milliseconds(3200), milliseconds(6400), milliseconds(12800),
                                       milliseconds(25600), seconds(30),        seconds(30),        seconds(30)};
  EXPECT_EQ(pauses, expected);
  EXPECT_NE(runner.status().error.find("refused 1"), std::string::npos);
  EXPECT_EQ(world.logged("subscriber=noting"), 13u);
}

TEST_F(RunnerTest, after_a_recovery_the_pause_is_short_again) {
  record_some(1);
  noting.fails_at = Position{1};
  noting.failures_left = 3;
  auto runner = follow(noting);
  runner.start();
  world.executor.run_ready();
  for (int failure = 0; failure < 3; ++failure) ASSERT_TRUE(world.executor.run_next_timer());
  EXPECT_FALSE(runner.status().failing);
  EXPECT_TRUE(runner.status().caught_up);
  EXPECT_TRUE(runner.status().error.empty());
  EXPECT_EQ(runner.status().failures, 3u);
  EXPECT_EQ(noting.seen, numbers(1, 1));
  noting.fails_at = Position{2};
  noting.failures_left = 1;
  const Duration before = world.clock.monotonic();
  record_some(1);
  world.executor.run_ready();
  EXPECT_TRUE(runner.status().failing);
  ASSERT_TRUE(world.executor.run_next_timer());
  EXPECT_EQ(world.clock.monotonic() - before, milliseconds(100));
  EXPECT_EQ(noting.seen, numbers(1, 2));
}

// The pages before the bad event succeed at every new start; that is no recovery.
TEST_F(RunnerTest, the_pause_grows_although_the_events_before_the_bad_one_are_taken_in_again_each_time) {
  record_some(1500);
  noting.keeps_checkpoint = false;
  noting.fails_at = Position{1200};
  auto runner = follow(noting);
  runner.start();
  world.executor.run_ready();
  std::vector<Duration> pauses;
  for (int failure = 0; failure < 4; ++failure) {
    EXPECT_TRUE(runner.status().failing);
    const Duration before = world.clock.monotonic();
    ASSERT_TRUE(world.executor.run_next_timer());
    pauses.push_back(world.clock.monotonic() - before);
  }
  EXPECT_EQ(pauses,
            (std::vector<Duration>{milliseconds(100), milliseconds(200), milliseconds(400), milliseconds(800)}));
  noting.failures_left = 0;
  ASSERT_TRUE(world.executor.run_next_timer());
  EXPECT_FALSE(runner.status().failing);
}

TEST_F(RunnerTest, exceptions_and_failing_checkpoints_and_stores_are_failures_like_any_other) {
  record_some(1);
  noting.fails_at = Position{1};
  noting.failures_left = 1;
  noting.throws = true;
  auto runner = follow(noting);
  runner.start();
  world.executor.run_ready();
  EXPECT_NE(runner.status().error.find("thrown"), std::string::npos);
  noting.throws = false;
  noting.throws_oddly = true;
  noting.failures_left = 1;
  ASSERT_TRUE(world.executor.run_next_timer());
  EXPECT_EQ(runner.status().failures, 2u);
  noting.failing_resumes = 1;
  ASSERT_TRUE(world.executor.run_next_timer());
  EXPECT_NE(runner.status().error.find("no checkpoint"), std::string::npos);
  store.fail_reads(Error(ErrorKind::input_output, "bad disk"));
  ASSERT_TRUE(world.executor.run_next_timer());
  EXPECT_NE(runner.status().error.find("bad disk"), std::string::npos);
  EXPECT_EQ(runner.status().failures, 4u);
  store.fail_reads(std::nullopt);
  ASSERT_TRUE(world.executor.run_next_timer());
  EXPECT_FALSE(runner.status().failing);
  EXPECT_EQ(noting.seen, numbers(1, 1));
}

TEST_F(RunnerTest, a_follower_of_a_store_that_was_away_goes_on_as_soon_as_it_is_back_however_long_that_took) {
  record_some(1);
  auto runner = follow(noting);
  runner.start();
  world.executor.run_ready();
  store.set_unreachable("the database does not answer");
  record_some(1);
  world.executor.run_ready();
  EXPECT_TRUE(runner.status().waits_for_store);
  const std::size_t reads = store.read_from().size();
  const Duration begun = world.clock.monotonic();
  while (world.clock.monotonic() - begun < seconds(100)) ASSERT_TRUE(world.executor.run_next_timer());
  EXPECT_TRUE(runner.status().waits_for_store);
  EXPECT_FALSE(runner.status().failing) << "the subscriber did nothing wrong";
  EXPECT_EQ(runner.status().failures, 0u);
  EXPECT_EQ(store.read_from().size(), reads) << "a store that says it cannot be asked is not asked";
  EXPECT_EQ(world.logged("subscriber=noting"), 1u);
  EXPECT_EQ(noting.seen, numbers(1, 1));
  store.set_unreachable(std::nullopt);
  const Duration back = world.clock.monotonic();
  ASSERT_TRUE(world.executor.run_next_timer());
  EXPECT_LE(world.clock.monotonic() - back, milliseconds(100));
  EXPECT_EQ(noting.seen, numbers(1, 2));
  EXPECT_FALSE(runner.status().waits_for_store);
  EXPECT_EQ(noting.resumes, 1) << "nothing that was taken in is given again";
}

TEST_F(RunnerTest, a_store_that_only_refuses_its_reads_is_asked_again_and_again_without_growing_pauses) {
  record_some(1);
  auto runner = follow(noting);
  runner.start();
  world.executor.run_ready();
  for (const Error& error : {Error(ErrorKind::unavailable, "database_away", "no answer"),
                             Error(ErrorKind::overloaded, "all connections are in use")}) {
    store.fail_reads(error);
    record_some(1);
    world.executor.run_ready();
    for (int look = 0; look < 100; ++look) ASSERT_TRUE(world.executor.run_next_timer());
    EXPECT_TRUE(runner.status().waits_for_store) << error.message;
    EXPECT_EQ(runner.status().failures, 0u);
    store.fail_reads(std::nullopt);
    const Duration back = world.clock.monotonic();
    ASSERT_TRUE(world.executor.run_next_timer());
    EXPECT_LE(world.clock.monotonic() - back, milliseconds(100));
    EXPECT_FALSE(runner.status().waits_for_store);
  }
  EXPECT_EQ(noting.seen, numbers(1, 3));
}

TEST_F(RunnerTest, a_subscriber_that_could_not_ask_the_store_itself_resumes_once_it_can) {
  record_some(1);
  noting.resume_error = Error(ErrorKind::unavailable, "database_away", "no answer");
  noting.failing_resumes = 50;
  auto runner = follow(noting);
  runner.start();
  world.executor.run_ready();
  for (int look = 0; look < 49; ++look) ASSERT_TRUE(world.executor.run_next_timer());
  EXPECT_TRUE(runner.status().waits_for_store);
  ASSERT_TRUE(world.executor.run_next_timer());
  EXPECT_EQ(noting.seen, numbers(1, 1));
  EXPECT_EQ(noting.resumes, 51);
  EXPECT_EQ(runner.status().failures, 0u);
}

TEST_F(RunnerTest, an_outage_of_the_store_does_not_cut_the_pauses_of_a_subscriber_that_fails_by_itself) {
  record_some(1);
  noting.fails_at = Position{1};
  auto runner = follow(noting);
  runner.start();
  world.executor.run_ready();
  for (int failure = 0; failure < 2; ++failure) ASSERT_TRUE(world.executor.run_next_timer());
  store.set_unreachable("the database does not answer");
  for (int look = 0; look < 20; ++look) ASSERT_TRUE(world.executor.run_next_timer());
  EXPECT_TRUE(runner.status().waits_for_store);
  EXPECT_TRUE(runner.status().failing) << "nothing says that it has recovered";
  EXPECT_EQ(runner.status().failures, 3u);
  store.set_unreachable(std::nullopt);
  ASSERT_TRUE(world.executor.run_next_timer());
  EXPECT_EQ(runner.status().failures, 4u);
  EXPECT_FALSE(runner.status().waits_for_store);
  const Duration before = world.clock.monotonic();
  ASSERT_TRUE(world.executor.run_next_timer());
  EXPECT_EQ(world.clock.monotonic() - before, milliseconds(800));
}

TEST_F(RunnerTest, a_failing_subscriber_touches_no_other) {
  Noting other("other");
  noting.fails_at = Position{2};
  auto failing = follow(noting);
  auto healthy = follow(other);
  failing.start();
  healthy.start();
  world.executor.run_ready();
  record_some(4);
  world.executor.run_ready();
  record_some(4);
  world.executor.run_ready();
  EXPECT_EQ(other.seen, numbers(1, 8));
  EXPECT_TRUE(failing.status().failing);
  EXPECT_FALSE(healthy.status().failing);
  EXPECT_EQ(healthy.status().failures, 0u);
}

TEST_F(RunnerTest, catch_up_calls_back_once_all_that_was_there_at_the_call_has_been_taken_in) {
  record_some(1500);
  Runner runner(noting, store, Runner::Mode::on_demand, world.platform(), world.executor);
  std::size_t seen_then = 0;
  int calls = 0;
  runner.catch_up([&] {
    ++calls;
    seen_then = noting.seen.size();
  });
  EXPECT_EQ(calls, 0) << "never inside the call";
  world.executor.run_ready();
  EXPECT_EQ(calls, 1);
  EXPECT_GE(seen_then, 1500u);
  runner.catch_up([&] { ++calls; });
  world.executor.run_ready();
  EXPECT_EQ(calls, 2) << "also when there is nothing new";
}

TEST_F(RunnerTest, catch_up_waits_for_a_subscriber_that_fails_to_come_back) {
  record_some(2);
  noting.fails_at = Position{2};
  noting.failures_left = 2;
  auto runner = follow(noting);
  int calls = 0;
  runner.catch_up([&] { ++calls; });
  world.executor.run_ready();
  EXPECT_EQ(calls, 0);
  world.executor.run_next_timer();
  EXPECT_EQ(calls, 0);
  world.executor.run_next_timer();
  EXPECT_EQ(calls, 1);
}

TEST_F(RunnerTest, catch_up_can_be_asked_for_from_inside_its_callback) {
  auto runner = follow(noting);
  int calls = 0;
  runner.catch_up([&] {
    ++calls;
    runner.catch_up([&] { ++calls; });
  });
  world.executor.run_ready();
  EXPECT_EQ(calls, 2);
}

TEST_F(RunnerTest, a_subscriber_may_gather_before_it_is_woken) {
  noting.gathering = milliseconds(20);
  auto runner = follow(noting);
  runner.start();
  ASSERT_TRUE(world.executor.run_next_timer());
  for (int count = 0; count < 5; ++count) {
    record_some(1);
    world.executor.run_ready();
  }
  EXPECT_TRUE(noting.seen.empty());
  ASSERT_TRUE(world.executor.run_next_timer());
  EXPECT_EQ(noting.seen, numbers(1, 5));
  EXPECT_EQ(noting.pages, 1);
}

TEST_F(RunnerTest, wake_every_wakes_until_it_is_stopped) {
  Runner runner(noting, store, Runner::Mode::on_demand, world.platform(), world.executor);
  runner.wake_every(seconds(5));
  for (int round = 1; round <= 3; ++round) {
    record_some(1);
    ASSERT_TRUE(world.executor.run_next_timer());
    EXPECT_EQ(noting.seen.size(), static_cast<std::size_t>(round));
  }
  runner.stop();
  record_some(1);
  while (world.executor.run_next_timer()) continue;
  EXPECT_EQ(noting.seen.size(), 3u);
}

TEST_F(RunnerTest, after_a_stop_neither_queued_tasks_nor_timers_touch_the_subscriber) {
  record_some(1);
  const auto held = std::make_shared<int>(0);
  {
    auto gone = std::make_unique<Noting>();
    gone->fails_at = Position{1};
    Runner runner(*gone, store, Runner::Mode::follow, world.platform(), world.executor);
    runner.start();
    runner.catch_up([held] { FAIL() << "called after the stop"; });
    world.executor.run_ready();  // fails: a timer waits
    runner.wake_every(seconds(1));
    runner.stop();
    runner.stop();
    EXPECT_EQ(held.use_count(), 1) << "what waited is dropped";
    runner.catch_up([] { FAIL() << "called after the stop"; });
    gone.reset();  // from here on a touch is a use after free
    record_some(1);
    runner.wake();
    while (world.executor.run_next_timer()) continue;
    world.executor.run_ready();
  }
  EXPECT_EQ(world.executor.run_ready(), 0u);
}

// Stopping races with progress and with the subscriber at work.
TEST(runner_threads, a_stop_returns_only_when_the_subscriber_does_not_run_and_will_not) {
  class Touching final : public Subscriber {
   public:
    [[nodiscard]] std::string_view name() const override { return "touching"; }
    [[nodiscard]] Result<Position> resume() override { return Position{}; }
    [[nodiscard]] Result<> handle(const EventPage& page) override {
      touched +=
          page.events().size();  // no atomic: a touch beside the stop would be a race, and after it a use after free
      return {};
    }
    std::uint64_t touched = 0;
  };
  TestWorld world;
  const auto store = store::make_memory_store(world.platform());
  const auto executor = platform::make_thread_executor("runner-test");
  std::atomic<bool> enough{false};
  std::jthread appender([&] {
    while (!enough.load()) record(*store, "config-a", set_event("x"));
  });
  std::uint64_t touched = 0;
  for (int round = 0; round < 200; ++round) {
    auto subscriber = std::make_unique<Touching>();
    Runner runner(*subscriber, *store, Runner::Mode::follow, world.platform(), *executor);
    runner.start();
    if (round % 4 == 0) std::this_thread::yield();
    if (round % 50 == 0) {
      while (runner.status().position == Position{}) std::this_thread::yield();
    }
    runner.stop();
    touched += subscriber->touched;
    subscriber.reset();
  }
  enough = true;
  EXPECT_GT(touched, 0u);
}

}  // namespace
}  // namespace annals::projection
