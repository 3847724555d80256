// A repeated Idempotency-Key gets the reply of then, whatever the state has become since.

#include <cctype>

#include <gtest/gtest.h>

#include "http/routes/test_api.hpp"
#include "model/test_cipher.hpp"
#include "model/test_model.hpp"

namespace annals::http {
namespace {

class IdempotencyTest : public ApiTest {
 protected:
  std::shared_ptr<Asked> post(const std::string& target, std::string_view body, const std::string& key = "k") {
    std::vector<Field> fields{{"Content-Type", "application/json"}};
    if (!key.empty()) fields.push_back({"Idempotency-Key", key});
    auto asked = ask(Method::post, target, std::move(fields), body);
    run();
    return asked;
  }
  void put(const std::string& name, const std::string& value) {
    const auto asked =
        ask(Method::put, "/config/" + name, {{"Content-Type", "application/json"}}, "{\"value\":\"" + value + "\"}");
    run();
    ASSERT_EQ(asked->status(), 200);
  }
  void import(int names) {
    std::string lines;
    for (int name = 0; name < names; ++name)
      lines += "{\"name\":\"" + std::to_string(next_name++) + "\",\"value\":\"1\"}\n";
    const auto asked = ask(Method::post, "/-/models/config/import", {}, lines);
    run();
    ASSERT_EQ(asked->status(), 200);
  }
  [[nodiscard]] std::uint64_t recorded() const { return store->status().visible.value; }

