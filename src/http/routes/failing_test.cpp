// What the API answers while a read table cannot take an event that another server recorded.

#include "http/routes/test_api.hpp"
#include "model/model_file.hpp"
#include "model/test_model.hpp"

namespace annals::http {
namespace {

using projection::record;
using projection::set_event;

class FailingTest : public ApiTest {
 protected:
  FailingTest() {
    store->share();
    const auto root = model::read_declarations(R"(
[model.customer]
path = "/customers"
[model.customer.fields]
id   = { type = "string", primary_key = true }
size = { type = "enum", values = ["s"], indexed = true }

[model.order]
path = "/orders"
[model.order.fields]
id       = { type = "string", primary_key = true }
customer = { type = "string", references = "customer" }
)",
                                               "annals.toml");
    auto declared = model::read_models(*root.value().find("model"));
    std::vector<model::Model> models{model::Model::kv("config", {"/config"})};
    for (model::DeclaredModel& one : declared.value()) models.push_back(std::move(one.model));
    engine = std::make_unique<engine::Engine>(std::move(models), *store, world.platform(), background,
                                              engine::EngineOptions{});
    EXPECT_TRUE(engine->start([] {}));
    background.run_ready();
    api = make_api(*engine, ApiOptions{});
    EXPECT_EQ(write(Method::put, "/config/a", R"({"value":"1"})"), 200);
    EXPECT_EQ(write(Method::post, "/customers", R"({"id":"a","size":"s"})"), 201);
    EXPECT_EQ(write(Method::post, "/orders", R"({"id":"o","customer":"a"})"), 201);
    world.clock.advance(std::chrono::seconds(1));
    before = world.clock.now();
    world.clock.advance(std::chrono::seconds(1));
  }

  std::shared_ptr<Asked> written(Method method, const std::string& target, std::string_view body = {},
                                 std::string_view type = "application/json") {
    const auto asked = ask(method, target, {{"content-type", type}}, body);
    for (int turn = 0; turn < 4; ++turn) run();
    return asked;
  }
  int write(Method method, const std::string& target, std::string_view body = {}) {
    return written(method, target, body)->status();
  }
  std::shared_ptr<Asked> read(const std::string& target, std::vector<Field> fields = {}) {
    const auto asked = ask(Method::get, target, std::move(fields));
    run();
    return asked;
  }
  static void expect_failing(const std::shared_ptr<Asked>& asked, const std::string& what) {
    ASSERT_EQ(asked->status(), 503) << what;
    EXPECT_NE(asked->body().find(R"("code":"table_failing")"), std::string::npos) << what << asked->body();
    EXPECT_NE(asked->body().find("annals plan"), std::string::npos) << what;
    EXPECT_TRUE(asked->has("Retry-After: ")) << what;
  }

  /// Another server declares one size more.
  Position meet_a_size_that_is_not_declared() {
    NewEvent event;
    event.type = "CustomerCreated";
    event.data = R"({"customer_id":"c","values":{"id":"c","size":"xxl"}})";
    event.metadata = "{\"actor\":\"anonymous\"}";
    const Position position = record(*store, "customer-c", event).last;
    run();
    return position;
  }
  Position meet_what_is_garbled() {
    NewEvent event = set_event("x");
    event.data = "{}";
    const Position position = record(*store, "config-b", event).last;
    run();
    return position;
  }

