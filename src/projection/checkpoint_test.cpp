#include "projection/checkpoint.hpp"

#include <gtest/gtest.h>

#include "projection/state_file.hpp"
#include "projection/test_world.hpp"

namespace annals::projection {
namespace {

class CheckpointTest : public testing::Test {
 protected:
  CheckpointTest() {
    EXPECT_TRUE(world.files.create_directories("/d"));
    for (int count = 0; count < 300; ++count) record(*store, "config-a", set_event("x"));
  }

  [[nodiscard]] ErrorKind kind_of_failure() {
    const auto loaded = file.load(*store);
    EXPECT_FALSE(loaded.has_value());
    return loaded ? ErrorKind::internal : loaded.error().kind;
  }

  TestWorld world;
  std::unique_ptr<EventStore> store = store::make_memory_store(world.platform());
  CheckpointFile file{world.files, "/d/c"};
};

TEST_F(CheckpointTest, it_gives_back_what_was_saved_last) {
  ASSERT_EQ(file.load(*store).value(), Position{});
  ASSERT_TRUE(file.save(store->cursor(Position{17})));
  ASSERT_TRUE(file.save(store->cursor(Position{300})));
  EXPECT_EQ(file.load(*store).value(), Position{300});
  ASSERT_TRUE(file.save(store->cursor(Position{0})));
  EXPECT_EQ(file.load(*store).value(), Position{});
}

TEST_F(CheckpointTest, its_directory_is_made_again_when_somebody_removed_it) {
  ASSERT_TRUE(world.files.create_directories("/data"));
  CheckpointFile removed(world.files, "/data/checkpoints/c");
  ASSERT_TRUE(removed.save(store->cursor(Position{17})));
  EXPECT_EQ(removed.load(*store).value(), Position{17});
  CheckpointFile lost(world.files, "/gone/checkpoints/c");
  EXPECT_FALSE(lost.save(store->cursor(Position{17}))) << "there is no data directory any more";
}

TEST_F(CheckpointTest, it_survives_the_loss_of_power_whole) {
  platform::SimulatedRandom dice(1);
  ASSERT_TRUE(file.save(store->cursor(Position{17})));
  world.files.crash(platform::SimulatedFileSystem::Survival::nothing, dice);
  EXPECT_EQ(file.load(*store).value(), Position{17});
}

TEST_F(CheckpointTest, at_every_crash_point_it_is_the_old_one_or_the_new_one) {
  using Files = platform::SimulatedFileSystem;
  std::uint64_t fault = 1;
  for (bool happened = true; happened; ++fault) {
    Files files;
    ASSERT_TRUE(files.create_directories("/d"));
    CheckpointFile one(files, "/d/c");
    ASSERT_TRUE(one.save(store->cursor(Position{1})));
    files.fault_at(files.steps() + fault, Files::Fault::power_loss);
    happened = !one.save(store->cursor(Position{2}));
    platform::SimulatedRandom dice(fault);
    files.crash(Files::Survival::some_sectors, dice);
    const auto found = CheckpointFile(files, "/d/c").load(*store);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_TRUE(*found == Position{2} || (happened && *found == Position{1})) << to_string(*found);
  }
  EXPECT_GT(fault, 3u) << "some steps were tried";
}

TEST_F(CheckpointTest, every_flipped_bit_is_noticed) {
  ASSERT_TRUE(file.save(store->cursor(Position{258})));
  const std::size_t size = platform::read_whole_file(world.files, "/d/c", 4096)->size();
  for (std::size_t bit = 0; bit < 8 * size; ++bit) {
    const auto flip = [&](std::string& bytes) { bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8)); };
    world.files.damage("/d/c", flip);
    EXPECT_EQ(kind_of_failure(), ErrorKind::corrupt) << "bit " << bit;
    EXPECT_FALSE(check_checkpoint(world.files, "/d/c")) << "bit " << bit;
    world.files.damage("/d/c", flip);
  }
  EXPECT_TRUE(check_checkpoint(world.files, "/d/c"));
  EXPECT_EQ(file.load(*store).value(), Position{258});
}

