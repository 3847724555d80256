#include "log/removal.hpp"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <array>
#include <filesystem>

#include "log/test_log.hpp"

namespace annals::log {
namespace {

using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::array beside{FolderBeside{"checkpoints", [](std::string_view name) { return name == "ours"; }}};

Result<Removal> remove_data(TestWorld& world) {
  return remove_log(world.files, "data", beside);
}

/// A log of several segments with their indexes; what is in it.
std::vector<std::string> fill(TestWorld& world) {
  const auto log = must_open(world);
  for (int number = 0; number < 8; ++number) {
    EXPECT_TRUE(append(world, *log, {std::string(20'000, static_cast<char>('a' + number))}));
    world.background.run_ready();
  }
  return bodies_of(*log);
}

TEST(LogRemoval, nothing_is_left_of_a_log_and_what_lies_beside_it) {
  TestWorld world;
  fill(world);
  ASSERT_GE(world.files.list("data/log")->size(), 3u);
  ASSERT_FALSE(world.files.list("data/index")->empty());
  ASSERT_TRUE(world.files.create_directories("data/checkpoints"));
  ASSERT_TRUE(world.files.create("data/checkpoints/ours"));
  ASSERT_TRUE(world.files.create("data/STORE.new"));
  const auto removal = remove_data(world);
  ASSERT_TRUE(removal) << removal.error().message;
  EXPECT_THAT(removal->left, IsEmpty());
  EXPECT_FALSE(removal->directory_left);
  EXPECT_EQ(world.files.exists("data"), Result<bool>(false));
  EXPECT_EQ(remove_data(world).error().kind, ErrorKind::not_found);
}

TEST(LogRemoval, what_is_none_of_it_stays_and_is_named) {
  TestWorld world;
  fill(world);
  for (const char* const folder : {"data/checkpoints", "data/log/old"}) {
    ASSERT_TRUE(world.files.create_directories(folder));
  }
  for (const char* const name : {"data/notes.txt", "data/log/1.segment", "data/checkpoints/theirs", "data/index/.x"}) {
    ASSERT_TRUE(world.files.create(name));
  }
  const auto removal = remove_data(world);
  ASSERT_TRUE(removal) << removal.error().message;
  EXPECT_THAT(removal->left, ElementsAre("checkpoints/theirs", "index/.x", "log/1.segment", "log/old", "notes.txt"));
  EXPECT_TRUE(removal->directory_left);
  EXPECT_THAT(world.files.list("data").value(), ElementsAre("checkpoints", "index", "log", "notes.txt"));
  EXPECT_THAT(world.files.list("data/log").value(), ElementsAre("1.segment", "old"));
}

TEST(LogRemoval, a_directory_that_holds_no_log_is_left_alone) {
  TestWorld world;
  ASSERT_TRUE(world.files.create_directories("data/log"));
  ASSERT_TRUE(world.files.create("data/log/00000000000000000001.segment"));
  const auto without_identity = remove_data(world);
  ASSERT_FALSE(without_identity);
  EXPECT_EQ(without_identity.error().kind, ErrorKind::not_found);
  ASSERT_TRUE(platform::replace_file(world.files, "data/STORE", "of somebody else"));
  const auto with_theirs = remove_data(world);
  ASSERT_FALSE(with_theirs);
  EXPECT_EQ(with_theirs.error().kind, ErrorKind::corrupt);
  EXPECT_THAT(with_theirs.error().message, HasSubstr("nothing was removed"));
  EXPECT_THAT(world.files.list("data").value(), ElementsAre("STORE", "log"));
  EXPECT_EQ(world.files.list("data/log")->size(), 1u);
}

TEST(LogRemoval, a_log_that_is_open_is_left_alone) {
  TestWorld world;
  const auto log = must_open(world);
  EXPECT_EQ(remove_data(world).error().code, "directory_locked");
  EXPECT_TRUE(append(world, *log, {"a"}));
}

TEST(LogRemoval, a_damaged_log_can_be_removed) {
  TestWorld world;
  fill(world);
  world.files.damage("data/log/00000000000000000001.segment", [](std::string& bytes) { bytes[5000] ^= 1; });
  EXPECT_TRUE(remove_data(world));
}

// The power fails at every step of removing a log without indexes, which would prove that something is missing. What is
// left opens with every record or is refused, never with some of them; and it can be removed again.
TEST(LogRemoval, one_that_was_cut_short_leaves_the_whole_log_or_none_and_can_be_done_again) {
  using Files = platform::SimulatedFileSystem;
  constexpr std::array survivals{Files::Survival::nothing, Files::Survival::everything, Files::Survival::some_sectors,
                                 Files::Survival::a_prefix};
  std::size_t whole = 0;
  std::size_t refused = 0;
  for (std::uint64_t step = 1, cut_short = 1; cut_short > 0; ++step) {
    cut_short = 0;
    for (std::uint64_t dice_seed = 0; dice_seed < 10 * survivals.size(); ++dice_seed) {
      SCOPED_TRACE("step " + std::to_string(step) + ", dice " + std::to_string(dice_seed));
      TestWorld world;
      const std::vector<std::string> bodies = fill(world);
      const std::vector<std::string> indexes = world.files.list("data/index").value();
      for (const std::string& name : indexes) {
        ASSERT_TRUE(world.files.remove("data/index/" + name));
      }
      ASSERT_TRUE(world.files.flush_directory("data/index"));
      world.files.fault_at(world.files.steps() + step, Files::Fault::power_loss);
      if (!remove_data(world)) ++cut_short;
      platform::SimulatedRandom dice(dice_seed);
      world.files.crash(survivals[dice_seed % survivals.size()], dice);
      const bool is_known = world.files.exists("data/STORE").value();
      if (const auto log = open_log_to_read("data", world.platform(), {})) {
        EXPECT_EQ(bodies_of(**log), bodies);
        ++whole;
      } else {
        EXPECT_EQ(log.error().kind, is_known ? ErrorKind::corrupt : ErrorKind::not_found) << log.error().message;
        refused += is_known;
      }
      const auto again = remove_data(world);
      EXPECT_TRUE(is_known ? again.has_value() : again.error().kind == ErrorKind::not_found);
      if (world.files.exists("data").value()) {
        EXPECT_THAT(world.files.list("data").value(), AnyOf(IsEmpty(), ElementsAre("LOCK")));
      }
    }
  }
  EXPECT_GT(whole, 0u);
  EXPECT_GT(refused, 10u);
}

/// A log among the machine's own files, where links are.
class LogRemovalOnDisk : public testing::Test {
 protected:
  LogRemovalOnDisk() {
    std::string pattern = (std::filesystem::temp_directory_path() / "annals-removal-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
    const auto log =
        open_log({.directory = path("data"), .segment_bytes = segment_bytes_min},
                 {world_.clock, world_.random, platform::posix_files(), world_.log}, world_.background, {});
    EXPECT_TRUE(log);
  }
  ~LogRemovalOnDisk() override { std::filesystem::remove_all(root_); }

  [[nodiscard]] std::string path(std::string_view name) const { return platform::join_path(root_, name); }
  /// Moves what is there away, and leaves a link to it.
  void replace_by_link(const std::string& name) {
    std::filesystem::rename(path(name), path("elsewhere"));
    std::filesystem::create_symlink(path("elsewhere"), path(name));
  }

  TestWorld world_;
  std::string root_;
};

TEST_F(LogRemovalOnDisk, no_link_is_followed) {
  const std::vector<std::string> linked{"data/log", "data/log/00000000000000000001.segment", "data/STORE", "data/LOCK",
                                        "data"};
  for (const std::string& name : linked) {
    replace_by_link(name);
    for (const char* const slash : {"", "/"}) {
      const auto refused = remove_log(platform::posix_files(), path("data") + slash, beside);
      ASSERT_FALSE(refused) << name;
      EXPECT_EQ(refused.error().code, "directory_foreign") << name;
      EXPECT_THAT(refused.error().message, HasSubstr(path(name) + " is a symbolic link"));
    }
    EXPECT_TRUE(std::filesystem::exists(path("elsewhere")));
    std::filesystem::remove(path(name));
    std::filesystem::rename(path("elsewhere"), path(name));
  }
  const auto removal = remove_log(platform::posix_files(), path("data") + "/", beside);
  ASSERT_TRUE(removal) << removal.error().message;
  EXPECT_FALSE(std::filesystem::exists(path("data")));
}

TEST_F(LogRemovalOnDisk, a_link_of_another_name_stays_and_what_it_leads_to_too) {
  std::filesystem::create_directory(path("others"));
  std::filesystem::create_symlink(path("others"), path("data/others"));
  const auto removal = remove_log(platform::posix_files(), path("data"), beside);
  ASSERT_TRUE(removal) << removal.error().message;
  EXPECT_THAT(removal->left, ElementsAre("others"));
  EXPECT_TRUE(std::filesystem::exists(path("data/others")));
}

}  // namespace
}  // namespace annals::log
