// PUT of keys: which bodies set what.

#include <array>
#include <utility>

#include "http/routes/test_api.hpp"

namespace annals::http {
namespace {

class PutTest : public ApiTest {
 protected:
  /// The status, and what a GET then shows.
  std::pair<int, std::string> put(const std::string& key, std::string_view body) {
    const auto asked = ask(Method::put, "/config/" + key, {{"Content-Type", "application/json"}}, body);
    run();
    return {asked->status(), ask(Method::get, "/config/" + key)->body()};
  }
};

TEST_F(PutTest, a_body_sets_the_same_value_with_blanks_and_without) {
  open();
  for (const std::string value : {"", "x", "seventeen letters", "} ,{", "'/\x7f~", "a\\\"b", "\\\\", "\\u0041\\n",
                                  "\xc3\xa4", "\xf0\x9f\x98\x80 and more than sixteen bytes"}) {
    const auto compact = put("compact", R"({"value":")" + value + R"("})");
    EXPECT_EQ(compact.first, 200) << value;
    EXPECT_EQ(compact, put("spaced", R"({ "value" : ")" + value + R"(" })")) << value;
  }
  const std::string long_value(100'000, 'v');
  EXPECT_EQ(put("long", R"({"value":")" + long_value + R"("})"), std::pair(200, long_value));
}

TEST_F(PutTest, a_body_that_begins_and_ends_like_a_good_one_is_still_read_to_the_letter) {
  open();
  constexpr std::array<std::pair<std::string_view, int>, 9> refused{{
      {R"({"value":"a","value":"b"})", 400},
      {R"({"value":"a"}{"value":"b"})", 400},
      {R"({"value":"a"}"})", 400},
      {R"({"value":"a\"})", 400},
      {R"({"value":"})", 400},
      {"{\"value\":\"a\nb\"}", 400},
      {"{\"value\":\"a\xff\"}", 400},
      {R"({"value":"a","other":"b"})", 422},
      {R"({"valu":"a"})", 422},
  }};
  for (const auto& [body, status] : refused) EXPECT_EQ(put("key", body).first, status) << body;
  EXPECT_EQ(ask(Method::get, "/config/key")->status(), 404);
}

TEST_F(PutTest, a_value_beyond_the_limit_is_refused_in_either_form) {
  open();
  const std::string value(engine->model(0).value_bytes_max + 1, 'v');
  for (const std::string& body : {R"({"value":")" + value + R"("})", R"({"value": ")" + value + R"("})"})
    EXPECT_EQ(put("key", body).first, 413);
}

}  // namespace
}  // namespace annals::http
