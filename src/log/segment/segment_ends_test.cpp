// Opening a log whose summaries are gone: what the two ends of the segments say is what the summaries said.

#include "log/segment/segment_ends.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "log/test_log.hpp"

namespace annals::log {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string folder = "data/index";

/// A log of several segments that was stopped, cleanly and not, and opened again at chance.
struct History {
  TestWorld world;
  std::vector<std::string> bodies;

  explicit History(std::uint64_t seed) : world(seed) {
    platform::SimulatedRandom dice(seed);
    auto log = must_open(world);
    for (int turn = 0; turn < 200; ++turn) {
      bodies.push_back(std::to_string(turn) + std::string(dice.below(20) == 0 ? 40'000 : dice.below(3'000), 'x'));
      EXPECT_TRUE(append(world, *log, {bodies.back()}));
      world.clock.advance(std::chrono::milliseconds{10});
      if (dice.below(3) == 0) world.background.run_ready();
      if (dice.below(12) != 0) continue;
      if (dice.below(2) == 0) world.files.kill_process();
      log.reset();
      log = must_open(world);
    }
    world.background.run_ready();
  }

  [[nodiscard]] std::map<std::string, std::string> summaries() const {
    std::map<std::string, std::string> all;
    const std::vector<std::string> names = world.files.list(folder).value();
    for (const std::string& name : names)
      all[name] = platform::read_whole_file(world.files, platform::join_path(folder, name), 1u << 20).value();
    return all;
  }
};

TEST(SegmentEnds, tell_what_the_summaries_of_a_log_told_that_was_stopped_and_opened_at_chance) {
  std::set<std::size_t> epochs_begun;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    History history(seed);
    TestWorld& world = history.world;
    (void)must_open(world);
    world.background.run_ready();
    const auto before = history.summaries();
    ASSERT_GT(before.size(), 4u);
    const auto known = open_log_to_read("data", world.platform(), {}).value()->summary();
    epochs_begun.insert(known.epochs.size());
    platform::SimulatedRandom dice(seed);
    for (int turn = 0; turn < 4; ++turn) {
      std::uint64_t removed = 0;
      for (const auto& [name, bytes] : before) {
        if (turn > 0 && dice.below(2) == 0) continue;
        ASSERT_TRUE(world.files.remove(platform::join_path(folder, name)));
        ++removed;
      }
      if (removed == 0) continue;
      const std::size_t lines = world.log.lines().size();
      std::set<std::uint32_t> read;
      const auto hear = [&](Place place, const GroupView&) -> Result<> {
        read.insert(place.segment);
        return {};
      };
      {
        const auto log = must_open(world, hear);
        EXPECT_LE(read.size(), 1u) << "only the last segment is read";
        EXPECT_THAT(read, Not(Contains(0u)));
        EXPECT_EQ(log->missing_indexes(), removed);
        EXPECT_EQ(log->last(), known.last);
        EXPECT_EQ(log->last_time(), known.last_time);
        auto epochs = log->summary().epochs;
        epochs.pop_back();  // its own
        EXPECT_EQ(epochs, known.epochs);
        if (turn % 2 == 0) {
          EXPECT_EQ(bodies_of(*log), history.bodies) << "before the summaries are there again";
        }
        world.background.run_ready();
        EXPECT_EQ(log->missing_indexes(), 0u);
        EXPECT_EQ(bodies_of(*log), history.bodies);
      }
      EXPECT_EQ(history.summaries(), before);
      const auto told = world.log.lines();
      ASSERT_EQ(told.size(), lines + 2) << testing::PrintToString(told);
      EXPECT_THAT(told[lines], HasSubstr("indexes of the log are missing"));
      EXPECT_THAT(told[lines + 1], HasSubstr("have been made anew segments=" + std::to_string(removed)));
    }
    const auto report = verify_log(world.files, "data", {});
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_THAT(report->index_faults, IsEmpty());
    if (HasFailure()) return;
  }
  EXPECT_GT(*epochs_begun.rbegin(), 5u);
}

