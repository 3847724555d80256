// What `retention` shows of the past of records, as time goes by.

#include "http/routes/test_api.hpp"
#include "model/model_file.hpp"

namespace annals::http {
namespace {

class RetentionTest : public ApiTest {
 protected:
  RetentionTest() {
    const auto root = model::read_declarations(R"(
[model.product]
path = "/products"
retention = "1h"
audited = true
[model.product.fields]
id    = { type = "string", primary_key = true }
stock = { type = "integer" }
)",
                                               "annals.toml");
    auto models = model::read_models(*root.value().find("model"));
    engine = std::make_unique<engine::Engine>(std::vector{std::move(models.value().front().model)}, *store,
                                              world.platform(), background, engine::EngineOptions{});
    EXPECT_TRUE(engine->start([] {}));
    background.run_ready();
    api = make_api(*engine, ApiOptions{});
  }
  std::shared_ptr<Asked> seen_through(Method method, const std::string& target, const std::string& body = {}) {
    auto asked = ask(method, target, {{"content-type", "application/json"}}, body);
    for (int round = 0; round < 4; ++round) run();
    return asked;
  }
  /// "200", "404 past_not_shown".
  std::string outcome(const std::string& target) { return outcome_of(*seen_through(Method::get, target)); }
  static std::string outcome_of(Asked& asked) {
    const std::string body = asked.body();
    std::string text = std::to_string(asked.status());
    for (const char* code : {"past_not_shown", "not_found"}) {
      if (body.find("\"code\":\"" + std::string(code) + "\"") != std::string::npos) text += " " + std::string(code);
    }
    return text;
  }
  /// The versions of a history; of an audit its actions.
  std::string told(const std::string& target, const std::string& member = "\"stream_version\":") {
    const std::string body = seen_through(Method::get, target)->body();
    std::string all;
    for (std::size_t at = body.find(member); at != std::string::npos; at = body.find(member, at + 1)) {
      const std::size_t begin = at + member.size();
      all += (all.empty() ? "" : " ") + body.substr(begin, body.find_first_of(",}", begin) - begin);
    }
    return all;
  }
  std::string minutes(int number) { return Instant{start.microseconds}.plus(std::chrono::minutes(number)).to_text(); }

  const Instant start = world.clock.now();
};

TEST_F(RetentionTest, a_past_that_is_older_is_not_shown_and_the_present_always_is) {
  // Versions at 0, 30 and 50 minutes.
  ASSERT_EQ(seen_through(Method::post, "/products", R"({"id":"a","stock":1})")->status(), 201);
  ASSERT_EQ(seen_through(Method::post, "/products", R"({"id":"still","stock":1})")->status(), 201);
  world.clock.advance(std::chrono::minutes(30));
  ASSERT_EQ(seen_through(Method::patch, "/products/a", R"({"stock":2})")->status(), 200);
  world.clock.advance(std::chrono::minutes(20));
  ASSERT_EQ(seen_through(Method::patch, "/products/a", R"({"stock":3})")->status(), 200);
  EXPECT_EQ(told("/products/a/history"), "1 2 3");
  EXPECT_EQ(outcome("/products/a?version=1"), "200");
  EXPECT_EQ(outcome("/products/a?at=" + minutes(-1)), "404 not_found");

  world.clock.advance(std::chrono::minutes(20));  // at 70 minutes, what was from 10 on is shown
  EXPECT_EQ(told("/products/a/history"), "2 3");
  EXPECT_EQ(told("/products/a/history?after_version=2"), "3");
  EXPECT_EQ(told("/products/a/audit", "\"action\":"), "\"update\" \"update\"");
  EXPECT_EQ(outcome("/products/a?at=" + minutes(9)), "404 past_not_shown");
  EXPECT_EQ(outcome("/products/a/at/" + minutes(9)), "404 past_not_shown");
  EXPECT_EQ(outcome("/products?at=" + minutes(9)), "404 past_not_shown");
  EXPECT_EQ(outcome("/products/never?at=" + minutes(9)), "404 past_not_shown") << "whatever the record";
  EXPECT_EQ(seen_through(Method::get, "/products/a?at=" + minutes(11))->body(), R"({"id":"a","stock":1})");
  EXPECT_EQ(outcome("/products/a?version=1"), "200") << "it was the record's as that time began";
  EXPECT_EQ(outcome("/products?at=" + minutes(11)), "200");

  world.clock.advance(std::chrono::minutes(25));  // 95: from 35 on
  EXPECT_EQ(told("/products/a/history"), "3");
  EXPECT_EQ(outcome("/products/a?version=1"), "404 past_not_shown");
  EXPECT_EQ(outcome("/products/a?version=2"), "200");
  for (const std::string& body : {std::string(R"({"version":1})"), R"({"at":")" + minutes(31) + "\"}"}) {
    const auto refused = seen_through(Method::post, "/products/a/rollback", body);
    EXPECT_EQ(outcome_of(*refused), "404 past_not_shown") << body;
  }

  world.clock.advance(std::chrono::hours(24));
  EXPECT_EQ(told("/products/a/history"), "");
  EXPECT_EQ(told("/products/a/audit", "\"action\":"), "");
  EXPECT_EQ(seen_through(Method::get, "/products/a")->body(), R"({"id":"a","stock":3})");
  EXPECT_EQ(outcome("/products/a?version=3"), "200");
  EXPECT_EQ(outcome("/products/a?version=2"), "404 past_not_shown");
  EXPECT_EQ(outcome("/products/a?version=4"), "404 not_found");
  EXPECT_EQ(outcome("/products/still?at=" + world.clock.now().to_text()), "200");
  EXPECT_EQ(told("/-/events", "\"stream_version\":"), "1 1 2 3") << "the log has all of it";
  EXPECT_EQ(seen_through(Method::post, "/products/a/rollback", R"({"version":3})")->status(), 200);
}

}  // namespace
}  // namespace annals::http
