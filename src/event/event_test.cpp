#include "event/event.hpp"

#include <gtest/gtest.h>

#include "event/event_store.hpp"

namespace annals {
namespace {

TEST(stream_name, the_category_stands_before_the_first_hyphen_and_the_key_after) {
  EXPECT_EQ(category_of("config-database_url"), "config");
  EXPECT_EQ(key_of("config-database_url"), "database_url");
  EXPECT_EQ(category_of("product-0192e4a0-7a3c"), "product");
  EXPECT_EQ(key_of("product-0192e4a0-7a3c"), "0192e4a0-7a3c");
  EXPECT_EQ(category_of("lonely"), "lonely");
  EXPECT_EQ(key_of("lonely"), "");
  EXPECT_EQ(category_of("-x"), "");
  EXPECT_EQ(key_of("x-"), "");
}

TEST(expected_version, each_rule_admits_what_its_name_says) {
  const StreamVersion zero;
  const StreamVersion one{1};
  const StreamVersion two{2};
  EXPECT_TRUE(ExpectedVersion::any().admits(zero) && ExpectedVersion::any().admits(two));
  EXPECT_TRUE(ExpectedVersion::none().admits(zero) && !ExpectedVersion::none().admits(one));
  EXPECT_TRUE(!ExpectedVersion::exists().admits(zero) && ExpectedVersion::exists().admits(two));
  EXPECT_TRUE(ExpectedVersion::exact(one).admits(one) && !ExpectedVersion::exact(one).admits(zero) &&
              !ExpectedVersion::exact(one).admits(two));
  EXPECT_TRUE(ExpectedVersion::exact(zero).admits(zero) && !ExpectedVersion::exact(zero).admits(one));
}

TEST(expected_version, text_completes_a_sentence) {
  EXPECT_EQ(ExpectedVersion::any().to_text(), "any version");
  EXPECT_EQ(ExpectedVersion::none().to_text(), "no events");
  EXPECT_EQ(ExpectedVersion::exists().to_text(), "at least one event");
  EXPECT_EQ(ExpectedVersion::exact(StreamVersion{3}).to_text(), "version 3");
  EXPECT_EQ(ExpectedVersion::exact(StreamVersion{0}).to_text(), "no events");
}

TEST(durability, every_degree_has_a_word) {
  EXPECT_EQ(to_string(Durability::memory), "memory");
  EXPECT_EQ(to_string(Durability::periodic), "periodic");
  EXPECT_EQ(to_string(Durability::local), "local");
  EXPECT_EQ(to_string(Durability::quorum), "quorum");
}

}  // namespace
}  // namespace annals
