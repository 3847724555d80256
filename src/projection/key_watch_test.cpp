#include "projection/key_watch.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "projection/read_table.hpp"
#include "projection/test_world.hpp"

namespace annals::projection {
namespace {

class KeyWatchTest : public testing::Test {
 protected:
  KeyWatch::Ticket wait(const std::string& key, const std::string& name, platform::SteppedExecutor& home) {
    return watch.wait(key, home, [this, name] { woken += name + " "; });
  }
  std::string run() {
    world.executor.run_ready();
    other.run_ready();
    return std::exchange(woken, "");
  }

  TestWorld world;
  platform::SteppedExecutor other{world.clock};
  KeyWatch watch;
  std::string woken;
};

TEST_F(KeyWatchTest, only_those_whose_key_changed_are_woken_and_once) {
  wait("a", "first", world.executor);
  wait("b", "second", world.executor);
  wait("a", "third", other);
  EXPECT_TRUE(watch.anyone());
  const std::string_view a = "a";
  watch.wake({&a, 1});
  EXPECT_EQ(woken, "") << "nothing runs on the thread that applies";
  EXPECT_EQ(run(), "first third ");
  watch.wake({&a, 1});
  EXPECT_EQ(run(), "");
  EXPECT_TRUE(watch.anyone());
  const std::string_view both[] = {"a", "b"};
  watch.wake(both);
  EXPECT_EQ(run(), "second ");
  EXPECT_FALSE(watch.anyone());
}

TEST_F(KeyWatchTest, who_has_cancelled_is_not_woken) {
  const auto ticket = wait("a", "first", world.executor);
  wait("a", "second", world.executor);
  watch.cancel(ticket);
  watch.cancel(ticket);
  watch.wake_all();
  EXPECT_EQ(run(), "second ");
  EXPECT_FALSE(watch.anyone());
  watch.cancel(wait("a", "third", world.executor));
  EXPECT_FALSE(watch.anyone());
}

TEST_F(KeyWatchTest, who_waits_for_a_prefix_is_woken_by_every_key_that_begins_with_it_and_by_no_other) {
  const auto wait_for = [this](const std::string& prefix, platform::SteppedExecutor& home) {
    return watch.wait_for_prefix(prefix, home, [this, prefix] { woken += prefix + "* "; });
  };
  wait_for("", world.executor);
  wait_for("app/", world.executor);
  wait_for("app/", other);
  wait_for("app/color", world.executor);
  wait_for("web/", world.executor);
  wait("app/color", "exactly", world.executor);
  EXPECT_TRUE(watch.anyone());
  const std::string_view key = "app/color";
  watch.wake({&key, 1});
  EXPECT_EQ(run(), "exactly * app/* app/color* app/* ");
  watch.wake({&key, 1});
  EXPECT_EQ(run(), "") << "each is woken once";
  EXPECT_TRUE(watch.anyone());
  const std::string_view short_key = "web";
  watch.wake({&short_key, 1});
  EXPECT_EQ(run(), "") << "a key that is shorter than the prefix does not begin with it";
  watch.wake_all();
  EXPECT_EQ(run(), "web/* ");
  EXPECT_FALSE(watch.anyone());
}

TEST_F(KeyWatchTest, who_has_cancelled_a_prefix_is_not_woken) {
  const auto first = watch.wait_for_prefix("a", world.executor, [this] { woken += "first "; });
  const auto second = watch.wait_for_prefix("a", world.executor, [this] { woken += "second "; });
  watch.cancel(first);
  watch.cancel(first);
  const std::string_view key = "ab";
  watch.wake({&key, 1});
  EXPECT_EQ(run(), "second ");
  EXPECT_FALSE(watch.anyone());
  watch.cancel(second);
  watch.cancel(watch.wait_for_prefix("b", world.executor, [this] { woken += "third "; }));
  EXPECT_FALSE(watch.anyone());
  watch.wake_all();
  EXPECT_EQ(run(), "");
}

TEST_F(KeyWatchTest, a_table_wakes_when_readers_see_the_change) {
  const model::Model model = model::Model::kv("config", {"/config"});
  ReadTable table(model);
  EventView event;
  event.stream = "config-a";
  event.type = "ConfigValueSet";
  event.data = R"({"config_name":"a","value":"x","old_value":null})";
  for (std::uint64_t number : {1u, 2u}) {
    event.position = Position{number};
    event.version = StreamVersion{number};
    table.watch().wait("a", world.executor, [this] { woken += "a "; });
    table.watch().wait("b", world.executor, [this] { woken += "b "; });
    if (number == 1) {
      ASSERT_TRUE(table.apply({&event, 1}));
    } else {
      ASSERT_TRUE(table.stage({&event, 1}));
      EXPECT_EQ(run(), "");
      (void)table.publish();
    }
    EXPECT_EQ(run(), "a ");
  }
}

/// An executor that runs what is posted at once, on the thread that posts.
class Immediate final : public platform::Executor {
 public:
  void post(platform::Task task) override { task(); }
  void post_after(Duration, platform::Task) override {}
};

TEST(KeyWatchThreadsTest, nobody_who_registers_and_then_looks_misses_a_change) {
  const model::Model model = model::Model::kv("config", {"/config"});
  ReadTable table(model);
  Immediate home;
  constexpr std::uint64_t changes = 20'000;
  std::atomic<std::uint64_t> wakes{0};
  std::thread waiter([&] {
    for (std::uint64_t seen = 0; seen < changes; seen = table.get("a")->version.value) {
      const std::uint64_t before = wakes.load();
      (void)table.watch().wait("a", home, [&] {
        ++wakes;
        wakes.notify_one();
      });
      if (table.get("a")->version.value != seen) table.watch().wake_all();
      wakes.wait(before);
    }
  });
  EventView event;
  event.stream = "config-a";
  event.type = "ConfigValueSet";
  event.data = R"({"config_name":"a","value":"x","old_value":null})";
  for (std::uint64_t number = 1; number <= changes; ++number) {
    event.position = Position{number};
    event.version = StreamVersion{number};
    ASSERT_TRUE(table.apply({&event, 1}));
  }
  waiter.join();
  EXPECT_FALSE(table.watch().anyone());
}

}  // namespace
}  // namespace annals::projection
