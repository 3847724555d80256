#include "store/embedded/evidence.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/test_world.hpp"

namespace annals::store {
namespace {

using testing::HasSubstr;

class EvidenceTest : public testing::Test {
 protected:
  Result<std::unique_ptr<EventStore>> open(std::vector<SeenFlushed> seen = {}) {
    return open_embedded_store({.directory = "data", .segment_bytes = 64u << 10, .seen = std::move(seen)},
                               world.platform(), world.background);
  }
  /// Records events until the log has this many segments.
  void fill(std::size_t segments) {
    const auto store = open();
    ASSERT_TRUE(store) << store.error().message;
    while ((*store)->metrics().segments < segments) append(**store, 10'000);
    world.background.run_ready();
    epoch = (*store)->cursor((*store)->status().flushed).epoch;
    last = (*store)->status().flushed;
  }
  void append(EventStore& store, std::size_t bytes) {
    Group group;
    NewEvent event{.id = platform::make_uuid(Instant{0}, world.random),
                   .type = "Said",
                   .data = "\"" + std::string(bytes, 'x') + "\"",
                   .metadata = "{}",
                   .correlation_id = {},
                   .causation_id = std::nullopt};
    group.appends.push_back({.stream = "a", .expected = ExpectedVersion::any(), .events = {std::move(event)}});
    store.append(std::span(&group, 1), [](std::vector<AppendResult> results) { ASSERT_TRUE(results.front()); });
  }
  void remove_last_segment() {
    ASSERT_TRUE(world.files.remove("data/log/" + world.files.list("data/log").value().back()));
  }
  void remove_indexes(const std::string& ending) {
    const auto names = world.files.list("data/index").value();
    for (const std::string& name : names) {
      if (!name.ends_with(ending)) continue;
      ASSERT_TRUE(world.files.remove("data/index/" + name));
    }
  }
  [[nodiscard]] std::string refusal(std::vector<SeenFlushed> seen = {}) {
    const auto opened = open(seen);
    const auto verified = verify_embedded_store("data", world.files, {.seen = seen});
    EXPECT_FALSE(opened);
    EXPECT_FALSE(verified);
    if (opened || verified) return "";
    EXPECT_EQ(opened.error(), verified.error());
    EXPECT_EQ(opened.error().kind, ErrorKind::corrupt);
    return opened.error().code + ": " + opened.error().message;
  }

  log::TestWorld world;
  std::uint32_t epoch = 0;
  Position last;
};

TEST_F(EvidenceTest, streams_files_prove_that_there_was_a_segment_behind_theirs) {
  // 10 segments: the first eight are merged into one file, the ninth has its own.
  fill(10);
  remove_indexes(".summary");
  EXPECT_TRUE(verify_embedded_store("data", world.files));
  for (const std::size_t left : {9u, 8u, 7u}) {
    remove_last_segment();
    const std::string file = left == 9 || left == 8 ? "0000008-0000008.streams" : "0000000-0000007.streams";
    EXPECT_THAT(refusal(), HasSubstr("segment_missing: data/log has " + std::to_string(left) + " segments"));
    EXPECT_TRUE(world.files.exists("data/index/" + file).value()) << "who refuses removes no proof";
  }
  EXPECT_FALSE(open_embedded_store_to_read("data", world.platform()));
  remove_indexes(".streams");
  EXPECT_TRUE(open());
}

TEST_F(EvidenceTest, a_streams_file_that_is_damaged_or_of_another_store_proves_nothing) {
  fill(3);
  remove_indexes(".summary");
  remove_last_segment();
  EXPECT_THAT(refusal(), HasSubstr("0000001-0000001.streams"));
  const auto names = world.files.list("data/index").value();
  for (const std::string& name : names) {
    world.files.damage("data/index/" + name, [](std::string& bytes) { bytes[bytes.size() - 100] ^= 1; });
  }
  EXPECT_TRUE(verify_embedded_store("data", world.files));
  EXPECT_TRUE(open());
}

TEST_F(EvidenceTest, what_was_seen_flushed_of_the_last_epoch_must_be_there) {
  fill(1);
  ASSERT_EQ(last.value, 0u);
  {
    const auto store = open();
    for (int count = 0; count < 3; ++count) append(**store, 10);
    epoch = (*store)->cursor(Position{3}).epoch;
  }
  EXPECT_TRUE(open({{"data/checkpoints/audit", {epoch, Position{3}}}}));
  EXPECT_THAT(refusal({{"data/checkpoints/audit", {epoch, Position{4}}}}),
              HasSubstr("events_missing: the log ends at position 3, but data/checkpoints/audit tells of position 4"));
  EXPECT_TRUE(open({{"data/checkpoints/audit", {epoch + 1, Position{4}}}})) << "it is of another log";
  EXPECT_TRUE(open({{"data/checkpoints/audit", {}}}));
}

TEST_F(EvidenceTest, the_chain_passes_through_what_it_was_and_no_other) {
  fill(3);
  const auto first = verify_embedded_store("data", world.files);
  ASSERT_TRUE(first);
  const Anchor head{first->last, first->last_hash};
  {
    const auto store = open();
    append(**store, 10);
    append(**store, 10);
  }
  const auto second = verify_embedded_store("data", world.files, {.expected = {head}});
  ASSERT_TRUE(second) << second.error().message;
  const Anchor newer{second->last, second->last_hash};
  EXPECT_EQ(newer.position, head.position.plus(2));
  EXPECT_TRUE(verify_embedded_store("data", world.files, {.expected = {newer, head, head}}));

  for (const Anchor& wrong : {Anchor{head.position, newer.hash}, Anchor{newer.position, head.hash},
                              Anchor{newer.position.next(), newer.hash}, Anchor{Position{1}, head.hash}}) {
    const auto missed = verify_embedded_store("data", world.files, {.expected = {head, wrong, newer}});
    ASSERT_FALSE(missed) << wrong.to_text();
    EXPECT_EQ(missed.error().kind, ErrorKind::corrupt);
    EXPECT_EQ(missed.error().code, "anchor_missed");
    EXPECT_THAT(missed.error().message, HasSubstr("at position " + to_string(wrong.position)));
  }
}

TEST(Anchor, is_written_and_read_as_text) {
  Anchor anchor{Position{4711}};
  for (std::size_t at = 0; at < anchor.hash.size(); ++at) anchor.hash[at] = static_cast<std::uint8_t>(at * 9);
  const std::string text = anchor.to_text();
  EXPECT_THAT(text, HasSubstr("4711:0009121b24"));
  EXPECT_EQ(Anchor::from_text(text), anchor);
  EXPECT_FALSE(Anchor::from_text(""));
  EXPECT_FALSE(Anchor::from_text("4711"));
  EXPECT_FALSE(Anchor::from_text("0" + text.substr(4)));
  EXPECT_FALSE(Anchor::from_text("-1" + text.substr(4)));
  EXPECT_FALSE(Anchor::from_text(text + "0"));
  EXPECT_FALSE(Anchor::from_text(text.substr(0, text.size() - 1)));
  EXPECT_FALSE(Anchor::from_text(text.substr(0, text.size() - 1) + "g"));
  EXPECT_FALSE(Anchor::from_text("99999999999999999999" + text.substr(4)));
}

}  // namespace
}  // namespace annals::store
