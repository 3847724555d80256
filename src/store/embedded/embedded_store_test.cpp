// What only the embedded store does; what every store does is in tests/contract, and what happens when things fail is
// in tests/fault.

#include "store/embedded/embedded_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <thread>

#include "log/test_world.hpp"

namespace annals::store {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Group group_of(platform::Random& random, const std::string& stream, std::string data = "{}") {
  Group group;
  NewEvent event{.id = platform::make_uuid(Instant{0}, random),
                 .type = "Said",
                 .data = std::move(data),
                 .metadata = "{}",
                 .correlation_id = {},
                 .causation_id = std::nullopt};
  group.appends.push_back({.stream = stream, .expected = ExpectedVersion::any(), .events = {std::move(event)}});
  return group;
}

AppendResult append(EventStore& store, const Group& group) {
  std::optional<AppendResult> result;
  store.append(std::span(&group, 1), [&](std::vector<AppendResult> results) { result = std::move(results.front()); });
  return *result;
}

class EmbeddedStoreTest : public testing::Test {
 protected:
  std::unique_ptr<EventStore> open(Sync sync = Sync::group, const std::string& directory = "data") {
    auto store = open_embedded_store({.directory = directory, .segment_bytes = 64u << 10, .sync = sync},
                                     world.platform(), world.background);
    if (!store) throw std::runtime_error(store.error().message);
    return *std::move(store);
  }
  AppendResult append_to(EventStore& store, const std::string& stream) {
    return append(store, group_of(world.random, stream));
  }

