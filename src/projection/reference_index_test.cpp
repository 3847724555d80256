#include "projection/reference_index.hpp"

#include <gtest/gtest.h>

#include "model/model_file.hpp"

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

TEST(reference_index, a_row_of_another_model_changes_nothing) {
  const model::Model model = order();
  ReferenceIndex index(model);
  EXPECT_FALSE(change(index, "c", "", R"({"id":"c","parent":"a"})"));
  EXPECT_EQ(index.referrers({1, "a"}, 9), Keys{});
}

}  // namespace
}  // namespace annals::projection