  int next_name = 0;
};

constexpr std::string_view to_the_future = R"({"at":"2999-01-01T00:00:00Z"})";
constexpr std::string_view all_to_the_beginning = R"({"prefix":"","at":"1970-01-01T00:00:00Z"})";

TEST_F(IdempotencyTest, a_rollback_is_replayed_although_there_is_nothing_to_go_back_to_any_more) {
  open();
  put("a", "1");
  EXPECT_EQ(post("/config/a/rollback", to_the_future)->status(), 200);
  ask(Method::delete_, "/config/a");
  run();
  const auto again = post("/config/a/rollback", to_the_future);
  EXPECT_EQ(again->status(), 200);
  EXPECT_TRUE(again->has("Idempotency-Replayed: true"));
  EXPECT_TRUE(again->has("ETag: \"2\""));
  EXPECT_EQ(recorded(), 3u);
  EXPECT_EQ(post("/config/b/rollback", to_the_future)->status(), 422) << "the key came with another request";
  EXPECT_EQ(post("/config/a/rollback", to_the_future, "another")->status(), 404);
}

// The second of two twins finds the record deleted, while the first has not been answered yet.
TEST_F(IdempotencyTest, a_simultaneous_twin_is_not_refused_by_a_state_that_came_after_the_first) {
  open();
  put("a", "1");
  store->hold(true);
  const auto first = post("/config/a/rollback", to_the_future);
  const auto removed = ask(Method::delete_, "/config/a");
  run();
  ASSERT_EQ(first->status(), 0);
  const auto twin = post("/config/a/rollback", to_the_future);
  store->hold(false);
  store->release();
  run();
  EXPECT_EQ(first->status(), 200);
  EXPECT_EQ(removed->status(), 200);
  EXPECT_EQ(twin->status(), 200);
  EXPECT_TRUE(twin->has("Idempotency-Replayed: true"));
  EXPECT_EQ(recorded(), 3u);
}

TEST_F(IdempotencyTest, a_refusal_of_a_request_with_a_key_waits_for_what_is_under_way) {
  open();
  store->hold(true);
  const auto set = ask(Method::put, "/config/a", {{"Content-Type", "application/json"}, {"Idempotency-Key", "k"}},
                       R"({"value":"1"})");
  run();
  const auto other = post("/config/b/rollback", R"({"version":1})");
  EXPECT_EQ(other->status(), 0) << "the key may be known in a moment";
  store->hold(false);
  store->release();
  run();
  EXPECT_EQ(set->status(), 200);
  EXPECT_EQ(other->status(), 422);
}

TEST_F(IdempotencyTest, a_rollback_of_a_prefix_is_replayed_although_it_would_be_too_much_by_now) {
  open();
  import(3);
  const auto first = post("/-/models/config/rollback", all_to_the_beginning);
  EXPECT_EQ(first->body(), R"({"set":0,"deleted":3})");
  import(6000);
  import(6000);
  const std::uint64_t before = recorded();
  EXPECT_EQ(post("/-/models/config/rollback", all_to_the_beginning, "another")->status(), 413);
  const auto again = post("/-/models/config/rollback", all_to_the_beginning);
  EXPECT_EQ(again->status(), 200);
  EXPECT_EQ(again->body(), R"({"set":0,"deleted":3})");
  EXPECT_TRUE(again->has("Idempotency-Replayed: true"));
  EXPECT_EQ(recorded(), before);
  EXPECT_EQ(post("/-/models/config/rollback?dry_run=true", all_to_the_beginning)->status(), 413)
      << "a dry run records nothing, and asks of now";
}

TEST_F(IdempotencyTest, an_import_of_nothing_is_remembered_when_it_has_a_key) {
  open();
  const auto import = [this](std::string_view lines, std::vector<Field> fields) {
    const auto asked = ask(Method::post, "/-/models/config/import", std::move(fields), lines);
    run();
    return asked;
  };
  EXPECT_EQ(import("", {})->status(), 200);
  EXPECT_EQ(recorded(), 0u);
  EXPECT_EQ(import("", {{"Idempotency-Key", "k"}})->body(), R"({"set":0,"deleted":0})");
  EXPECT_EQ(recorded(), 1u);
  EXPECT_TRUE(import("", {{"Idempotency-Key", "k"}})->has("Idempotency-Replayed: true"));
  EXPECT_EQ(import(R"({"name":"a","value":"1"})", {{"Idempotency-Key", "k"}})->status(), 422);
  EXPECT_EQ(recorded(), 1u);
}

std::string to_upper(std::string text) {
  for (char& character : text) character = static_cast<char>(std::toupper(static_cast<unsigned char>(character)));
  return text;
}

/// A model whose declaration changes while keys are remembered.
class RedeclaredIdempotencyTest : public IdempotencyTest {
 protected:
  void serve(const std::string& fields) { serve_as("id = { type = \"string\", primary_key = true }\n" + fields); }
  void serve_as(const std::string& fields, const std::string& attributes = "") {
    const std::string begin = "[model.product]\npath = \"/products\"\n" + attributes + "[model.product.fields]\n";
    serve_models({model::declared_model(begin + fields)});
  }
  void serve_models(std::vector<model::Model> models) {
    api = {};
    engine.reset();
    engine = std::make_unique<engine::Engine>(std::move(models), *store, world.platform(), background, engine_options);
    ASSERT_TRUE(engine->start([] {}));
    background.run_ready();
    api = make_api(*engine, ApiOptions{});
  }
  std::shared_ptr<Asked> change(Method method, std::string_view body, const std::string& key) {
    auto asked = ask(method, "/products/a", {{"Content-Type", "application/json"}, {"Idempotency-Key", key}}, body);
    run();
    return asked;
  }
};

TEST_F(RedeclaredIdempotencyTest, what_was_done_is_told_again_also_where_the_declaration_would_not_take_it_any_more) {
  serve("size = { type = \"integer\" }\n");
  const std::string created = R"({"id":"a","size":1})";
  EXPECT_EQ(post("/products", created, "create")->status(), 201);
  EXPECT_EQ(change(Method::put, R"({"size":2})", "put")->status(), 200);
  EXPECT_EQ(change(Method::patch, R"({"size":3})", "patch")->status(), 200);
  const std::uint64_t before = recorded();

  serve("size = { type = \"integer\", min = 10 }\n");
  const auto again = post("/products", created, "create");
  EXPECT_EQ(again->status(), 201) << again->body();
  EXPECT_TRUE(again->has("Idempotency-Replayed: true"));
  EXPECT_TRUE(again->has("Location: /products/a"));
  EXPECT_EQ(again->body(), created);
  EXPECT_EQ(change(Method::put, R"({"size":2})", "put")->body(), R"({"id":"a","size":2})");
  EXPECT_EQ(change(Method::patch, R"({"size":3})", "patch")->body(), R"({"id":"a","size":3})");
  EXPECT_EQ(change(Method::patch, R"({"size":3})", "another")->status(), 422);
  EXPECT_EQ(recorded(), before);
}

TEST_F(RedeclaredIdempotencyTest, a_batch_that_was_done_is_told_again_also_where_the_declaration_would_not_take_it) {
  const std::string id = "type = \"uuid\", primary_key = true, default = \"uuid\"";
  serve_as("id = { " + id + " }\nsize = { type = \"integer\" }\n");
  const std::string given = "0192f0c0-0000-7000-8000-00000000000a";
  const std::string path = "/products/" + given;
  const std::string batch = R"([{"method":"POST","path":"/products","body":{"size":1}},)"
                            R"({"method":"POST","path":"/products","body":{"id":")" +
                            to_upper(given) + R"(","size":2}},{"method":"PUT","path":")" + path +
                            R"(","if_match":1,"body":{"size":3}},{"method":"PATCH","path":")" + path +
                            R"(","body":{"size":3}},{"method":"DELETE","path":")" + path + R"("}])";
  const auto first = post("/batch", batch, "key");
  ASSERT_EQ(first->status(), 200) << first->body();
  const std::uint64_t before = recorded();
  const auto is_told_again = [&](const std::string& shown) {
    const auto again = post("/batch", batch, "key");
    EXPECT_EQ(again->status(), 200) << again->body();
    EXPECT_TRUE(again->has("Idempotency-Replayed: true"));
    EXPECT_EQ(again->body(), shown);
    const auto other = post("/batch", batch, "another");
    EXPECT_EQ(other->status(), 422);
    EXPECT_EQ(recorded(), before);
  };

  serve_as("id = { " + id + " }\nsize = { type = \"integer\", min = 10 }\n");
  is_told_again(first->body());
  serve_as("id = { " + id + " }\nsize = { type = \"integer\" }\n", "methods = [\"GET\"]\n");
  is_told_again(first->body());
  // The fields are called otherwise, and so is the key.
  serve_as("number = { " + id + ", renamed_from = \"id\" }\nwidth = { type = \"integer\", renamed_from = \"size\" }\n");
  std::string shown = first->body();
  for (const auto& [was, is] : {std::pair{"\"id\":", "\"number\":"}, std::pair{"\"size\":", "\"width\":"}}) {
    for (std::size_t at = shown.find(was); at != std::string::npos; at = shown.find(was, at + 1))
      shown.replace(at, std::string_view(was).size(), is);
  }
  is_told_again(shown);
}

