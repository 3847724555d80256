#include "projection/snapshots.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "model/model_file.hpp"
#include "projection/test_world.hpp"

namespace annals::projection {
namespace {

model::Model product(const std::string& fields = "", std::uint64_t every = 10) {
  const auto root =
      model::read_declarations("[model.product]\npath = \"/products\"\nsnapshot_every = " + std::to_string(every) +
                                   "\n[model.product.fields]\n"
                                   "id = { type = \"string\", primary_key = true }\n" +
                                   fields,
                               "annals.toml");
  return std::move(model::read_models(*root.value().find("model")).value().front().model);
}

class SnapshotsTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(world.files.create_directories("data")); }

  [[nodiscard]] std::unique_ptr<Snapshots> open(SnapshotLimits limits = {}) {
    auto snapshots = std::make_unique<Snapshots>(model, path, world.platform(), world.executor, limits);
    snapshots->start();
    world.executor.run_ready();
    return snapshots;
  }
  /// As the event of this version left the record; values differ by key and version.
  [[nodiscard]] static Snapshot snapshot_of(std::string_view key, std::uint64_t version, std::size_t length = 20) {
    Snapshot snapshot;
    snapshot.record.version = StreamVersion{version};
    snapshot.record.updated_at = Instant{static_cast<std::int64_t>(1000 * version)};
    snapshot.record.value = SharedText(text_of(key, version, length));
    snapshot.position = Position{version + 7};
    snapshot.event.bytes[0] = static_cast<std::uint8_t>(version);
    return snapshot;
  }
  [[nodiscard]] static std::string text_of(std::string_view key, std::uint64_t version, std::size_t length = 20) {
    std::string text = std::string(key) + "@" + std::to_string(version) + " ";
    text.resize(std::max(length, text.size()), '.');
    return text;
  }
  void put(Snapshots& snapshots, const std::string& key, std::uint64_t version, std::size_t length = 20) {
    snapshots.offer(key, snapshot_of(key, version, length));
    world.executor.run_ready();
  }
  /// The version of the nearest one, 0 when there is none; what it holds is what was handed in.
  [[nodiscard]] static std::uint64_t nearest(Snapshots& snapshots, const std::string& key, std::uint64_t last) {
    const auto found = snapshots.nearest(key, StreamVersion{last});
    if (!found) return 0;
    const std::uint64_t version = found->record.version.value;
    const Snapshot expected = snapshot_of(key, version, found->record.value->size());
    EXPECT_EQ(*found->record.value, *expected.record.value);
    EXPECT_EQ(found->record.updated_at, expected.record.updated_at);
    EXPECT_EQ(found->position, expected.position);
    EXPECT_EQ(found->event, expected.event);
    return version;
  }
  [[nodiscard]] std::string bytes_of_file() { return platform::read_whole_file(world.files, path, 1u << 30).value(); }

  const std::string path = "data/product.snapshots";
  TestWorld world;
  model::Model model = product();
};

TEST_F(SnapshotsTest, the_nearest_one_before_a_version_is_found) {
  const auto snapshots = open();
  for (const std::uint64_t version : {20u, 10u, 40u}) put(*snapshots, "a", version);
  put(*snapshots, "b", 30);
  EXPECT_EQ(nearest(*snapshots, "a", 9), 0u);
  EXPECT_EQ(nearest(*snapshots, "a", 10), 10u);
  EXPECT_EQ(nearest(*snapshots, "a", 39), 20u);
  EXPECT_EQ(nearest(*snapshots, "a", UINT64_MAX), 40u);
  EXPECT_EQ(nearest(*snapshots, "b", UINT64_MAX), 30u);
  EXPECT_EQ(nearest(*snapshots, "c", UINT64_MAX), 0u);
  EXPECT_EQ(snapshots->status().written, 4u);
  EXPECT_EQ(snapshots->status().used, 4u);
}

TEST_F(SnapshotsTest, a_record_that_does_not_exist_is_told_from_an_empty_one) {
  const auto snapshots = open();
  Snapshot deleted = snapshot_of("a", 10);
  deleted.record.value = {};
  snapshots->offer("a", deleted);
  Snapshot empty = snapshot_of("a", 20);
  empty.record.value = SharedText("");
  snapshots->offer("a", empty);
  world.executor.run_ready();
  EXPECT_TRUE(snapshots->nearest("a", StreamVersion{10})->record.was_deleted());
  EXPECT_EQ(*snapshots->nearest("a", StreamVersion{20})->record.value, "");
}

