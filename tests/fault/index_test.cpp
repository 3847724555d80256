// The indexes of sealed segments are not the truth: whatever becomes of their files, the answers are right, what was
// lost is made anew, and the log is not blamed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/fault/workload.hpp"

namespace annals::fault {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::uint64_t index_seed = 99;
const std::string folder = "data/index";

struct IndexedStore {
  log::TestWorld world{index_seed};
  Workload workload;

  /// Cleanly stopped, with all its indexes written.
  explicit IndexedStore(std::size_t calls) : workload(make_workload(index_seed, calls)) {
    Session session(world);
    EXPECT_EQ(session.run(workload, 0), workload.groups.size());
  }

  [[nodiscard]] std::vector<std::string> indexes() const { return world.files.list(folder).value(); }
  [[nodiscard]] std::string bytes(const std::string& name) const {
    return platform::read_whole_file(world.files, platform::join_path(folder, name), 1u << 24).value();
  }
  void flip(const std::string& name, std::size_t bit) {
    world.files.damage(platform::join_path(folder, name),
                       [&](std::string& all) { all[bit / 8] = static_cast<char>(all[bit / 8] ^ (1 << (bit % 8))); });
  }
  void put(const std::string& name, const std::string& content) {
    world.files.damage(platform::join_path(folder, name), [&](std::string& all) { all = content; });
  }
  void remove(const std::string& name) { ASSERT_TRUE(world.files.remove(platform::join_path(folder, name))); }
  [[nodiscard]] std::size_t segments() const { return world.files.list("data/log").value().size(); }
};

/// What a store says of streams, versions and times fits what it says of everything, and is the workload.
void expect_right_answers(const EventStore& store, const Workload& workload) {
  const auto content = read_everything(store);
  ASSERT_TRUE(content);
  ASSERT_EQ(groups_in(*content, workload), workload.groups.size());
  std::map<std::string, std::uint64_t> versions;
  for (std::size_t at = 0; at < content->events.size(); ++at) {
    const Recorded& event = content->events[at];
    versions[event.stream] = event.version;
    if (at % 7 != 0) continue;
    const Instant time = content->times[at];
    ASSERT_EQ(store.position_at(time), Position{at + 1});
    for (const auto& [name, version] : versions) ASSERT_EQ(store.version_at(name, time), StreamVersion{version});
    ASSERT_EQ(store.version_at(event.stream, time.plus(Duration{-1})), StreamVersion{event.version - 1});
  }
  for (const auto& [name, version] : versions) {
    ASSERT_EQ(store.stream_version(name), StreamVersion{version});
    std::uint64_t wanted = version;
    for (bool more = true; more; wanted -= std::min<std::uint64_t>(wanted, 5)) {
      const auto page = store.read_stream(name, StreamVersion{wanted}, Direction::backward, {.events_max = 5});
      ASSERT_TRUE(page) << page.error().message;
      ASSERT_EQ(page->events().size(), std::min<std::uint64_t>(wanted, 5));
      ASSERT_EQ(page->events().front().version, StreamVersion{wanted});
      more = page->more();
      ASSERT_EQ(more, wanted > 5);
    }
  }
  EXPECT_EQ(store.stream_version("config-unknown"), StreamVersion{0});
}

void expect_sound(IndexedStore& store) {
  const auto report = store::verify_embedded_store("data", store.world.files);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_THAT(report->index_faults, IsEmpty());
}

std::size_t count(const std::vector<std::string>& names, const std::string& ending) {
  return static_cast<std::size_t>(
      std::ranges::count_if(names, [&](const auto& name) { return name.ends_with(ending); }));
}

TEST(Index, has_a_summary_for_each_sealed_segment_and_a_logarithm_of_files_of_streams) {
  IndexedStore store(900);
  const std::size_t sealed = store.segments() - 1;
  ASSERT_GT(sealed, 20u);
  const auto names = store.indexes();
  EXPECT_EQ(count(names, ".summary"), sealed);
  EXPECT_EQ(count(names, ".streams"), (sealed - 1) / 8 + (sealed - 1) % 8 + 1);
  EXPECT_EQ(count(names, ".new"), 0u);
  expect_sound(store);
  Session session(store.world);
  ASSERT_TRUE(session.is_open());
  EXPECT_THAT(store.world.log.lines(), IsEmpty());
  expect_right_answers(session.store(), store.workload);
}

TEST(Index, says_what_it_takes_on_the_disk_and_of_memory) {
  IndexedStore store(900);
  std::uint64_t bytes = 0;
  for (const std::string& name : store.indexes()) bytes += store.bytes(name).size();
  Session session(store.world);
  ASSERT_TRUE(session.is_open());
  const StoreMetrics opened = session.store().metrics();
  EXPECT_EQ(opened.index_bytes, bytes);
  EXPECT_GT(opened.index_memory_bytes, 0u);
  expect_right_answers(session.store(), store.workload);
  const StoreMetrics asked = session.store().metrics();
  EXPECT_EQ(asked.index_bytes, bytes);
  EXPECT_GT(asked.index_memory_bytes, opened.index_memory_bytes) << "pages that were read are kept";
  EXPECT_LT(asked.index_memory_bytes, bytes + (1u << 20));
}

TEST(Index, has_on_the_disk_what_it_says_while_segments_are_sealed) {
  log::TestWorld world(index_seed);
  const Workload workload = make_workload(index_seed, 300);
  Session session(world);
  ASSERT_EQ(session.run(workload, 0), workload.groups.size());
  std::uint64_t bytes = 0;
  const std::vector<std::string> names = world.files.list(folder).value();
  for (const std::string& name : names) {
    bytes += platform::read_whole_file(world.files, platform::join_path(folder, name), 1u << 24).value().size();
  }
  EXPECT_GT(bytes, 0u);
  EXPECT_EQ(session.store().metrics().index_bytes, bytes);
}

TEST(Index, is_merged_in_levels_as_the_log_grows) {
  IndexedStore store(2'800);
  ASSERT_GT(store.segments(), 66u);
  EXPECT_THAT(store.indexes(), Contains("0000000-0000063.streams"));
  EXPECT_LE(count(store.indexes(), ".streams"), 16u);
  expect_sound(store);
  Session session(store.world);
  ASSERT_TRUE(session.is_open());
  const auto content = read_everything(session.store());
  ASSERT_TRUE(content);
  EXPECT_EQ(groups_in(*content, store.workload), store.workload.groups.size());
}

TEST(Index, lets_opening_look_at_the_open_segment_only) {
  IndexedStore store(120);
  // What lies between the header and the seal of a sealed segment is read by nobody who opens.
  const std::string first = "data/log/" + store.world.files.list("data/log").value().front();
  store.world.files.damage(first, [](std::string& all) { all[30'000] = static_cast<char>(all[30'000] ^ 1); });
  {
    const Session session(store.world);
    EXPECT_TRUE(session.is_open());
  }
  // Nor when its index is gone: then it is found by who makes that anew, and told to whoever looks after the server.
  for (const std::string& name : store.indexes()) store.remove(name);
  Session session(store.world);
  ASSERT_TRUE(session.is_open());
  EXPECT_EQ(session.store().status().damaged_reads, 0u);
  store.world.background.run_ready();
  EXPECT_GT(session.store().status().damaged_reads, 0u);
  EXPECT_THAT(store.world.log.lines(), Contains(HasSubstr("a segment cannot be read to make its index")));
  const auto unknown = session.store().stream_version("config-unknown");
  ASSERT_FALSE(unknown) << "it may be in the segment that cannot be read";
  EXPECT_EQ(unknown.error().kind, ErrorKind::corrupt);
}

TEST(Index, of_which_any_files_are_deleted_is_made_anew_and_answers_are_right_meanwhile) {
  IndexedStore store(700);
  const auto all = store.indexes();
  std::map<std::string, std::string> contents;
  for (const std::string& name : all) contents[name] = store.bytes(name);
  platform::SimulatedRandom dice(index_seed);
  for (int turn = 0; turn < 40; ++turn) {
    SCOPED_TRACE(turn);
    std::size_t deleted = 0;
    for (const std::string& name : store.indexes()) {
      if (turn > 0 && dice.below(3) != 0) continue;
      store.remove(name);
      ++deleted;
    }
    const std::size_t lines = store.world.log.lines().size();
    {
      Session session(store.world);
      ASSERT_TRUE(session.is_open());
      // Every other time nobody asks before the background is done.
      if (turn % 2 == 0) store.world.background.run_ready();
      expect_right_answers(session.store(), store.workload);
      store.world.background.run_ready();
      expect_right_answers(session.store(), store.workload);
    }
    EXPECT_LE(store.world.log.lines().size(), lines + 4)
        << "two lines for each kind of index, and not " << testing::PrintToString(store.world.log.lines());
    EXPECT_EQ(store.world.log.lines().size() > lines, deleted > 0);
    expect_sound(store);
    EXPECT_EQ(count(store.indexes(), ".summary"), count(all, ".summary"));
    if (HasFailure()) return;
  }
  for (const std::string& name : store.indexes()) {
    if (name.ends_with(".summary")) {
      EXPECT_EQ(store.bytes(name), contents[name]);
    }
  }
}

TEST(Index, all_of_which_is_deleted_under_a_running_store_is_not_missed) {
  IndexedStore store(300);
  const Workload longer = make_workload(index_seed, 700);
  {
    Session session(store.world);
    ASSERT_TRUE(session.is_open());
    for (const std::string& name : store.indexes()) store.remove(name);
    expect_right_answers(session.store(), store.workload);
    EXPECT_EQ(session.run(longer, store.workload.groups.size()), longer.groups.size());
    expect_right_answers(session.store(), longer);
  }
  expect_sound(store);
  {
    Session session(store.world);
    ASSERT_TRUE(session.is_open());
    store.world.background.run_ready();
    expect_right_answers(session.store(), longer);
  }
  EXPECT_EQ(count(store.indexes(), ".summary"), store.segments() - 1);
  expect_sound(store);
}

TEST(Index, of_which_files_are_deleted_comes_back_while_the_store_is_served) {
  for (const std::uint64_t part : {1u, 2u, 3u}) {  // every file, every second one, every third one
    IndexedStore store(300);
    Session session(store.world);
    ASSERT_TRUE(session.is_open());
    store.world.background.run_ready();
    session.store().check_place();  // nothing is missing
    store.world.background.run_ready();
    EXPECT_THAT(store.world.log.lines(), Not(Contains(HasSubstr("deleted"))));

    const std::vector<std::string> before = store.indexes();
    for (std::size_t at = 0; at < before.size(); at += part) store.remove(before[at]);
    for (int second = 0; second < 10; ++second) session.store().check_place();
    store.world.background.run_ready();
    const auto lines = store.world.log.lines();
    EXPECT_THAT(lines, Contains(HasSubstr("indexes of the log were deleted")));
    EXPECT_THAT(lines, Contains(HasSubstr("indexes of streams were deleted")));
    EXPECT_EQ(count(store.indexes(), ".summary"), store.segments() - 1);
    EXPECT_EQ(store.indexes(), before);
    expect_right_answers(session.store(), store.workload);
    session.close();
    expect_sound(store);
  }
}

TEST(Index, of_which_any_bit_is_flipped_is_noticed_by_verify_and_gives_right_answers_and_comes_back) {
  IndexedStore store(120);
  ASSERT_GE(store.segments(), 4u);
  for (const std::string& name : store.indexes()) {
    const std::string good = store.bytes(name);
    for (const std::uint64_t bit : sampled(0, good.size() * 8, name.ends_with(".summary") ? 31 : 331)) {
      SCOPED_TRACE("bit " + std::to_string(bit) + " of " + name);
      store.flip(name, bit);
      const auto report = store::verify_embedded_store("data", store.world.files);
      ASSERT_TRUE(report) << report.error().message;
      EXPECT_THAT(report->index_faults, ElementsAre(HasSubstr(name)));
      const auto opened = store::open_embedded_store_to_read("data", store.world.platform());
      ASSERT_TRUE(opened) << opened.error().message;
      const auto content = read_everything(**opened);
      EXPECT_TRUE(content && groups_in(*content, store.workload) == store.workload.groups.size());
      store.put(name, good);
      if (HasFailure()) return;
    }
  }
}

TEST(Index, of_which_a_bit_is_flipped_is_mended_by_who_serves_and_reads_it) {
  for (const bool at_rest : {true, false}) {
    IndexedStore store(420);
    for (const std::string& name : store.indexes()) {
      const std::string good = store.bytes(name);
      for (const std::uint64_t bit : sampled(3, good.size() * 8, good.size() * 8 / 6)) {
        SCOPED_TRACE("bit " + std::to_string(bit) + " of " + name + (at_rest ? " at rest" : " while it is open"));
        const std::size_t lines = store.world.log.lines().size();
        if (at_rest) store.flip(name, bit);
        {
          Session session(store.world);
          ASSERT_TRUE(session.is_open()) << session.open_error().message;
          if (!at_rest) store.flip(name, bit);
          expect_right_answers(session.store(), store.workload);
          store.world.background.run_ready();
          expect_right_answers(session.store(), store.workload);
        }
        const bool told = store.world.log.lines().size() > lines;
        const auto report = store::verify_embedded_store("data", store.world.files);
        ASSERT_TRUE(report) << report.error().message;
        // What nobody has read is not noticed yet: a footer after opening, and marks of no interest.
        const bool in_footer = bit / 8 >= good.size() - 4096;
        if (told) {
          EXPECT_THAT(report->index_faults, IsEmpty());
        }
        if (name.ends_with(".streams") && (at_rest || !in_footer)) {
          EXPECT_TRUE(told);
        }
        for (const std::string& now : store.indexes()) EXPECT_FALSE(now.ends_with(".new"));
        if (!told) store.put(name, good);
        if (HasFailure()) return;
        if (!store.world.files.exists(platform::join_path(folder, name)).value())
          break;  // it was merged away meanwhile
      }
    }
  }
}

TEST(Index, of_other_segments_or_another_store_is_not_believed) {
  IndexedStore store(420);
  const auto names = store.indexes();
  for (const std::string& name : names) {
    SCOPED_TRACE(name);
    log::TestWorld other(index_seed + 1);
    const Workload workload = store.workload;
    {
      Session session(other);
      ASSERT_EQ(session.run(workload, 0), workload.groups.size());
    }
    if (!other.files.exists(platform::join_path(folder, name)).value()) continue;
    other.files.damage(platform::join_path(folder, name), [&](std::string& all) { all = store.bytes(name); });
    const auto report = store::verify_embedded_store("data", other.files);
    ASSERT_TRUE(report);
    EXPECT_THAT(report->index_faults, ElementsAre(HasSubstr(name)));
    Session session(other);
    ASSERT_TRUE(session.is_open());
    EXPECT_THAT(other.log.lines(), Contains(HasSubstr(name)));
    expect_right_answers(session.store(), workload);
  }
}

TEST(Index, is_not_written_by_who_only_reads) {
  IndexedStore store(300);
  for (const std::string& name : store.indexes()) {
    if (name.starts_with("0000000")) store.remove(name);
  }
  const auto before = store.indexes();
  const std::uint64_t steps = store.world.files.steps();
  {
    const auto opened = store::open_embedded_store_to_read("data", store.world.platform());
    ASSERT_TRUE(opened);
    expect_right_answers(**opened, store.workload);
    store.world.background.run_ready();
  }
  expect_sound(store);
  EXPECT_EQ(store.world.files.steps(), steps);
  EXPECT_EQ(store.indexes(), before);
}

TEST(Index, of_a_segment_that_was_just_sealed_is_read_back_from_its_file) {
  const Workload workload = make_workload(index_seed, 300);
  log::TestWorld world(index_seed);
  Session session(world);
  ASSERT_EQ(session.run(workload, 0), workload.groups.size());
  ASSERT_GT(count(world.files.list(folder).value(), ".summary"), 17u) << "more than are kept in memory";
  expect_right_answers(session.store(), workload);
  EXPECT_THAT(world.log.lines(), IsEmpty());
}

TEST(Index, leftovers_are_removed_by_the_next_opening) {
  IndexedStore store(300);
  for (const char* name : {"0000000-0000007.streams.new", "00000000000000000001.summary.new", "0000100-0000107.streams",
                           "00000000000000099999.summary"}) {
    const auto file = store.world.files.create(platform::join_path(folder, name));
    ASSERT_TRUE(file && (*file)->write_at(0, "half"));
  }
  const auto report = store::verify_embedded_store("data", store.world.files);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->index_faults.size(), 2u);
  {
    const Session session(store.world);
    ASSERT_TRUE(session.is_open());
  }
  EXPECT_EQ(count(store.indexes(), ".new"), 0u);
  EXPECT_THAT(store.indexes(), Not(Contains("0000100-0000107.streams")));
  EXPECT_THAT(store.indexes(), Not(Contains("00000000000000099999.summary")));
  expect_sound(store);
}

