// Every bit of a small store is flipped, one at a time: it is refused, or it does no harm.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/fault/workload.hpp"

namespace annals::fault {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t damage_seed = 8;

struct SmallStore {
  log::TestWorld world{damage_seed};
  Workload workload;

  /// With `calls` calls in it, cleanly stopped.
  explicit SmallStore(std::size_t calls) : workload(make_workload(damage_seed, calls)) {
    Session session(world);
    EXPECT_EQ(session.run(workload, 0), workload.groups.size());
  }

  [[nodiscard]] std::string bytes(const std::string& path) const {
    return platform::read_whole_file(world.files, path, 1u << 20).value();
  }
  void flip(const std::string& path, std::size_t bit) {
    world.files.damage(path,
                       [&](std::string& all) { all[bit / 8] = static_cast<char>(all[bit / 8] ^ (1 << (bit % 8))); });
  }
};

enum class Verdict { refused, harmless };

/// What becomes of the store with one bit flipped. Looks only: verify and opening to read see what opening to serve
/// sees before it changes anything.
Verdict judge(SmallStore& store) {
  const auto report = store::verify_embedded_store("data", store.world.files);
  const auto opened = store::open_embedded_store_to_read("data", store.world.platform());
  EXPECT_EQ(report.has_value(), opened.has_value());
  if (!opened) {
    EXPECT_EQ(report.error().kind, ErrorKind::corrupt);
    EXPECT_EQ(opened.error(), report.error());
    EXPECT_THAT(report.error().message, HasSubstr("data/"));
    EXPECT_THAT(report.error().message, HasSubstr("is damaged at byte"));
    return Verdict::refused;
  }
  const auto content = read_everything(**opened);
  EXPECT_TRUE(content && groups_in(*content, store.workload) == store.workload.groups.size());
  return Verdict::harmless;
}

/// Opening to serve, which repairs, so the store is spent afterwards.
Verdict serve(SmallStore& store) {
  const Session session(store.world);
  if (session.is_open()) {
    const auto content = read_everything(const_cast<Session&>(session).store());
    EXPECT_TRUE(content && groups_in(*content, store.workload) == store.workload.groups.size());
    return Verdict::harmless;
  }
  EXPECT_EQ(session.open_error().kind, ErrorKind::corrupt);
  return Verdict::refused;
}

/// What becomes of a store whose damage lies in a sealed segment: verify, which reads everything, refuses it; opening
/// may not look there, but then whoever reads what was damaged is refused, and all else is right.
void expect_refused_by_verify_and_never_given_out(SmallStore& store) {
  const auto report = store::verify_embedded_store("data", store.world.files);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorKind::corrupt);
  EXPECT_THAT(report.error().message, HasSubstr("is damaged at byte"));
  const auto opened = store::open_embedded_store_to_read("data", store.world.platform());
  if (!opened) {
    EXPECT_EQ(opened.error().kind, ErrorKind::corrupt);
    return;
  }
  std::map<std::string, std::vector<Recorded>> streams;
  for (const auto& group : store.workload.groups) {
    for (const Recorded& event : group) streams[event.stream].push_back(event);
  }
  for (const auto& [name, wanted] : streams) {
    for (std::size_t read = 0; read < wanted.size();) {
      const auto page = (*opened)->read_stream(name, StreamVersion{read + 1}, Direction::forward, {.events_max = 57});
      if (!page) {
        EXPECT_EQ(page.error().kind, ErrorKind::corrupt);
        break;
      }
      ASSERT_FALSE(page->events().empty());
      for (const EventView& event : page->events()) {
        EXPECT_EQ(event.version.value, read + 1);
        EXPECT_EQ(event.id, wanted[read].id);
        EXPECT_EQ(event.data, wanted[read].data);
        ++read;
      }
    }
  }
}

std::size_t end_of_content(const std::string& bytes) {
  return (bytes.find_last_not_of('\0') + 8) / 8 * 8;
}

