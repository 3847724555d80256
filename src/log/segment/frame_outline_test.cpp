#include "log/segment/frame_outline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/segment/format.hpp"
#include "log/test_log.hpp"

namespace annals::log {
namespace {

using testing::HasSubstr;

constexpr std::string_view outlined_segment = "data/log/00000000000000000001.segment";
constexpr std::size_t records = 300;

std::string body_of(std::size_t number) {
  return std::string(100 + number % 5, 'x') + std::to_string(number);
}

/// A log with one small group, a large one of 300 records, and another small one, whose files count what is read.
struct LargeGroup {
  LargeGroup() : log(open()) {
    EXPECT_TRUE(append(world, *log, {"before"}));
    world.clock.advance(std::chrono::seconds{1});
    std::vector<std::string> bodies;
    for (std::size_t number = 0; number < records; ++number) bodies.push_back(body_of(number));
    created_at = world.clock.now();
    place = append(world, *log, bodies).value();
    world.clock.advance(std::chrono::seconds{1});
    EXPECT_TRUE(append(world, *log, {"after"}));
    (void)files.take_bytes_read();
  }
  [[nodiscard]] std::unique_ptr<Log> open() {
    return open_log({.directory = "data", .segment_bytes = segment_bytes_min, .node_id = 7},
                    {world.clock, world.random, files, world.log}, world.background, {})
        .value();
  }
  /// Positions read after one, and the first of them; a reader that wants no more than `count`.
  [[nodiscard]] std::vector<std::string> some_after(Position after, std::size_t count) const {
    std::vector<std::string> bodies;
    Chunks chunks;
    const auto take = [&](const GroupView& group) {
      auto walk = group.walk();
      while (const auto record = walk.next()) {
        if (record->position > after && bodies.size() < count) bodies.emplace_back(record->body);
      }
      return bodies.size() < count;
    };
    EXPECT_TRUE(log->read(after, log->last(), 0, chunks, take));
    return bodies;
  }

