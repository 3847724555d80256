// Where a log finds no room: in a segment full of marks, and on a disk without space for the next one.

#include <gtest/gtest.h>

#include "log/segment/format.hpp"
#include "log/test_log.hpp"

namespace annals::log {
namespace {

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