TEST(Index, half_built_at_any_crash_does_no_harm) {
  // Enough segments for a merge, and the power lost at every step from some time before it.
  const Workload workload = make_workload(index_seed, 420);
  std::uint64_t steps = 0;
  {
    log::TestWorld world(index_seed);
    Session session(world);
    ASSERT_EQ(session.run(workload, 0), workload.groups.size());
    ASSERT_THAT(world.files.list(folder).value(), Contains("0000000-0000007.streams"));
    session.close();
    steps = world.files.steps();
  }
  using Survival = platform::SimulatedFileSystem::Survival;
  constexpr Survival survivals[] = {Survival::nothing, Survival::everything, Survival::some_sectors,
                                    Survival::a_prefix};
  for (const std::uint64_t step : sampled(steps / 2, steps + 1)) {
    const Survival survival = survivals[step % 4];
    SCOPED_TRACE("power lost at step " + std::to_string(step));
    log::TestWorld world(index_seed);
    world.files.fault_at(step, platform::SimulatedFileSystem::Fault::power_loss);
    std::size_t acknowledged = 0;
    {
      Session session(world);
      acknowledged = session.run(workload, 0);
    }
    platform::SimulatedRandom dice(step);
    world.files.crash(survival, dice);
    {
      // What was given its name is whole.
      const auto report = store::verify_embedded_store("data", world.files);
      ASSERT_TRUE(report) << report.error().message;
      EXPECT_THAT(report->index_faults, IsEmpty());
    }
    expect_recovery(world, workload, acknowledged);
    if (HasFailure()) return;
  }
}

