#include "log/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/segment/format.hpp"
#include "log/segment/summary.hpp"
#include "log/test_log.hpp"

namespace annals::log {
namespace {

using testing::Contains;
using testing::HasSubstr;

constexpr std::string_view first_segment = "data/log/00000000000000000001.segment";

TEST(Log, groups_come_back_whole_and_in_order) {
  TestWorld world;
  auto log = must_open(world);
  ASSERT_EQ(log->summary().epochs.size(), 1u);
  ASSERT_TRUE(append(world, *log, {"a"}));
  const auto place = append(world, *log, {"b", "c"});
  ASSERT_TRUE(place);
  EXPECT_EQ(log->last(), Position{3});
  EXPECT_EQ(log->flushed(), Position{3});
  EXPECT_EQ(bodies_of(*log), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(bodies_of(*log, Position{2}), (std::vector<std::string>{"c"}));

  log.reset();
  std::vector<Position> firsts;
  log = must_open(world, [&](Place at, const GroupView& group) -> Result<> {
    firsts.push_back(group.first());
    if (group.first() == Position{2}) {
      EXPECT_EQ(at, *place);
    }
    return {};
  });
  EXPECT_TRUE(log->summary().clean);
  EXPECT_EQ(firsts, (std::vector<Position>{Position{1}, Position{2}}));
  auto reader = log->reader();
  const auto record = reader.at(*place, 0);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->position, Position{2});
  EXPECT_EQ(record->node_id, 7u);
  EXPECT_EQ(record->body, "b");
}

TEST(Log, opening_again_and_again_without_writing_writes_nothing) {
  TestWorld world;
  ASSERT_TRUE(append(world, *must_open(world), {"a"}));
  const auto before = platform::read_whole_file(world.files, std::string(first_segment), 1u << 20);
  for (int turn = 0; turn < 3; ++turn) (void)must_open(world);
  EXPECT_EQ(platform::read_whole_file(world.files, std::string(first_segment), 1u << 20), before);
}

TEST(Log, after_a_clean_stop_a_new_epoch_begins_with_the_first_group) {
  TestWorld world;
  ASSERT_TRUE(append(world, *must_open(world), {"a"}));
  for (int turn = 0; turn < 2; ++turn) {
    const auto log = must_open(world);
    ASSERT_EQ(log->summary().epochs.size(), 2u);  // what the opening before would have begun is forgotten
    EXPECT_EQ(log->summary().epochs[1].before, Position{1});
    EXPECT_NE(log->summary().epochs[1].number, log->summary().epochs[0].number);
  }
  auto log = must_open(world);
  const auto epochs = log->summary().epochs;
  ASSERT_TRUE(append(world, *log, {"b"}));
  ASSERT_TRUE(append(world, *log, {"c"}));
  log.reset();
  log = must_open(world);
  ASSERT_EQ(log->summary().epochs.size(), 3u);
  EXPECT_EQ(log->summary().epochs[1], epochs[1]);
  EXPECT_EQ(log->summary().epochs[2].before, Position{3});
  EXPECT_EQ(bodies_of(*log), (std::vector<std::string>{"a", "b", "c"}));
  log.reset();
  EXPECT_TRUE(verify_log(world.files, "data", {}));
}

TEST(Log, an_unclean_stop_begins_a_new_epoch_that_remembers_what_survived) {
  TestWorld world;
  auto log = must_open(world);
  ASSERT_TRUE(append(world, *log, {"a"}));
  world.files.kill_process();
  log.reset();
  log = must_open(world);
  ASSERT_EQ(log->summary().epochs.size(), 2u);
  EXPECT_FALSE(log->summary().clean);
  EXPECT_EQ(log->summary().epochs[1].before, Position{1});
  EXPECT_NE(log->summary().epochs[0].number, log->summary().epochs[1].number);
  EXPECT_THAT(world.log.lines(), Contains(HasSubstr("not closed cleanly")));
}

TEST(Log, stamps_never_step_back_with_the_clock) {
  TestWorld world;
  auto log = must_open(world);
  Batch& batch = log->start_batch();
  const Instant begin = world.clock.now();
  EXPECT_EQ(stage(world, batch, {"a", "b"})->created_at, begin);
  world.clock.set(Instant{5});
  EXPECT_EQ(stage(world, batch, {"c"})->created_at, begin.plus(Duration{2}));
  ASSERT_TRUE(log->commit(batch));
  log.reset();
  EXPECT_EQ(must_open(world)->summary().last_time, begin.plus(Duration{2}));
}

TEST(Log, a_group_that_fits_no_segment_is_too_large_and_the_batch_goes_on_without_it) {
  TestWorld world;
  auto log = must_open(world);
  Batch& batch = log->start_batch();
  ASSERT_TRUE(stage(world, batch, {"a"}));
  const std::size_t fits =
      segment_bytes_min - segment_header_bytes - segment_reserve_bytes - frame_header_bytes - record_header_bytes;
  const auto refused = stage(world, batch, {std::string(fits + 1, 'x')});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::too_large);
  EXPECT_EQ(stage(world, batch, {std::string(fits, 'y')})->first, Position{2});
  ASSERT_TRUE(log->commit(batch));
  EXPECT_EQ(bodies_of(*log), (std::vector<std::string>{"a", std::string(fits, 'y')}));
  log.reset();
  EXPECT_EQ(bodies_of(*must_open(world)).size(), 2u);
}

TEST(Log, it_goes_on_from_segment_to_segment_and_prepares_the_next_in_the_background) {
  TestWorld world;
  auto log = must_open(world);
  std::vector<std::string> bodies;
  std::vector<Place> places;
  bool prepared = false;
  for (int turn = 0; turn < 300; ++turn) {
    bodies.push_back(std::to_string(turn) + std::string(static_cast<std::size_t>(turn) * 7, 'x'));
    const auto place = append(world, *log, {bodies.back()});
    ASSERT_TRUE(place);
    places.push_back(*place);
    if (turn % 2 == 0) world.background.run_ready();
    prepared = prepared || world.files.exists("data/log/next.segment").value();
    world.clock.advance(std::chrono::milliseconds{10});
  }
  EXPECT_TRUE(prepared);
  EXPECT_GE(places.back().segment, 4u);
  EXPECT_EQ(bodies_of(*log), bodies);
  log.reset();
  EXPECT_FALSE(world.files.exists("data/log/next.segment").value());
  log = must_open(world);
  EXPECT_EQ(bodies_of(*log), bodies);
  auto reader = log->reader();
  for (std::size_t at = places.size(); at-- > 0;) {
    const auto record = reader.at(places[at], 0);
    ASSERT_TRUE(record);
    EXPECT_EQ(record->position, Position{at + 1});
  }
  const auto report = [&] {
    log.reset();
    return verify_log(world.files, "data", {});
  }();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->last, Position{300});
  EXPECT_EQ(report->groups, 300u);
  EXPECT_EQ(report->segments, places.back().segment + 1);
  EXPECT_TRUE(report->clean);
}

