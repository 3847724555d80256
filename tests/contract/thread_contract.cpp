// The contract under many threads, and of watches.

#include <atomic>
#include <condition_variable>
#include <future>
#include <thread>

#include "tests/contract/event_store_contract.hpp"

namespace annals::contract {
namespace {

constexpr auto patience = std::chrono::seconds(60);  // no test comes near it unless something is lost

/// Collects what a watch tells.
class Listener {
 public:
  /// Nothing up to `already` is news.
  explicit Listener(Position already = {}) : last_(already) {}

  std::function<void(Position)> callback() {
    return [this](Position flushed) {
      const std::lock_guard lock(mutex_);
      EXPECT_GT(flushed, last_) << "a watch is told only of what has grown";
      last_ = flushed;
      told_.notify_all();
    };
  }
  bool hears_of(Position position) {
    std::unique_lock lock(mutex_);
    return told_.wait_for(lock, patience, [&] { return last_ >= position; });
  }
  Position last() {
    const std::lock_guard lock(mutex_);
    return last_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable told_;
  Position last_;
};

TEST_P(EventStoreContract, a_success_can_be_read_at_once_by_whoever_got_it) {
  std::promise<void> checked;
  const std::vector<Group> groups{group_for("a", ExpectedVersion::none(), 3)};
  store().append(groups, [&](std::vector<AppendResult> results) {
    EXPECT_TRUE(results.front());
    EXPECT_EQ(value_of(store().stream_version("a")), StreamVersion{3});
    EXPECT_EQ(everything(store()).size(), 3u);
    checked.set_value();
  });
  ASSERT_EQ(checked.get_future().wait_for(patience), std::future_status::ready);
}

TEST_P(EventStoreContract, a_reader_of_everything_sees_each_position_once_and_in_order_while_many_write) {
  constexpr int writers = 6;
  constexpr int groups_each = 60;
  std::atomic<std::uint64_t> recorded = 0;
  std::atomic<int> writing = writers;
  std::vector<std::thread> threads;
  for (int writer = 0; writer < writers; ++writer) {
    threads.emplace_back([&, writer] {
      const std::string own = "own-" + std::to_string(writer);
      for (int number = 0; number < groups_each; ++number) {
        Group group{
            .appends = {append_for(own, ExpectedVersion::exact(StreamVersion(static_cast<std::uint64_t>(number) * 2)),
                                   2),
                        append_for("shared-" + std::to_string(number % 7))},
            .nothing_after = {}};
        const Appended appended = record(store(), group);
        EXPECT_EQ(appended.last, appended.first.plus(2));
        recorded += 3;
      }
      --writing;
    });
  }
  for (const Horizon horizon : {Horizon::flushed, Horizon::visible}) {
    threads.emplace_back([&, horizon] {
      std::uint64_t seen = 0;
      Instant last_time{INT64_MIN};
      const auto deadline = std::chrono::steady_clock::now() + patience;
      while (std::chrono::steady_clock::now() < deadline) {
        const bool over = writing == 0;
        const EventPage page = value_of(store().read_all(Position{seen}, horizon, {.events_max = 50}));
        for (const EventView& event : page.events()) {
          ASSERT_EQ(event.position.value, ++seen);
          ASSERT_GT(event.created_at, last_time);
          last_time = event.created_at;
          ASSERT_EQ(event.data.substr(0, event.stream.size()), event.stream);
        }
        if (over && seen == recorded) return;
        if (page.events().empty()) std::this_thread::yield();
      }
      FAIL() << "saw " << seen << " of " << recorded << " events";
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(recorded, writers * groups_each * 3u);
  const auto events = everything(store());
  EXPECT_EQ(events.size(), recorded);
  std::map<std::string, std::uint64_t> versions;
  for (const Recorded& event : events) EXPECT_EQ(event.version, ++versions[event.stream]) << event;
}

TEST_P(EventStoreContract, of_those_who_race_for_a_version_exactly_one_gets_it) {
  constexpr int racers = 4;
  constexpr std::uint64_t versions = 50;
  std::atomic<std::uint64_t> won = 0;
  std::atomic<bool> wrong = false;
  std::vector<std::thread> threads;
  for (int racer = 0; racer < racers; ++racer) {
    threads.emplace_back([&] {
      for (std::uint64_t version = 0; version < versions;) {
        const AppendResult result = append(store(), group_for("a", ExpectedVersion::exact(StreamVersion{version})));
        if (result) {
          ++won;
        } else if (result.error().kind != ErrorKind::conflict) {
          wrong = true;
          return;
        }
        version = value_of(store().stream_version("a")).value;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(wrong);
  const auto events = stream_of(store(), "a");
  EXPECT_EQ(events.size(), won);
  EXPECT_GE(events.size(), versions);
}

TEST_P(EventStoreContract, readers_of_a_stream_see_only_whole_groups_while_it_is_written) {
  std::atomic<bool> over = false;
  std::thread reader([&] {
    while (!over) {
      const EventPage page = value_of(store().read_stream("a", StreamVersion{1}, Direction::forward,
                                                          {.events_max = 100'000, .bytes_max = 1u << 30}));
      EXPECT_EQ(page.events().size() % 5, 0u);
      EXPECT_EQ(store().status().visible.value % 5, 0u);
    }
  });
  for (int number = 0; number < 60; ++number) record(store(), group_for("a", ExpectedVersion::any(), 5));
  over = true;
  reader.join();
}

TEST_P(EventStoreContract, a_watch_hears_of_what_was_flushed) {
  Listener listener;
  const auto watch = store().watch(listener.callback());
  const Appended first = record(store(), group_for("a"));
  EXPECT_TRUE(listener.hears_of(first.last));
  const Appended second = record(store(), group_for("a", ExpectedVersion::any(), 3));
  EXPECT_TRUE(listener.hears_of(second.last));
  EXPECT_GE(store().status().flushed, second.last);
  EXPECT_EQ(value_of(store().read_all(Position{}, Horizon::flushed, {})).events().size(), 4u);
}

TEST_P(EventStoreContract, every_watch_hears_of_progress_until_it_is_destroyed) {
  Listener kept;
  Listener dropped;
  const auto kept_watch = store().watch(kept.callback());
  auto dropped_watch = store().watch(dropped.callback());
  const Appended first = record(store(), group_for("a"));
  EXPECT_TRUE(kept.hears_of(first.last));
  EXPECT_TRUE(dropped.hears_of(first.last));
  dropped_watch.reset();
  const Appended second = record(store(), group_for("a"));
  EXPECT_TRUE(kept.hears_of(second.last));
  EXPECT_EQ(dropped.last(), first.last);
}

TEST_P(EventStoreContract, a_refused_append_is_no_progress) {
  const Appended first = record(store(), group_for("a"));
  Listener listener(first.last);
  const auto watch = store().watch(listener.callback());
  EXPECT_THAT(append(store(), group_for("a", ExpectedVersion::none())), conflicts());
  const Appended second = record(store(), group_for("a"));
  EXPECT_TRUE(listener.hears_of(second.last));
  EXPECT_EQ(second.last, first.last.next());
}

TEST_P(EventStoreContract, destroying_a_watch_waits_for_its_callback) {
  std::promise<void> entered;
  std::promise<void> leave;
  std::atomic<bool> inside = false;
  std::atomic<bool> called = false;
  auto watch = store().watch([&](Position) {
    if (called.exchange(true)) return;
    inside = true;
    entered.set_value();
    leave.get_future().wait();
    inside = false;
  });
  std::thread writer([&] { record(store(), group_for("a")); });
  ASSERT_EQ(entered.get_future().wait_for(patience), std::future_status::ready);
  std::thread helper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // lets a destructor that does not wait be caught
    leave.set_value();
  });
  watch.reset();
  EXPECT_FALSE(inside);
  helper.join();
  writer.join();
}

TEST_P(EventStoreContract, watches_come_and_go_while_many_write) {
  std::atomic<bool> over = false;
  std::vector<std::thread> threads;
  for (int writer = 0; writer < 2; ++writer) {
    threads.emplace_back([&, writer] {
      for (int number = 0; number < 100; ++number) record(store(), group_for("a" + std::to_string(writer)));
    });
  }
  std::thread watcher([&] {
    while (!over) {
      auto alive = std::make_shared<std::atomic<bool>>(true);
      auto watch = store().watch([alive](Position) { EXPECT_TRUE(*alive); });
      std::this_thread::yield();
      watch.reset();
      *alive = false;
    }
  });
  for (std::thread& thread : threads) thread.join();
  over = true;
  watcher.join();
  EXPECT_EQ(everything(store()).size(), 200u);
}

}  // namespace
}  // namespace annals::contract