TEST_F(SnapshotsTest, what_was_written_is_there_after_a_restart) {
  {
    const auto snapshots = open();
    put(*snapshots, "a", 10);
    put(*snapshots, "long", 10, 3u << 20);
    snapshots->offer("a", snapshot_of("a", 20));  // written by the stop
  }
  const auto snapshots = open();
  EXPECT_EQ(nearest(*snapshots, "a", 15), 10u);
  EXPECT_EQ(nearest(*snapshots, "a", 25), 20u);
  EXPECT_EQ(nearest(*snapshots, "long", 25), 10u);
  put(*snapshots, "a", 30);
  EXPECT_EQ(nearest(*open(), "a", 35), 30u);
}

TEST_F(SnapshotsTest, entries_of_another_declaration_in_the_place_of_those_that_were_there_are_not_believed) {
  const auto snapshots = open();
  put(*snapshots, "a", 10);
  const std::string other_path = "data/other.snapshots";
  {
    const model::Model other = product("stock = { type = \"integer\" }\n");
    Snapshots others(other, other_path, world.platform(), world.executor);
    others.start();
    Snapshot snapshot = snapshot_of("a", 10);
    snapshot.record.value = SharedText(text_of("b", 10));
    others.offer("a", snapshot);
  }
  const std::string foreign = platform::read_whole_file(world.files, other_path, 1u << 20).value();
  ASSERT_EQ(foreign.size(), bytes_of_file().size());
  world.files.damage(path, [&](std::string& bytes) { bytes = foreign; });
  EXPECT_FALSE(snapshots->nearest("a", StreamVersion{15}).has_value());
  put(*snapshots, "a", 20);
  EXPECT_EQ(nearest(*snapshots, "a", 25), 20u) << "what is written from now on is";
}

TEST_F(SnapshotsTest, nothing_is_written_twice) {
  const auto snapshots = open();
  put(*snapshots, "a", 10);
  const std::uint64_t bytes = snapshots->status().bytes;
  put(*snapshots, "a", 10);
  snapshots->offer("a", snapshot_of("a", 20));
  snapshots->offer("a", snapshot_of("a", 20));
  world.executor.run_ready();
  EXPECT_EQ(snapshots->status().written, 2u);
  EXPECT_LT(snapshots->status().bytes, 2 * bytes);
}

TEST_F(SnapshotsTest, a_torn_end_is_cut_off_and_written_over) {
  {
    const auto snapshots = open();
    for (const std::uint64_t version : {10u, 20u, 30u}) put(*snapshots, "a", version);
  }
  const std::string whole = bytes_of_file();
  const std::size_t entry = 64 + 1 + 20;
  for (std::size_t size = whole.size() - entry; size < whole.size(); ++size) {
    world.files.damage(path, [&](std::string& bytes) { bytes = whole.substr(0, size); });
    {
      const auto snapshots = open();
      EXPECT_EQ(nearest(*snapshots, "a", 35), 20u) << size << " bytes left";
      put(*snapshots, "b", 10);
      EXPECT_EQ(nearest(*snapshots, "b", 35), 10u);
    }
    const auto snapshots = open();
    EXPECT_EQ(nearest(*snapshots, "a", 35), 20u) << size << " bytes left";
    EXPECT_EQ(nearest(*snapshots, "b", 35), 10u) << size << " bytes left";
  }
}

// Wherever a bit flips: what is found is what was written, and where nothing is found it can be written anew.
TEST_F(SnapshotsTest, every_flipped_bit_is_noticed) {
  {
    const auto snapshots = open();
    for (const std::uint64_t version : {10u, 20u, 30u}) put(*snapshots, "a", version);
  }
  const std::string whole = bytes_of_file();
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    world.files.damage(path, [&](std::string& bytes) {
      bytes = whole;
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    });
    const auto snapshots = open();
    std::size_t found = 0;
    for (const std::uint64_t version : {10u, 20u, 30u}) found += nearest(*snapshots, "a", version) == version ? 1 : 0;
    EXPECT_LT(found, 3u) << "bit " << bit;
    for (const std::uint64_t version : {10u, 20u, 30u}) {
      put(*snapshots, "a", version);
      EXPECT_EQ(nearest(*snapshots, "a", version), version) << "bit " << bit;
    }
  }
}