TEST_F(RedeclaredIdempotencyTest, what_was_done_to_another_model_that_had_the_path_is_not_told_again) {
  const auto model_at = [](const std::string& name, const std::string& path) {
    return model::declared_model("[model." + name + "]\npath = \"" + path + "\"\n[model." + name +
                                 ".fields]\nid = { type = \"string\", primary_key = true }\n"
                                 "size = { type = \"integer\" }\n");
  };
  const std::string created = R"({"id":"a","size":1})";
  const auto creation = [](const std::string& at, const std::string& body) {
    return R"({"method":"POST","path":")" + at + R"(","body":)" + body + "}";
  };
  const std::string batch = "[" + creation("/apples", R"({"id":"b"})") + "]";
  const std::string of_both = "[" + creation("/apples", R"({"id":"c"})") + "," + creation("/pears", created) + "]";
  serve_models({model_at("apple", "/apples"), model_at("pear", "/pears")});
  EXPECT_EQ(post("/apples", created, "create")->status(), 201);
  EXPECT_EQ(post("/batch", batch, "batch")->status(), 200);
  EXPECT_EQ(post("/batch", of_both, "both")->status(), 200);
  const std::uint64_t before = recorded();

  serve_models({model_at("apple", "/pears"), model_at("pear", "/apples")});
  for (const auto& [path, body, key] : {std::tuple{"/apples", created, "create"}, std::tuple{"/batch", batch, "batch"},
                                        std::tuple{"/batch", of_both, "both"}}) {
    const auto asked = post(path, body, key);
    EXPECT_EQ(asked->status(), 422) << asked->body();
    EXPECT_TRUE(asked->body().contains("idempotency_key_reused")) << asked->body();
  }
  EXPECT_EQ(recorded(), before);
  // Of the first operation's model nothing is different.
  serve_models({model_at("apple", "/apples"), model_at("plum", "/pears"), model_at("pear", "/others")});
  const auto half = post("/batch", of_both, "both");
  EXPECT_EQ(half->status(), 422) << half->body();
  EXPECT_TRUE(half->body().contains("idempotency_key_reused")) << half->body();
  serve_models({model_at("pear", "/pears"), model_at("apple", "/apples")});
  EXPECT_EQ(post("/batch", of_both, "both")->status(), 200);
}