TEST(Log, a_task_that_prepares_a_segment_too_late_does_no_harm) {
  // The task runs while the segment that it was to prepare has been made by the append itself, but has no name yet: at
  // the flushes after the one that ends the making.
  TestWorld world;
  int flushes_since_made = 0;
  std::size_t tasks_run_late = 0;
  HookedFiles files(world.files, [&] {
    if (!world.files.exists("data/log/next.segment").value()) {
      flushes_since_made = 0;
    } else if (++flushes_since_made > 1) {
      tasks_run_late += world.background.run_ready();
    }
  });
  auto log = open_log({.directory = "data", .segment_bytes = segment_bytes_min},
                      {world.clock, world.random, files, world.log}, world.background, {});
  ASSERT_TRUE(log);
  for (int turn = 0; turn < 40; ++turn) ASSERT_TRUE(append(world, **log, {std::string(9000, 'x')})) << turn;
  EXPECT_GE(tasks_run_late, 3u);
  EXPECT_EQ(bodies_of(**log).size(), 40u);
  log->reset();
  world.background.run_ready();
  EXPECT_EQ(bodies_of(*must_open(world)).size(), 40u);
}

TEST(Log, the_marks_of_stops_openings_and_ends_find_room_however_full_a_segment_is) {
  for (std::size_t left = 0; left < 400; left += 8) {
    SCOPED_TRACE(left);
    TestWorld world;
    const std::size_t opened_at = segment_header_bytes + opened_frame_bytes;
    const std::string body(
        segment_bytes_min - segment_reserve_bytes - opened_at - left - frame_header_bytes - record_header_bytes, 'x');
    ASSERT_EQ(append(world, *must_open(world), {body})->segment, 0u);  // and a clean stop
    {
      auto log = must_open(world);
      EXPECT_TRUE(log->summary().clean);
      ASSERT_TRUE(append(world, *log, {"a"}));
    }
    {
      auto log = must_open(world);
      ASSERT_TRUE(append(world, *log, {"b"}));
      world.files.kill_process();
    }
    for (int turn = 0; turn < 3; ++turn) {
      auto log = must_open(world);  // each time with the mark of a new epoch
      EXPECT_EQ(bodies_of(*log), (std::vector<std::string>{body, "a", "b"}));
      world.files.kill_process();
    }
    EXPECT_EQ(must_open(world)->summary().epochs.size(), 7u);  // each opening that wrote, and this one
    EXPECT_TRUE(verify_log(world.files, "data", {}));
  }
}

