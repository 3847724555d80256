// The page FORMAT.md and the code say the same.

#include "log/segment/format.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "base/test_hex.hpp"
#include "base/test_page.hpp"
#include "log/log.hpp"
#include "log/segment/summary.hpp"
#include "log/test_world.hpp"

namespace annals::log {
namespace {

/// Bytes as the page shows them.
std::string hex(std::string_view bytes, std::size_t begin) {
  return hex_lines(bytes, begin, HexText::beside);
}

std::string worked_example() {
  TestWorld world;
  {
    auto log = open_log({.directory = "data", .segment_bytes = segment_bytes_min, .node_id = 1}, world.platform(),
                        world.background, {});
    EXPECT_TRUE(log) << log.error().message;
    for (const std::vector<std::string_view>& bodies : {std::vector<std::string_view>{"hello"}, {"one", "two"}}) {
      Batch& batch = (*log)->start_batch();
      batch.begin_group(world.clock.now());
      for (const std::string_view body : bodies) {
        batch.begin_record().append(body);
        batch.end_record();
      }
      EXPECT_TRUE(batch.end_group());
      EXPECT_TRUE((*log)->commit(batch));
      world.clock.advance(std::chrono::seconds{1});
    }
  }
  const auto identity = platform::read_whole_file(world.files, "data/STORE", 1u << 20);
  const auto segment = platform::read_whole_file(world.files, "data/log/00000000000000000001.segment", 1u << 20);
  EXPECT_TRUE(identity && segment);
  std::string page = "STORE:\n\n" + hex(*identity, 0) + "\nThe segment, its header:\n\n" +
                     hex(std::string_view(*segment).substr(0, 96), 0) + "    ...   (zeros)\n" +
                     hex(std::string_view(*segment).substr(4080, 16), 4080);
  std::size_t offset = segment_header_bytes;
  for (const char* name : {"*opened*", "*group* at position 1", "*group* at positions 2 and 3", "*clean stop*"}) {
    const auto length = get_at<std::uint32_t>(segment->data() + offset + 24);
    page +=
        "\nThe frame " + std::string(name) + ":\n\n" + hex(std::string_view(*segment).substr(offset, length), offset);
    offset += length;
  }
  EXPECT_EQ(std::string_view(*segment).find_first_not_of('\0', offset), std::string_view::npos);
  // The mark of a clean stop has the length of a seal, and says the same.
  const EndMark end = decode_end(segment->data() + offset - end_frame_bytes);
  const SegmentHeader header = decode_segment_header(std::string_view(*segment).substr(0, 4096), "s").value();
  const GroupView first(Position{1}, 1, std::string_view(*segment).substr(0x1070, 0x38));
  const GroupView second(Position{2}, 2, std::string_view(*segment).substr(0x10d8, 0x68));
  const SegmentSummary summary{.store = header.store,
                               .bytes = header.bytes,
                               .first = header.first,
                               .salt = header.salt,
                               .end = offset,
                               .last = end.last,
                               .last_time = second.walk().next()->created_at.plus(Duration{1}),
                               .last_hash = end.last_hash,
                               .groups = 2,
                               .epochs = {decode_opened(segment->data() + segment_header_bytes)}};
  page +=
      "\nThe summary of a segment, had it been sealed and not closed behind these two groups (so that its seal stood "
      "at 1140):\n\n" +
      hex(encode_summary(summary, {{Position{1}, first.walk().next()->created_at, 0x1040}}), 0);
  return page;
}

TEST(Format, the_page_shows_the_bytes_that_are_written) {
  const std::string page = written_page("src/log/FORMAT.md");
  const std::string example = worked_example();
  EXPECT_NE(page.find(example), std::string::npos) << "FORMAT.md should end with:\n\n" << example;
}

TEST(Format, an_identity_of_an_unknown_version_is_refused_and_one_with_a_flipped_bit_is_damaged) {
  const std::string good = encode_identity(Uuid{});
  EXPECT_EQ(decode_identity(good, "STORE").value(), Uuid{});
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    const auto decoded = decode_identity(bad, "STORE");
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().kind, ErrorKind::corrupt);
  }
}

TEST(Format, a_segment_header_comes_back_as_it_was_and_no_flipped_bit_passes) {
  SegmentHeader header;
  header.bytes = segment_bytes_min;
  header.first = Position{17};
  header.salt = 99;
  header.hash_before.fill(7);
  header.time_before = Instant{123};
  header.epoch_before = 5;
  const std::string good = encode_segment_header(header);
  ASSERT_EQ(good.size(), segment_header_bytes);
  EXPECT_EQ(decode_segment_header(good, "s").value(), header);
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_FALSE(decode_segment_header(bad, "s")) << "bit " << bit;
  }
}

