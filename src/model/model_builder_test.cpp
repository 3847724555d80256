#include "model/model_builder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/model_file.hpp"

namespace annals::model {
namespace {

ModelBuilder product() {
  ModelBuilder builder("product");
  builder.set("path", {"/api/products", "/v1/products"});
  builder.field("id", {{"type", "uuid"}, {"primary_key", true}});
  builder.field("name", {{"type", "string"}, {"required", true}, {"length", {1, 200}}});
  builder.field("price", {{"type", "decimal"}, {"min", 0}, {"event", "PriceUpdated"}});
  builder.field("weight", {{"type", "double"}, {"max", 1.5}});
  builder.field("state", {{"type", "enum"}, {"values", {"draft", "sold"}}, {"default", "draft"}});
  return builder;
}

TEST(model_builder, declares_what_a_file_declares) {
  const auto built = product().build();
  ASSERT_TRUE(built) << built.error().message;
  const auto root = read_declarations(R"(
[model.product]
path = ["/api/products", "/v1/products"]
[model.product.fields]
id     = { type = "uuid", primary_key = true }
name   = { type = "string", required = true, length = [1, 200] }
price  = { type = "decimal", min = 0, event = "PriceUpdated" }
weight = { type = "double", max = 1.5 }
state  = { type = "enum", values = ["draft", "sold"], default = "draft" }
)",
                                      "annals.toml");
  const auto read = read_models(*root.value().find("model"));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(built->declaration, read->front().model.declaration);
  EXPECT_EQ(built->paths, read->front().model.paths);
  EXPECT_EQ(product().set("snapshot_every", 50).build()->snapshot_every, 50u);
  EXPECT_EQ(built->primary_key, 0u);
  EXPECT_EQ(built->fields[2].event, "PriceUpdated");
}

TEST(model_builder, declares_what_is_not_shown) {
  ModelBuilder builder("user");
  builder.set("path", "/users");
  builder.field("id", {{"type", "uuid"}, {"primary_key", true}});
  builder.field("email", {{"type", "string"}, {"exposed", false}, {"unique", true}});
  builder.field("token", {{"type", "string"}, {"secret", true}});
  const auto model = builder.build();
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_TRUE(model->hides);
  EXPECT_TRUE(model->has_secrets());
  EXPECT_FALSE(model->fields[1].exposed);
  EXPECT_FALSE(model->fields[2].exposed) << "a secret is not shown either";
  builder.field("code", {{"type", "string"}, {"secret", true}, {"default", "1234"}});
  EXPECT_THAT(builder.build().error().message, testing::HasSubstr("default does not go with secret"));
}

TEST(model_builder, declares_what_a_file_has_in_braces) {
  ModelBuilder builder = product();
  builder.set("operations", ModelBuilder::table({{"update", ModelBuilder::table({{"audited", true}})}}));
  builder.set("performance", ModelBuilder::table({{"batch_size", 100}}));
  builder.field("made",
                {{"type", "date"},
                 {"upcast", ModelBuilder::table({{"timestamp", "date(value)"}, {"text", "date(trim(value))"}})}});
  builder.field("extra", {{"type", "json"}, {"default", ModelBuilder::table({{"tags", {"a", "b"}}})}});
  const auto model = builder.build();
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->batch_size, 100u);
  EXPECT_EQ(model->operations[static_cast<std::size_t>(ApiOperation::update)].audited, true);
  EXPECT_THAT(model->declaration,
              testing::HasSubstr(R"x("upcast":{"timestamp":"date(value)","text":"date(trim(value))"})x"));
  EXPECT_THAT(model->declaration, testing::HasSubstr(R"("default":{"tags":["a","b"]})"));

  const auto line = std::to_string(__LINE__ + 1);
  builder.field("size", {{"type", "integer"}, {"upcast", ModelBuilder::table({{"txt", "integer(value)"}})}});
  const auto refused = builder.build();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("model_builder_test.cpp:" + line + ":"));
  EXPECT_THAT(refused.error().message, testing::HasSubstr("did you mean \"text\"?"));
  ModelBuilder twice = product();
  twice.set("performance", ModelBuilder::table({{"batch_size", 1}, {"batch_size", 2}}));
  EXPECT_THAT(twice.build().error().message, testing::HasSubstr("is declared twice"));
}

TEST(model_builder, what_is_wrong_is_told_with_its_line_of_code) {
  ModelBuilder builder = product();
  const auto line = std::to_string(__LINE__ + 1);
  builder.field("sku", {{"type", "string"}, {"uniqe", true}});
  const auto refused = builder.build();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("model_builder_test.cpp:" + line + ":"));
  EXPECT_THAT(refused.error().message, testing::HasSubstr("did you mean \"unique\"?"));

  EXPECT_THAT(product().set("path", "/other").build().error().message, testing::HasSubstr("is declared twice"));
  EXPECT_THAT(product().field("name", {{"type", "string"}}).build().error().message,
              testing::HasSubstr("is declared twice"));
  EXPECT_THAT(ModelBuilder("Product").build().error().message, testing::HasSubstr("[a-z][a-z0-9_]*"));
}

TEST(model_builder, models_that_refer_to_each_other_are_built_together) {
  std::vector<ModelBuilder> shop{product(), ModelBuilder("order")};
  shop[1].set("path", "/api/orders").field("id", {{"type", "uuid"}, {"primary_key", true}});
  shop[1].field("product", {{"type", "uuid"}, {"references", "product"}, {"on_delete", "cascade"}});
  const auto models = build_models(shop);
  ASSERT_TRUE(models) << models.error().message;
  ASSERT_EQ(models->size(), 2u);
  EXPECT_EQ(models->back().fields[1].references, "product");
  EXPECT_EQ(models->back().fields[1].on_delete, OnDelete::cascade);
  EXPECT_THAT(shop[1].build().error().message, testing::HasSubstr("there is no model \"product\""));
  shop.push_back(product());
  EXPECT_THAT(build_models(shop).error().message, testing::HasSubstr("is declared twice"));
}

TEST(model_builder, a_model_of_text_values_has_no_fields) {
  const auto model = ModelBuilder("flags").set("profile", "kv").set("path", "/flags").build();
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->profile, Profile::kv);
}

}  // namespace
}  // namespace annals::model