TEST(Log, one_batch_may_fill_several_segments) {
  TestWorld world;
  auto log = must_open(world);
  Batch& batch = log->start_batch();
  for (int turn = 0; turn < 100; ++turn)
    ASSERT_TRUE(stage(world, batch, {std::string(5000, static_cast<char>('a' + turn % 26))}));
  ASSERT_TRUE(log->commit(batch));
  EXPECT_GE(batch.groups().back().place.segment, 7u);
  EXPECT_EQ(bodies_of(*log).size(), 100u);
  log.reset();
  EXPECT_EQ(bodies_of(*must_open(world)).size(), 100u);
}

TEST(Log, a_stretch_holds_the_boundary_of_a_time) {
  TestWorld world;
  auto log = must_open(world);
  EXPECT_TRUE(log->stretch_at(world.clock.now())->empty);
  const Instant begin = world.clock.now();
  for (int turn = 0; turn < 500; ++turn) {
    ASSERT_TRUE(append(world, *log, {std::string(700, 'x')}));
    world.clock.advance(std::chrono::seconds{1});
  }
  EXPECT_TRUE(log->stretch_at(begin.plus(Duration{-1}))->empty);
  for (int turn = 0; turn < 500; ++turn) {
    const auto stretch = log->stretch_at(begin.plus(std::chrono::seconds{turn})).value();
    ASSERT_FALSE(stretch.empty);
    EXPECT_LE(stretch.before.value, static_cast<std::uint64_t>(turn));
    EXPECT_GE(stretch.before.value + 64, static_cast<std::uint64_t>(turn));
    EXPECT_LT(stretch.begin, stretch.end);
  }
}

TEST(Log, a_directory_in_use_is_refused) {
  TestWorld world;
  const auto log = must_open(world);
  EXPECT_EQ(must_fail(world).kind, ErrorKind::conflict);
  EXPECT_EQ(verify_log(world.files, "data", {}).error().kind, ErrorKind::conflict);
}

TEST(Log, options_out_of_range_are_refused) {
  TestWorld world;
  for (const std::uint64_t bytes : {segment_bytes_min - 8, segment_bytes_max + 8, segment_bytes_min + 4}) {
    const auto log = open_log({.directory = "data", .segment_bytes = bytes}, world.platform(), world.background, {});
    ASSERT_FALSE(log);
    EXPECT_EQ(log.error().kind, ErrorKind::usage);
  }
}

TEST(Log, looking_at_a_directory_without_a_store_finds_none_and_makes_none) {
  TestWorld world;
  EXPECT_EQ(verify_log(world.files, "data", {}).error().kind, ErrorKind::not_found);
  EXPECT_EQ(open_log_to_read("data", world.platform(), {}).error().kind, ErrorKind::not_found);
  EXPECT_FALSE(world.files.exists("data").value());
}

