#include "http/routes/reply_cache.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "http/routes/test_api.hpp"
#include "model/model_file.hpp"

namespace annals::http {
namespace {

constexpr Duration hour = std::chrono::hours(1);

KeptReply reply(std::string_view body) {
  return {SharedText(body), {}};
}

std::string found(ReplyCache& cache, const std::string& query, std::uint64_t position, Duration now = Duration{0}) {
  const auto kept = cache.find(query, {Position{position}}, now);
  return kept ? std::string(*kept->body) : "(none)";
}

TEST(reply_cache, a_reply_is_given_at_the_revision_at_which_it_was_made_only) {
  ReplyCache cache(1u << 20);
  EXPECT_EQ(found(cache, "q", 1), "(none)");
  cache.keep("q", {Position{1}}, hour, reply("one"));
  EXPECT_EQ(found(cache, "q", 1), "one");
  EXPECT_EQ(found(cache, "p", 1), "(none)");
  EXPECT_EQ(found(cache, "q", 2), "(none)");
  EXPECT_EQ(cache.status().replies, 0u) << "it can never be given again";
  EXPECT_EQ(cache.status().bytes, 0u);
  EXPECT_EQ(cache.status().hits, 1u);
  EXPECT_EQ(cache.status().misses, 3u);
}

TEST(reply_cache, a_look_that_comes_late_takes_nothing_away_from_those_who_were_ahead) {
  ReplyCache cache(1u << 20);
  cache.keep("q", {Position{2}}, hour, reply("two"));
  EXPECT_EQ(found(cache, "q", 1), "(none)");
  EXPECT_EQ(found(cache, "q", 2), "two");
}

TEST(reply_cache, a_reply_is_given_until_its_time_is_over) {
  ReplyCache cache(1u << 20);
  cache.keep("q", {Position{1}}, Duration{100}, reply("one"));
  EXPECT_EQ(found(cache, "q", 1, Duration{99}), "one");
  EXPECT_EQ(found(cache, "q", 1, Duration{100}), "(none)");
  EXPECT_EQ(cache.status().bytes, 0u);
}

TEST(reply_cache, of_one_query_there_is_one_reply) {
  ReplyCache cache(1u << 20);
  cache.keep("q", {Position{1}}, hour, reply("one"));
  const auto bytes = cache.status().bytes;
  cache.keep("q", {Position{2}}, hour, reply("two"));
  EXPECT_EQ(cache.status().bytes, bytes);
  EXPECT_EQ(cache.status().replies, 1u);
  EXPECT_EQ(found(cache, "q", 2), "two");
}

TEST(reply_cache, the_one_that_nobody_asked_for_for_longest_makes_room_and_one_that_is_too_large_does_not_come_in) {
  ReplyCache cache(10'000);
  const std::string body(3'000, 'b');
  for (const char* query : {"1", "2"}) cache.keep(query, {Position{1}}, hour, reply(body));
  EXPECT_TRUE(found(cache, "1", 1) == body);
  for (const char* query : {"3", "4"}) cache.keep(query, {Position{1}}, hour, reply(body));
  EXPECT_EQ(found(cache, "2", 1), "(none)");
  EXPECT_TRUE(found(cache, "1", 1) == body);
  EXPECT_TRUE(found(cache, "3", 1) == body);
  EXPECT_TRUE(found(cache, "4", 1) == body);
  EXPECT_LE(cache.status().bytes, 10'000u);
  cache.keep("5", {Position{1}}, hour, reply(std::string(10'000, 'b')));
  EXPECT_EQ(found(cache, "5", 1), "(none)");
  EXPECT_TRUE(found(cache, "4", 1) == body);
  ReplyCache none(0);
  none.keep("q", {Position{1}}, hour, reply(""));
  EXPECT_FALSE(none.keeps_any());
  EXPECT_EQ(none.status().replies, 0u);
}

// Also under the thread sanitizer.
TEST(reply_cache, several_threads_get_what_was_kept_at_the_revision_that_they_ask_for) {
  ReplyCache cache(4'000);
  std::atomic<std::uint64_t> position{1};
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        for (int count = 0; count < 2'000; ++count) {
          const std::uint64_t now = thread == 0 && count % 10 == 0 ? ++position : position.load();
          const std::string query = std::to_string(count % 7);
          const std::string body = query + " at " + std::to_string(now) + std::string(500, '.');
          const std::string kept = found(cache, query, now);
          if (kept == "(none)") {
            cache.keep(query, {Position{now}}, hour, reply(body));
          } else {
            EXPECT_EQ(kept, body);
          }
        }
      });
    }
  }
  EXPECT_LE(cache.status().bytes, 4'000u);
}

/// A model that keeps its lists, over a store whose tables the writer keeps.
class KeptListsTest : public ApiTest {
 protected:
  void open_models(std::string_view consistency, ApiOptions options = {}) {
    const auto root = model::read_declarations(
        "[model.thing]\npath = \"/things\"\ncache = \"60s\"\nconsistency = \"" + std::string(consistency) + R"("
[model.thing.fields]
id   = { type = "string", primary_key = true }
size = { type = "integer" }
)",
        "annals.toml");
    auto models = model::read_models(*root.value().find("model"));
    ASSERT_TRUE(models) << models.error().message;
    engine = std::make_unique<engine::Engine>(std::vector{std::move(models.value().front().model)}, *store,
                                              world.platform(), background, engine::EngineOptions{});
    ASSERT_TRUE(engine->start([] {}));
    run();
    api = make_api(*engine, std::move(options));
  }
  std::string body_of(const std::string& target) {
    const auto asked = ask(Method::get, target);
    run();
    EXPECT_EQ(asked->status(), 200);
    return asked->body();
  }
  void create(const std::string& id) {
    const std::string body = R"({"id":")" + id + R"(","size":1})";
    const auto asked = ask(Method::post, "/things", {{"content-type", "application/json"}}, body);
    run();
    EXPECT_EQ(asked->status(), 201);
  }
  std::uint64_t metric(const std::string& name) {
    const std::string page = body_of("/metrics");
    const std::size_t at = page.find("\n" + name + " ");
    return at == std::string::npos ? 0 : std::stoull(page.substr(at + name.size() + 2));
  }
  std::uint64_t hits() { return metric("annals_reply_cache_hits_total"); }
};

TEST_F(KeptListsTest, a_list_is_kept_until_a_write_of_its_model_or_until_its_time_is_over) {
  open_models("live");
  create("a");
  const std::string one = R"({"data":[{"id":"a","size":1}],"next":null})";
  EXPECT_EQ(body_of("/things?size=1"), one);
  EXPECT_EQ(body_of("/things?size=1"), one);
  EXPECT_EQ(hits(), 1u);
  create("b");
  EXPECT_EQ(body_of("/things?size=1"), R"({"data":[{"id":"a","size":1},{"id":"b","size":1}],"next":null})");
  EXPECT_EQ(hits(), 1u);
  world.clock.advance(std::chrono::seconds(60));
  EXPECT_EQ(body_of("/things?size=1"), R"({"data":[{"id":"a","size":1},{"id":"b","size":1}],"next":null})");
  EXPECT_EQ(hits(), 1u);
  EXPECT_GT(metric("annals_reply_cache_bytes"), 0u);
}

TEST_F(KeptListsTest, what_explains_itself_and_what_is_of_the_past_is_made_anew_each_time) {
  open_models("live");
  create("a");
  for (int count = 0; count < 2; ++count) {
    EXPECT_NE(body_of("/things?explain=true").find("rows_looked_at"), std::string::npos);
    (void)body_of("/things?at=2000-01-01T00:00:00Z");
  }
  EXPECT_EQ(hits() + metric("annals_reply_cache_misses_total"), 0u);
}

TEST_F(KeptListsTest, a_list_of_an_eventual_model_is_as_old_as_its_table_and_no_older) {
  open_models("eventual");
  NewEvent event;
  event.type = "ThingCreated";
  event.data = R"({"thing_id":"a","values":{"id":"a","size":1}})";
  event.metadata = "{\"actor\":\"anonymous\"}";
  EXPECT_EQ(body_of("/things"), R"({"data":[],"next":null})");
  EXPECT_EQ(body_of("/things"), R"({"data":[],"next":null})");
  projection::record(*store, "thing-a", event);
  run();
  EXPECT_EQ(body_of("/things"), R"({"data":[{"id":"a","size":1}],"next":null})");
}

}  // namespace
}  // namespace annals::http
