// Pages of records of declared fields: where they end, and while the store is away.

#include <algorithm>
#include <numeric>

#include "http/routes/test_api.hpp"
#include "json/reader.hpp"
#include "model/model_file.hpp"

namespace annals::http {
namespace {

class ResourcePagesTest : public ApiTest {
 protected:
  ResourcePagesTest() {
    EXPECT_TRUE(world.files.create_directories("data"));
    start();
  }
  void start() {
    const auto root = model::read_declarations(R"(
[model.product]
path = "/products"
[model.product.fields]
id   = { type = "string", primary_key = true }
text = { type = "text" }
)",
                                               "annals.toml");
    auto models = model::read_models(*root.value().find("model"));
    engine::EngineOptions options;
    options.checkpoint_directory = "data";
    engine = std::make_unique<engine::Engine>(std::vector{std::move(models.value().front().model)}, *store,
                                              world.platform(), background, options);
    EXPECT_TRUE(engine->start([] {}));
    background.run_ready();
    api = make_api(*engine, ApiOptions{});
  }
  void create(const std::string& id, const std::string& text) {
    const auto asked = ask(Method::post, "/products", {{"content-type", "application/json"}},
                           R"({"id":")" + id + R"(","text":")" + text + R"("})");
    run();
    run();
    ASSERT_EQ(asked->status(), 201) << asked->body();
  }
};

TEST_F(ResourcePagesTest, a_page_of_large_records_ends_early_and_says_where_the_next_goes_on) {
  for (const char* id : {"a", "b", "c", "d", "e"}) create(id, std::string(600'000, 'x'));
  for (const std::string& query : {std::string(), std::string("at=2999-01-01T00:00:00Z&")}) {
    std::string target = "/products?" + query + "limit=100";
    std::vector<std::size_t> pages;
    while (!target.empty() && pages.size() < 10) {
      const auto asked = ask(Method::get, target);
      run();
      ASSERT_EQ(asked->status(), 200) << target;
      const std::string body = asked->body();
      std::size_t& records = pages.emplace_back(0);
      for (std::size_t at = body.find("\"id\""); at != std::string::npos; at = body.find("\"id\"", at + 1)) ++records;
      const std::size_t next = body.find("\"next\":\"");
      if (next == std::string::npos) break;
      const std::size_t begin = next + 8;
      target = "/products?" + query + "limit=100&after=" + body.substr(begin, body.find('"', begin) - begin);
    }
    EXPECT_EQ(std::accumulate(pages.begin(), pages.end(), std::size_t{0}), 5u) << query;
    EXPECT_LE(*std::ranges::max_element(pages), 2u) << query;
  }
}

TEST_F(ResourcePagesTest, while_the_store_is_away_since_the_start_a_page_is_that_of_the_checkpoint) {
  create("a", "x");
  engine.reset();  // writes its checkpoints
  store->set_away("the database does not answer");
  start();
  const auto page = ask(Method::get, "/products?count=true");
  EXPECT_EQ(page->status(), 200);
  EXPECT_EQ(page->body(), R"({"data":[{"id":"a","text":"x"}],"next":null,"total":1})");
  EXPECT_TRUE(page->has("Annals-Position: " + cursor(1) + "\r\n"));
  EXPECT_EQ(ask(Method::get, "/products?at=2026-02-12T10:00:00Z")->status(), 503);
  EXPECT_EQ(ask(Method::get, "/products/b")->status(), 503) << "it may have come to be since";
}

}  // namespace
}  // namespace annals::http