  Instant before;  // all that is there was recorded by then
};

TEST_F(FailingTest, nothing_is_told_of_the_present_of_a_model_whose_table_fails) {
  meet_a_size_that_is_not_declared();
  for (const char* const target : {"/customers/a", "/customers/c", "/customers/never", "/customers",
                                   "/customers?size=s", "/customers?limit=1&count=true", "/orders/o?expand=customer",
                                   "/orders?expand=customer", "/customers/a?wait=1s"}) {
    expect_failing(read(target), target);
  }
  expect_failing(read("/customers", {{"accept", "application/x-ndjson"}}), "an export");
  expect_failing(read("/customers", {{"accept", "text/csv"}}), "an export");
  EXPECT_EQ(ask(Method::head, "/customers/a")->status(), 503);
}

TEST_F(FailingTest, other_models_and_the_past_are_served_all_the_same) {
  meet_a_size_that_is_not_declared();
  EXPECT_EQ(read("/orders/o")->status(), 200);
  EXPECT_EQ(read("/orders")->status(), 200);
  EXPECT_EQ(read("/config/a")->body(), "1");
  EXPECT_EQ(write(Method::put, "/config/b", R"({"value":"2"})"), 200);
  EXPECT_EQ(write(Method::post, "/orders", R"({"id":"p"})"), 201);
  EXPECT_EQ(write(Method::delete_, "/orders/o"), 204);
  EXPECT_EQ(read("/customers/a?at=" + before.to_text())->status(), 200);
  EXPECT_EQ(read("/customers/a?version=1")->status(), 200);
  EXPECT_EQ(read("/customers?at=" + before.to_text())->status(), 200);
  EXPECT_EQ(read("/customers/a/history")->status(), 200);
  EXPECT_NE(read("/customers/c/history")->body().find("xxl"), std::string::npos) << "an event is told as it is";
  expect_failing(read("/customers/c?version=1"), "a record of which nothing can be made");
}

TEST_F(FailingTest, writes_that_need_the_model_are_refused_and_record_nothing) {
  const Position last = meet_a_size_that_is_not_declared();
  const std::vector<std::tuple<Method, std::string, std::string>> writes{
      {Method::post, "/customers", R"({"id":"b","size":"s"})"},
      {Method::put, "/customers/a", R"({"size":"s"})"},
      {Method::patch, "/customers/a", R"({"size":null})"},
      {Method::delete_, "/customers/a", ""},
      {Method::post, "/customers/a/rollback", R"({"version":1})"},
      {Method::post, "/customers?dry_run=true", R"({"id":"b"})"},
      {Method::post, "/orders", R"({"id":"q","customer":"a"})"},
      {Method::post, "/batch",
       R"([{"method":"PUT","path":"/config/q","body":{"value":"1"}},{"method":"POST","path":"/customers","body":{"id":"q"}}])"},
  };
  for (const auto& [method, target, body] : writes) {
    const auto asked = written(method, target, body);
    expect_failing(asked, target);
    EXPECT_NE(asked->body().find("recorded nothing"), std::string::npos) << target;
  }
  EXPECT_EQ(store->status().visible, last);
  EXPECT_EQ(read("/config/q")->status(), 404);
}

TEST_F(FailingTest, a_deletion_that_has_to_ask_the_failing_model_is_refused) {
  NewEvent event;
  event.type = "OrderCreated";
  event.data = R"({"order_id":"z","values":{"id":7}})";
  event.metadata = "{\"actor\":\"anonymous\"}";
  const Position last = record(*store, "order-z", event).last;
  run();
  expect_failing(written(Method::delete_, "/customers/a"), "who refers to it is not known");
  EXPECT_EQ(store->status().visible, last);
  EXPECT_EQ(read("/customers/a")->status(), 200);
}

TEST_F(FailingTest, a_value_model_fails_like_any_other) {
  const Position position = meet_what_is_garbled();
  for (const char* const target : {"/config/a", "/config/b", "/config", "/config?prefix=z", "/config?limit=1"})
    expect_failing(read(target), target);
  expect_failing(written(Method::put, "/config/a", R"({"value":"2"})"), "put");
  expect_failing(written(Method::delete_, "/config/a"), "delete");
  expect_failing(
      written(Method::post, "/-/models/config/import", R"({"name":"a","value":"3"})", "application/x-ndjson"),
      "import");
  expect_failing(
      written(Method::post, "/-/models/config/rollback", R"({"prefix":"a","at":")" + before.to_text() + "\"}"),
      "rollback of a prefix");
  expect_failing(written(Method::post, "/-/projections/config/refresh"), "refresh");
  EXPECT_EQ(store->status().visible, position);
  EXPECT_EQ(read("/customers/a")->status(), 200);
}

TEST_F(FailingTest, readiness_and_health_say_which_table_fails_at_which_event_and_why) {
  EXPECT_EQ(read("/readyz")->status(), 200);
  const Position position = meet_a_size_that_is_not_declared();
  for (const char* const target : {"/readyz", "/health"}) {
    const auto asked = read(target);
    EXPECT_EQ(asked->status(), 503) << target;
    EXPECT_TRUE(asked->has("Retry-After: ")) << target;
    const std::string body = asked->body();
    EXPECT_NE(body.find("the read table of customer cannot take the event at position " + to_string(position)),
              std::string::npos)
        << body;
    EXPECT_NE(body.find("does not suit the declaration (wrong_type)"), std::string::npos) << body;
    EXPECT_EQ(body.find("xxl"), std::string::npos) << "values are not for everybody: " << body;
  }
  EXPECT_EQ(read("/livez")->status(), 200);
}

TEST_F(FailingTest, who_waits_is_told_as_soon_as_the_table_fails) {
  const auto of_key = ask(Method::get, "/config/a?wait=60s", {{"if-none-match", "\"1\""}});
  const auto of_list = ask(Method::get, "/config?wait=60s", {{"if-none-match", "W/\"" + cursor(3) + "\""}});
  const auto of_position = ask(Method::get, "/config/a?min_position=" + cursor(4));
  run();
  ASSERT_EQ(of_key->status(), 0);
  ASSERT_EQ(of_list->status(), 0);
  ASSERT_EQ(of_position->status(), 0);
  meet_what_is_garbled();
  run();
  expect_failing(of_key, "for a change of a record");
  expect_failing(of_list, "for a change of a list");
  expect_failing(of_position, "for a position");
  expect_failing(read("/config/a?min_position=" + cursor(4)), "who comes later");
}