TEST_F(CheckpointTest, a_file_cut_short_or_grown_is_damage) {
  ASSERT_TRUE(file.save(store->cursor(Position{258})));
  const std::string whole = *platform::read_whole_file(world.files, "/d/c", 4096);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    world.files.damage("/d/c", [&](std::string& bytes) { bytes = whole.substr(0, size); });
    EXPECT_EQ(kind_of_failure(), ErrorKind::corrupt) << size;
    EXPECT_FALSE(check_checkpoint(world.files, "/d/c")) << size;
  }
  for (std::size_t more : {1u, 100u, 100'000u}) {
    world.files.damage("/d/c", [&](std::string& bytes) { bytes = whole + std::string(more, '0'); });
    EXPECT_EQ(kind_of_failure(), ErrorKind::corrupt) << more;
  }
}

TEST_F(CheckpointTest, that_of_another_store_is_gone) {
  ASSERT_TRUE(file.save(store->cursor(Position{258})));
  store = store::make_memory_store(world.platform());
  EXPECT_EQ(kind_of_failure(), ErrorKind::gone);
}

TEST_F(CheckpointTest, one_beyond_the_end_of_its_store_is_gone_because_events_would_be_passed_over) {
  ASSERT_TRUE(file.save(store->cursor(Position{301})));
  EXPECT_EQ(kind_of_failure(), ErrorKind::gone);
}

TEST_F(CheckpointTest, one_that_its_store_does_not_have_is_not_blamed_on_an_unclean_stop) {
  ASSERT_TRUE(file.save(Cursor{store->cursor(Position{1}).epoch, Position{301}}));
  const auto loaded = file.load(*store);
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().message.find("/d/c tells of position 301, which had been flushed"), std::string::npos);
  EXPECT_EQ(loaded.error().message.find("unclean"), std::string::npos);
}

TEST_F(CheckpointTest, all_of_a_directory_are_found_but_those_that_are_not_whole) {
  EXPECT_TRUE(find_checkpoints(world.files, "/missing").empty());
  ASSERT_TRUE(file.save(store->cursor(Position{17})));
  ASSERT_TRUE(CheckpointFile(world.files, "/d/damaged").save(store->cursor(Position{18})));
  world.files.damage("/d/damaged", [](std::string& bytes) { bytes[25] ^= 1; });
  const auto other = StateFileWriter::create(world.files, "/d/state", "state", Position{3});
  ASSERT_TRUE(other);
  ASSERT_TRUE((*other)->finish(*store, {.position = Position{5}, .id = {}, .created_at = {}}, ""));
  const auto half = find_checkpoints(world.files, "/d");
  ASSERT_EQ(half.size(), 1u);
  EXPECT_EQ(half[0].path, "/d/c");
  EXPECT_EQ(half[0].cursor, store->cursor(Position{17}));
  ASSERT_TRUE((*other)->publish());
  const auto found = find_checkpoints(world.files, "/d");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[1].path, "/d/state");
  EXPECT_EQ(found[1].cursor, store->cursor(Position{5}));
}

TEST_F(CheckpointTest, without_a_path_nothing_is_kept) {
  CheckpointFile none(world.files, "");
  const std::uint64_t steps = world.files.steps();
  ASSERT_TRUE(none.save(store->cursor(Position{258})));
  EXPECT_EQ(none.load(*store).value(), Position{});
  EXPECT_EQ(world.files.steps(), steps);
}

TEST_F(CheckpointTest, what_cannot_be_written_is_told_and_the_old_one_stays) {
  ASSERT_TRUE(file.save(store->cursor(Position{1})));
  world.files.fault_at(world.files.steps() + 2, platform::SimulatedFileSystem::Fault::fail_cleanly);
  const auto saved = file.save(store->cursor(Position{2}));
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().kind, ErrorKind::input_output);
  EXPECT_EQ(file.load(*store).value(), Position{1});
}

}  // namespace
}  // namespace annals::projection
