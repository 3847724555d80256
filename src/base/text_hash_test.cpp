#include "base/text_hash.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace annals {
namespace {

TEST(TextHash, equal_texts_have_one_hash_and_others_another) {
  std::set<std::uint64_t> hashes;
  for (int number = 0; number < 10'000; ++number) hashes.insert(hash_text("key-" + std::to_string(number)));
  EXPECT_EQ(hashes.size(), 10'000u);
  EXPECT_EQ(hash_text(std::string(300, 'a')), hash_text(std::string(300, 'a')));
  EXPECT_EQ(TextHash()("a"), hash_text("a"));
}

/// What a table of the standard library takes by itself is the same in every process, so anybody can look for names
/// that fall together.
TEST(TextHash, it_is_not_the_one_that_everybody_knows) {
  EXPECT_NE(TextHash()("a name"), std::hash<std::string_view>{}("a name"));
}

TEST(TextHash, tables_are_searched_without_a_copy) {
  TextMap<std::string, int> map{{"one", 1}, {"two", 2}};
  TextSet<std::string_view> set{"one"};
  const std::string_view two = "two";
  EXPECT_EQ(map.find(two)->second, 2);
  EXPECT_TRUE(set.contains("one"));
  EXPECT_FALSE(set.contains(two));
}

}  // namespace
}  // namespace annals
