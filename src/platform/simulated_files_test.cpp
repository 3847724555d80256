// What SimulatedFileSystem does beyond platform/file_system.hpp: it loses power, lies, and fails on demand. (That it is
// a file system at all is proved in file_system_test.cpp.)

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "platform/simulated.hpp"

namespace annals::platform {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Fault = SimulatedFileSystem::Fault;
using Survival = SimulatedFileSystem::Survival;

constexpr std::size_t sector = 512;

class SimulatedFiles : public testing::Test {
 protected:
  SimulatedFiles() { EXPECT_TRUE(files_.create_directories("/d")); }

  /// A file that would survive a crash, with its name and what it holds.
  std::unique_ptr<File> make_durable(const std::string& path, std::string_view bytes) {
    auto file = files_.create(path).value();
    EXPECT_TRUE(file->write_at(0, bytes));
    EXPECT_TRUE(file->flush());
    EXPECT_TRUE(files_.flush_directory("/d"));
    return file;
  }
  void crash(Survival survival) { files_.crash(survival, dice_); }
  [[nodiscard]] std::string content(const std::string& path) {
    return read_whole_file(files_, path, 1u << 20).value_or("(cannot be read)");
  }
  [[nodiscard]] std::vector<std::string> names() { return files_.list("/d").value(); }
  static std::string code_of(const Result<>& result) { return result ? "success" : result.error().code; }