TEST(Index, that_cannot_be_written_is_no_harm_and_is_written_later) {
  for (const auto fault :
       {platform::SimulatedFileSystem::Fault::fail_cleanly, platform::SimulatedFileSystem::Fault::short_write,
        platform::SimulatedFileSystem::Fault::fail_dirty}) {
    // All that happens in the background fails: a closed store is opened without its indexes, on a disk that refuses.
    IndexedStore store(420);
    for (const std::string& name : store.indexes()) store.remove(name);
    std::uint64_t first = 0;
    {
      Session session(store.world);
      ASSERT_TRUE(session.is_open());
      first = store.world.files.steps();
      for (std::uint64_t step = 1; step <= 40; ++step) store.world.files.fault_at(first + step, fault);
      store.world.background.run_ready();
      expect_right_answers(session.store(), store.workload);
      EXPECT_THAT(store.world.log.lines(), Contains(HasSubstr("could not be written")));
      EXPECT_TRUE(session.store().status().writable);
      // The disk recovers, so that the mark of the clean stop can be written.
      while (store.world.files.steps() < first + 40) (void)store.world.files.flush_directory("data");
    }
    expect_sound(store);
    {
      Session session(store.world);
      ASSERT_TRUE(session.is_open()) << session.open_error().message;
      store.world.background.run_ready();
      expect_right_answers(session.store(), store.workload);
    }
    expect_sound(store);
    EXPECT_EQ(count(store.indexes(), ".summary"), store.segments() - 1);
  }
}