TEST_F(SnapshotsTest, a_bit_that_flips_while_it_serves_is_noticed) {
  const auto snapshots = open();
  for (const std::uint64_t version : {10u, 20u}) put(*snapshots, "a", version);
  world.files.damage(path, [](std::string& bytes) { bytes.back() = static_cast<char>(bytes.back() ^ 1); });
  EXPECT_EQ(nearest(*snapshots, "a", 25), 10u);
  put(*snapshots, "a", 20);
  EXPECT_EQ(nearest(*snapshots, "a", 25), 20u);
}

TEST_F(SnapshotsTest, those_of_another_declaration_are_dropped) {
  put(*open(), "a", 10);
  model = product("price = { type = \"decimal\" }\n");
  {
    const auto snapshots = open();
    EXPECT_EQ(nearest(*snapshots, "a", 15), 0u);
    EXPECT_EQ(world.logged("as it was declared before"), 1u);
    put(*snapshots, "a", 20);
  }
  EXPECT_EQ(nearest(*open(), "a", 25), 20u);
}

TEST_F(SnapshotsTest, another_number_of_events_leaves_them_as_good_as_they_were) {
  put(*open(), "a", 10);
  model = product("", 1000);
  EXPECT_EQ(nearest(*open(), "a", 15), 10u);
}

TEST_F(SnapshotsTest, a_later_format_and_what_is_no_such_file_are_dropped) {
  for (const std::size_t place : {0u, 8u}) {
    put(*open(), "a", 10);
    world.files.damage(path, [&](std::string& bytes) { bytes[place] = 'X'; });
    const auto snapshots = open();
    EXPECT_EQ(nearest(*snapshots, "a", 15), 0u);
    put(*snapshots, "a", 10);
    EXPECT_EQ(nearest(*open(), "a", 15), 10u);
  }
}

TEST_F(SnapshotsTest, a_file_that_was_removed_while_it_serves_is_begun_anew) {
  const auto snapshots = open();
  put(*snapshots, "a", 10);
  ASSERT_TRUE(world.files.remove(path));
  put(*snapshots, "a", 20);
  EXPECT_EQ(nearest(*snapshots, "a", 25), 20u);
  EXPECT_EQ(nearest(*snapshots, "a", 15), 0u) << "to be made again, so that a restart finds it";
  put(*snapshots, "a", 10);
  EXPECT_EQ(nearest(*open(), "a", 15), 10u);
}

TEST_F(SnapshotsTest, what_is_forgotten_may_be_written_again) {
  {
    const auto snapshots = open();
    for (const std::uint64_t version : {10u, 20u, 30u}) put(*snapshots, "a", version);
    put(*snapshots, "b", 20);
    snapshots->forget("a", StreamVersion{20});
    EXPECT_EQ(nearest(*snapshots, "a", 35), 10u);
    EXPECT_EQ(nearest(*snapshots, "b", 35), 20u);
    Snapshot other = snapshot_of("a", 20);
    other.record.value = SharedText("of another history");
    snapshots->offer("a", other);
    world.executor.run_ready();
  }
  const auto snapshots = open();
  EXPECT_EQ(*snapshots->nearest("a", StreamVersion{20})->record.value, "of another history") << "the later one counts";
}

TEST_F(SnapshotsTest, the_files_do_not_grow_beyond_their_limit_and_what_is_wanted_stays) {
  SnapshotLimits limits;
  limits.file_bytes_max = 4096;
  {
    const auto snapshots = open(limits);
    put(*snapshots, "wanted", 10);
    for (std::uint64_t number = 0; number < 400; ++number) {
      put(*snapshots, "k" + std::to_string(number), 10, 100);
      EXPECT_EQ(nearest(*snapshots, "wanted", 15), 10u) << "after " << number;
      world.executor.run_ready();
      EXPECT_LE(snapshots->status().bytes, 2 * limits.file_bytes_max);
    }
    EXPECT_EQ(nearest(*snapshots, "k0", 15), 0u);
    EXPECT_EQ(nearest(*snapshots, "k399", 15), 10u);
    put(*snapshots, "too long", 10, 5000);
    EXPECT_EQ(nearest(*snapshots, "too long", 15), 0u);
  }
  const auto snapshots = open(limits);
  EXPECT_EQ(nearest(*snapshots, "wanted", 15), 10u);
  EXPECT_EQ(nearest(*snapshots, "k399", 15), 10u);
  EXPECT_EQ(nearest(*snapshots, "k390", 15), 10u) << "from either of the two files";
}

