// What the API answers when the server was started while its store was away.

#include "http/routes/test_api.hpp"

namespace annals::http {
namespace {

using projection::record;
using projection::set_event;

class AwayTest : public ApiTest {
 protected:
  AwayTest() {
    EXPECT_TRUE(world.files.create_directories("data"));
    store->share();
    start();
    EXPECT_EQ(put("/config/a", "old"), 200);
    engine.reset();  // writes its checkpoints
    later = record(*store, "config-b", set_event("theirs")).created_at;
    world.clock.advance(std::chrono::seconds(1));
    store->set_away("the database does not answer");
    start();
  }

  void start() {
    engine::EngineOptions options;
    options.checkpoint_directory = "data";
    engine = std::make_unique<engine::Engine>(std::vector{model::Model::kv("config", {"/config"})}, *store,
                                              world.platform(), background, options);
    EXPECT_TRUE(engine->start([] {}));
    background.run_ready();
    api = make_api(*engine, ApiOptions{});
  }
  void come_back() {
    store->set_away(std::nullopt);
    for (int timers = 0; timers < 10; ++timers) background.run_next_timer();
    run();
  }
  int put(const std::string& target, const std::string& value) {
    const auto asked = ask(Method::put, target, {}, "{\"value\":\"" + value + "\"}");
    run();
    run();
    return asked->status();
  }

  Instant later;
};

TEST_F(AwayTest, the_present_is_answered_from_the_checkpoint_with_its_position) {
  const auto one = ask(Method::get, "/config/a");
  EXPECT_EQ(one->status(), 200);
  EXPECT_EQ(one->body(), "old");
  EXPECT_TRUE(one->has("Annals-Position: " + cursor(1) + "\r\n"));
  EXPECT_EQ(ask(Method::get, "/config/a?min_position=" + cursor(1))->status(), 200);
  EXPECT_EQ(ask(Method::get, "/config")->body(), R"([{"name":"a","value":"old"}])");
  EXPECT_EQ(ask(Method::get, "/config", {{"if-none-match", "\"" + cursor(1) + "\""}})->status(), 200)
      << "whether it has changed only the store knows";
  EXPECT_EQ(ask(Method::get, "/livez")->status(), 200);
  EXPECT_EQ(ask(Method::get, "/readyz")->status(), 503);
  EXPECT_NE(ask(Method::get, "/health")->body().find(R"("database":"error")"), std::string::npos);
}

TEST_F(AwayTest, what_the_checkpoint_does_not_have_is_not_said_not_to_exist) {
  for (const char* const target : {"/config/b", "/config/never", "/config/b?wait=1ms"}) {
    const auto asked = ask(Method::get, target);
    world.clock.advance(std::chrono::seconds(1));
    run();
    EXPECT_EQ(asked->status(), 503) << target;
    EXPECT_TRUE(asked->has("Retry-After: ")) << target;
  }
}

TEST_F(AwayTest, what_needs_the_store_is_refused_with_its_code_and_without_its_words) {
  const std::string past = later.to_text();
  for (const std::string& target :
       {std::string("/config/a/history"), "/config/a?at=" + past, std::string("/config/a?version=1"),
        "/config/a/at/" + past, "/config?at=" + past, "/config?diff_from=" + past,
        std::string("/config/a/diff?from_version=1"), std::string("/-/events")}) {
    const auto asked = ask(Method::get, target);
    run();
    EXPECT_EQ(asked->status(), 503) << target;
    EXPECT_TRUE(asked->has("Retry-After: ")) << target;
    EXPECT_NE(asked->body().find(R"("code":"database_away")"), std::string::npos) << target << asked->body();
  }
  EXPECT_EQ(ask(Method::post, "/-/projections/config/refresh")->status(), 503);
}

TEST_F(AwayTest, writes_are_refused_at_once) {
  const std::size_t appends = store->appends().size();
  EXPECT_EQ(put("/config/a", "new"), 503);
  const std::vector<std::pair<Method, std::string>> others{{Method::delete_, "/config/a"},
                                                           {Method::post, "/config/a/rollback"},
                                                           {Method::post, "/-/models/config/import"},
                                                           {Method::post, "/-/models/config/rollback"}};
  for (const auto& [method, target] : others) {
    const auto asked = ask(method, target, {}, "{}");
    EXPECT_EQ(asked->status(), 503) << target;
    EXPECT_TRUE(asked->has("Retry-After: ")) << target;
    EXPECT_TRUE(asked->has("Annals-Durability: ")) << target;
  }
  EXPECT_EQ(store->appends().size(), appends) << "nothing reached the store";
}

TEST_F(AwayTest, once_the_store_is_there_everything_comes_back) {
  come_back();
  EXPECT_EQ(ask(Method::get, "/config/b")->body(), "theirs");
  EXPECT_EQ(ask(Method::get, "/config/never")->status(), 404);
  EXPECT_EQ(ask(Method::get, "/readyz")->status(), 200);
  EXPECT_EQ(ask(Method::get, "/health")->status(), 200);
  EXPECT_EQ(put("/config/a", "new"), 200);
  EXPECT_EQ(ask(Method::get, "/config/a")->body(), "new");
  EXPECT_EQ(ask(Method::get, "/config/a/history")->status(), 200);
}

TEST_F(AwayTest, a_running_server_whose_store_goes_away_tells_clients_no_names_of_hosts) {
  come_back();
  store->fail_reads(Error(ErrorKind::unavailable, "database_away", "cannot connect to the database shop at secret"));
  const auto asked = ask(Method::get, "/config/a/history");
  EXPECT_EQ(asked->status(), 503);
  EXPECT_EQ(asked->body().find("secret"), std::string::npos);
  EXPECT_NE(asked->body().find(R"("code":"database_away")"), std::string::npos);
  EXPECT_EQ(world.logged("shop at secret"), 1u);
}

TEST_F(AwayTest, a_write_that_the_store_knows_not_to_have_recorded_says_that_it_may_be_sent_again) {
  come_back();
  store->answer_next({Error(ErrorKind::unavailable, "database_away", "cannot connect to the database shop at secret")});
  const auto asked = ask(Method::put, "/config/a", {}, R"({"value":"new"})");
  run();
  run();
  EXPECT_EQ(asked->status(), 503);
  EXPECT_TRUE(asked->has("Retry-After: "));
  EXPECT_EQ(asked->body().find("secret"), std::string::npos);
  EXPECT_NE(asked->body().find(R"("code":"database_away")"), std::string::npos) << asked->body();
  EXPECT_NE(asked->body().find("recorded nothing"), std::string::npos) << asked->body();
  EXPECT_EQ(put("/config/a", "new"), 200);
}

}  // namespace
}  // namespace annals::http
