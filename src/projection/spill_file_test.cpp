#include "projection/spill_file.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "projection/test_world.hpp"

namespace annals::projection {
namespace {

constexpr const char* spill_path = "data/product.rows";
// Checksum, version, two lengths.
constexpr std::uint64_t head_bytes = 22;

class SpillFileTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(world.files.create_directories("data")); }

  static SpillFile::Entry entry(std::string_view key, std::uint64_t version, std::string_view value) {
    return {key, StreamVersion{version}, value};
  }
  std::uint64_t put(SpillFile& file, const SpillFile::Entry& one) {
    return file.write(std::span(&one, 1)).value().front();
  }
  std::string read(const SpillFile& file, std::uint64_t place, const SpillFile::Entry& head) {
    std::string buffer;
    const auto value = file.read(place, head, head.value.size(), buffer);
    return value ? std::string(*value) : std::string(to_string(value.error().kind));
  }

  TestWorld world;
};

TEST_F(SpillFileTest, what_was_put_down_is_read_back_and_nothing_else_passes_for_it) {
  SpillFile file(spill_path, world.files);
  EXPECT_FALSE(*world.files.exists(spill_path)) << "it is made when it is needed";
  const std::vector<SpillFile::Entry> entries{entry("a", 1, "red"), entry("b", 7, ""), entry("c", 2, "green")};
  const auto places = file.write(entries);
  ASSERT_TRUE(places);
  for (std::size_t at = 0; at < entries.size(); ++at) {
    EXPECT_NE((*places)[at], 0u);
    EXPECT_EQ(read(file, (*places)[at], entries[at]), entries[at].value);
  }
  EXPECT_EQ(read(file, (*places)[0], entry("b", 1, "red")), "corrupt") << "another key";
  EXPECT_EQ(read(file, (*places)[0], entry("a", 2, "red")), "corrupt") << "another version";
  EXPECT_EQ(read(file, (*places)[0], entry("a", 1, "re")), "corrupt") << "another length";
  EXPECT_EQ(read(file, (*places)[0] + 1, entry("a", 1, "red")), "corrupt") << "another place";
  EXPECT_EQ(read(file, 1u << 20, entry("a", 1, "red")), "corrupt") << "behind the end";
}

TEST_F(SpillFileTest, every_flipped_bit_is_found) {
  SpillFile file(spill_path, world.files);
  const SpillFile::Entry one = entry("key", 3, "value");
  const std::uint64_t place = put(file, one);
  for (std::uint64_t bit = 0; bit < (head_bytes + 3 + 5) * 8; ++bit) {
    const auto flip = [&](std::string& bytes) { bytes[place + bit / 8] ^= static_cast<char>(1 << bit % 8); };
    world.files.damage(spill_path, flip);
    EXPECT_EQ(read(file, place, one), "corrupt") << bit;
    world.files.damage(spill_path, flip);
  }
  EXPECT_EQ(read(file, place, one), "value");
}

TEST_F(SpillFileTest, it_begins_anew_and_is_gone_when_it_closes) {
  {
    SpillFile file(spill_path, world.files);
    put(file, entry("a", 1, "red"));
    EXPECT_TRUE(*world.files.exists(spill_path));
    world.files.kill_process();
  }
  world.files.kill_process();
  {
    auto left = world.files.create(std::string(spill_path) + ".x");
    ASSERT_TRUE(world.files.rename(std::string(spill_path) + ".x", spill_path));
    SpillFile file(spill_path, world.files);
    EXPECT_FALSE(*world.files.exists(spill_path)) << "one that was left behind is removed";
    put(file, entry("a", 1, "red"));
  }
  EXPECT_FALSE(*world.files.exists(spill_path));
}

TEST_F(SpillFileTest, a_write_that_fails_takes_no_room_and_the_next_one_may_succeed) {
  SpillFile file(spill_path, world.files);
  put(file, entry("a", 1, "red"));
  const std::string large(1000, 'x');
  world.files.set_capacity(100);
  const std::vector<SpillFile::Entry> entries{entry("b", 1, large), entry("c", 1, large)};
  const auto refused = file.write(entries);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "disk_full");
  world.files.set_capacity(std::nullopt);
  const auto places = file.write(entries);
  ASSERT_TRUE(places);
  EXPECT_EQ((*places)[0], 16 + head_bytes + 4) << "right behind the first";
  EXPECT_EQ(read(file, (*places)[1], entries[1]), large);
}

TEST_F(SpillFileTest, where_the_directory_is_missing_writes_fail_until_it_is_there) {
  SpillFile file("elsewhere/product.rows", world.files);
  const SpillFile::Entry one = entry("a", 1, "red");
  EXPECT_FALSE(file.write(std::span(&one, 1)));
  ASSERT_TRUE(world.files.create_directories("elsewhere"));
  EXPECT_TRUE(file.write(std::span(&one, 1)));
}

/// Entries come and go at random: each is read back as it was written, none lies over another, and the file grows no
/// larger than what it held at once, and as much again between.
RC_GTEST_PROP(spill_file, space_is_used_again_and_never_twice, ()) {
  TestWorld world;
  RC_ASSERT(world.files.create_directories("data").has_value());
  SpillFile file(spill_path, world.files);
  struct Kept {
    std::string key;
    std::uint64_t version;
    std::string value;
  };
  std::map<std::uint64_t, Kept> kept;
  std::uint64_t held = 0;
  std::uint64_t most_held = 0;
  std::uint64_t version = 0;
  for (int step = 0; step < 300; ++step) {
    if (!kept.empty() && *rc::gen::inRange(0, 3) == 0) {
      const auto gone = std::next(kept.begin(), *rc::gen::inRange<std::ptrdiff_t>(0, std::ssize(kept)));
      file.release(gone->first, gone->second.key.size(), gone->second.value.size());
      held -= head_bytes + gone->second.key.size() + gone->second.value.size();
      kept.erase(gone);
      continue;
    }
    std::vector<Kept> fresh;
    const int count = *rc::gen::inRange(1, 4);
    for (int number = 0; number < count; ++number) {
      const auto size = static_cast<std::size_t>(*rc::gen::inRange(0, 200));
      fresh.push_back(
          {"k" + std::to_string(version), ++version, std::string(size, static_cast<char>('a' + step % 26))});
    }
    std::vector<SpillFile::Entry> entries;
    for (const Kept& one : fresh) entries.push_back({one.key, StreamVersion{one.version}, one.value});
    const auto places = file.write(entries).value();
    for (std::size_t at = 0; at < fresh.size(); ++at) {
      held += head_bytes + fresh[at].key.size() + fresh[at].value.size();
      RC_ASSERT(kept.emplace(places[at], fresh[at]).second);
    }
    most_held = std::max(most_held, held);
  }
  std::uint64_t end = 16;
  for (const auto& [place, one] : kept) {
    RC_ASSERT(place >= end);
    end = place + head_bytes + one.key.size() + one.value.size();
    std::string buffer;
    const auto value = file.read(place, {one.key, StreamVersion{one.version}, {}}, one.value.size(), buffer);
    RC_ASSERT(value.has_value());
    RC_ASSERT(*value == one.value);
  }
  RC_ASSERT(file.bytes() <= 16 + 2 * most_held + 1000);
}

}  // namespace
}  // namespace annals::projection
