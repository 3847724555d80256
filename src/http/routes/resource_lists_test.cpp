// Lists of records of declared fields, where they take more than one turn or more than one piece.

#include <gtest/gtest.h>

#include "http/routes/test_api.hpp"
#include "model/model_file.hpp"

namespace annals::http {
namespace {

class ResourceListTest : public ApiTest {
 protected:
  void SetUp() override {
    const auto root = model::read_declarations(R"(
[model.thing]
path = "/things"
consistency = "eventual"
[model.thing.fields]
id   = { type = "string", primary_key = true }
size = { type = "integer" }
note = { type = "text" }
)",
                                               "annals.toml");
    auto models = model::read_models(*root.value().find("model"));
    engine = std::make_unique<engine::Engine>(std::vector{std::move(models.value().front().model)}, *store,
                                              world.platform(), background, engine::EngineOptions{});
    ASSERT_TRUE(engine->start([] {}));
    background.run_ready();
    api = make_api(*engine, ApiOptions{});
  }
  void create(const std::string& id, std::size_t size, const std::string& note = "n") {
    NewEvent event;
    event.type = "ThingCreated";
    event.data = R"({"thing_id":")" + id + R"(","values":{"id":")" + id + R"(","size":)" + std::to_string(size) +
                 R"(,"note":")" + note + "\"}}";
    event.metadata = "{\"actor\":\"anonymous\"}";
    projection::record(*store, "thing-" + id, event);
  }
  static std::string id_of(std::size_t number) { return "t" + std::to_string(1000 + number); }

  /// The whole body; the executors run until it is there.
  std::string whole(const std::shared_ptr<Asked>& asked, std::size_t* pieces = nullptr) {
    for (int turn = 0; turn < 1000 && asked->status() == 0; ++turn) run();
    EXPECT_EQ(asked->status(), 200);
    if (std::holds_alternative<std::string>(asked->response->body)) return asked->body();
    std::string text;
    while (const auto piece = asked->next_piece()) {
      if (pieces) ++*pieces;
      text += *piece;
    }
    return text;
  }
};

TEST_F(ResourceListTest, a_whole_list_of_large_values_goes_out_in_pieces_and_in_order) {
  const std::string note(1'000'000, 'n');
  std::string expected;
  for (std::size_t number = 0; number < 40; ++number) create(id_of(number), 40 - number, note);
  for (std::size_t number = 40; number > 0; --number) expected += "{\"id\":\"" + id_of(number - 1) + "\"}\n";
  run();
  std::size_t pieces = 0;
  EXPECT_EQ(whole(ask(Method::get, "/things?sort=size&fields=id", {{"accept", "application/x-ndjson"}}), &pieces),
            expected);
  EXPECT_EQ(whole(ask(Method::get, "/things?sort=-id&fields=id", {{"accept", "application/x-ndjson"}})), expected);
  pieces = 0;
  const std::string all = whole(ask(Method::get, "/things", {{"accept", "text/csv"}}), &pieces);
  EXPECT_EQ(std::ranges::count(all, '\n'), 41);
  EXPECT_GE(pieces, 40u) << "a piece has a value of such size";
}

TEST_F(ResourceListTest, a_whole_list_in_which_nothing_passes_for_long_goes_on_beside_its_connection) {
  for (std::size_t number = 0; number < 60; ++number) create(id_of(number), 0);
  store->before_each_stream_read([this] { world.clock.advance(std::chrono::milliseconds{1}); });
  const std::string past = "/things?at=2999-01-01T00:00:00Z&id=" + id_of(59);
  const auto asked = ask(Method::get, past, {{"accept", "application/x-ndjson"}});
  EXPECT_EQ(whole(asked), "{\"id\":\"" + id_of(59) + "\",\"size\":0,\"note\":\"n\"}\n");
}

TEST_F(ResourceListTest, a_whole_list_that_nobody_wants_any_more_is_not_read_on) {
  for (std::size_t number = 0; number < 60; ++number) create(id_of(number), 0);
  store->before_each_stream_read([this] { world.clock.advance(std::chrono::milliseconds{1}); });
  const auto asked = ask(Method::get, "/things?at=2999-01-01T00:00:00Z&size=1", {{"accept", "application/x-ndjson"}});
  for (int turn = 0; turn < 1000 && asked->status() == 0; ++turn) run();
  ASSERT_EQ(asked->status(), 200) << "the head goes out after the first turn";
  const std::size_t before = store->stream_reads();
  const auto piece = asked->ask_for_piece();
  store->before_each_stream_read([this, piece] {
    world.clock.advance(std::chrono::milliseconds{1});
    piece->is_wanted = false;
  });
  run();
  EXPECT_FALSE(piece->piece);
  EXPECT_TRUE(piece->was_dropped);
  EXPECT_GT(store->stream_reads(), before);
  EXPECT_LT(store->stream_reads(), before + 50) << "the turn in which it was given up is the last";
}

TEST_F(ResourceListTest, pages_of_the_past_are_found_in_turns) {
  for (std::size_t number = 0; number < 60; ++number) create(id_of(number), 60 - number);
  store->before_each_stream_read([this] { world.clock.advance(std::chrono::milliseconds{1}); });
  const auto asked = ask(Method::get, "/things?at=2999-01-01T00:00:00Z&sort=size&limit=2&fields=id&count=true");
  EXPECT_EQ(asked->status(), 0) << "the first turn is not all";
  const std::string body = whole(asked);
  EXPECT_TRUE(body.starts_with("{\"data\":[{\"id\":\"t1059\"},{\"id\":\"t1058\"}],\"next\":\"s")) << body;
  EXPECT_TRUE(body.ends_with(",\"total\":60}")) << body;
}

}  // namespace
}  // namespace annals::http
