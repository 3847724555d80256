// Differences at the places where one piece ends and the next begins.

#include "http/routes/test_api.hpp"

namespace annals::http {
namespace {

using projection::record;
using projection::set_event;
using DifferencesTest = ApiTest;

std::string different_name(std::size_t number) {
  return "n" + std::to_string(10'000 + number);
}

std::size_t names_in(const std::string& body) {
  std::size_t names = 0;
  for (std::size_t place = body.find("\"name\""); place != std::string::npos; place = body.find("\"name\"", place + 1))
    ++names;
  return names;
}

TEST_F(DifferencesTest, a_list_of_differences_of_any_length_is_one_array) {
  open(model::Consistency::eventual);
  std::size_t recorded = 0;
  for (std::size_t count : {0u, 1u, 127u, 128u, 129u, 700u}) {
    for (; recorded < count; ++recorded) record(*store, "config-" + different_name(recorded), set_event("v"));
    for (const bool filled : {false, true}) {
      if (filled) run();
      const std::string body = ask(Method::get, "/config?diff_from=2000-01-01T00:00:00Z")->body();
      EXPECT_EQ(names_in(body), count);
      EXPECT_TRUE(body.starts_with("[") && body.ends_with("]"));
      EXPECT_EQ(body.find("},{") != std::string::npos, count > 1);
    }
  }
}

TEST_F(DifferencesTest, pages_of_any_length_make_up_the_list) {
  open(model::Consistency::eventual);
  for (std::size_t number = 0; number < 700; ++number)
    record(*store, "config-" + different_name(number), set_event("v"));
  run();
  for (std::size_t limit : {7u, 128u, 350u, 699u, 700u, 701u}) {
    std::string target = "/config?diff_from=2000-01-01T00:00:00Z&limit=" + std::to_string(limit);
    for (std::size_t first = 0; first < 700; first += limit) {
      const auto page = ask(Method::get, target);
      run();
      const std::string body = page->body();
      EXPECT_EQ(names_in(body), std::min<std::size_t>(limit, 700 - first));
      EXPECT_TRUE(body.starts_with("[{\"name\":\"" + different_name(first) + "\"")) << target;
      const std::size_t link = page->response->fields.find("Link: <");
      ASSERT_EQ(link == std::string::npos, first + limit >= 700) << target;
      if (link == std::string::npos) break;
      target = page->response->fields.substr(link + 7, page->response->fields.find('>') - link - 7);
    }
  }
}

TEST_F(DifferencesTest, a_list_without_an_end_is_of_the_moment_of_its_first_page) {
  open();
  record(*store, "config-a", set_event("1"));
  record(*store, "config-b", set_event("1"));
  const auto first = ask(Method::get, "/config?diff_from=2000-01-01T00:00:00Z&limit=1");
  run();
  ASSERT_EQ(first->status(), 200);
  record(*store, "config-c", set_event("1"));
  const std::size_t link = first->response->fields.find("Link: <");
  ASSERT_NE(link, std::string::npos);
  const auto second =
      ask(Method::get, first->response->fields.substr(link + 7, first->response->fields.find('>') - link - 7));
  run();
  EXPECT_TRUE(second->body().starts_with("[{\"name\":\"b\""));
  EXPECT_EQ(second->response->fields.find("Link: <"), std::string::npos);
}

}  // namespace
}  // namespace annals::http