  log::TestWorld world;
};

TEST_F(EmbeddedStoreTest, a_group_is_flushed_before_its_success_is_told) {
  const auto store = open();
  std::vector<Position> told;
  const auto watch = store->watch([&](Position flushed) { told.push_back(flushed); });
  ASSERT_TRUE(append_to(*store, "a"));
  EXPECT_EQ(store->durability(), Durability::local);
  EXPECT_EQ(store->status().flushed, Position{1});
  EXPECT_EQ(store->status().last_flush_ok, true);
  EXPECT_THAT(told, ElementsAre(Position{1}));
}

TEST_F(EmbeddedStoreTest, what_no_segment_has_room_for_is_not_admitted) {
  const auto store = open();
  std::size_t admissions = 0;
  constexpr std::size_t tries = 300;
  for (std::size_t bytes = 60'850; bytes < 60'850 + tries; ++bytes) {
    Group group = group_of(world.random, "a", std::string(bytes / 2, 'x'));
    group.appends.push_back(group_of(world.random, "b", std::string(bytes - bytes / 2, 'x')).appends.front());
    const Result<> admitted = store->admits(group);
    const AppendResult appended = append(*store, group);
    ASSERT_EQ(admitted.has_value(), appended.has_value()) << bytes;
    admissions += admitted ? 1 : 0;
    if (admitted) continue;
    EXPECT_EQ(admitted.error().kind, ErrorKind::too_large);
    EXPECT_EQ(admitted.error().message, appended.error().message);
  }
  EXPECT_GT(admissions, 0u);
  EXPECT_LT(admissions, tries);
}

TEST_F(EmbeddedStoreTest, a_cursor_into_events_that_a_copy_does_not_have_is_gone_there_also_once_it_has_others) {
  auto store = open();
  ASSERT_TRUE(append_to(*store, "a"));
  const Cursor kept = store->cursor(Position{1});
  store.reset();
  for (const char* file : {"STORE", "log/00000000000000000001.segment"}) {
    const auto bytes = platform::read_whole_file(world.files, std::string("data/") + file, 1u << 20);
    ASSERT_TRUE(bytes);
    ASSERT_TRUE(world.files.create_directories("copy/log"));
    ASSERT_TRUE(platform::replace_file(world.files, std::string("copy/") + file, *bytes));
  }

  store = open();
  EXPECT_EQ(store->cursor(Position{1}), kept);
  for (const char* stream : {"b", "c"}) ASSERT_TRUE(append_to(*store, stream));
  const Cursor lost = store->cursor(Position{3});
  EXPECT_EQ(store->resolve(lost), Result<Position>(Position{3}));
  store.reset();

  const auto copy = open(Sync::group, "copy");
  EXPECT_EQ(copy->resolve(kept), Result<Position>(Position{1}));
  EXPECT_EQ(copy->resolve(lost).error().kind, ErrorKind::gone);
  for (const char* stream : {"d", "e", "f"}) ASSERT_TRUE(append_to(*copy, stream));
  EXPECT_EQ(copy->resolve(lost).error().kind, ErrorKind::gone);
}

TEST_F(EmbeddedStoreTest, what_a_big_group_recorded_costs_no_more_to_read_than_what_small_ones_did) {
  log::HookedFiles files(world.files);
  const auto store = open_embedded_store({.directory = "data", .segment_bytes = 1u << 20, .sync = Sync::group},
                                         {world.clock, world.random, files, world.log}, world.background)
                         .value();
  constexpr std::size_t streams = 1000;
  const std::string data = "\"" + std::string(300, 'x') + "\"";
  const auto name = [](const char* kind, std::size_t number) { return kind + std::to_string(1000 + number); };
  Group big;
  for (std::size_t number = 0; number < streams; ++number) {
    ASSERT_TRUE(append(*store, group_of(world.random, name("small-", number), data)));
    big.appends.push_back(std::move(group_of(world.random, name("big-", number), data).appends.front()));
  }
  world.clock.advance(std::chrono::seconds{1});
  const Instant big_at = append(*store, big).value().created_at;
  world.clock.advance(std::chrono::seconds{1});
  ASSERT_TRUE(append_to(*store, "after"));

  const auto cost = [&](const char* kind) {
    (void)files.take_bytes_read();
    for (std::size_t number = 0; number < streams; ++number) {
      const auto page = store->read_stream(name(kind, number), StreamVersion{1}, Direction::forward, PageLimit{1, 1});
      EXPECT_EQ(page->events().size(), 1u);
      EXPECT_EQ(page->events().front().stream, name(kind, number));
      EXPECT_EQ(store->version_at(name(kind, number), big_at.plus(Duration{static_cast<std::int64_t>(number)})),
                Result<StreamVersion>(StreamVersion{1}));
    }
    return files.take_bytes_read() / streams;
  };
  EXPECT_LT(cost("big-"), 4 * cost("small-"));
  for (std::size_t number = 1; number < streams; number += 50) {
    EXPECT_EQ(store->version_at(name("big-", number), big_at.plus(Duration{static_cast<std::int64_t>(number) - 1})),
              Result<StreamVersion>(StreamVersion{0}));
  }
  // Pages of everything go on within the group, and a time within it is found.
  for (std::size_t number = 0; number < streams; number += 10) {
    const auto page = store->read_all(Position{streams + number}, Horizon::visible, PageLimit{10, 1u << 20});
    ASSERT_EQ(page->events().size(), 10u);
    EXPECT_EQ(page->events().front().stream, name("big-", number));
    EXPECT_EQ(store->position_at(big_at.plus(Duration{static_cast<std::int64_t>(number)})),
              Result<Position>(Position{streams + 1 + number}));
  }
  EXPECT_LT(files.take_bytes_read() / (streams / 10), 128u << 10) << "the group takes more than 400 KB";
}

TEST_F(EmbeddedStoreTest, a_periodic_store_shows_at_once_and_flushes_after_its_interval) {
  const auto store = open(Sync::periodic);
  std::vector<Position> told;
  const auto watch = store->watch([&](Position flushed) { told.push_back(flushed); });
  ASSERT_TRUE(append_to(*store, "a"));
  ASSERT_TRUE(append_to(*store, "b"));
  EXPECT_EQ(store->durability(), Durability::periodic);
  EXPECT_EQ(store->status().visible, Position{2});
  EXPECT_EQ(store->status().flushed, Position{0});
  EXPECT_EQ(store->read_all({}, Horizon::visible, {})->events().size(), 2u);
  EXPECT_TRUE(store->read_all({}, Horizon::flushed, {})->events().empty());
  EXPECT_THAT(told, ElementsAre());

  world.clock.advance(std::chrono::milliseconds{9});
  world.background.run_ready();
  EXPECT_EQ(store->status().flushed, Position{0});
  world.clock.advance(std::chrono::milliseconds{1});
  world.background.run_ready();
  EXPECT_EQ(store->status().flushed, Position{2});
  EXPECT_EQ(store->read_all({}, Horizon::flushed, {})->events().size(), 2u);
  EXPECT_THAT(told, ElementsAre(Position{2}));
  EXPECT_FALSE(world.background.run_next_timer()) << "nothing is left to be flushed, so nobody should wait for it";
}

TEST_F(EmbeddedStoreTest, a_store_in_memory_mode_flushes_once_a_second_and_when_it_is_closed) {
  auto store = open(Sync::memory);
  ASSERT_TRUE(append_to(*store, "a"));
  EXPECT_EQ(store->durability(), Durability::memory);
  world.clock.advance(std::chrono::milliseconds{999});
  world.background.run_ready();
  EXPECT_EQ(store->status().flushed, Position{0});
  world.clock.advance(std::chrono::milliseconds{1});
  world.background.run_ready();
  EXPECT_EQ(store->status().flushed, Position{1});

  ASSERT_TRUE(append_to(*store, "a"));
  store.reset();
  platform::SimulatedRandom dice(1);
  world.files.crash(platform::SimulatedFileSystem::Survival::nothing, dice);
  world.background.run_next_timer();  // the task of the closed store, which must do nothing
  EXPECT_EQ(open()->status().visible, Position{2});
}

TEST_F(EmbeddedStoreTest, who_asks_for_less_than_a_flush_is_flushed_soon_after_or_with_whoever_asks_for_one) {
  const auto store = open();
  std::vector<Position> told;
  const auto watch = store->watch([&](Position flushed) { told.push_back(flushed); });
  EXPECT_EQ(store->durability_of(AskedDurability::memory), Durability::memory);
  EXPECT_EQ(store->durability_of(AskedDurability::local), Durability::local);
  Group light = group_of(world.random, "a");
  light.durability = AskedDurability::memory;
  ASSERT_TRUE(append(*store, light));
  EXPECT_EQ(store->status().visible, Position{1});
  EXPECT_EQ(store->status().flushed, Position{0});
  EXPECT_TRUE(store->read_all({}, Horizon::flushed, {})->events().empty());
  ASSERT_TRUE(append_to(*store, "b"));
  EXPECT_EQ(store->status().flushed, Position{2});
  ASSERT_TRUE(append(*store, light = group_of(world.random, "c")));
  light.durability = AskedDurability::memory;
  light.appends.front().events.front().id = platform::make_uuid(Instant{0}, world.random);
  ASSERT_TRUE(append(*store, light));
  EXPECT_EQ(store->status().flushed, Position{3});
  world.clock.advance(std::chrono::milliseconds{10});
  world.background.run_ready();
  EXPECT_EQ(store->status().flushed, Position{4});
  EXPECT_THAT(told, ElementsAre(Position{2}, Position{3}, Position{4}));
}

TEST_F(EmbeddedStoreTest, who_asks_for_a_flush_gets_it_from_a_store_that_gives_less_otherwise) {
  for (const Sync sync : {Sync::periodic, Sync::memory}) {
    const auto store = open(sync, sync == Sync::memory ? "memory" : "periodic");
    ASSERT_TRUE(append_to(*store, "a"));
    EXPECT_EQ(store->status().flushed, Position{0});
    Group group = group_of(world.random, "b");
    group.durability = AskedDurability::local;
    EXPECT_EQ(store->durability_of(AskedDurability::local), Durability::local);
    EXPECT_EQ(store->durability_of(AskedDurability::memory), store->durability());
    ASSERT_TRUE(append(*store, group));
    EXPECT_EQ(store->status().flushed, Position{2});
  }
}

TEST_F(EmbeddedStoreTest, a_clock_that_runs_behind_the_log_raises_an_alarm_once_a_minute_and_time_goes_on) {
  const auto store = open();
  const Instant first = append_to(*store, "a")->created_at;
  EXPECT_THAT(world.log.lines(), Not(Contains(HasSubstr("behind the log"))));
  world.clock.set(first.plus(-std::chrono::hours{1}));
  for (int turn = 1; turn <= 3; ++turn) EXPECT_EQ(append_to(*store, "a")->created_at, first.plus(Duration{turn}));
  const auto alarms = [&] {
    std::size_t count = 0;
    for (const std::string& line : world.log.lines()) count += line.find("behind the log") != std::string::npos;
    return count;
  };
  EXPECT_EQ(alarms(), 1u);
  world.clock.advance(std::chrono::seconds{61});
  ASSERT_TRUE(append_to(*store, "a"));
  EXPECT_EQ(alarms(), 2u);
}

TEST_F(EmbeddedStoreTest, a_store_opened_to_read_refuses_appends_and_says_so) {
  ASSERT_TRUE(append_to(*open(), "a"));
  const auto store = open_embedded_store_to_read("data", world.platform());
  ASSERT_TRUE(store);
  const auto refused = append_to(**store, "a");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("read"));
  EXPECT_FALSE((*store)->status().writable);
  EXPECT_EQ((*store)->read_all({}, Horizon::flushed, {})->events().size(), 1u);
  const Cursor cursor = (*store)->cursor(Position{1});
  EXPECT_EQ((*store)->resolve(cursor), Position{1});
}