TEST(Format, a_summary_comes_back_as_it_was_and_no_flipped_bit_passes) {
  TestWorld world;
  const Marks marks{{Position{17}, Instant{99}, 4096}, {Position{30}, Instant{120}, 24'000}};
  SegmentSummary summary{.bytes = segment_bytes_min,
                         .first = Position{17},
                         .salt = 5,
                         .end = 40'000,
                         .last = Position{40},
                         .last_time = Instant{130}};
  summary.last_hash.fill(9);
  for (std::uint32_t epoch = 1; epoch <= 300; ++epoch) summary.epochs.push_back({epoch, Position{16 + epoch / 20}});
  const std::string good = encode_summary(summary, marks);
  ASSERT_TRUE(platform::replace_file(world.files, "17.summary", good));
  const auto read = read_summary(world.files, "17.summary").value();
  EXPECT_EQ(read.epochs, summary.epochs);
  EXPECT_EQ(read.first_mark, marks.front());
  EXPECT_EQ(encode_summary(read, read_marks(world.files, "17.summary", 5, marks.front()).value()), good);
  EXPECT_FALSE(read_marks(world.files, "17.summary", 6, marks.front())) << "another segment's";
  EXPECT_FALSE(read_marks(world.files, "17.summary", 5, marks.back())) << "not what the reader goes by";
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    const auto flip = [&](std::string& all) { all[bit / 8] = static_cast<char>(all[bit / 8] ^ (1 << (bit % 8))); };
    world.files.damage("17.summary", flip);
    ASSERT_FALSE(read_summary(world.files, "17.summary") && read_marks(world.files, "17.summary", 5, marks.front()))
        << "bit " << bit;
    world.files.damage("17.summary", flip);
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    world.files.damage("17.summary", [&](std::string& all) { all = good.substr(0, size); });
    ASSERT_FALSE(read_summary(world.files, "17.summary")) << size << " bytes";
  }
  EXPECT_EQ(position_of_summary_name(summary_name(Position{17})), Position{17});
  EXPECT_FALSE(position_of_summary_name("00000000000000000017.segment"));
  EXPECT_FALSE(position_of_summary_name("00000000000000000017.summary.new"));
}

// As a program that is wrong could write them: with checksums that are right.
TEST(Format, marks_that_do_not_follow_one_another_within_their_segment_are_not_believed) {
  TestWorld world;
  const SegmentSummary summary{.bytes = segment_bytes_min,
                               .first = Position{17},
                               .salt = 5,
                               .end = 40'000,
                               .last = Position{40},
                               .last_time = Instant{130}};
  const Mark first{Position{17}, Instant{99}, 4096};
  const auto is_believed = [&](const Marks& marks) {
    EXPECT_TRUE(platform::replace_file(world.files, "17.summary", encode_summary(summary, marks)));
    return read_marks(world.files, "17.summary", 5, marks.front()).has_value();
  };
  EXPECT_TRUE(is_believed({first, {Position{30}, Instant{120}, 24'000}}));
  EXPECT_TRUE(is_believed({first, {Position{40}, Instant{130}, 40'000 - frame_header_bytes}}));
  EXPECT_FALSE(is_believed({{Position{18}, Instant{99}, 4096}})) << "a segment begins with a mark";
  EXPECT_FALSE(is_believed({{Position{17}, Instant{99}, 4088}})) << "within its header";
  EXPECT_FALSE(is_believed({first, {Position{17}, Instant{120}, 24'000}}));
  EXPECT_FALSE(is_believed({first, {Position{30}, Instant{99}, 24'000}}));
  EXPECT_FALSE(is_believed({first, {Position{30}, Instant{120}, 4096}}));
  EXPECT_FALSE(is_believed({first, {Position{41}, Instant{120}, 24'000}}));
  EXPECT_FALSE(is_believed({first, {Position{30}, Instant{131}, 24'000}}));
  EXPECT_FALSE(is_believed({first, {Position{30}, Instant{120}, 24'004}})) << "where no frame can begin";
  EXPECT_FALSE(is_believed({first, {Position{30}, Instant{120}, 39'960}})) << "where no frame has room";
}

TEST(Format, a_frame_is_valid_only_at_its_offset_and_under_its_salt) {
  const std::string frame = encode_opened({.number = 3, .before = Position{9}}, Position{10}, 4096, 77);
  const auto header = decode_frame_header(frame.data(), frame_seed(77, 4096));
  ASSERT_TRUE(header);
  EXPECT_TRUE(frame_is_intact(frame.data(), *header, frame_seed(77, 4096)));
  EXPECT_EQ(decode_opened(frame.data()), (Epoch{3, Position{9}}));
  EXPECT_FALSE(decode_frame_header(frame.data(), frame_seed(77, 4104)));
  EXPECT_FALSE(decode_frame_header(frame.data(), frame_seed(78, 4096)));
}

TEST(Format, a_segment_is_named_by_its_first_position_and_nothing_else_is_taken_for_one) {
  EXPECT_EQ(segment_name(Position{4711}), "00000000000000004711.segment");
  EXPECT_EQ(position_of_segment_name("00000000000000004711.segment"), Position{4711});
  EXPECT_EQ(position_of_segment_name("18446744073709551615.segment"), Position{UINT64_MAX});
  for (const char* name : {"18446744073709551616.segment", "4711.segment", "next.segment",
                           "0000000000000000471x.segment", "00000000000000004711.segment~"}) {
    EXPECT_FALSE(position_of_segment_name(name)) << name;
  }
}

}  // namespace
}  // namespace annals::log