TEST(Log, opening_to_read_changes_nothing_not_even_after_an_unclean_stop) {
  TestWorld world;
  auto log = must_open(world);
  ASSERT_TRUE(append(world, *log, {"a", "b"}));
  world.files.kill_process();
  log.reset();
  const auto before = platform::read_whole_file(world.files, std::string(first_segment), 1u << 20);
  {
    const auto reading = open_log_to_read("data", world.platform(), {});
    ASSERT_TRUE(reading);
    EXPECT_EQ(bodies_of(**reading), (std::vector<std::string>{"a", "b"}));
  }
  const auto report = verify_log(world.files, "data", {});
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->clean);
  EXPECT_FALSE(report->torn);
  EXPECT_EQ(platform::read_whole_file(world.files, std::string(first_segment), 1u << 20), before);
}

TEST(Log, damage_is_reported_with_its_file_and_byte) {
  TestWorld world;
  std::uint32_t offset = 0;
  {
    const auto log = must_open(world);
    ASSERT_TRUE(append(world, *log, {"a"}));
    offset = append(world, *log, {"b"})->offset;
    ASSERT_TRUE(append(world, *log, {"c"}));
  }
  world.files.damage(std::string(first_segment), [&](std::string& bytes) { bytes[offset + 99] ^= 1; });
  const Error error = must_fail(world);
  EXPECT_EQ(error.kind, ErrorKind::corrupt);
  EXPECT_THAT(error.message, HasSubstr(std::string(first_segment) + " is damaged at byte " + std::to_string(offset)));
  EXPECT_EQ(verify_log(world.files, "data", {}).error(), error);
}

TEST(Log, damage_under_an_open_log_is_never_given_out) {
  TestWorld world;
  const auto log = must_open(world);
  const auto place = append(world, *log, {"a"});
  ASSERT_TRUE(append(world, *log, {"b"}));
  world.files.damage(std::string(first_segment), [&](std::string& bytes) { bytes[place->offset + 96] ^= 1; });
  auto reader = log->reader();
  EXPECT_EQ(reader.at(*place, 0).error().kind, ErrorKind::corrupt);
  Chunks chunks;
  int groups = 0;
  const auto read = log->read(Position{}, Position{2}, 0, chunks, [&](const GroupView&) { return ++groups > 0; });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::corrupt);
  EXPECT_EQ(groups, 0);
}

TEST(Log, a_missing_file_is_damage) {
  for (const char* missing : {"data/STORE", "data/log/00000000000000000001.segment", "second"}) {
    TestWorld world;
    std::string second;
    {
      const auto log = must_open(world);
      for (int turn = 0; turn < 20; ++turn) ASSERT_TRUE(append(world, *log, {std::string(9000, 'x')}));
    }
    const auto names = world.files.list("data/log");
    ASSERT_GE(names->size(), 3u);
    const std::string path = missing == std::string_view("second") ? "data/log/" + names->at(1) : missing;
    ASSERT_TRUE(world.files.remove(path));
    EXPECT_EQ(must_fail(world).kind, ErrorKind::corrupt) << path;
  }
}

