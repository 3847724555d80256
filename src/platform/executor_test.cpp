#include "platform/executor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <future>
#include <thread>
#include <vector>

#include "platform/clock.hpp"
#include "platform/simulated.hpp"

namespace annals::platform {
namespace {

using testing::ElementsAre;

TEST(thread_executor, runs_tasks_one_after_another_in_the_order_of_their_posting) {
  std::vector<int> order;
  {
    const auto executor = make_thread_executor("tests");
    for (int number = 0; number < 100; ++number) executor->post([&order, number] { order.push_back(number); });
  }
  ASSERT_EQ(order.size(), 100u) << "destroying it runs what was posted before";
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(thread_executor, a_task_never_runs_inside_the_call_that_posts_it) {
  const auto executor = make_thread_executor("tests");
  std::promise<bool> nested;
  executor->post([&] {
    auto ran = std::make_shared<bool>(false);
    executor->post([ran] { *ran = true; });
    nested.set_value(*ran);
  });
  EXPECT_FALSE(nested.get_future().get());
}

TEST(thread_executor, all_tasks_run_on_its_own_thread_which_has_its_name) {
  const auto executor = make_thread_executor("a name far too long for a thread");
  std::promise<std::string> name;
  std::promise<std::thread::id> id;
  executor->post([&] {
    char text[16] = {};
    pthread_getname_np(pthread_self(), text, sizeof text);
    name.set_value(text);
    id.set_value(std::this_thread::get_id());
  });
  EXPECT_EQ(name.get_future().get(), "a name far too ");
  EXPECT_NE(id.get_future().get(), std::this_thread::get_id());
}

TEST(thread_executor, a_delayed_task_runs_after_its_time_and_earlier_ones_first) {
  const auto executor = make_thread_executor("tests");
  const Duration start = system_clock().monotonic();
  std::vector<int> order;
  std::promise<Duration> over;
  executor->post_after(std::chrono::milliseconds(40), [&] {
    order.push_back(3);
    over.set_value(system_clock().monotonic());
  });
  executor->post_after(std::chrono::milliseconds(20), [&] { order.push_back(2); });
  executor->post([&] { order.push_back(1); });
  EXPECT_GE(over.get_future().get() - start, std::chrono::milliseconds(40));
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
}

TEST(thread_executor, a_delayed_task_whose_time_has_come_runs_though_others_keep_coming) {
  auto executor = make_thread_executor("tests");
  std::atomic<bool> reached = false;
  std::function<void()> again = [&] {
    if (!reached) executor->post([&] { again(); });
  };
  executor->post([&] { again(); });
  std::promise<void> ran;
  executor->post_after(std::chrono::milliseconds(5), [&] {
    reached = true;
    ran.set_value();
  });
  EXPECT_EQ(ran.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
  executor.reset();  // before what its tasks use
}

TEST(thread_executor, destroying_it_drops_what_waits_for_its_time) {
  auto token = std::make_shared<int>(0);
  const std::weak_ptr<int> watched = token;
  bool ran = false;
  {
    const auto executor = make_thread_executor("tests");
    executor->post_after(std::chrono::hours(1), [&ran, kept = std::move(token)] { ran = true; });
  }
  EXPECT_FALSE(ran);
  EXPECT_TRUE(watched.expired());
}

TEST(thread_executor, a_task_posted_while_it_stops_is_destroyed_without_being_run) {
  auto token = std::make_shared<int>(0);
  const std::weak_ptr<int> watched = token;
  std::atomic<bool> ran = false;
  std::promise<void> entered;
  std::promise<void> leave;
  auto executor = make_thread_executor("tests");
  executor->post([&, posted = executor.get(), kept = std::move(token)]() mutable {
    entered.set_value();
    leave.get_future().wait();
    posted->post([&ran, inner = std::move(kept)] { ran = true; });
  });
  entered.get_future().wait();
  std::thread stopper([&] { executor.reset(); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the stopper waits for the task by now
  leave.set_value();
  stopper.join();
  EXPECT_FALSE(ran);
  EXPECT_TRUE(watched.expired());
}

TEST(thread_executor, many_threads_may_post) {
  std::atomic<int> count = 0;
  {
    const auto executor = make_thread_executor("tests");
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&] {
        for (int number = 0; number < 500; ++number) executor->post([&count] { ++count; });
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(count, 2'000);
}

TEST(stepped_executor, runs_what_is_ready_and_what_that_makes_ready) {
  SimulatedClock clock;
  SteppedExecutor executor(clock);
  std::vector<int> order;
  executor.post([&] {
    order.push_back(1);
    executor.post([&] { order.push_back(3); });
  });
  executor.post([&] { order.push_back(2); });
  EXPECT_THAT(order, ElementsAre()) << "nothing runs by itself";
  EXPECT_EQ(executor.run_ready(), 3u);
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
  EXPECT_EQ(executor.run_ready(), 0u);
}

TEST(stepped_executor, timers_run_in_the_order_of_their_times_as_the_clock_is_moved) {
  SimulatedClock clock;
  SteppedExecutor executor(clock);
  std::vector<int> order;
  executor.post_after(std::chrono::seconds(2), [&] { order.push_back(2); });
  executor.post_after(std::chrono::seconds(1), [&] { order.push_back(1); });
  executor.post_after(std::chrono::seconds(9), [&] { order.push_back(9); });
  EXPECT_EQ(executor.run_ready(), 0u);
  clock.advance(std::chrono::seconds(3));
  EXPECT_EQ(executor.run_ready(), 2u);
  EXPECT_THAT(order, ElementsAre(1, 2));
  EXPECT_TRUE(executor.run_next_timer());
  EXPECT_THAT(order, ElementsAre(1, 2, 9));
  EXPECT_EQ(clock.monotonic(), std::chrono::seconds(9));
  EXPECT_FALSE(executor.run_next_timer());
}

}  // namespace
}  // namespace annals::platform
