// The writer with many threads: what they are told must be one history.

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <set>
#include <thread>

#include "engine/test_engine.hpp"
#include "store/memory_store.hpp"

namespace annals::engine {
namespace {

/// Some executors with threads, as the I/O threads of a server are, and clients that wait for their answers. With an
/// executor apart for the writer, or without.
class WriterThreadsTest : public testing::TestWithParam<bool> {
 protected:
  WriterThreadsTest() {
    EXPECT_TRUE(writer.load());
    std::atomic<bool> ready{false};
    feed.start([&] { ready = true; });
    while (!ready.load()) std::this_thread::yield();
  }
  ~WriterThreadsTest() override {
    // When the last answer is there, the step that gave it may still be on its way through its executor; it posts to
    // the others, which in a server are joined together.
    for (const auto& home : homes) wait_for(*home);
    if (apart) wait_for(*apart);
    feed.stop();
  }

  static void wait_for(platform::Executor& executor) {
    std::promise<void> passed;
    executor.post([&] { passed.set_value(); });
    passed.get_future().wait();
  }

  Result<Receipt> write(WriteRequest request, std::size_t client) {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<Result<Receipt>> answer;
    writer.submit(std::move(request), *homes[client % homes.size()], [&](Result<Receipt> result) {
      const std::lock_guard lock(mutex);
      answer = std::move(result);
      changed.notify_one();
    });
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return answer.has_value(); });
    return std::move(*answer);
  }

  TestWorld world;
  std::unique_ptr<EventStore> store = store::make_memory_store(world.platform());
  const model::Model model = kv("config");
  std::unique_ptr<platform::Executor> background = platform::make_thread_executor("background");
  projection::TableFeed feed{model, *store, world.platform(), *background};
  const std::unique_ptr<platform::Executor> apart =
      GetParam() ? platform::make_thread_executor("writer") : std::unique_ptr<platform::Executor>();
  Writer writer{*store, {&feed}, world.platform(), {.receipts = {}, .receipts_path = {}, .apart = apart.get()}};
  // After the writer, so that they have run what they hold before it goes.
  std::array<std::unique_ptr<platform::Executor>, 3> homes{platform::make_thread_executor("home-0"),
                                                           platform::make_thread_executor("home-1"),
                                                           platform::make_thread_executor("home-2")};
};

INSTANTIATE_TEST_SUITE_P(writer, WriterThreadsTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "with_a_thread_apart" : "on_the_io_threads"; });

TEST_P(WriterThreadsTest, many_clients_on_one_key_get_versions_without_gaps_and_each_if_match_wins_at_most_once) {
  constexpr std::size_t clients = 64;
  constexpr int writes = 20;
  std::mutex mutex;
  std::multiset<std::uint64_t> versions;  // of every success
  std::multiset<std::uint64_t> won;       // the version that a successful If-Match named
  std::atomic<int> lost{0};
  std::atomic<int> unseen{0};
  {
    std::vector<std::jthread> threads;
    for (std::size_t client = 0; client < clients; ++client) {
      threads.emplace_back([&, client] {
        for (int count = 0; count < writes; ++count) {
          const std::uint64_t seen = feed.table().get("k")->version.value;
          const bool conditional = seen > 0 && (client + static_cast<std::size_t>(count)) % 2 == 0;
          const auto answer = write(set_request("k", "v", conditional ? std::optional(seen) : std::nullopt), client);
          if (!answer) {
            EXPECT_EQ(answer.error().code, "version_conflict");
            ++lost;
            continue;
          }
          if (feed.table().get("k")->version < answer->version) ++unseen;  // read your own writes
          const std::lock_guard lock(mutex);
          versions.insert(answer->version.value);
          if (conditional) {
            won.insert(seen);
            EXPECT_EQ(answer->version.value, seen + 1);
          }
        }
      });
    }
  }
  EXPECT_EQ(versions.size() + static_cast<std::size_t>(lost.load()), clients * writes);
  std::uint64_t expected = 0;
  for (const std::uint64_t version : versions) EXPECT_EQ(version, ++expected);
  EXPECT_EQ(store->stream_version("config-k").value().value, expected);
  for (const std::uint64_t version : won) EXPECT_EQ(won.count(version), 1u) << version;
  EXPECT_EQ(unseen.load(), 0);
  EXPECT_EQ(writer.status().commands, clients * writes);
  EXPECT_EQ(writer.status().queued, 0u);
}

TEST_P(WriterThreadsTest, of_many_twins_one_is_recorded_and_all_are_told_the_same) {
  constexpr std::size_t clients = 16;
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> fresh{0};
    std::mutex mutex;
    std::set<std::uint64_t> versions;
    {
      std::vector<std::jthread> threads;
      for (std::size_t client = 0; client < clients; ++client) {
        threads.emplace_back([&, client] {
          const auto answer = write(with_key(set_request("k", "v"), "key " + std::to_string(round), "one"), client);
          ASSERT_TRUE(answer);
          if (!answer->replayed) ++fresh;
          const std::lock_guard lock(mutex);
          versions.insert(answer->version.value);
        });
      }
    }
    EXPECT_EQ(fresh.load(), 1);
    EXPECT_EQ(versions, (std::set<std::uint64_t>{static_cast<std::uint64_t>(round) + 1}));
  }
}

TEST_P(WriterThreadsTest, barriers_among_writes_pass_only_after_what_was_before_them) {
  constexpr int rounds = 200;
  std::atomic<int> early{0};
  std::atomic<int> passed{0};
  {
    std::vector<std::jthread> threads;
    for (std::size_t client = 0; client < 4; ++client) {
      threads.emplace_back([&, client] {
        const std::string key = "k" + std::to_string(client);
        for (std::uint64_t round = 1; round <= rounds; ++round) {
          std::atomic<bool> here{false};
          writer.submit(set_request(key, "v"), *homes[client % homes.size()], [](const Result<Receipt>&) {});
          writer.barrier(*homes[(client + 1) % homes.size()], [&](const Result<>&) {
            if (feed.table().get(key)->version.value < round) ++early;
            ++passed;
            here = true;
          });
          while (!here.load()) std::this_thread::yield();
        }
      });
    }
  }
  EXPECT_EQ(early.load(), 0);
  EXPECT_EQ(passed.load(), 4 * rounds);
}

}  // namespace
}  // namespace annals::engine