TEST_F(SnapshotsTest, their_number_has_a_limit_too) {
  SnapshotLimits limits;
  limits.file_entries_max = 10;
  const auto snapshots = open(limits);
  for (std::uint64_t number = 1; number <= 100; ++number) snapshots->offer("a", snapshot_of("a", 10 * number));
  world.executor.run_ready();
  std::size_t found = 0;
  for (std::uint64_t number = 1; number <= 100; ++number) found += nearest(*snapshots, "a", 10 * number) == 10 * number;
  EXPECT_GT(found, 10u);
  EXPECT_LE(found, 20u);
}

TEST_F(SnapshotsTest, what_waits_to_be_written_has_a_limit) {
  SnapshotLimits limits;
  limits.waiting_bytes_max = 1000;
  const auto snapshots = open(limits);
  for (std::uint64_t number = 1; number <= 100; ++number) snapshots->offer("a", snapshot_of("a", 10 * number));
  world.executor.run_ready();
  EXPECT_EQ(snapshots->status().written, 1000 / (64 + 1 + 20));
}

TEST_F(SnapshotsTest, a_disk_that_fails_costs_what_was_handed_in_and_nothing_else) {
  const auto snapshots = open();
  put(*snapshots, "a", 10);
  for (const auto fault :
       {platform::SimulatedFileSystem::Fault::disk_full, platform::SimulatedFileSystem::Fault::short_write}) {
    world.files.fault_at(world.files.steps() + 1, fault);
    put(*snapshots, "a", 20);
    EXPECT_EQ(nearest(*snapshots, "a", 25), 10u);
  }
  EXPECT_EQ(world.logged("Snapshots could not be written"), 1u) << "once a minute";
  put(*snapshots, "a", 30);
  EXPECT_EQ(nearest(*snapshots, "a", 35), 30u);
  EXPECT_EQ(nearest(*open(), "a", 35), 30u);
}

TEST_F(SnapshotsTest, after_a_loss_of_power_what_is_found_is_what_was_written) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    platform::SimulatedRandom dice(seed);
    {
      const auto snapshots = open();
      for (std::uint64_t number = 1; number <= 20; ++number) put(*snapshots, "a", 10 * (seed * 20 + number), 300);
      world.files.crash(platform::SimulatedFileSystem::Survival::some_sectors, dice);
    }
    (void)world.files.create_directories("data");
    const auto snapshots = open();
    for (std::uint64_t number = 1; number <= 20; ++number)
      (void)nearest(*snapshots, "a", 10 * (seed * 20 + number));  // looks at what it finds
  }
}

TEST_F(SnapshotsTest, without_a_path_they_are_kept_in_memory_alone) {
  Snapshots snapshots(model, "", world.platform(), world.executor, {.file_bytes_max = 4096});
  snapshots.start();
  const std::uint64_t steps = world.files.steps();
  for (std::uint64_t number = 1; number <= 100; ++number) put(snapshots, "a", 10 * number, 100);
  EXPECT_EQ(nearest(snapshots, "a", 1000), 1000u);
  EXPECT_LE(snapshots.status().bytes, 2 * 4096u);
  EXPECT_EQ(world.files.steps(), steps);
}

TEST_F(SnapshotsTest, readers_and_writers_do_not_disturb_each_other) {
  SnapshotLimits limits;
  limits.file_bytes_max = 32u << 10;
  const auto executor = platform::make_thread_executor("snapshots");
  Snapshots snapshots(model, path, world.platform(), *executor, limits);
  snapshots.start();
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&snapshots, thread] {
      const std::string key = "k" + std::to_string(thread % 2);
      for (std::uint64_t number = 1; number <= 2000; ++number) {
        snapshots.offer(key, snapshot_of(key, 10 * number));
        const auto found = nearest(snapshots, key, 10 * number);
        EXPECT_LE(found, 10 * number);
        if (number % 500 == 0) snapshots.forget(key, StreamVersion{5 * number});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  snapshots.stop();
  EXPECT_GT(snapshots.status().written, 0u);
}

TEST_F(SnapshotsTest, what_is_being_written_is_not_written_once_more) {
  constexpr std::uint64_t count = 3000;
  const auto executor = platform::make_thread_executor("snapshots");
  Snapshots snapshots(model, path, world.platform(), *executor, {});
  snapshots.start();
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 2; ++thread) {
    threads.emplace_back([&snapshots] {
      for (std::uint64_t number = 1; number <= count; ++number) {
        for (int again = 0; again < 3; ++again) snapshots.offer("a", snapshot_of("a", 10 * number));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  snapshots.stop();
  EXPECT_EQ(snapshots.status().written, count);
}

}  // namespace
}  // namespace annals::projection
