#include <gtest/gtest.h>

#include <string>

#include "http/routes/test_api.hpp"

namespace annals::http {
namespace {

using GroupsTest = ApiTest;

/// Lines of an import, each another name.
std::string lines_of(std::size_t count) {
  std::string lines;
  for (std::size_t name = 0; name < count; ++name)
    lines += "{\"name\":\"" + std::to_string(name) + "\",\"value\":\"1\"}\n";
  return lines;
}

TEST_F(GroupsTest, an_import_of_more_lines_than_a_group_holds_is_refused_before_the_rest_is_read) {
  open();
  const auto most = ask(Method::post, "/-/models/config/import", {}, lines_of(group_events_max));
  run();
  EXPECT_EQ(most->status(), 200) << most->body();
  const auto more = ask(Method::post, "/-/models/config/import", {}, lines_of(group_events_max + 1) + "no JSON\n");
  run();
  EXPECT_EQ(more->status(), 413);
  EXPECT_NE(more->body().find("group_too_large"), std::string::npos) << more->body();
  EXPECT_EQ(store->status().visible.value, group_events_max);
}

}  // namespace
}  // namespace annals::http