TEST_F(EmbeddedStoreTest, a_second_opener_is_told_who_has_the_directory) {
  const auto store = open();
  const auto second = open_embedded_store({.directory = "data"}, world.platform(), world.background);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::conflict);
  EXPECT_THAT(second.error().message, HasSubstr("process"));
}

TEST_F(EmbeddedStoreTest, a_log_whose_records_are_no_events_is_damaged) {
  {
    auto log = log::open_log({.directory = "data"}, world.platform(), world.background, {});
    ASSERT_TRUE(log);
    log::Batch& batch = (*log)->start_batch();
    batch.begin_group(world.clock.now());
    batch.begin_record().append("not an event");
    batch.end_record();
    ASSERT_TRUE(batch.end_group());
    ASSERT_TRUE((*log)->commit(batch));
  }
  const auto report = verify_embedded_store("data", world.files);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorKind::corrupt);
  EXPECT_THAT(report.error().message, HasSubstr("byte 4160: the record at position 1 is not an event"));
}

TEST_F(EmbeddedStoreTest, damage_that_a_read_meets_is_told_counted_and_not_forgotten) {
  std::unique_ptr<EventStore> store = open();
  for (int count = 0; count < 20; ++count)
    ASSERT_TRUE(append(*store, group_of(world.random, "a", std::string(9'000, 'x'))));
  world.background.run_ready();
  EXPECT_EQ(store->status().damaged_reads, 0u);
  EXPECT_FALSE(store->resolve(Cursor{1, Position{1}}));
  EXPECT_EQ(store->status().damaged_reads, 0u) << "an error of another kind is no damage";
  const auto flip = [](std::string& bytes) { bytes[9'000] ^= 1; };
  world.files.damage("data/log/00000000000000000001.segment", flip);
  EXPECT_FALSE(store->read_stream("a", StreamVersion{1}, Direction::forward, {}));
  EXPECT_EQ(store->status().damaged_reads, 1u);
  EXPECT_FALSE(store->read_all({}, Horizon::visible, {}));
  EXPECT_EQ(store->status().damaged_reads, 2u);
  world.files.damage("data/log/00000000000000000001.segment", flip);
  EXPECT_TRUE(store->read_stream("a", StreamVersion{1}, Direction::forward, {}));
  EXPECT_EQ(store->status().damaged_reads, 2u) << "it stays so until the store is opened again";
  EXPECT_TRUE(store->status().writable);
  const auto lines = world.log.lines();
  EXPECT_EQ(std::ranges::count_if(lines, [](const auto& line) { return line.find("annals verify") != line.npos; }), 1);
  store.reset();
  EXPECT_EQ(open()->status().damaged_reads, 0u);
}

TEST_F(EmbeddedStoreTest, a_segment_that_is_missing_is_damage_and_not_a_record_that_never_was) {
  {
    const auto store = open();
    for (int count = 0; count < 20; ++count)
      ASSERT_TRUE(append(*store, group_of(world.random, "a", std::string(9'000, 'x'))));
    world.background.run_ready();
  }
  const auto store = open();
  ASSERT_TRUE(world.files.remove("data/log/00000000000000000001.segment"));
  const auto page = store->read_stream("a", StreamVersion{1}, Direction::forward, {});
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().kind, ErrorKind::corrupt);
  EXPECT_EQ(store->status().damaged_reads, 1u);
}

TEST_F(EmbeddedStoreTest, damage_that_is_met_when_an_index_is_made_in_the_background_counts_too) {
  {
    const auto store = open();
    for (int count = 0; count < 20; ++count)
      ASSERT_TRUE(append(*store, group_of(world.random, "a", std::string(9'000, 'x'))));
    world.background.run_ready();
  }
  const auto names = world.files.list("data/index").value();
  for (const std::string& name : names) {
    if (!name.ends_with(".streams")) continue;
    ASSERT_TRUE(world.files.remove("data/index/" + name));
  }
  world.files.damage("data/log/00000000000000000001.segment", [](std::string& bytes) { bytes[9'000] ^= 1; });
  const auto store = open();
  EXPECT_EQ(store->status().damaged_reads, 0u);
  world.background.run_ready();
  EXPECT_EQ(store->status().damaged_reads, 1u);
}

TEST_F(EmbeddedStoreTest, a_conflict_with_what_could_not_be_made_durable_is_no_conflict_but_unavailable) {
  const auto store = open();
  std::vector<Group> groups{group_of(world.random, "a"), group_of(world.random, "a"), group_of(world.random, "")};
  groups[1].appends[0].expected = ExpectedVersion::none();
  std::vector<AppendResult> results;
  const auto keep = [&](std::vector<AppendResult> given) { results = std::move(given); };
  store->append(groups, keep);
  EXPECT_TRUE(results[0]);
  EXPECT_EQ(results[1].error().kind, ErrorKind::conflict);
  EXPECT_EQ(results[2].error().kind, ErrorKind::invalid);

  for (Group& group : groups) group.appends[0].stream = group.appends[0].stream.empty() ? "" : "b";
  world.files.fault_at(world.files.steps() + 2, platform::SimulatedFileSystem::Fault::fail_cleanly);
  store->append(groups, keep);
  EXPECT_EQ(results[0].error().kind, ErrorKind::unavailable);
  EXPECT_EQ(results[1].error().kind, ErrorKind::unavailable);
  EXPECT_EQ(results[2].error().kind, ErrorKind::invalid);
}

TEST(Address, holds_the_largest_place_and_sorts_as_the_log_does) {
  const log::Place last{(1u << 21) - 1, static_cast<std::uint32_t>(log::segment_bytes_max - 8)};
  const Address largest(last, group_events_max - 1);
  EXPECT_EQ(largest.place(), last);
  EXPECT_EQ(largest.number(), group_events_max - 1);
  EXPECT_LT(Address({0, 4096}, 5), Address({0, 4104}, 0));
  EXPECT_LT(Address({0, 4104}, 9), Address({1, 4096}, 0));
  EXPECT_LT(Address({1, 4096}, 0), Address({1, 4096}, 1));
}

/// Where flushes wait until they are let through, to look at what happens meanwhile.
class Gate {
 public:
  void shut() {
    const std::lock_guard lock(mutex_);
    open_ = false;
  }
  void lift() {
    {
      const std::lock_guard lock(mutex_);
      open_ = true;
    }
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    ++flushes_;
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
    --waiting_;
  }
  void wait_for_a_flush() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ > 0; });
  }
  [[nodiscard]] int flushes() const {
    const std::lock_guard lock(mutex_);
    return flushes_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
  int waiting_ = 0;
  int flushes_ = 0;
};

TEST_F(EmbeddedStoreTest, reads_wait_for_no_flush_and_see_nothing_of_what_is_being_flushed) {
  Gate gate;
  log::HookedFiles files(world.files, [&] { gate.pass(); });
  const platform::Platform platform{world.clock, world.random, files, world.log};
  const auto opened =
      open_embedded_store({.directory = "data", .segment_bytes = 64u << 10}, platform, world.background);
  ASSERT_TRUE(opened);
  EventStore& store = **opened;
  ASSERT_TRUE(append(store, group_of(world.random, "a", "first")));
  gate.shut();
  const Group second = group_of(world.random, "a", "second");
  std::thread writer([&] { EXPECT_TRUE(append(store, second)); });
  gate.wait_for_a_flush();

  EXPECT_EQ(store.status().visible, Position{1});
  EXPECT_EQ(store.stream_version("a"), StreamVersion{1});
  EXPECT_EQ(store.read_all({}, Horizon::visible, {})->events().size(), 1u);
  EXPECT_EQ(store.read_stream("a", StreamVersion{1}, Direction::forward, {})->events().size(), 1u);
  EXPECT_EQ(store.version_at("a", world.clock.now().plus(Duration{5})), StreamVersion{1});
  EXPECT_EQ(store.position_at(world.clock.now().plus(Duration{5})), Position{1});
  gate.lift();
  writer.join();
  EXPECT_EQ(store.stream_version("a"), StreamVersion{2});
}

TEST_F(EmbeddedStoreTest, appends_that_come_during_a_flush_share_the_next_one) {
  Gate gate;
  log::HookedFiles files(world.files, [&] { gate.pass(); });
  const platform::Platform platform{world.clock, world.random, files, world.log};
  const auto opened =
      open_embedded_store({.directory = "data", .segment_bytes = 64u << 10}, platform, world.background);
  ASSERT_TRUE(opened);
  EventStore& store = **opened;
  gate.shut();
  const int before = gate.flushes();
  std::vector<Group> groups;
  for (int writer = 0; writer < 9; ++writer) groups.push_back(group_of(world.random, "a"));
  std::vector<std::thread> writers;
  std::atomic<int> begun = 0;
  for (const Group& group : groups) {
    writers.emplace_back([&] {
      ++begun;
      EXPECT_TRUE(append(store, group));
    });
    if (writers.size() == 1) gate.wait_for_a_flush();
  }
  while (begun < 9) std::this_thread::yield();
  // All have begun; give those behind the first the time to queue up. However many come later, they share flushes.
  std::this_thread::sleep_for(std::chrono::milliseconds{20});
  gate.lift();
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(store.status().visible, Position{9});
  EXPECT_LT(gate.flushes() - before, 9);
}

}  // namespace
}  // namespace annals::store
