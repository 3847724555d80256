// Many threads at once over small segments, with somebody who deletes index files meanwhile.

#include "store/embedded/index/sealed_streams.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "log/test_world.hpp"
#include "store/embedded_store.hpp"

namespace annals::store {
namespace {

constexpr std::uint64_t streams = 40;

std::string name_of(std::uint64_t stream) {
  return "config-" + std::to_string(stream);
}

Group group_of(platform::Random& random, std::uint64_t stream, std::uint64_t version) {
  NewEvent event{.id = platform::make_uuid(Instant{0}, random),
                 .type = "Said",
                 .data = std::to_string(version) + std::string(700, ' '),
                 .metadata = "{}",
                 .correlation_id = {},
                 .causation_id = std::nullopt};
  Group group;
  group.appends.push_back({.stream = name_of(stream),
                           .expected = ExpectedVersion::exact(StreamVersion{version - 1}),
                           .events = {std::move(event)}});
  return group;
}

TEST(SealedStreams, answer_right_while_threads_append_read_merge_and_files_are_deleted) {
  log::TestWorld world;
  constexpr std::uint64_t versions = 60;
  {
    const auto background = platform::make_thread_executor("background");
    const auto opened =
        open_embedded_store({.directory = "data", .segment_bytes = 64u << 10}, world.platform(), *background);
    ASSERT_TRUE(opened);
    EventStore& store = **opened;
    std::atomic<std::uint64_t> written = 0;  // versions that all streams have
    std::atomic<bool> stop = false;
    std::vector<std::thread> threads;
    for (int reader = 0; reader < 3; ++reader) {
      threads.emplace_back([&, reader] {
        platform::SimulatedRandom dice(static_cast<std::uint64_t>(reader) + 1);
        while (!stop) {
          const std::string stream = name_of(dice.below(streams));
          const std::uint64_t there = written;
          const auto version = store.stream_version(stream);
          ASSERT_TRUE(version) << version.error().message;
          ASSERT_GE(version->value, there);
          if (there == 0) continue;
          const std::uint64_t from = 1 + dice.below(there);
          const auto page = store.read_stream(stream, StreamVersion{from}, Direction::forward, {.events_max = 7});
          ASSERT_TRUE(page) << page.error().message;
          ASSERT_GE(page->events().size(), std::min<std::uint64_t>(7, there - from + 1));
          for (std::size_t at = 0; at < page->events().size(); ++at) {
            ASSERT_EQ(page->events()[at].version.value, from + at);
            ASSERT_TRUE(page->events()[at].data.starts_with(std::to_string(from + at) + " "));
          }
          const Instant time = page->events().front().created_at;
          ASSERT_EQ(store.version_at(stream, time), StreamVersion{from});
          const auto then = store.read_at(stream, time);
          ASSERT_TRUE(then) << then.error().message;
          ASSERT_EQ(then->events().size(), 1u);
          ASSERT_EQ(then->events()[0].version, StreamVersion{from});
          ASSERT_TRUE(then->events()[0].data.starts_with(std::to_string(from) + " "));
          ASSERT_EQ(store.position_at(time), page->events().front().position);
        }
      });
    }
    threads.emplace_back([&] {
      platform::SimulatedRandom dice(9);
      while (!stop) {
        const auto names = world.files.list("data/index");
        if (names && !names->empty()) {
          const std::string path = "data/index/" + (*names)[dice.below(names->size())];
          // It may be gone by now: then there is nothing to delete.
          if (dice.below(2) == 0 && !path.ends_with(".new")) (void)world.files.remove(path);
        }
        std::this_thread::yield();
      }
    });
    for (std::uint64_t version = 1; version <= versions; ++version) {
      for (std::uint64_t stream = 0; stream < streams; ++stream) {
        const Group group = group_of(world.random, stream, version);
        store.append(std::span(&group, 1), [](std::vector<AppendResult> results) {
          ASSERT_TRUE(results.front()) << results.front().error().message;
        });
        world.clock.advance(Duration{10});
      }
      written = version;
    }
    stop = true;
    for (std::thread& thread : threads) thread.join();
  }
  // Opened again after that, by who finds many files missing, with readers who need them at once.
  const auto background = platform::make_thread_executor("background");
  const auto opened =
      open_embedded_store({.directory = "data", .segment_bytes = 64u << 10}, world.platform(), *background);
  ASSERT_TRUE(opened);
  std::vector<std::thread> threads;
  for (int reader = 0; reader < 3; ++reader) {
    threads.emplace_back([&] {
      for (std::uint64_t stream = 0; stream < streams; ++stream) {
        ASSERT_EQ((*opened)->stream_version(name_of(stream)), StreamVersion{versions});
        const auto page = (*opened)->read_stream(name_of(stream), StreamVersion{1}, Direction::forward, {});
        ASSERT_TRUE(page);
        ASSERT_EQ(page->events().size(), versions);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace annals::store
