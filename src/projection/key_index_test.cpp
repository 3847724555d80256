#include "projection/key_index.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace annals::projection {
namespace {

RowHolder row_of(const std::string& key, std::uint64_t version = 1) {
  return RowHolder::make({key, StreamVersion{version}, true, {}}, "value");
}

std::string key_of(std::uint64_t number) {
  return "key-" + std::to_string(number);
}

TEST(key_index, an_empty_one_knows_no_key) {
  const KeyIndex index;
  EXPECT_EQ(index.find("a"), nullptr);
  EXPECT_EQ(index.find(""), nullptr);
  EXPECT_EQ(index.bytes(), 0u);
}

TEST(key_index, a_row_takes_the_place_of_the_one_with_its_key) {
  KeyIndex index;
  const RowHolder first = row_of("a", 1);
  const RowHolder second = row_of("a", 2);
  index.make_room(2);
  index.put(*first);
  EXPECT_EQ(index.find("a"), &*first);
  index.put(*second);
  EXPECT_EQ(index.find("a"), &*second);
  EXPECT_EQ(index.find("b"), nullptr);
  EXPECT_EQ(index.size(), 1u);
}

/// Rows come and take each other's places in any order, at every step of its growth; those that were replaced are
/// freed at once, so that a look at one of them is seen by the address sanitizer.
TEST(key_index, it_finds_what_a_map_finds_while_it_grows) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  KeyIndex index;
  std::map<std::string, RowHolder> rows;
  for (std::uint64_t step = 0; step < 40'000; ++step) {
    const std::string key = key_of(random() % 30'000);
    RowHolder row = row_of(key, step + 1);
    index.make_room(1);
    index.put(*row);
    rows[key] = std::move(row);
    const std::string other = key_of(random() % 30'000);
    const auto found = rows.find(other);
    ASSERT_EQ(index.find(other), found == rows.end() ? nullptr : &*found->second) << other << " in step " << step;
    ASSERT_EQ(index.size(), rows.size());
  }
  for (const auto& [key, row] : rows) ASSERT_EQ(index.find(key), &*row) << key;
}

TEST(key_index, room_for_many_is_made_at_once_also_while_it_grows) {
  KeyIndex index;
  std::vector<RowHolder> rows;
  const auto put_to = [&](std::size_t count) {
    while (rows.size() < count) {
      rows.push_back(row_of(key_of(rows.size())));
      index.put(*rows.back());
    }
  };
  index.make_room(56);
  put_to(56);
  index.make_room(1);
  put_to(57);  // and has not moved all of the others yet
  index.make_room(100'000);
  put_to(100'057);
  for (std::uint64_t number = 0; number < rows.size(); ++number)
    ASSERT_EQ(index.find(key_of(number)), &*rows[number]) << number;
  EXPECT_EQ(index.find(key_of(rows.size())), nullptr);
}

TEST(key_index, two_change_places) {
  KeyIndex one;
  KeyIndex other;
  const RowHolder row = row_of("a");
  one.make_room(1);
  one.put(*row);
  one.swap(other);
  EXPECT_EQ(one.find("a"), nullptr);
  EXPECT_EQ(one.size(), 0u);
  EXPECT_EQ(other.find("a"), &*row);
}

TEST(key_index, a_key_takes_as_much_memory_as_is_said) {
  KeyIndex index;
  std::vector<RowHolder> rows;
  double bytes = 0;
  for (std::uint64_t number = 0; number < 64'000; ++number) {
    rows.push_back(row_of(key_of(number)));
    index.make_room(1);
    index.put(*rows.back());
    const double now = static_cast<double>(index.bytes()) / static_cast<double>(rows.size());
    if (number >= 1000) {
      ASSERT_LE(now, 28) << number;
      bytes += now / 63'000;
    }
  }
  EXPECT_NEAR(bytes, KeyIndex::bytes_a_key, 2);
}

TEST(KeyIndexDeathTest, a_row_for_which_no_room_was_made_stops_the_program) {
  KeyIndex index;
  const RowHolder row = row_of("a");
  EXPECT_DEATH(index.put(*row), "room is made");
}

}  // namespace
}  // namespace annals::projection