  TestWorld world;
  HookedFiles files{world.files};
  std::unique_ptr<Log> log;
  Instant created_at;
  Place place;
};

TEST(FrameOutline, each_record_of_a_large_group_is_found_whoever_asks_in_whatever_order) {
  const LargeGroup group;
  auto kept = group.log->reader();
  for (std::size_t turn = 0; turn < 2 * records; ++turn) {
    const std::size_t number = turn < records ? turn * 7 % records : turn - records;
    for (const bool fresh : {false, true}) {
      auto reader = group.log->reader();
      const auto record = (fresh ? reader : kept).at(group.place, number);
      ASSERT_TRUE(record) << record.error().message;
      EXPECT_EQ(record->body, body_of(number));
      EXPECT_EQ(record->position, Position{2 + number});
      EXPECT_EQ(record->created_at, group.created_at.plus(Duration{static_cast<std::int64_t>(number)}));
    }
  }
  EXPECT_EQ(kept.at({0, segment_header_bytes + opened_frame_bytes}, 0)->body, "before");
  EXPECT_EQ(kept.at(group.place, 5)->body, body_of(5));
}

TEST(FrameOutline, of_a_large_group_only_the_first_record_costs_all_of_it) {
  LargeGroup group;
  const auto cost_of = [&](std::size_t number) {
    auto reader = group.log->reader();
    EXPECT_TRUE(reader.at(group.place, number));
    return group.files.take_bytes_read();
  };
  const std::uint64_t first = cost_of(0);
  ASSERT_GT(first, large_frame_bytes) << "the group is not large";
  for (std::size_t number = 0; number < records; ++number) EXPECT_LT(cost_of(number), 2 * outline_piece_bytes);
  // Whoever reads on in one go reads each byte once.
  auto reader = group.log->reader();
  for (std::size_t number = 0; number < records; ++number) EXPECT_TRUE(reader.at(group.place, number));
  EXPECT_LE(group.files.take_bytes_read(), first);
}

TEST(FrameOutline, a_reading_that_begins_within_a_large_group_reads_on_from_there) {
  LargeGroup group;
  EXPECT_EQ(group.some_after(Position{1}, 1), std::vector{body_of(0)});
  const std::uint64_t whole = group.files.take_bytes_read();
  ASSERT_GT(whole, large_frame_bytes) << "the group is not large";
  for (std::size_t number = 0; number < records; ++number) {
    EXPECT_EQ(group.some_after(Position{1 + number}, 1), std::vector{body_of(number)});
    EXPECT_LE(group.files.take_bytes_read(), 40u << 10) << "a chunk to begin with, and a run of pieces";
  }
  EXPECT_EQ(group.some_after(Position{records}, 9), (std::vector{body_of(records - 1), std::string("after")}));
  for (const std::uint64_t after : {0u, 1u, 2u, 150u}) {
    std::vector<std::string> expected;
    if (after == 0) expected.emplace_back("before");
    for (std::size_t number = after < 2 ? 0 : after - 1; number < records; ++number)
      expected.push_back(body_of(number));
    expected.emplace_back("after");
    EXPECT_EQ(bodies_of(*group.log, Position{after}), expected) << after;
  }
}

TEST(FrameOutline, the_position_of_a_time_within_a_large_group_is_exact) {
  const LargeGroup group;
  const auto at = [&](std::int64_t microseconds) {
    return group.log->position_at(group.created_at.plus(Duration{microseconds}), group.log->last()).value();
  };
  for (int turn = 0; turn < 2; ++turn) {  // the first time without an outline
    EXPECT_EQ(at(-2'000'000), Position{0});
    EXPECT_EQ(at(-1), Position{1});
    for (const int number : {0, 1, 31, 32, 33, 150, 298, 299}) {
      EXPECT_EQ(at(number), Position{2 + static_cast<std::uint64_t>(number)});
    }
    EXPECT_EQ(at(999'999), Position{301});
    EXPECT_EQ(at(1'000'000), Position{302});
  }
  EXPECT_EQ(group.log->position_at(group.created_at.plus(Duration{5'000'000}), Position{100}).value(), Position{100});
}

TEST(FrameOutline, damage_done_after_a_large_group_was_verified_is_never_given_out) {
  LargeGroup group;
  auto kept = group.log->reader();
  ASSERT_TRUE(kept.at(group.place, 0));
  constexpr std::size_t damaged = 123;
  const auto offset_of = [&](const std::string& bytes) { return bytes.find(body_of(damaged)); };
  group.world.files.damage(std::string(outlined_segment), [&](std::string& bytes) { bytes[offset_of(bytes)] ^= 1; });
  std::size_t refused = 0;
  for (std::size_t number = 0; number < records; ++number) {
    auto reader = group.log->reader();
    const auto record = reader.at(group.place, number);
    if (record) {
      EXPECT_NE(number, damaged);
      EXPECT_EQ(record->body, body_of(number));
    } else {
      ++refused;
      EXPECT_EQ(record.error().kind, ErrorKind::corrupt);
      EXPECT_THAT(record.error().message, HasSubstr(std::string(outlined_segment) + " is damaged at byte "));
    }
  }
  EXPECT_GE(refused, 1u);
  EXPECT_LT(refused, 2 * outline_piece_bytes / 100) << "only its neighbours are in the same piece";
  Chunks chunks;
  const auto read = group.log->read(Position{1}, group.log->last(), 0, chunks, [](const GroupView& some) {
    auto walk = some.walk();
    while (const auto record = walk.next()) EXPECT_LT(record->position, Position{2 + damaged});
    return true;
  });
  EXPECT_EQ(read.error().kind, ErrorKind::corrupt);
}

TEST(FrameOutline, a_record_that_a_group_does_not_have_is_damage_of_whatever_led_to_it) {
  const LargeGroup group;
  auto reader = group.log->reader();
  for (int turn = 0; turn < 2; ++turn) {
    EXPECT_EQ(reader.at(group.place, records).error().kind, ErrorKind::corrupt);
    EXPECT_EQ(reader.at({0, segment_header_bytes + opened_frame_bytes}, 1).error().kind, ErrorKind::corrupt);
    EXPECT_EQ(reader.at({9, 4096}, 0).error().kind, ErrorKind::corrupt);
    EXPECT_EQ(reader.at(group.place, records - 1)->body, body_of(records - 1));
  }
}

TEST(OutlineCache, what_was_used_longest_ago_goes_first_and_its_size_has_a_limit) {
  const LargeGroup group;
  OutlinePointer outline;
  Chunks chunks;
  ASSERT_TRUE(group.log->read(Position{1}, Position{2}, 0, chunks, [&](const GroupView& whole) {
    outline = std::make_shared<const FrameOutline>(whole);
    return false;
  }));
  OutlineCache cache(3 * outline->bytes());
  for (const std::uint32_t offset : {0u, 8u, 16u}) cache.keep({1, offset}, outline);
  EXPECT_TRUE(cache.find({1, 0}));
  EXPECT_FALSE(cache.find({2, 0}));
  cache.keep({1, 24}, outline);
  EXPECT_TRUE(cache.find({1, 0}));
  EXPECT_FALSE(cache.find({1, 8}));
  EXPECT_TRUE(cache.find({1, 16}));
  EXPECT_TRUE(cache.find({1, 24}));
  EXPECT_LT(outline->bytes(), large_frame_bytes / 32);
}

}  // namespace
}  // namespace annals::log