/// For EventStore::limit_searches: no segment is read for a question at all.
constexpr Duration no_time{-1};

/// A right answer, or none.
template <class Answer, class Wanted>
bool is_right_or_refused(const Result<Answer>& answer, const Wanted& wanted) {
  if (answer) return *answer == wanted;
  return answer.error().kind == ErrorKind::unavailable && answer.error().code == "index_missing";
}

Group group_for(platform::Random& random, const std::string& stream, StreamVersion expected,
                std::optional<Position> known_at) {
  NewEvent event{.id = platform::make_uuid(Instant{0}, random),
                 .type = "ConfigValueSet",
                 .data = "{}",
                 .metadata = "{}",
                 .correlation_id = {},
                 .causation_id = std::nullopt};
  Group group;
  group.appends.push_back({stream, ExpectedVersion::exact(expected), {std::move(event)}, known_at});
  return group;
}

AppendResult append_one(EventStore& store, const Group& group) {
  std::optional<AppendResult> result;
  store.append(std::span(&group, 1), [&](std::vector<AppendResult> results) { result = std::move(results.front()); });
  return *std::move(result);
}

TEST(Index, that_is_missing_leaves_no_wrong_answer_to_who_must_not_wait_for_it) {
  IndexedStore store(300);
  const auto content = [&] {
    Session session(store.world);
    return *read_everything(session.store());
  }();
  std::map<std::string, std::uint64_t> versions;
  for (const Recorded& event : content.events) versions[event.stream] = event.version;
  for (const std::string& name : store.indexes()) store.remove(name);
  Session session(store.world);
  ASSERT_TRUE(session.is_open());
  EventStore& served = session.store();
  served.limit_searches(no_time);
  EXPECT_EQ(served.metrics().segments_unindexed, store.segments() - 1);
  std::size_t refused = 0;
  for (bool whole = false;; whole = true) {
    for (const auto& [name, version] : versions) {
      const auto newest = served.stream_version(name);
      EXPECT_TRUE(is_right_or_refused(newest, StreamVersion{version}));
      const auto first = served.read_stream(name, StreamVersion{1}, Direction::forward, {.events_max = 1});
      refused += !first;
      if (first) {
        ASSERT_EQ(first->events().size(), 1u);
        EXPECT_EQ(first->events()[0].version, StreamVersion{1});
      } else {
        EXPECT_EQ(first.error().code, "index_missing");
        EXPECT_FALSE(whole);
      }
      EXPECT_TRUE(is_right_or_refused(served.version_at(name, content.times.back()), StreamVersion{version}));
    }
    EXPECT_TRUE(is_right_or_refused(served.stream_version("config-unknown"), StreamVersion{0}));
    // What is found by its place or its time needs no index of streams.
    EXPECT_EQ(served.position_at(content.times[content.times.size() / 2]), Position{content.times.size() / 2 + 1});
    if (whole) break;
    EXPECT_GT(refused, 0u);
    store.world.background.run_ready();
  }
  EXPECT_EQ(served.metrics().segments_unindexed, 0u);
  EXPECT_EQ(served.status().damaged_reads, 0u) << "what is missing is not damage";
  EXPECT_EQ(served.stream_version("config-unknown"), StreamVersion{0});
  const auto lines = store.world.log.lines();
  EXPECT_THAT(lines, Contains(HasSubstr("segments are without an index of streams")));
  EXPECT_THAT(lines, Contains(HasSubstr("the indexes of streams have been made anew")));
}

