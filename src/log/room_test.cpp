// Where a log finds no room: in a segment full of marks, and on a disk without space for the next one.

#include <gtest/gtest.h>

#include "log/segment/format.hpp"
#include "log/test_log.hpp"

namespace annals::log {
namespace {

/// A body whose group fills an empty segment.
std::string largest_body() {
  return std::string(
      segment_bytes_min - segment_header_bytes - segment_reserve_bytes - frame_header_bytes - record_header_bytes, 'x');
}

std::vector<std::uint32_t> epochs_of(const Log& log) {
  std::vector<std::uint32_t> epochs;
  for (const Epoch& epoch : log.summary().epochs) epochs.push_back(epoch.number);
  return epochs;
}

TEST(Room, a_segment_with_nothing_but_marks_of_openings_makes_room_and_keeps_the_marks) {
  for (const int openings : {1, 5, 1200}) {
    SCOPED_TRACE(openings);
    TestWorld world;
    for (int opening = 1; opening < openings; ++opening) {
      const auto log = must_open(world);
      world.files.kill_process();
    }
    auto log = must_open(world);
    const auto epochs = epochs_of(*log);
    ASSERT_EQ(epochs.size(), static_cast<std::size_t>(openings));
    const auto place = append(world, *log, {largest_body()});
    ASSERT_TRUE(place) << place.error().message;
    EXPECT_EQ(place->segment, 0u) << "another one would have the same name";
    ASSERT_TRUE(append(world, *log, {"a"}));
    EXPECT_EQ(bodies_of(*log), (std::vector<std::string>{largest_body(), "a"}));
    EXPECT_EQ(log->segments(), 2u);
    log.reset();
    const auto report = verify_log(world.files, "data", {});
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->segments, 2u);
    EXPECT_TRUE(report->clean);
    log = must_open(world);
    auto now = epochs_of(*log);
    now.pop_back();  // that of this opening
    EXPECT_EQ(now, epochs);
    EXPECT_EQ(bodies_of(*log), (std::vector<std::string>{largest_body(), "a"}));
  }
}

TEST(Room, a_loss_of_power_while_such_a_segment_makes_room_loses_no_mark) {
  using Survival = platform::SimulatedFileSystem::Survival;
  for (const Survival survival : {Survival::nothing, Survival::some_sectors, Survival::a_prefix}) {
    bool met = true;
    std::uint64_t step = 0;
    for (; met; ++step) {
      SCOPED_TRACE(step);
      TestWorld world;
      for (int opening = 0; opening < 3; ++opening) {
        const auto log = must_open(world);
        world.files.kill_process();
      }
      std::vector<std::uint32_t> epochs;
      bool acknowledged = false;
      {
        auto log = must_open(world);
        epochs = epochs_of(*log);
        const std::uint64_t fault_at = world.files.steps() + step + 1;
        world.files.fault_at(fault_at, platform::SimulatedFileSystem::Fault::power_loss);
        acknowledged = append(world, *log, {largest_body()}).has_value();
        met = world.files.steps() >= fault_at;
        platform::SimulatedRandom dice(step);
        world.files.crash(survival, dice);
      }
      EXPECT_NE(acknowledged, met);
      if (!met) break;
      const auto log = must_open(world);
      auto now = epochs_of(*log);
      ASSERT_EQ(now.size(), epochs.size() + 1);
      now.pop_back();
      EXPECT_EQ(now, epochs);
      EXPECT_LE(bodies_of(*log).size(), 1u);
    }
    EXPECT_GE(step, 8u) << "hardly any step was met; the test tests nothing";
  }
}

TEST(Room, a_next_segment_that_cannot_be_made_refuses_what_needs_it_and_nothing_else) {
  TestWorld world;
  auto log = must_open(world);
  ASSERT_TRUE(append(world, *log, {std::string(40'000, 'a')}));
  // The segment is more than half full, so the next one is made in the background: in vain.
  world.files.set_capacity(segment_bytes_min + (16u << 10));
  world.background.run_ready();
  EXPECT_FALSE(log->is_short_of_room()) << "there is room for more in this one";
  ASSERT_TRUE(append(world, *log, {"b"}));
  for (int turn = 0; turn < 3; ++turn) {
    const std::uint64_t position = log->last().value;
    const auto refused = append(world, *log, {std::string(40'000, 'c')});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::unavailable);
    EXPECT_EQ(refused.error().code, "no_room");
    EXPECT_TRUE(log->is_short_of_room());
    EXPECT_FALSE(log->failure());
    EXPECT_EQ(log->last().value, position);
    ASSERT_TRUE(append(world, *log, {"d"})) << "what fits is recorded";
    EXPECT_TRUE(world.background.run_next_timer()) << "and it is tried again";
  }
  std::size_t warnings = 0;
  std::size_t errors = 0;
  for (const std::string& line : world.log.lines()) {
    warnings += line.find("the next segment of the log cannot be made") != std::string::npos ? 1 : 0;
    errors += line.find("there is no room in the log") != std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(warnings, 1u);
  EXPECT_EQ(errors, 1u);
  world.files.set_capacity(std::nullopt);
  ASSERT_TRUE(world.background.run_next_timer());
  EXPECT_FALSE(log->is_short_of_room()) << "without a write";
  ASSERT_TRUE(append(world, *log, {std::string(40'000, 'c')}));
  EXPECT_FALSE(world.background.run_next_timer()) << "there is nothing to try any more";
  log.reset();
  const auto report = verify_log(world.files, "data", {});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->clean);
  EXPECT_EQ(bodies_of(*must_open(world)).size(), 6u);
}

}  // namespace
}  // namespace annals::log