TEST_F(RedeclaredIdempotencyTest, a_batch_whose_key_was_a_uuid_in_capitals_and_is_a_text_by_now_is_told_again) {
  const std::string given = "0192F0C0-0000-7000-8000-00000000000A";
  const std::string path = "/products/" + given;
  const std::string beginning = R"([{"method":"POST","path":"/products","body":{}},)"
                                R"({"method":"POST","path":"/products","body":{"id":")" +
                                given + R"("}})";
  const std::string batch = beginning + "]";
  const std::string changes = R"([{"method":"PUT","path":")" + path +
                              R"(","body":{"size":2}},{"method":"PUT","path":")" + path +
                              R"(","body":{"size":2}},{"method":"DELETE","path":")" + path + R"("}])";
  serve_as("id = { type = \"uuid\", primary_key = true, default = \"uuid\" }\nsize = { type = \"integer\" }\n");
  const auto first = post("/batch", batch, "key");
  const auto second = post("/batch", changes, "changes");
  ASSERT_EQ(first->status(), 200) << first->body();
  ASSERT_EQ(second->status(), 200) << second->body();
  const std::string told = first->body();
  const std::string told_of_changes = second->body();

  serve("size = { type = \"integer\" }\n");
  // A record of that very text, made since, is another one.
  EXPECT_EQ(post("/products", R"({"id":")" + given + R"("})", "")->status(), 201);
  const std::uint64_t before = recorded();
  for (const auto& [body, key, shown] :
       {std::tuple{batch, "key", told}, std::tuple{changes, "changes", told_of_changes}}) {
    const auto again = post("/batch", body, key);
    EXPECT_EQ(again->status(), 200) << again->body();
    EXPECT_TRUE(again->has("Idempotency-Replayed: true"));
    EXPECT_EQ(again->body(), shown);
  }
  EXPECT_EQ(recorded(), before);
}

TEST_F(RedeclaredIdempotencyTest, what_was_done_before_there_was_a_secret_field_is_told_again) {
  serve("size = { type = \"integer\" }\n");
  const std::string created = R"({"id":"a","size":1})";
  const std::string batch = R"([{"method":"PUT","path":"/products/a","body":{"size":2}}])";
  EXPECT_EQ(post("/products", created, "create")->status(), 201);
  EXPECT_EQ(post("/batch", batch, "batch")->status(), 200);

  model::Model model = model::declared_model(R"([model.product]
path = "/products"
[model.product.fields]
id   = { type = "string", primary_key = true }
size = { type = "integer" }
pin  = { type = "string", secret = true }
)");
  model.cipher = std::make_shared<model::TestCipher>();
  serve_models({model});
  const std::uint64_t before = recorded();
  for (const auto& [target, body, key] : {std::tuple{"/products", created, "create"}, {"/batch", batch, "batch"}}) {
    const auto again = post(target, body, key);
    EXPECT_TRUE(again->has("Idempotency-Replayed: true")) << again->body();
    EXPECT_EQ(post(target, body + " ", key)->status(), 422) << "it is another request";
  }
  EXPECT_EQ(recorded(), before);
  const std::string secret = R"({"id":"b","pin":"1234"})";
  EXPECT_EQ(post("/products", secret, "secret")->status(), 201);
  EXPECT_TRUE(post("/products", secret, "secret")->has("Idempotency-Replayed: true"));
  EXPECT_EQ(post("/products", R"({"id":"b","pin":"1235"})", "secret")->status(), 422);
}

TEST_F(RedeclaredIdempotencyTest, a_batch_whose_key_came_with_another_is_refused_for_what_is_wrong_with_it) {
  serve("size = { type = \"integer\" }\n");
  const std::string batch = R"([{"method":"POST","path":"/products","body":{"id":"a","size":1}}])";
  EXPECT_EQ(post("/batch", batch, "key")->status(), 200);
  const auto asked = post("/batch", R"([{"method":"POST","path":"/products","body":{"id":"b","size":"x"}}])", "key");
  EXPECT_EQ(asked->status(), 422);
  EXPECT_TRUE(asked->body().contains("invalid_batch")) << asked->body();
  EXPECT_EQ(post("/batch", batch, "key")->status(), 200);
}

}  // namespace
}  // namespace annals::http
