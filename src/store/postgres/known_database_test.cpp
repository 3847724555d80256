#include "store/postgres/known_database.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_page.hpp"
#include "platform/simulated.hpp"

namespace annals::store {
namespace {

using Files = platform::SimulatedFileSystem;

class KnownDatabaseTest : public testing::Test {
 protected:
  KnownDatabaseTest() { EXPECT_TRUE(files.create_directories("data/checkpoints")); }

  [[nodiscard]] ErrorKind kind_of_failure() {
    const auto read = read_known_database(files, path);
    EXPECT_FALSE(read.has_value());
    return read ? ErrorKind::internal : read.error().kind;
  }

  const std::string path = "data/checkpoints/database";
  const KnownDatabase known{"host=127.0.0.1 port=5432 dbname=shop schema=public",
                            "bytea",
                            "jsonb",
                            {{3405691582, Position{0}}, {7, Position{120}}}};
  Files files;
};

TEST_F(KnownDatabaseTest, the_page_shows_what_is_written) {
  ASSERT_TRUE(write_known_database(files, path, known));
  EXPECT_EQ(read_known_database(files, path), Result<KnownDatabase>(known));
  const std::string text = written_page("docs/formats/database.md");
  EXPECT_THAT(text, testing::HasSubstr("```\n" + *platform::read_whole_file(files, path, 4096) + "```\n"));
}

TEST_F(KnownDatabaseTest, a_file_that_is_not_there_is_not_found) {
  EXPECT_EQ(kind_of_failure(), ErrorKind::not_found);
}

TEST_F(KnownDatabaseTest, every_flipped_bit_and_every_other_length_is_noticed) {
  ASSERT_TRUE(write_known_database(files, path, known));
  const std::string whole = *platform::read_whole_file(files, path, 4096);
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    files.damage(path, [&](std::string& bytes) {
      bytes = whole;
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    });
    EXPECT_EQ(kind_of_failure(), ErrorKind::corrupt) << "bit " << bit;
  }
  for (std::size_t size = 0; size < whole.size(); ++size) {
    files.damage(path, [&](std::string& bytes) { bytes = whole.substr(0, size); });
    EXPECT_EQ(kind_of_failure(), ErrorKind::corrupt) << size;
  }
  files.damage(path, [&](std::string& bytes) { bytes = whole + "epoch 8 130\n"; });
  EXPECT_EQ(kind_of_failure(), ErrorKind::corrupt);
}

TEST_F(KnownDatabaseTest, at_every_crash_point_it_is_the_old_one_or_the_new_one) {
  KnownDatabase later = known;
  later.epochs.push_back({9, Position{130}});
  std::uint64_t fault = 1;
  for (bool happened = true; happened; ++fault) {
    Files disk;
    ASSERT_TRUE(disk.create_directories("data/checkpoints"));
    ASSERT_TRUE(write_known_database(disk, path, known));
    disk.fault_at(disk.steps() + fault, Files::Fault::power_loss);
    happened = !write_known_database(disk, path, later);
    platform::SimulatedRandom dice(fault);
    disk.crash(Files::Survival::some_sectors, dice);
    const auto found = read_known_database(disk, path);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_TRUE(*found == later || (happened && *found == known));
  }
  EXPECT_GT(fault, 3u) << "some steps were tried";
}

TEST(epochs, a_cursor_is_located_up_to_where_the_next_epoch_began) {
  const std::vector<Epoch> epochs{{5, Position{0}}, {6, Position{100}}};
  EXPECT_EQ(locate(epochs, {5, Position{100}}), Position{100});
  EXPECT_EQ(locate(epochs, {5, Position{101}}), std::nullopt) << "that was lost";
  EXPECT_EQ(locate(epochs, {6, Position{101}}), Position{101});
  EXPECT_EQ(locate(epochs, {7, Position{1}}), std::nullopt) << "of another store";
  EXPECT_EQ(locate({}, Cursor{}), Position{});
}

TEST(epochs, a_store_goes_on_with_the_epochs_that_it_had) {
  const std::vector<Epoch> earlier{{5, Position{0}}, {6, Position{100}}};
  std::vector<Epoch> later = earlier;
  EXPECT_TRUE(continues(later, earlier));
  later.push_back({7, Position{150}});
  EXPECT_TRUE(continues(later, earlier));
  EXPECT_FALSE(continues(earlier, later)) << "the last was lost";
  later[1].before = Position{90};
  EXPECT_FALSE(continues(later, earlier));
  EXPECT_FALSE(continues(earlier, {})) << "nothing tells that one from others";
}

}  // namespace
}  // namespace annals::store