TEST(Index, that_is_missing_is_not_needed_to_append_by_who_has_taken_in_all_events) {
  IndexedStore store(300);
  const Position end = [&] {
    Session session(store.world);
    return session.store().status().visible;
  }();
  std::map<std::string, std::uint64_t> versions;
  for (const auto& group : store.workload.groups) {
    for (const Recorded& event : group) versions[event.stream] = event.version;
  }
  versions["config-new"] = 0;
  for (const std::string& name : store.indexes()) store.remove(name);
  {
    Session session(store.world);
    ASSERT_TRUE(session.is_open());
    EventStore& served = session.store();
    served.limit_searches(no_time);
    platform::Random& random = store.world.random;
    const auto unknown = append_one(served, group_for(random, "config-new", {}, std::nullopt));
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().kind, ErrorKind::unavailable);
    EXPECT_EQ(unknown.error().code, "index_missing");
    const auto too_old = append_one(served, group_for(random, "config-new", {}, Position{5}));
    ASSERT_FALSE(too_old) << "what came after that the caller does not know";
    EXPECT_EQ(too_old.error().code, "index_missing");
    for (auto& [name, version] : versions) {
      const auto appended = append_one(served, group_for(random, name, StreamVersion{version}, end));
      ASSERT_TRUE(appended) << appended.error().message;
      EXPECT_EQ(appended->versions.front(), StreamVersion{++version});
      // What came after that is known to the store itself, whatever the caller says.
      const auto stale = append_one(served, group_for(random, name, StreamVersion{version - 1}, end));
      ASSERT_FALSE(stale);
      EXPECT_EQ(stale.error().kind, ErrorKind::conflict);
      EXPECT_TRUE(append_one(served, group_for(random, name, StreamVersion{version++}, end)));
    }
    EXPECT_TRUE(served.status().writable);
    store.world.background.run_ready();
    for (const auto& [name, version] : versions) EXPECT_EQ(served.stream_version(name), StreamVersion{version});
    // With an index the word of a caller counts for nothing.
    const auto wrong = append_one(served, group_for(random, "config-0", StreamVersion{7'777}, end.plus(1'000)));
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().kind, ErrorKind::conflict);
  }
  expect_sound(store);
}

