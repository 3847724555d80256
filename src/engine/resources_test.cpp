// Requests for records of declared fields: unique values, and changes that change nothing.

#include <gtest/gtest.h>

#include "engine/test_engine.hpp"
#include "model/model_file.hpp"
#include "model/resource.hpp"

namespace annals::engine {
namespace {

model::Model product() {
  const auto root = model::read_declarations(R"(
[model.product]
path = "/products"
[model.product.fields]
id    = { type = "string", primary_key = true }
sku   = { type = "string", unique = true }
price = { type = "decimal", unique = true }
stock = { type = "integer" }
)",
                                             "annals.toml");
  auto models = model::read_models(*root.value().find("model"));
  return std::move(models.value().front().model);
}

class ResourcesTest : public testing::Test {
 protected:
  static json::Object body(const std::string& text) { return json::thread_reader().read_object(text).value(); }

  WriteRequest create(const std::string& key, const std::string& members) {
    WriteRequest request = remove(key);
    request.command.operation = model::Operation::create;
    const std::string text = "{\"id\":\"" + key + "\"" + (members.empty() ? "" : ",") + members + "}";
    request.command.given = model::read_new_record(model, body(text), {Instant{}, [] { return Uuid{}; }}).value();
    return request;
  }
  WriteRequest patch(const std::string& key, const std::string& members) {
    WriteRequest request = remove(key);
    request.command.operation = model::Operation::update;
    request.command.given = model::read_patch(model, body("{" + members + "}"), key).value();
    return request;
  }
  static WriteRequest remove(const std::string& key) { return remove_request(key); }

