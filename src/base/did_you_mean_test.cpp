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

}  // namespace
}  // namespace annals