/// Fills segments until there are `count`, and writes their summaries.
void fill(TestWorld& world, Log& log, std::uint32_t count) {
  while (log.segments() < count) ASSERT_TRUE(append(world, log, {std::string(20'000, 'x')}));
  world.background.run_ready();
}

TEST(Log, a_missing_last_segment_is_damage_because_a_summary_proves_that_it_was_there) {
  TestWorld world;
  {
    const auto log = must_open(world);
    fill(world, *log, 4);
  }
  const auto segments = world.files.list("data/log").value();
  ASSERT_EQ(segments.size(), 4u);
  // The last one, and then the one before it too.
  for (std::size_t left = 3; left >= 2; --left) {
    ASSERT_TRUE(world.files.remove("data/log/" + segments[left]));
    const Error error = must_fail(world);
    EXPECT_EQ(error.kind, ErrorKind::corrupt);
    EXPECT_EQ(error.code, "segment_missing");
    EXPECT_THAT(error.message, HasSubstr("data/log/" + segments[3] + " is missing"));
    EXPECT_THAT(error.message, HasSubstr("data/log/" + segments[left - 1]));
    EXPECT_EQ(verify_log(world.files, "data", {}).error(), error);
    EXPECT_EQ(open_log_to_read("data", world.platform(), {}).error(), error);
    EXPECT_EQ(world.files.list("data/index").value().size(), 3u) << "who refuses removes no proof";
  }
  // Whoever means it says so by taking the proof away.
  const auto proofs = world.files.list("data/index").value();
  for (const std::string& name : proofs) ASSERT_TRUE(world.files.remove("data/index/" + name));
  EXPECT_NE(must_open(world), nullptr);
}

TEST(Log, an_older_copy_of_the_last_segment_is_refused_once_it_had_been_sealed) {
  TestWorld world;
  std::string copy;
  {
    const auto log = must_open(world);
    ASSERT_TRUE(append(world, *log, {"a"}));
  }
  copy = platform::read_whole_file(world.files, std::string(first_segment), 1u << 20).value();
  {
    const auto log = must_open(world);
    fill(world, *log, 2);
  }
  ASSERT_TRUE(world.files.remove("data/log/" + world.files.list("data/log").value().back()));
  world.files.damage(std::string(first_segment), [&](std::string& bytes) { bytes = copy; });
  EXPECT_EQ(must_fail(world).code, "segment_missing");
}

TEST(Log, a_summary_of_another_store_or_another_life_of_the_segment_proves_nothing) {
  TestWorld world;
  {
    const auto log = must_open(world);
    fill(world, *log, 2);
  }
  const std::string summary = "data/index/" + summary_name(Position{1});
  const std::string bytes = platform::read_whole_file(world.files, summary, 1u << 20).value();
  TestWorld other(2);
  {
    const auto log = must_open(other);
    ASSERT_TRUE(append(other, *log, {"a"}));
  }
  ASSERT_TRUE(other.files.create_directories("data/index"));
  ASSERT_TRUE(platform::replace_file(other.files, summary, bytes));
  EXPECT_TRUE(verify_log(other.files, "data", {}));
  EXPECT_NE(must_open(other), nullptr);
}

TEST(Log, a_next_segment_that_lost_what_was_not_flushed_is_there_whenever_power_fails_again) {
  using Files = platform::SimulatedFileSystem;
  bool failed = true;
  std::uint64_t fault = 1;
  for (; failed; ++fault) {
    SCOPED_TRACE(fault);
    TestWorld world;
    const LogOptions options{.directory = "data", .segment_bytes = segment_bytes_min, .flush_each_commit = false};
    {
      const auto log = open_log(options, world.platform(), world.background, {});
      ASSERT_TRUE(log);
      fill(world, **log, 2);
      ASSERT_TRUE(world.files.exists("data/index/" + summary_name(Position{1})).value());
      platform::SimulatedRandom dice(fault);
      world.files.crash(Files::Survival::nothing, dice);
    }
    ASSERT_EQ(world.files.list("data/log").value().size(), 2u);
    world.files.fault_at(world.files.steps() + fault, Files::Fault::power_loss);
    failed = !open_log(options, world.platform(), world.background, {});
    platform::SimulatedRandom dice(fault);
    world.files.crash(Files::Survival::some_sectors, dice);
    const auto log = open_log(options, world.platform(), world.background, {});
    ASSERT_TRUE(log) << log.error().message;
  }
  EXPECT_GT(fault, 4u) << "some steps were tried";
}

TEST(Log, a_sealed_last_segment_has_no_summary_before_the_next_is_durable) {
  // Power fails at every step of filling a segment and beginning the next, and again at every step of the opening
  // behind that: a segment is never called missing.
  using Files = platform::SimulatedFileSystem;
  const auto fill_one = [](TestWorld& world) {
    const auto log =
        open_log({.directory = "data", .segment_bytes = segment_bytes_min}, world.platform(), world.background, {});
    if (!log) return;
    for (int turn = 0; turn < 5; ++turn) {
      if (!append(world, **log, {std::string(20'000, 'x')})) return;
      world.background.run_ready();
    }
  };
  std::uint64_t steps = 0;
  {
    TestWorld world;
    fill_one(world);
    steps = world.files.steps();
  }
  for (std::uint64_t first = 1; first <= steps; ++first) {
    for (std::uint64_t second = 1; second < 30; second += 3) {
      TestWorld world;
      world.files.fault_at(first, Files::Fault::power_loss);
      fill_one(world);
      platform::SimulatedRandom dice(first * 100 + second);
      world.files.crash(Files::Survival::some_sectors, dice);
      world.files.fault_at(world.files.steps() + second, Files::Fault::power_loss);
      fill_one(world);
      world.files.crash(Files::Survival::some_sectors, dice);
      const auto log =
          open_log({.directory = "data", .segment_bytes = segment_bytes_min}, world.platform(), world.background, {});
      ASSERT_TRUE(log) << first << " " << second << ": " << log.error().message;
    }
  }
}

TEST(Log, whoever_looks_at_a_directory_hears_of_missing_files_as_who_serves_does) {
  TestWorld world;
  {
    const auto log = must_open(world);
    ASSERT_TRUE(append(world, *log, {"a"}));
  }
  ASSERT_TRUE(world.files.remove("data/STORE"));
  EXPECT_EQ(must_fail(world).kind, ErrorKind::corrupt);
  EXPECT_EQ(verify_log(world.files, "data", {}).error(), must_fail(world));
  EXPECT_EQ(open_log_to_read("data", world.platform(), {}).error(), must_fail(world));
}

/// The bytes of the last segment of a small log, where its frames end, and what `verify_log` says of it.
struct Stopped {
  TestWorld world;
  std::size_t end = 0;

  explicit Stopped(std::size_t records) {
    {
      const auto log = must_open(world);
      for (std::size_t at = 0; at < records; ++at) EXPECT_TRUE(append(world, *log, {"body"}));
    }
    end = segment_header_bytes + opened_frame_bytes + records * padded(frame_header_bytes + record_header_bytes + 4) +
          end_frame_bytes;
  }

  void flip(std::size_t bit) {
    world.files.damage(std::string(first_segment),
                       [&](std::string& all) { all[bit / 8] = static_cast<char>(all[bit / 8] ^ (1 << (bit % 8))); });
  }
};

TEST(Log, a_flipped_bit_of_the_mark_of_a_clean_stop_or_of_the_zeros_behind_is_told_from_what_a_crash_leaves) {
  for (const std::size_t records : {0u, 1u, 3u}) {
    Stopped stopped(records);
    std::size_t told = 0;
    std::size_t bits = 0;
    for (std::size_t bit = (stopped.end - end_frame_bytes) * 8; bit < (stopped.end + 512) * 8; ++bit, ++bits) {
      SCOPED_TRACE("bit " + std::to_string(bit) + " with " + std::to_string(records) + " records");
      stopped.flip(bit);
      const auto report = verify_log(stopped.world.files, "data", {});
      ASSERT_TRUE(report) << report.error().message;
      EXPECT_TRUE(report->torn);
      // Of what could be the beginning of a frame nobody can tell.
      const bool may_be_a_beginning = bit / 8 >= stopped.end && bit / 8 < stopped.end + 8;
      EXPECT_FALSE(may_be_a_beginning && report->blemish);
      if (report->blemish) {
        ++told;
        EXPECT_EQ(report->blemish->kind, ErrorKind::corrupt);
        EXPECT_THAT(report->blemish->message, HasSubstr("damaged at byte " + std::to_string(bit / 8) + ":"));
      }
      stopped.flip(bit);
    }
    // A few bits of the mark are like its beginning alone: those that make zero what only zeros follow.
    EXPECT_GE(told, bits - 8 * 8 - 8);
    EXPECT_LE(told, bits - 8 * 8);
    const auto report = verify_log(stopped.world.files, "data", {});
    ASSERT_TRUE(report);
    EXPECT_TRUE(report->clean);
    EXPECT_FALSE(report->blemish);
  }
}

TEST(Log, a_blemish_is_mended_by_the_next_opening_which_says_so) {
  Stopped stopped(2);
  stopped.flip((stopped.end + 100) * 8);
  {
    EXPECT_EQ(bodies_of(*must_open(stopped.world)).size(), 2u);
  }
  EXPECT_THAT(stopped.world.log.lines(), Contains(HasSubstr("mended")));
  const auto report = verify_log(stopped.world.files, "data", {});
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->clean);
}

TEST(Log, a_segment_of_another_store_is_damage) {
  TestWorld world;
  TestWorld other(2);
  {
    const auto log = must_open(world);
  }
  {
    const auto log = must_open(other);
  }
  const auto foreign = platform::read_whole_file(other.files, std::string(first_segment), 1u << 20);
  world.files.damage(std::string(first_segment), [&](std::string& bytes) { bytes = *foreign; });
  EXPECT_THAT(must_fail(world).message, HasSubstr("another store"));
}

TEST(Log, a_frame_that_a_client_put_into_a_body_is_not_taken_for_one) {
  // The body is what a client who knows everything but the salt would write: a frame for the next position, at the
  // right offset, that calls everything before it flushed.
  TestWorld world;
  auto log = must_open(world);
  const auto place = append(world, *log, {"a"});
  const std::uint64_t inside =
      place->offset + frame_header_bytes + record_header_bytes + 8 + frame_header_bytes + record_header_bytes;
  const std::string fake = encode_end(FrameKind::clean_stop, Position{9}, hash_of_nothing, inside, 0);
  ASSERT_TRUE(append(world, *log, {fake}));
  world.files.kill_process();
  log.reset();
  // Now the real frame is torn, so that the search for proof of damage meets the fake one.
  world.files.damage(std::string(first_segment), [&](std::string& bytes) { bytes[inside - 50] ^= 1; });
  log = must_open(world);
  EXPECT_EQ(bodies_of(*log), (std::vector<std::string>{"a"}));
}

TEST(Log, a_failed_flush_ends_all_writing_and_says_why) {
  TestWorld world;
  auto log = must_open(world);
  ASSERT_TRUE(append(world, *log, {"a"}));
  EXPECT_EQ(log->flush_report().ok, true);
  world.files.fault_at(world.files.steps() + 2, platform::SimulatedFileSystem::Fault::fail_cleanly);
  EXPECT_EQ(append(world, *log, {"b"}).error().kind, ErrorKind::unavailable);
  EXPECT_EQ(log->flush_report().ok, false);
  EXPECT_THAT(log->failure().value(), HasSubstr("restarted"));
  const auto steps = world.files.steps();
  EXPECT_EQ(append(world, *log, {"c"}).error().kind, ErrorKind::unavailable);
  EXPECT_EQ(log->flush().error().kind, ErrorKind::unavailable);
  EXPECT_EQ(world.files.steps(), steps);
  EXPECT_EQ(bodies_of(*log), (std::vector<std::string>{"a"}));
}

TEST(Log, no_crash_leaves_what_verify_calls_a_blemish) {
  const auto run = [](TestWorld& world) {
    for (int life = 0; life < 2; ++life) {
      auto log =
          open_log({.directory = "data", .segment_bytes = segment_bytes_min}, world.platform(), world.background, {});
      if (!log) return;
      for (int turn = 0; turn < 3; ++turn) {
        if (!append(world, **log, {std::string(200, 'x')})) return;
      }
    }
  };
  TestWorld whole;
  run(whole);
  using Survival = platform::SimulatedFileSystem::Survival;
  std::size_t torn = 0;
  for (std::uint64_t step = 1; step <= whole.files.steps(); ++step) {
    for (const Survival survival : {Survival::some_sectors, Survival::a_prefix}) {
      for (std::uint64_t seed = 0; seed < 16; ++seed) {
        TestWorld world;
        world.files.fault_at(step, platform::SimulatedFileSystem::Fault::power_loss);
        run(world);
        platform::SimulatedRandom dice(seed * 1'000'003 + step);
        world.files.crash(survival, dice);
        const auto report = verify_log(world.files, "data", {});
        if (!report) {
          EXPECT_EQ(report.error().kind, ErrorKind::not_found) << report.error().message;
          continue;
        }
        torn += report->torn;
        EXPECT_FALSE(report->blemish) << report->blemish->message << " at step " << step << ", dice seed " << seed;
      }
    }
  }
  EXPECT_GE(torn, 30u);
}

}  // namespace
}  // namespace annals::log