  TestWorld world;
  ControlledStore store{world.platform()};
  const model::Model model = product();
  WriterUnderTest writer{world, store, {}, model};
};

TEST_F(ResourcesTest, of_a_hundred_simultaneous_creations_with_one_value_exactly_one_wins) {
  for (int number = 0; number < 100; ++number) writer.submit(create("p" + std::to_string(number), R"("sku":"ABC-1")"));
  world.executor.run_ready();
  int won = 0;
  for (std::size_t place = 0; place < 100; ++place) {
    if (writer.text(place) == "1") {
      ++won;
    } else {
      EXPECT_EQ(writer.text(place), "not_unique");
    }
  }
  EXPECT_EQ(won, 1);
  EXPECT_EQ(writer.write(create("later", R"("sku":"ABC-1")")), "not_unique") << "the table knows, too";
  EXPECT_EQ(writer.write(create("other", R"("sku":"ABC-2")")), "1");
}

TEST_F(ResourcesTest, unique_values_are_compared_by_value) {
  EXPECT_EQ(writer.write(create("a", R"("price":"7.50")")), "1");
  EXPECT_EQ(writer.write(create("b", R"("price":"7.5")")), "not_unique");
  EXPECT_EQ(writer.write(create("c", R"("price":null)")), "1");
  EXPECT_EQ(writer.write(create("d", R"("price":null)")), "1") << "null is no value";
  EXPECT_EQ(writer.write(patch("a", R"("price":"7.500")")), "1") << "its own";
}

TEST_F(ResourcesTest, what_is_given_up_is_free_once_that_is_recorded) {
  ASSERT_EQ(writer.write(create("a", R"("sku":"X")")), "1");
  const std::size_t appends = store.appends().size();
  const std::size_t given_up = writer.submit(patch("a", R"("sku":"Y")"));
  const std::size_t claimed = writer.submit(create("b", R"("sku":"X")"));
  const std::size_t after = writer.submit(remove("b"));
  const std::size_t again = writer.submit(create("c", R"("sku":"X")"));
  world.executor.run_ready();
  EXPECT_EQ(writer.text(given_up) + writer.text(claimed) + writer.text(after) + writer.text(again), "2121");
  EXPECT_EQ(store.appends().size(), appends + 3) << "the two that claim wait for those that give up";
  EXPECT_EQ(writer.write(create("d", R"("sku":"Y")")), "not_unique");
}

TEST_F(ResourcesTest, a_claim_that_was_not_recorded_refuses_nobody) {
  store.answer_next({Error(ErrorKind::too_large, "too large")});
  const std::size_t first = writer.submit(create("a", R"("sku":"X")"));
  const std::size_t second = writer.submit(create("b", R"("sku":"X")"));
  world.executor.run_ready();
  EXPECT_EQ(writer.text(first) + " " + writer.text(second), "too_large 1");
}

TEST_F(ResourcesTest, records_may_swap_values_within_one_request) {
  ASSERT_EQ(writer.write(create("a", R"("sku":"X")")), "1");
  WriteRequest request;
  request.actor = "anonymous";
  request.several.push_back({0, patch("a", R"("sku":"Y")").command});
  request.several.push_back({0, create("b", R"("sku":"X")").command});
  EXPECT_EQ(writer.write(std::move(request)), "2");
  EXPECT_EQ(writer.write(create("c", R"("sku":"X")")), "not_unique");
  EXPECT_EQ(writer.write(create("c", R"("sku":"Y")")), "not_unique");
}

TEST_F(ResourcesTest, what_changes_nothing_records_nothing_but_its_key) {
  ASSERT_EQ(writer.write(create("a", R"("stock":1)")), "1");
  const std::size_t appends = store.appends().size();
  EXPECT_EQ(writer.write(patch("a", R"("stock":1)")), "1");
  EXPECT_EQ(store.appends().size(), appends);
  EXPECT_EQ(writer.write(with_key(patch("a", R"("stock":1)"), "k", "b")), "1") << "the version of the record";
  EXPECT_EQ(store.appends().size(), appends + 1);
  EXPECT_EQ(writer.write(patch("a", R"("stock":2)")), "2");
  const std::size_t replayed = writer.submit(with_key(patch("a", R"("stock":1)"), "k", "b"));
  world.executor.run_ready();
  EXPECT_TRUE((*writer.answer(replayed))->replayed);
  EXPECT_EQ(writer.value("a"), R"({"id":"a","sku":null,"price":null,"stock":2})");
}

TEST_F(ResourcesTest, a_live_table_shows_to_the_byte_what_the_log_says_whatever_a_batch_did) {
  WriteRequest several;
  several.actor = "anonymous";
  several.several.push_back({0, create("b", R"("sku":"\"ä\"","price":"7.50")").command});
  several.several.push_back({0, patch("b", R"("stock":1)").command});
  several.several.push_back({0, patch("b", R"("price":"8.00","sku":null)").command});
  writer.submit(create("a", R"("stock":1)"));
  writer.submit(patch("a", R"("stock":2,"sku":"X")"));
  writer.submit(std::move(several));
  writer.submit(remove("a"));
  writer.submit(create("a", R"("price":"-0.00")"));
  writer.submit(create("c", ""));
  writer.submit(remove("c"));
  world.executor.run_ready();
  EXPECT_EQ(writer.text(4) + " " + writer.text(6), "4 2");

  projection::ReadTable replayed(model);
  ASSERT_TRUE(replayed.apply(store.read_all(Position{}, Horizon::visible, PageLimit{}).value().events()));
  for (const char* key : {"a", "b", "c"}) {
    const auto shown = writer.feed().table().get(key).value();
    const auto told = replayed.get(key).value();
    EXPECT_EQ(shown.version, told.version) << key;
    EXPECT_EQ(shown.updated_at, told.updated_at) << key;
    ASSERT_EQ(shown.exists(), told.exists()) << key;
    EXPECT_EQ(*shown.value, *told.value) << key;
  }
  EXPECT_EQ(writer.value("b"), R"({"id":"b","sku":null,"price":"8.00","stock":1})");
}

TEST_F(ResourcesTest, a_success_tells_the_record_that_it_left) {
  const std::size_t created = writer.submit(create("a", R"("stock":1)"));
  const std::size_t patched = writer.submit(patch("a", R"("stock":2)"));
  world.executor.run_ready();
  EXPECT_EQ(*(*writer.answer(created))->value, R"({"id":"a","sku":null,"price":null,"stock":1})");
  EXPECT_EQ(*(*writer.answer(patched))->value, R"({"id":"a","sku":null,"price":null,"stock":2})");
}

}  // namespace
}  // namespace annals::engine