TEST(Damage, no_flipped_bit_of_a_cleanly_stopped_store_passes_unseen_or_harms_an_event) {
  SmallStore store(4);
  const auto segments = store.world.files.list("data/log").value();
  ASSERT_EQ(segments.size(), 1u);
  const std::string segment = "data/log/" + segments.front();
  const std::size_t end = end_of_content(store.bytes(segment));
  constexpr std::size_t stop_mark_bytes = 88;

  std::size_t harmless = 0;
  for (const std::string& path : {std::string("data/STORE"), segment}) {
    const std::size_t bits = (path == segment ? end : store.bytes(path).size()) * 8;
    for (std::size_t bit = 0; bit < bits; ++bit) {
      SCOPED_TRACE("bit " + std::to_string(bit) + " of " + path);
      store.flip(path, bit);
      // Only the mark of the clean stop can be lost without harm: the log then ends as after an unclean one.
      const bool in_stop_mark = path == segment && bit / 8 >= end - stop_mark_bytes;
      EXPECT_EQ(judge(store), in_stop_mark ? Verdict::harmless : Verdict::refused);
      store.flip(path, bit);
      harmless += in_stop_mark;
      if (HasFailure()) return;
    }
  }
  EXPECT_EQ(harmless, stop_mark_bytes * 8);

  // A single bit in the zeros behind is no frame, and there is none behind it that could bear witness: all that it can
  // do is to make the stop look unclean. So all bits of this region fare alike, and a sample of them shows how.
  for (std::size_t bit = end * 8; bit < segment_bytes * 8; bit += 61) {
    SCOPED_TRACE("bit " + std::to_string(bit) + " of the zeros");
    store.flip(segment, bit);
    EXPECT_EQ(judge(store), Verdict::harmless);
    store.flip(segment, bit);
    if (HasFailure()) return;
  }
  EXPECT_EQ(judge(store), Verdict::harmless);
}

TEST(Damage, opening_to_serve_judges_flipped_bits_as_verify_does) {
  std::size_t end = 0;
  {
    SmallStore store(4);
    end = end_of_content(store.bytes("data/log/00000000000000000001.segment"));
  }
  for (std::size_t bit = 0; bit < (end + 1000) * 8; bit += 31) {
    SCOPED_TRACE("bit " + std::to_string(bit));
    SmallStore store(4);
    store.flip("data/log/00000000000000000001.segment", bit);
    const Verdict verdict = judge(store);
    EXPECT_EQ(serve(store), verdict);
    if (verdict == Verdict::harmless) expect_recovery(store.world, store.workload, store.workload.groups.size());
    if (HasFailure()) return;
  }
}

TEST(Damage, every_flipped_bit_of_a_sealed_segment_is_refused_by_verify_and_never_given_out) {
  SmallStore store(60);
  const auto segments = store.world.files.list("data/log").value();
  ASSERT_GE(segments.size(), 3u);
  const std::string sealed = "data/log/" + segments[1];
  const std::string last = "data/log/" + segments.back();
  for (const std::uint64_t bit : sampled(0, segment_bytes * 8, 53)) {
    SCOPED_TRACE("bit " + std::to_string(bit) + " of " + sealed);
    store.flip(sealed, bit);
    if (bit / 8 < 4096) {
      EXPECT_EQ(judge(store), Verdict::refused) << "opening reads the headers of all segments";
    } else {
      expect_refused_by_verify_and_never_given_out(store);
    }
    store.flip(sealed, bit);
    if (HasFailure()) return;
  }
  for (const std::uint64_t bit : sampled(0, 4096 * 8, 11)) {
    SCOPED_TRACE("bit " + std::to_string(bit) + " of " + last);
    store.flip(last, bit);
    EXPECT_EQ(judge(store), Verdict::refused);
    store.flip(last, bit);
    if (HasFailure()) return;
  }
  EXPECT_EQ(judge(store), Verdict::harmless);
}

TEST(Damage, after_a_crash_only_what_the_last_flush_wrote_may_be_cut_off) {
  // Killed, so without the mark of a clean stop; the last call's groups are what the last flush wrote.
  const Workload workload = make_workload(damage_seed, 6);
  log::TestWorld world(damage_seed);
  std::size_t acknowledged = 0;
  std::size_t begin_of_last = 0;
  const std::string segment = "data/log/00000000000000000001.segment";
  const auto bytes = [&] { return platform::read_whole_file(world.files, segment, 1u << 20).value(); };
  {
    Session session(world);
    const std::size_t before = session.run(workload, 0, 5);
    begin_of_last = end_of_content(bytes());
    acknowledged = session.run(workload, before);
    EXPECT_EQ(acknowledged, workload.groups.size());
    world.files.kill_process();
  }
  const std::size_t end = end_of_content(bytes());
  for (const std::uint64_t bit : sampled(0, end * 8, 3)) {
    SCOPED_TRACE("bit " + std::to_string(bit));
    const auto flip = [&] {
      world.files.damage(segment,
                         [&](std::string& all) { all[bit / 8] = static_cast<char>(all[bit / 8] ^ (1 << (bit % 8))); });
    };
    flip();
    const auto report = store::verify_embedded_store("data", world.files);
    if (bit / 8 < begin_of_last) {
      ASSERT_FALSE(report);
      EXPECT_EQ(report.error().kind, ErrorKind::corrupt);
    } else {
      ASSERT_TRUE(report) << report.error().message;
      EXPECT_TRUE(report->torn);
      EXPECT_GE(report->end, begin_of_last);
    }
    flip();
  }
  expect_recovery(world, workload, acknowledged);
}

}  // namespace
}  // namespace annals::fault