TEST(SegmentEnds, that_are_damaged_have_all_of_the_segment_read_which_is_refused_where_it_was) {
  History history(3);
  TestWorld& world = history.world;
  (void)must_open(world);
  for (const auto& [name, bytes] : history.summaries()) {
    ASSERT_TRUE(world.files.remove(platform::join_path(folder, name)));
  }
  const std::string second = "data/log/" + world.files.list("data/log").value()[1];
  std::string good;
  world.files.damage(second, [&](std::string& all) { good = all; });
  const std::size_t end = good.find_last_not_of('\0') + 1;
  struct Flip {
    std::size_t byte;
    const char* what;
  };
  for (const auto& [byte, what] : {Flip{segment_header_bytes + 3, "the first frame"}, Flip{end - 3, "the seal"},
                                   Flip{end - 80, "the header of the seal"}, Flip{good.size() - 1, "the zeros"}}) {
    SCOPED_TRACE(what);
    world.files.damage(second, [&](std::string& all) { all[byte] = static_cast<char>(all[byte] ^ 1); });
    const auto log =
        open_log({.directory = "data", .segment_bytes = segment_bytes_min}, world.platform(), world.background, {});
    ASSERT_FALSE(log);
    EXPECT_EQ(log.error().kind, ErrorKind::corrupt);
    EXPECT_THAT(log.error().message, HasSubstr(second));
    world.files.damage(second, [&](std::string& all) { all = good; });
  }
  EXPECT_EQ(bodies_of(*must_open(world)), history.bodies);
}

TEST(SegmentEnds, between_which_something_is_damaged_leave_it_to_be_found_by_who_reads_it) {
  History history(4);
  TestWorld& world = history.world;
  (void)must_open(world);
  const auto before = history.summaries();
  for (const auto& [name, bytes] : before) ASSERT_TRUE(world.files.remove(platform::join_path(folder, name)));
  const std::string second = "data/log/" + world.files.list("data/log").value()[1];
  world.files.damage(second, [&](std::string& all) {
    const std::size_t middle = all.find_last_not_of('\0') - 1'000;
    all[middle] = static_cast<char>(all[middle] ^ 1);
  });
  {
    const auto log = must_open(world);
    world.background.run_ready();
    EXPECT_EQ(log->missing_indexes(), 0u);
    Chunks chunks;
    const auto read = log->read(Position{}, log->last(), 0, chunks, [](const GroupView&) { return true; });
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().kind, ErrorKind::corrupt);
  }
  EXPECT_THAT(world.log.lines(), Contains(HasSubstr("cannot be read to make its summary segment=1")));
  EXPECT_EQ(history.summaries().size(), before.size() - 1) << "the others are there again";
}

TEST(SegmentEnds, do_as_well_when_power_is_lost_while_summaries_are_made_anew) {
  History history(5);
  TestWorld& world = history.world;
  (void)must_open(world);
  world.background.run_ready();
  const auto before = history.summaries();
  const auto remove_all = [&] {
    for (const auto& [name, bytes] : history.summaries()) {
      ASSERT_TRUE(world.files.remove(platform::join_path(folder, name)));
    }
  };
  using Survival = platform::SimulatedFileSystem::Survival;
  for (std::uint64_t step = 1; step <= 60; ++step) {
    SCOPED_TRACE(step);
    remove_all();
    {
      const auto log = must_open(world);
      world.files.fault_at(world.files.steps() + step, platform::SimulatedFileSystem::Fault::power_loss);
      world.background.run_ready();
    }
    platform::SimulatedRandom dice(step);
    world.files.crash(step % 2 == 0 ? Survival::some_sectors : Survival::nothing, dice);
    const auto log = must_open(world);
    EXPECT_EQ(bodies_of(*log), history.bodies);
    world.background.run_ready();
    EXPECT_EQ(history.summaries().size(), before.size());
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace annals::log