TEST_F(FailingTest, all_is_served_again_once_the_cause_is_gone) {
  const Position position = meet_a_size_that_is_not_declared();
  expect_failing(read("/customers/a"), "while it is there");
  for (int pause = 0; pause < 3; ++pause) background.run_next_timer();
  expect_failing(read("/customers/a"), "however often it was tried");
  store->remove(position);
  ASSERT_TRUE(background.run_next_timer());
  run();
  EXPECT_EQ(read("/customers/a")->status(), 200);
  EXPECT_EQ(read("/customers/c")->status(), 404);
  EXPECT_EQ(write(Method::post, "/customers", R"({"id":"b","size":"s"})"), 201);
  EXPECT_EQ(read("/readyz")->status(), 200);
  EXPECT_EQ(read("/health")->status(), 200);
}

/// A store in which two records have a mail that only one may have.
class TakenTwiceTest : public ApiTest {
 protected:
  TakenTwiceTest() {
    store->share();
    record(*store, "account-a", created("a"));
    record(*store, "account-b", created("b"));
    engine = std::make_unique<engine::Engine>(
        std::vector{model::Model::kv("config", {"/config"}), model::declared_model(R"([model.account]
path = "/accounts"
[model.account.fields]
id   = { type = "string", primary_key = true }
mail = { type = "string", unique = true }
)")},
        *store, world.platform(), background, engine::EngineOptions{});
    EXPECT_TRUE(engine->start([] {}));
    api = make_api(*engine, ApiOptions{});
    for (int turn = 0; turn < 4; ++turn) run();
  }
  static NewEvent created(const std::string& key) {
    NewEvent event;
    event.type = "AccountCreated";
    event.data = R"({"account_id":")" + key + R"(","values":{"id":")" + key + R"(","mail":"secret@example.org"}})";
    event.metadata = "{\"actor\":\"anonymous\"}";
    return event;
  }
  std::shared_ptr<Asked> asked(Method method, const std::string& target, std::string_view body = {}) {
    const auto one = ask(method, target, {{"content-type", "application/json"}}, body);
    for (int turn = 0; turn < 4; ++turn) run();
    return one;
  }
};

TEST_F(TakenTwiceTest, a_model_with_a_unique_value_of_two_records_is_refused_and_others_are_served) {
  const Position last = store->status().visible;
  for (const auto& [method, target, body] :
       {std::tuple{Method::get, "/accounts/a", ""}, std::tuple{Method::get, "/accounts", ""},
        std::tuple{Method::post, "/accounts", R"({"id":"c"})"}, std::tuple{Method::delete_, "/accounts/a", ""}}) {
    const auto one = asked(method, target, body);
    EXPECT_EQ(one->status(), 503) << target;
    EXPECT_TRUE(one->body().contains(R"("code":"table_failing")")) << one->body();
  }
  EXPECT_EQ(store->status().visible, last);
  for (const char* const target : {"/readyz", "/health"}) {
    const std::string told = asked(Method::get, target)->body();
    EXPECT_TRUE(told.contains("1 value that is to be unique and is not")) << told;
    EXPECT_FALSE(told.contains("secret@")) << told;
  }
  EXPECT_EQ(asked(Method::put, "/config/a", R"({"value":"1"})")->status(), 200);
  EXPECT_EQ(asked(Method::get, "/accounts/a/history")->status(), 200);

  // Another server, whose declaration lets it be so, takes one of them away.
  NewEvent gone = created("a");
  gone.type = "AccountDeleted";
  gone.data = R"({"account_id":"a","old_values":{},"deleted_at":"2026-01-01T00:00:00Z"})";
  record(*store, "account-a", gone);
  for (int turn = 0; turn < 4; ++turn) run();
  EXPECT_EQ(asked(Method::get, "/accounts/b")->status(), 200);
  EXPECT_EQ(asked(Method::get, "/readyz")->status(), 200);
}

TEST_F(FailingTest, a_request_that_was_recorded_before_is_answered_with_its_receipt) {
  const std::vector<Field> fields{{"content-type", "application/json"}, {"idempotency-key", "k"}};
  const std::string_view body = R"({"value":"2"})";
  const auto put = [&] {
    const auto asked = ask(Method::put, "/config/a", fields, body);
    for (int turn = 0; turn < 4; ++turn) run();
    return asked;
  };
  EXPECT_EQ(put()->status(), 200);
  meet_what_is_garbled();
  const auto again = put();
  EXPECT_EQ(again->status(), 200);
  EXPECT_TRUE(again->has("Idempotency-Replayed: true"));
}

}  // namespace
}  // namespace annals::http
