#include "base/did_you_mean.hpp"

#include <gtest/gtest.h>

namespace annals {
namespace {

TEST(did_you_mean, it_suggests_what_was_probably_meant_and_nothing_else) {
  const std::vector<std::string> known{"store.directory", "store.sync", "server", "model"};
  EXPECT_EQ(did_you_mean("store.directry", known), "; did you mean \"store.directory\"?");
  EXPECT_EQ(did_you_mean("sotre.sync", known), "; did you mean \"store.sync\"?");
  EXPECT_EQ(did_you_mean("sever", known), "; did you mean \"server\"?");
  EXPECT_EQ(did_you_mean("models", known), "; did you mean \"model\"?");
  EXPECT_EQ(did_you_mean("zzz", known), "");
  EXPECT_EQ(did_you_mean("", known), "");
  EXPECT_EQ(did_you_mean("x", {}), "");
}

TEST(did_you_mean, two_letters_that_changed_places_are_one_slip) {
  const std::vector<std::string> known{"cache", "memory", "model", "eventual"};
  EXPECT_EQ(did_you_mean("cahce", known), "; did you mean \"cache\"?");
  EXPECT_EQ(did_you_mean("memroy", known), "; did you mean \"memory\"?");
  EXPECT_EQ(did_you_mean("modle", known), "; did you mean \"model\"?");
  EXPECT_EQ(did_you_mean("acceh", known), "") << "two slips in five letters";
}

TEST(did_you_mean, what_was_cut_short_or_went_on_is_meant) {
  const std::vector<std::string> known{"audited", "indexed", "index_of_all", "min"};
  EXPECT_EQ(did_you_mean("audit", known), "; did you mean \"audited\"?");
  EXPECT_EQ(did_you_mean("index", known), "; did you mean \"indexed\"?") << "the nearest of them";
  EXPECT_EQ(did_you_mean("minimum", known), "; did you mean \"min\"?");
  EXPECT_EQ(did_you_mean("au", known), "") << "two letters tell nothing";
  EXPECT_EQ(did_you_mean("store.dir", {"store.kind", "store.directory"}), "; did you mean \"store.directory\"?");
  EXPECT_EQ(did_you_mean("server.colour", {"server", "server.listen"}), "") << "what lies in a table is not the table";
  EXPECT_EQ(did_you_mean("q", {"p"}), "") << "nothing in common";
  EXPECT_EQ(did_you_mean("mi", known), "; did you mean \"min\"?") << "one slip";
}

TEST(did_you_mean, the_case_of_letters_is_no_difference) {
  EXPECT_EQ(did_you_mean("Get", {"GET", "PUT"}), "; did you mean \"GET\"?");
  EXPECT_EQ(did_you_mean("PRIMARY_KEY", {"primary_key"}), "; did you mean \"primary_key\"?");
  EXPECT_EQ(did_you_mean(std::string(100'000, 'a'), {"a"}), "");
}

}  // namespace
}  // namespace annals