TEST(Index, that_is_made_anew_while_questions_are_asked_takes_bounded_memory) {
  IndexedStore store(900);
  for (const std::string& name : store.indexes()) store.remove(name);
  Session session(store.world);
  ASSERT_TRUE(session.is_open());
  // Nothing runs in the background, so all that is kept for questions stays in memory.
  EXPECT_EQ(session.store().stream_version("config-unknown"), StreamVersion{0});
  expect_right_answers(session.store(), store.workload);
  EXPECT_GT(session.store().metrics().segments_unindexed, store.segments() - 10);
  store.world.background.run_ready();
  expect_right_answers(session.store(), store.workload);
  EXPECT_EQ(session.store().metrics().segments_unindexed, 0u);
}

TEST(Index, that_is_made_anew_when_power_fails_is_made_by_the_next_start) {
  IndexedStore store(300);
  const std::size_t acknowledged = store.workload.groups.size();
  platform::SimulatedRandom dice(index_seed);
  for (const std::uint64_t step : sampled(1, 200, 7)) {
    SCOPED_TRACE("power lost at step " + std::to_string(step));
    for (const std::string& name : store.indexes()) store.remove(name);
    {
      Session session(store.world);
      ASSERT_TRUE(session.is_open());
      store.world.files.fault_at(store.world.files.steps() + step, platform::SimulatedFileSystem::Fault::power_loss);
      store.world.background.run_ready();
    }
    store.world.files.crash(platform::SimulatedFileSystem::Survival::some_sectors, dice);
    EXPECT_EQ(expect_recovery(store.world, store.workload, acknowledged), acknowledged);
    {
      Session session(store.world);
      ASSERT_TRUE(session.is_open());
      store.world.background.run_ready();
      expect_right_answers(session.store(), store.workload);
    }
    expect_sound(store);
    EXPECT_EQ(count(store.indexes(), ".summary"), store.segments() - 1);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace annals::fault