  SimulatedFileSystem files_;
  SimulatedRandom dice_{42};
};

// --- What was flushed
// ---------------------------------------------------------------------------------------------------

TEST_F(SimulatedFiles, what_was_flushed_survives_every_crash) {
  for (const Survival survival :
       {Survival::nothing, Survival::some_sectors, Survival::a_prefix, Survival::everything}) {
    const std::string path = "/d/" + std::to_string(static_cast<int>(survival));
    make_durable(path, std::string(2'000, 'x'));
    crash(survival);
    EXPECT_EQ(content(path), std::string(2'000, 'x'));
  }
}

TEST_F(SimulatedFiles, what_was_not_flushed_is_gone_when_nothing_survives) {
  const auto file = make_durable("/d/a", "old");
  EXPECT_TRUE(file->write_at(0, "new and longer"));
  EXPECT_EQ(content("/d/a"), "new and longer") << "the process sees what it wrote";
  crash(Survival::nothing);
  EXPECT_EQ(content("/d/a"), "old");
}

TEST_F(SimulatedFiles, everything_may_happen_to_be_written) {
  const auto file = make_durable("/d/a", "old");
  EXPECT_TRUE(file->write_at(0, "new"));
  EXPECT_TRUE(files_.create("/d/b"));
  EXPECT_TRUE(files_.rename("/d/b", "/d/c"));
  crash(Survival::everything);
  EXPECT_EQ(content("/d/a"), "new");
  EXPECT_THAT(names(), ElementsAre("a", "c"));
}

TEST_F(SimulatedFiles, a_flush_is_of_one_file_only) {
  const auto one = make_durable("/d/one", "old");
  const auto two = make_durable("/d/two", "old");
  EXPECT_TRUE(one->write_at(0, "new"));
  EXPECT_TRUE(two->write_at(0, "new"));
  EXPECT_TRUE(one->flush());
  crash(Survival::nothing);
  EXPECT_EQ(content("/d/one"), "new");
  EXPECT_EQ(content("/d/two"), "old");
}

// --- Sectors
// ------------------------------------------------------------------------------------------------------------

TEST_F(SimulatedFiles, each_sector_of_512_bytes_survives_or_not_by_itself) {
  std::set<std::string> outcomes;
  for (int round = 0; round < 200; ++round) {
    SimulatedFileSystem files;
    EXPECT_TRUE(files.create_directories("/d"));
    const auto file = files.create("/d/a").value();
    EXPECT_TRUE(file->write_at(0, std::string(3 * sector, 'o')));
    EXPECT_TRUE(file->flush());
    EXPECT_TRUE(files.flush_directory("/d"));
    EXPECT_TRUE(file->write_at(0, std::string(3 * sector, 'n')));
    files.crash(Survival::some_sectors, dice_);
    const std::string bytes = read_whole_file(files, "/d/a", 1u << 20).value();
    std::string outcome;
    for (std::size_t at = 0; at < 3; ++at) {
      const std::string piece = bytes.substr(at * sector, sector);
      EXPECT_EQ(piece, std::string(sector, piece[0])) << "a sector is never torn";
      outcome += piece[0];
    }
    outcomes.insert(outcome);
  }
  EXPECT_THAT(outcomes, ElementsAre("nnn", "nno", "non", "noo", "onn", "ono", "oon", "ooo"));
}

TEST_F(SimulatedFiles, an_unaligned_write_tears_at_the_boundaries_of_the_disks_sectors) {
  std::set<std::string> outcomes;
  for (int round = 0; round < 100; ++round) {
    SimulatedFileSystem files;
    EXPECT_TRUE(files.create_directories("/d"));
    const auto file = files.create("/d/a").value();
    EXPECT_TRUE(file->write_at(0, std::string(2 * sector, 'o')));
    EXPECT_TRUE(file->flush());
    EXPECT_TRUE(files.flush_directory("/d"));
    EXPECT_TRUE(file->write_at(sector - 2, "nnnn"));
    files.crash(Survival::some_sectors, dice_);
    outcomes.insert(read_whole_file(files, "/d/a", 1u << 20).value().substr(sector - 3, 6));
  }
  EXPECT_THAT(outcomes, ElementsAre("onnnno", "onnooo", "ooonno", "oooooo"));
}

TEST_F(SimulatedFiles, a_later_write_of_a_sector_brings_the_earlier_ones_of_that_sector) {
  for (int round = 0; round < 100; ++round) {
    SimulatedFileSystem files;
    EXPECT_TRUE(files.create_directories("/d"));
    const auto file = files.create("/d/a").value();
    EXPECT_TRUE(files.flush_directory("/d"));
    EXPECT_TRUE(file->write_at(0, "first"));
    EXPECT_TRUE(file->write_at(5, "second"));
    files.crash(Survival::some_sectors, dice_);
    EXPECT_THAT(read_whole_file(files, "/d/a", 1u << 20).value(), testing::AnyOf("", "first", "firstsecond"));
  }
}

TEST_F(SimulatedFiles, writes_of_different_sectors_survive_in_any_order) {
  std::set<std::string> outcomes;
  for (int round = 0; round < 100; ++round) {
    SimulatedFileSystem files;
    EXPECT_TRUE(files.create_directories("/d"));
    const auto file = files.create("/d/a").value();
    EXPECT_TRUE(files.flush_directory("/d"));
    EXPECT_TRUE(file->write_at(0, std::string(sector, '1')));
    EXPECT_TRUE(file->write_at(sector, std::string(sector, '2')));
    files.crash(Survival::some_sectors, dice_);
    const std::string bytes = read_whole_file(files, "/d/a", 1u << 20).value();
    std::string outcome;
    for (std::size_t at = 0; at < bytes.size(); at += sector) outcome += bytes[at] == '\0' ? '0' : bytes[at];
    outcomes.insert(outcome);
  }
  EXPECT_THAT(outcomes, ElementsAre("", "02", "1", "12")) << "what never got there reads as zeros";
}

TEST_F(SimulatedFiles, a_prefix_of_the_writes_survives_cut_at_any_byte) {
  std::set<std::size_t> lengths;
  for (int round = 0; round < 200; ++round) {
    SimulatedFileSystem files;
    EXPECT_TRUE(files.create_directories("/d"));
    const auto one = files.create("/d/one").value();
    const auto two = files.create("/d/two").value();
    EXPECT_TRUE(files.flush_directory("/d"));
    EXPECT_TRUE(one->write_at(0, "abc"));
    EXPECT_TRUE(two->write_at(0, "def"));
    EXPECT_TRUE(one->write_at(3, "ghi"));
    files.crash(Survival::a_prefix, dice_);
    const std::string first = read_whole_file(files, "/d/one", 99).value();
    const std::string second = read_whole_file(files, "/d/two", 99).value();
    EXPECT_EQ(first, std::string("abcghi").substr(0, first.size()));
    EXPECT_EQ(second, std::string("def").substr(0, second.size()));
    EXPECT_TRUE(second.empty() || first.size() >= 3) << "the second write does not get there before the first";
    EXPECT_TRUE(second == "def" || first.size() <= 3) << "nor the third before the second";
    lengths.insert(first.size() + second.size());
  }
  EXPECT_EQ(lengths.size(), 10u) << "every cut from 0 to 9 bytes happens";
}

TEST_F(SimulatedFiles, a_prefix_counts_changes_of_names_in_their_place) {
  std::set<std::vector<std::string>> outcomes;
  for (int round = 0; round < 200; ++round) {
    SimulatedFileSystem files;
    EXPECT_TRUE(files.create_directories("/d"));
    EXPECT_TRUE(files.create("/d/a"));
    EXPECT_TRUE(files.create("/d/b"));
    EXPECT_TRUE(files.rename("/d/a", "/d/c"));
    files.crash(Survival::a_prefix, dice_);
    outcomes.insert(files.list("/d").value());
  }
  using Names = std::vector<std::string>;
  EXPECT_THAT(outcomes, ElementsAre(Names{}, Names{"a"}, Names{"a", "b"}, Names{"b", "c"}));
}

TEST_F(SimulatedFiles, the_same_dice_give_the_same_crash) {
  const auto run = [](std::uint64_t seed) {
    SimulatedFileSystem files;
    EXPECT_TRUE(files.create_directories("/d"));
    const auto file = files.create("/d/a").value();
    EXPECT_TRUE(files.flush_directory("/d"));
    EXPECT_TRUE(file->write_at(0, std::string(40 * sector, 'x')));
    SimulatedRandom dice(seed);
    files.crash(Survival::some_sectors, dice);
    return read_whole_file(files, "/d/a", 1u << 20).value();
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

// --- Names
// --------------------------------------------------------------------------------------------------------------

TEST_F(SimulatedFiles, a_name_is_durable_only_after_its_directory_was_flushed) {
  const auto file = files_.create("/d/a").value();
  EXPECT_TRUE(file->write_at(0, "flushed bytes"));
  EXPECT_TRUE(file->flush());
  crash(Survival::nothing);
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(SimulatedFiles, a_durable_name_may_belong_to_a_file_whose_bytes_are_not) {
  const auto file = files_.create("/d/a").value();
  EXPECT_TRUE(file->write_at(0, "bytes"));
  EXPECT_TRUE(files_.flush_directory("/d"));
  crash(Survival::nothing);
  EXPECT_EQ(content("/d/a"), "");
}

TEST_F(SimulatedFiles, removing_and_renaming_are_undone_unless_the_directory_was_flushed) {
  make_durable("/d/a", "a");
  make_durable("/d/b", "b");
  make_durable("/d/c", "c");
  EXPECT_TRUE(files_.remove("/d/a"));
  EXPECT_TRUE(files_.rename("/d/b", "/d/c"));
  crash(Survival::nothing);
  EXPECT_THAT(names(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(content("/d/c"), "c");

  EXPECT_TRUE(files_.remove("/d/a"));
  EXPECT_TRUE(files_.rename("/d/b", "/d/c"));
  EXPECT_TRUE(files_.flush_directory("/d"));
  crash(Survival::nothing);
  EXPECT_THAT(names(), ElementsAre("c"));
  EXPECT_EQ(content("/d/c"), "b");
}

TEST_F(SimulatedFiles, flushing_one_directory_says_nothing_about_another) {
  EXPECT_TRUE(files_.create_directories("/d/inner"));
  EXPECT_TRUE(files_.create("/d/a"));
  EXPECT_TRUE(files_.create("/d/inner/b"));
  EXPECT_TRUE(files_.flush_directory("/d/inner"));
  crash(Survival::nothing);
  EXPECT_THAT(names(), ElementsAre("inner"));
  EXPECT_EQ(content("/d/inner/b"), "");
}

TEST_F(SimulatedFiles, each_change_of_a_name_survives_or_not_but_in_order_for_one_name) {
  std::set<std::vector<std::string>> outcomes;
  for (int round = 0; round < 400; ++round) {
    SimulatedFileSystem files;
    EXPECT_TRUE(files.create_directories("/d"));
    EXPECT_TRUE(files.create("/d/a"));
    EXPECT_TRUE(files.create("/d/b"));
    EXPECT_TRUE(files.rename("/d/a", "/d/c"));
    EXPECT_TRUE(files.remove("/d/c"));
    files.crash(Survival::some_sectors, dice_);
    outcomes.insert(files.list("/d").value());
  }
  using Names = std::vector<std::string>;
  EXPECT_THAT(outcomes, ElementsAre(Names{}, Names{"a"}, Names{"a", "b"}, Names{"b"}, Names{"b", "c"}, Names{"c"}));
}

TEST_F(SimulatedFiles, a_replaced_file_is_the_old_or_the_new_one_after_a_crash_at_any_step) {
  for (const Survival survival :
       {Survival::nothing, Survival::some_sectors, Survival::a_prefix, Survival::everything}) {
    for (std::uint64_t step = 1; step <= 5; ++step) {
      SimulatedFileSystem files;
      EXPECT_TRUE(files.create_directories("/d"));
      ASSERT_TRUE(replace_file(files, "/d/a", std::string(3'000, 'o')));
      files.fault_at(files.steps() + step, Fault::power_loss);
      EXPECT_FALSE(replace_file(files, "/d/a", std::string(3'000, 'n')));
      files.crash(survival, dice_);
      const std::string bytes = read_whole_file(files, "/d/a", 1u << 20).value();
      EXPECT_EQ(bytes, std::string(3'000, bytes.front()));
      ASSERT_TRUE(replace_file(files, "/d/a", "after"));
      files.crash(Survival::nothing, dice_);
      EXPECT_EQ(read_whole_file(files, "/d/a", 99), Result<std::string>("after"));
    }
  }
}

// --- Steps and faults
// ---------------------------------------------------------------------------------------------------

TEST_F(SimulatedFiles, every_change_is_a_numbered_step_and_reading_is_none) {
  EXPECT_EQ(files_.steps(), 0u);
  const auto file = files_.create("/d/a").value();
  EXPECT_EQ(files_.steps(), 1u);
  EXPECT_TRUE(file->write_at(0, "abc"));
  EXPECT_EQ(files_.steps(), 2u);
  EXPECT_TRUE(file->flush());
  EXPECT_EQ(files_.steps(), 3u);
  EXPECT_TRUE(files_.rename("/d/a", "/d/b"));
  EXPECT_EQ(files_.steps(), 4u);
  EXPECT_TRUE(files_.flush_directory("/d"));
  EXPECT_EQ(files_.steps(), 5u);
  EXPECT_EQ(content("/d/b"), "abc");
  EXPECT_TRUE(files_.lock_directory("/d"));
  EXPECT_EQ(files_.steps(), 5u);
  EXPECT_TRUE(files_.remove("/d/b"));
  EXPECT_EQ(files_.steps(), 6u);
}

TEST_F(SimulatedFiles, a_clean_failure_changes_nothing_and_comes_once) {
  const auto file = make_durable("/d/a", "old");
  files_.fault_at(files_.steps() + 1, Fault::fail_cleanly);
  EXPECT_EQ(code_of(file->write_at(0, "new")), "input_output");
  EXPECT_EQ(content("/d/a"), "old");
  EXPECT_TRUE(file->write_at(0, "new"));
  files_.fault_at(files_.steps() + 1, Fault::fail_cleanly);
  EXPECT_EQ(code_of(file->flush()), "input_output");
  EXPECT_TRUE(file->flush()) << "the bytes are still to be flushed";
  crash(Survival::nothing);
  EXPECT_EQ(content("/d/a"), "new");
}

TEST_F(SimulatedFiles, operations_on_names_fail_too) {
  make_durable("/d/a", "a");
  const auto fail_next = [&] { files_.fault_at(files_.steps() + 1, Fault::fail_cleanly); };
  fail_next();
  EXPECT_FALSE(files_.create("/d/b"));
  fail_next();
  EXPECT_FALSE(files_.rename("/d/a", "/d/b"));
  fail_next();
  EXPECT_FALSE(files_.remove("/d/a"));
  fail_next();
  EXPECT_FALSE(files_.flush_directory("/d"));
  EXPECT_THAT(names(), ElementsAre("a"));
}

TEST_F(SimulatedFiles, a_full_disk_says_so_and_may_have_taken_a_part) {
  const auto file = make_durable("/d/a", "");
  files_.fault_at(files_.steps() + 1, Fault::disk_full);
  EXPECT_EQ(code_of(file->write_at(0, "abcd")), "disk_full");
  EXPECT_EQ(content("/d/a"), "ab");
}

TEST_F(SimulatedFiles, a_short_write_takes_a_part_and_fails) {
  const auto file = make_durable("/d/a", "xxxx");
  files_.fault_at(files_.steps() + 1, Fault::short_write);
  EXPECT_EQ(code_of(file->write_at(0, "abcd")), "input_output");
  EXPECT_EQ(content("/d/a"), "abxx");
}

TEST_F(SimulatedFiles, a_dirty_failure_of_flush_makes_the_cache_believe_what_the_disk_never_got) {
  const auto file = make_durable("/d/a", "old");
  EXPECT_TRUE(file->write_at(0, "new"));
  files_.fault_at(files_.steps() + 1, Fault::fail_dirty);
  EXPECT_EQ(code_of(file->flush()), "input_output");
  EXPECT_EQ(content("/d/a"), "new");
  EXPECT_TRUE(file->flush()) << "Linux marks the failed pages clean, so there is nothing left to flush";
  crash(Survival::everything);
  EXPECT_EQ(content("/d/a"), "old");
}

TEST_F(SimulatedFiles, writing_again_after_a_dirty_failure_makes_the_bytes_durable) {
  const auto file = make_durable("/d/a", "old");
  EXPECT_TRUE(file->write_at(0, "new"));
  files_.fault_at(files_.steps() + 1, Fault::fail_dirty);
  EXPECT_FALSE(file->flush());
  files_.kill_process();
  EXPECT_EQ(content("/d/a"), "new") << "the lie outlives the process";
  const auto again = files_.open("/d/a").value();
  EXPECT_TRUE(again->write_at(0, "new"));
  EXPECT_TRUE(again->flush());
  crash(Survival::nothing);
  EXPECT_EQ(content("/d/a"), "new");
}

TEST_F(SimulatedFiles, a_dirty_failure_of_flush_directory_forgets_the_names) {
  EXPECT_TRUE(files_.create("/d/a"));
  files_.fault_at(files_.steps() + 1, Fault::fail_dirty);
  EXPECT_FALSE(files_.flush_directory("/d"));
  EXPECT_TRUE(files_.flush_directory("/d"));
  EXPECT_THAT(names(), ElementsAre("a"));
  crash(Survival::everything);
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(SimulatedFiles, after_a_loss_of_power_every_step_fails_until_the_machine_starts_again) {
  const auto file = make_durable("/d/a", "old");
  files_.fault_at(files_.steps() + 2, Fault::power_loss);
  EXPECT_TRUE(file->write_at(0, "new"));
  EXPECT_FALSE(file->flush());
  EXPECT_FALSE(file->write_at(0, "newer"));
  EXPECT_FALSE(file->flush());
  EXPECT_FALSE(files_.create("/d/b"));
  EXPECT_FALSE(files_.flush_directory("/d"));
  EXPECT_FALSE(files_.create_directories("/e"));
  crash(Survival::nothing);
  EXPECT_EQ(content("/d/a"), "old");
  EXPECT_TRUE(files_.create("/d/b"));
}

TEST_F(SimulatedFiles, what_was_under_way_when_the_power_went_may_survive_and_nothing_after_it) {
  const auto file = make_durable("/d/a", "old");
  files_.fault_at(files_.steps() + 1, Fault::power_loss);
  EXPECT_FALSE(file->write_at(0, "new"));
  EXPECT_FALSE(file->write_at(0, "never"));
  crash(Survival::everything);
  EXPECT_EQ(content("/d/a"), "new");
  files_.fault_at(files_.steps() + 1, Fault::power_loss);
  EXPECT_FALSE(files_.create("/d/b"));
  EXPECT_FALSE(files_.create("/d/c"));
  crash(Survival::everything);
  EXPECT_THAT(names(), ElementsAre("a", "b"));
}

TEST_F(SimulatedFiles, a_disk_has_the_room_that_it_was_given) {
  const auto file = make_durable("/d/a", "12345678");
  files_.set_capacity(12);
  EXPECT_TRUE(file->write_at(0, "ABCDEFGH")) << "overwriting needs no room";
  EXPECT_TRUE(file->write_at(8, "IJ"));
  EXPECT_EQ(code_of(file->write_at(8, "ijklmn")), "disk_full");
  EXPECT_EQ(content("/d/a"), "ABCDEFGHijkl") << "what fits was written";
  const auto other = files_.create("/d/b").value();
  EXPECT_EQ(code_of(other->write_at(0, "x")), "disk_full") << "the room is that of all files together";
  EXPECT_TRUE(files_.remove("/d/a"));
  EXPECT_TRUE(other->write_at(0, "x"));
  files_.set_capacity(std::nullopt);
  EXPECT_TRUE(other->write_at(0, std::string(10'000, 'x')));
}

// --- Dead processes
// -----------------------------------------------------------------------------------------------------

TEST_F(SimulatedFiles, a_killed_process_leaves_the_cache_as_it_was) {
  const auto file = make_durable("/d/a", "old");
  EXPECT_TRUE(file->write_at(0, "new"));
  EXPECT_TRUE(files_.create("/d/b"));
  files_.kill_process();
  EXPECT_EQ(content("/d/a"), "new");
  EXPECT_THAT(names(), ElementsAre("a", "b"));
  const auto again = files_.open("/d/a").value();
  EXPECT_TRUE(again->flush()) << "what a dead process wrote can be flushed by the next";
  crash(Survival::nothing);
  EXPECT_EQ(content("/d/a"), "new");
  EXPECT_THAT(names(), ElementsAre("a"));
}

TEST_F(SimulatedFiles, a_file_opened_before_a_crash_or_kill_fails_in_everything) {
  for (const bool killed : {true, false}) {
    const auto file = make_durable(killed ? "/d/a" : "/d/b", "abc");
    killed ? files_.kill_process() : crash(Survival::everything);
    const std::uint64_t steps = files_.steps();
    char byte = 0;
    EXPECT_FALSE(file->read_at(0, &byte, 1));
    EXPECT_FALSE(file->write_at(0, "x"));
    EXPECT_FALSE(file->flush());
    EXPECT_FALSE(file->size());
    EXPECT_EQ(files_.steps(), steps) << "what a dead process tries is no step";
    EXPECT_EQ(content(killed ? "/d/a" : "/d/b"), "abc");
  }
}

TEST_F(SimulatedFiles, locks_of_a_dead_process_are_free_and_it_does_not_free_those_of_the_next) {
  auto dead = files_.lock_directory("/d").value();
  files_.kill_process();
  const auto living = files_.lock_directory("/d");
  ASSERT_TRUE(living);
  dead.reset();
  EXPECT_FALSE(files_.lock_directory("/d"));
}

TEST_F(SimulatedFiles, a_file_may_outlive_the_file_system) {
  auto files = std::make_unique<SimulatedFileSystem>();
  EXPECT_TRUE(files->create_directories("/d"));
  const auto file = files->create("/d/a").value();
  const auto lock = files->lock_directory("/d").value();
  files.reset();
  EXPECT_TRUE(file->write_at(0, "abc"));
  EXPECT_EQ(file->size(), Result<std::uint64_t>(3));
}

TEST_F(SimulatedFiles, damage_reaches_cache_and_disk) {
  make_durable("/d/a", "abc");
  files_.damage("/d/a", [](std::string& bytes) { bytes[1] = 'X'; });
  EXPECT_EQ(content("/d/a"), "aXc");
  crash(Survival::nothing);
  EXPECT_EQ(content("/d/a"), "aXc");
  files_.damage("/d/a", [](std::string& bytes) { bytes.resize(1); });
  crash(Survival::nothing);
  EXPECT_EQ(content("/d/a"), "a");
}

}  // namespace
}  // namespace annals::platform
