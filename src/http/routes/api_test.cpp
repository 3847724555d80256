// What every reply of the API has, whatever the route.

#include "http/routes/test_api.hpp"

namespace annals::http {
namespace {

using projection::record;
using projection::set_event;

TEST_F(ApiTest, what_the_client_is_not_told_is_in_the_log) {
  open(model::Consistency::eventual);
  const Instant then = record(*store, "config-a", set_event("x")).created_at;
  record(*store, "config-a", set_event("y"));
  run();
  const Error bad_disk(ErrorKind::input_output, "cannot read /var/secret");
  std::size_t logged = 0;
  for (const std::string& target :
       {std::string("/config/a?version=1"), std::string("/config/a/history"), std::string("/config/a/history?limit=1"),
        "/config?at=" + then.to_text(), std::string("/-/events")}) {
    store->fail_reads(bad_disk);
    const auto asked = ask(Method::get, target);
    EXPECT_EQ(asked->status(), 500) << target;
    EXPECT_EQ(asked->body().find("secret"), std::string::npos) << target;
    EXPECT_EQ(world.logged("cannot read /var/secret"), ++logged) << target;
    EXPECT_EQ(world.logged("trace_id"), logged) << target;
  }
}

TEST_F(ApiTest, a_reply_made_in_its_place_is_marked_like_its_own) {
  open(model::Consistency::eventual);
  record(*store, "config-a", set_event("x"));
  run();
  const auto marked = [&](Method method, std::string_view path) {
    Request request;
    request.method = method;
    request.path = path;
    Response reply;
    api.mark(request, reply);
    return reply.fields;
  };
  const std::string position = "Annals-Position: " + cursor(1) + "\r\n";
  const std::string durability = "Annals-Durability: " + std::string(to_string(store->durability())) + "\r\n";
  EXPECT_EQ(marked(Method::put, "/config/a"), position + durability);
  EXPECT_EQ(marked(Method::post, "/config/a/rollback"), position + durability);
  EXPECT_EQ(marked(Method::get, "/config/a"), position);
  for (const char* path : {"/batch", "/-/models/config/rollback", "/-/models/config/import", "/configuration/a"})
    EXPECT_EQ(marked(Method::post, path), durability) << path;
  EXPECT_EQ(marked(Method::get, "/configuration/a"), "");
}

// Whoever writes looks for it in every reply, one that says that there is nothing to write to included.
TEST_F(ApiTest, every_reply_to_a_write_says_how_durable_a_success_is) {
  open();
  for (const Method method : {Method::put, Method::post, Method::patch, Method::delete_}) {
    for (const char* target : {"/nothing", "/livez", "/batch", "/-/models/none/import", "/config", "/config/%zz"})
      EXPECT_TRUE(ask(method, target)->has("Annals-Durability: ")) << to_string(method) << " " << target;
  }
  for (const char* target : {"/nothing", "/livez", "/batch", "/config"})
    EXPECT_FALSE(ask(Method::get, target)->has("Annals-Durability: ")) << target;
}

TEST_F(ApiTest, a_server_whose_store_takes_no_writes_is_not_ready_and_says_why) {
  open();
  EXPECT_EQ(ask(Method::get, "/readyz")->body(), "ready\n");
  store->set_writable(false);
  const auto asked = ask(Method::get, "/readyz");
  EXPECT_EQ(asked->status(), 503);
  EXPECT_TRUE(asked->has("Retry-After: "));
  EXPECT_EQ(asked->body(), "the store cannot take writes until it is restarted; the log of the server says why\n");
  EXPECT_EQ(ask(Method::get, "/livez")->status(), 200);
  EXPECT_EQ(ask(Method::get, "/config")->status(), 200);
  engine->set_draining();
  EXPECT_EQ(ask(Method::get, "/readyz")->body(), "draining\n");
}

TEST_F(ApiTest, refusals_of_an_unavailable_store_have_a_line_a_second_that_counts_those_left_out) {
  open();
  const auto write = [&] {
    store->answer_next({Error(ErrorKind::unavailable, "cannot write /var/secret")});
    const auto asked = ask(Method::put, "/config/a", {}, "{\"value\":\"x\"}");
    run();
    EXPECT_EQ(asked->status(), 503);
    EXPECT_EQ(asked->body().find("secret"), std::string::npos);
  };
  for (int count = 0; count < 5; ++count) write();
  EXPECT_EQ(world.logged("cannot write /var/secret"), 1u);
  EXPECT_EQ(world.logged("left_out=0"), 1u);
  world.clock.advance(std::chrono::seconds(1));
  write();
  EXPECT_EQ(world.logged("cannot write /var/secret"), 2u);
  EXPECT_EQ(world.logged("left_out=4"), 1u);
}

}  // namespace
}  // namespace annals::http
