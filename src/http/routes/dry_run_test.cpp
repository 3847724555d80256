// What a dry run refuses.

#include "http/routes/test_api.hpp"
#include "model/test_model.hpp"

namespace annals::http {
namespace {

class DryRunTest : public ApiTest {
 protected:
  void SetUp() override {
    const char* text = R"(
[model.product]
path = "/products"
[model.product.fields]
id     = { type = "string", primary_key = true }
cost   = { type = "integer", exposed = false }
double = { type = "integer", exposed = false, computed = "cost * 2" }
)";
    engine = std::make_unique<engine::Engine>(std::vector{model::declared_model(text)}, *store, world.platform(),
                                              background, engine_options);
    ASSERT_TRUE(engine->start([] {}));
    background.run_ready();
    api = make_api(*engine, ApiOptions{});
    ASSERT_EQ(sent(Method::post, "/products", R"({"id":"a","cost":1})")->status(), 201);
  }
  std::shared_ptr<Asked> sent(Method method, const std::string& target, const std::string& body) {
    auto asked = ask(method, target, {{"content-type", "application/json"}}, body);
    run();
    return asked;
  }
};

TEST_F(DryRunTest, what_is_given_to_a_computed_field_that_is_not_shown_is_refused_as_it_would_be) {
  for (const char* value : {"2", "3", "null"}) {
    const std::string body = std::string(R"({"double":)") + value + "}";
    for (const char* query : {"", "?dry_run=true"}) {
      const auto asked = sent(Method::patch, std::string("/products/a") + query, body);
      EXPECT_EQ(asked->status(), 422) << query << " " << body;
      EXPECT_TRUE(asked->body().contains(R"("pointer":"/double","code":"computed")")) << asked->body();
      const std::string batch = R"([{"method":"PATCH","path":"/products/a","body":)" + body + "}]";
      EXPECT_EQ(sent(Method::post, std::string("/batch") + query, batch)->status(), 422) << query << " " << body;
    }
  }
  EXPECT_EQ(sent(Method::patch, "/products/a?dry_run=true", R"({"cost":7})")->body(),
            R"({"events":[],"state":{"id":"a"}})")
      << "what is no computed one is left as it is";
}

}  // namespace
}  // namespace annals::http
