#include "projection/reference_index.hpp"

#include <gtest/gtest.h>

#include "model/model_file.hpp"
#include "projection/read_table.hpp"

namespace annals::projection {
namespace {

using Keys = std::vector<std::string>;

model::Model order() {
  const auto root = model::read_declarations(R"(
[model.order]
path = "/orders"
[model.order.fields]
id     = { type = "string", primary_key = true }
parent = { type = "string", references = "order" }
next   = { type = "string", references = "order" }
)",
                                             "annals.toml");
  auto models = model::read_models(*root.value().find("model"));
  return std::move(models.value().front().model);
}

std::string row(const std::string& key, const std::string& parent, const std::string& next = "null") {
  return "{\"id\":\"" + key + "\",\"parent\":" + parent + ",\"next\":" + next + "}";
}

/// False when a text is none of the model's.
bool change(ReferenceIndex& index, const std::string& key, const std::string& before, const std::string& after) {
  const auto change = index.change_of(before, after);
  if (change) index.take_in(key, *change);
  return change.has_value();
}

TEST(reference_index, it_knows_who_refers_to_a_key_by_which_field) {
  const model::Model model = order();
  ReferenceIndex index(model);
  ASSERT_TRUE(index.wanted());
  ASSERT_TRUE(change(index, "b", "", row("b", "\"a\"")));
  ASSERT_TRUE(change(index, "c", "", row("c", "\"a\"", "\"a\"")));
  EXPECT_EQ(index.referrers({1, "a"}, 9), (Keys{"b", "c"}));
  EXPECT_EQ(index.referrers({1, "a"}, 1), (Keys{"b"}));
  EXPECT_EQ(index.referrers({2, "a"}, 9), (Keys{"c"}));
  EXPECT_EQ(index.referrers({1, "b"}, 9), Keys{});
}

TEST(reference_index, what_a_record_lets_go_of_is_forgotten) {
  const model::Model model = order();
  ReferenceIndex index(model);
  const std::string before = row("c", "\"a\\\\\"", "\"a\\\\\"");
  ASSERT_TRUE(change(index, "c", "", before));
  const std::string after = row("c", "\"d\"", "\"a\\\\\"");
  ASSERT_TRUE(change(index, "c", before, after));
  EXPECT_EQ(index.referrers({1, "a\\"}, 9), Keys{});
  EXPECT_EQ(index.referrers({2, "a\\"}, 9), (Keys{"c"}));
  EXPECT_EQ(index.referrers({1, "d"}, 9), (Keys{"c"}));
  ASSERT_TRUE(change(index, "c", after, ""));
  EXPECT_EQ(index.referrers({1, "d"}, 9), Keys{});
  EXPECT_EQ(index.referrers({2, "a\\"}, 9), Keys{});
}

TEST(reference_index, it_tells_what_it_takes_of_memory) {
  const model::Model model = order();
  ReferenceIndex index(model);
  EXPECT_EQ(index.bytes(), 0u);
  const std::string long_key(1000, 'k');
  const std::string long_name(1000, 'n');
  ASSERT_TRUE(change(index, long_key, "", row(long_key, '"' + long_name + '"')));
  EXPECT_GE(index.bytes(), 2000 + 2 * sizeof(std::string));
  for (int number = 0; number < 1000; ++number)
    ASSERT_TRUE(change(index, std::to_string(number), "", row(std::to_string(number), "\"a\"")));
  EXPECT_GE(index.bytes(), 2000 + 1000 * sizeof(std::string));
  const std::uint64_t before = index.bytes();
  ASSERT_TRUE(change(index, long_key, row(long_key, '"' + long_name + '"'), ""));
  EXPECT_LE(index.bytes(), before - 2000);
}

TEST(reference_index, a_table_counts_it_among_its_indexes) {
  const model::Model model = order();
  ReadTable table(model);
  const auto bytes_after = [&](const std::string& key, const std::string& parent) {
    EventView event;
    event.position = table.applied().next();
    const std::string stream = "order-" + key;
    const std::string data =
        R"({"order_id":")" + key + R"(","values":{"id":")" + key + R"(","parent":)" + parent + "}}";
    event.stream = stream;
    event.version = StreamVersion{1};
    event.type = "OrderCreated";
    event.data = data;
    EXPECT_TRUE(table.apply({&event, 1}));
    return table.index_bytes();
  };
  EXPECT_EQ(bytes_after("a", "null"), 0u);
  EXPECT_GE(bytes_after("b", '"' + std::string(300, 'x') + '"'), 300u);
}

TEST(reference_index, a_row_of_another_model_changes_nothing) {
  const model::Model model = order();
  ReferenceIndex index(model);
  EXPECT_FALSE(change(index, "c", "", R"({"id":"c","parent":"a"})"));
  EXPECT_EQ(index.referrers({1, "a"}, 9), Keys{});
}

}  // namespace
}  // namespace annals::projection
