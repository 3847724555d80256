// Values that were recorded under an earlier declaration, carried into the type of now when events are read.

#include "model/upcast.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/model_file.hpp"
#include "model/redeclaration.hpp"
#include "model/resource.hpp"
#include "model/test_cipher.hpp"
#include "model/test_model.hpp"

namespace annals::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::string text_of_file(const std::string& field) {
  return "[model.product]\npath = \"/products\"\n[model.product.fields]\nid = { type = \"string\", primary_key = true "
         "}\n" +
         field + "\n";
}

/// The JSON of a value that was recorded, as the field has it; "none: " and why when it cannot be carried.
std::string carried(const std::string& field, const std::string& recorded) {
  const Model model = declared_model(text_of_file("size = " + field));
  const auto record = evolve(model, {}, "ProductCreated", R"({"values":{"id":"a","size":)" + recorded + "}}",
                             StreamVersion{1}, Instant{});
  if (!record) return "none: " + record.error().message;
  return std::string((*record->value).substr(std::string_view(R"({"id":"a","size":)").size()));
}

TEST(upcast, a_value_of_another_type_becomes_one_of_the_fields) {
  const std::string integer = R"x({ type = "integer", upcast = "integer(value)" })x";
  EXPECT_EQ(carried(integer, "\"12\""), "12}");
  EXPECT_EQ(carried(integer, "12"), "12}") << "is one already";
  EXPECT_EQ(carried(integer, "null"), "null}");
  EXPECT_EQ(carried(R"x({ type = "string", upcast = "string(value)" })x", "12"), "\"12\"}");
  EXPECT_EQ(carried(R"x({ type = "string", upcast = "string(value)" })x", "true"), "\"true\"}");
  EXPECT_EQ(carried(R"x({ type = "boolean", upcast = "value = 'yes'" })x", "\"yes\""), "true}");
  EXPECT_EQ(carried(R"x({ type = "decimal", upcast = "decimal(value)" })x", "7.25"), "\"7.25\"}");
  EXPECT_EQ(carried(R"x({ type = "date", upcast = "date(value)" })x", "\"2026-02-12T10:00:00Z\""), "\"2026-02-12\"}");
  EXPECT_EQ(carried(R"x({ type = "enum", values = ["new", "paid"], upcast = "if(value = 'sold', 'paid', 'new')" })x",
                    "\"sold\""),
            "\"paid\"}");
  EXPECT_EQ(carried(R"x({ type = "integer", upcast = "if(value = '', null, integer(value))" })x", "\"\""), "null}");
}

TEST(upcast, former_types_are_tried_in_the_order_of_the_table) {
  const std::string table =
      R"x({ type = "integer", upcast = { decimal = "integer(round(value))", date = "1", text = "length(value)", boolean = "if(value, 1, 0)" } })x";
  EXPECT_EQ(carried(table, "\"7.50\""), "8}");
  EXPECT_EQ(carried(table, "\"2026-02-12\""), "1}");
  EXPECT_EQ(carried(table, "\"lamp\""), "4}");
  EXPECT_EQ(carried(table, "true"), "1}");
  EXPECT_EQ(carried(table, "\"99999999999999999999999\""), "23}") << "no integer, and so its length";
  EXPECT_THAT(carried(table, "[1]"), HasSubstr("none of its types is that of the value"));
}

TEST(upcast, what_cannot_be_carried_says_why_and_not_what_is_hidden) {
  const std::string message = carried(R"x({ type = "integer", upcast = "integer(value)" })x", "\"lamp\"");
  EXPECT_THAT(message, HasSubstr("its upcast does not carry it: a text is no integer of 64 bits such as 12"));
  EXPECT_THAT(carried(R"x({ type = "enum", values = ["a"], upcast = "lower(value)" })x", "\"B\""),
              HasSubstr("what it gives is not of the field's type: expected one of \"a\"; found \"b\""));
  const std::string hidden =
      carried(R"x({ type = "integer", exposed = false, upcast = "integer(value)" })x", "\"54321x\"");
  EXPECT_THAT(hidden, StartsWith("none: "));
  EXPECT_EQ(hidden.find("54321"), std::string::npos) << hidden;
}

TEST(upcast, what_was_encrypted_is_carried_into_nothing) {
  const TestCipher cipher;
  const std::string sealed = cipher.seal({"product", "size", {}, "a"}, "12");
  EXPECT_THAT(carried(R"x({ type = "integer", upcast = "length(value)" })x", "\"" + sealed + "\""),
              HasSubstr("an encrypted value is carried into no other"));
}

TEST(upcast, it_is_refused_where_it_means_nothing) {
  for (const auto& [field, why] : std::vector<std::pair<std::string, std::string>>{
           {R"x({ type = "integer", upcast = "integr(value)" })x", "there is no function \"integr\"; did you mean"},
           {R"x({ type = "integer", upcast = "length(size)" })x", "there is no \"size\" here"},
           {R"x({ type = "integer", upcast = "upper(value)" })x", "it gives text, and the field is of type integer"},
           {R"x({ type = "integer", upcast = 3 })x", "upcast is an expression in quotes"},
           {R"x({ type = "integer", upcast = {} })x", "upcast is an empty table"},
           {R"x({ type = "integer", upcast = { strin = "1" } })x",
            "\"strin\" is no type of a field; did you mean \"string\"?"},
           {R"x({ type = "integer", upcast = { list = "1" } })x", "values of type list are carried into no other"},
           {R"x({ type = "integer", upcast = { boolean = "value + 1" } })x", "\"+\" takes integers and decimals"},
           {R"x({ type = "list", of = "string", upcast = "value" })x", "upcast suits fields of type"},
           {R"x({ type = "string", secret = true, upcast = "value" })x", "upcast does not go with secret"},
       }) {
    const auto root = read_declarations(text_of_file("size = " + field), "annals.toml");
    ASSERT_TRUE(root) << root.error().message;
    const auto models = read_models(*root->find("model"));
    ASSERT_FALSE(models) << field;
    EXPECT_THAT(models.error().message, HasSubstr(why)) << field;
    EXPECT_THAT(models.error().message, StartsWith("annals.toml:5:"));
  }
}

TEST(upcast, a_review_counts_what_is_carried_and_names_what_cannot_be) {
  const Model model = declared_model(text_of_file(R"x(size = { type = "integer", upcast = "integer(value)" }
twice = { type = "integer", computed = "size * 2" })x"));
  Review review(model);
  std::uint64_t position = 0;
  const auto take = [&](const std::string& key, std::uint64_t version, std::string_view type, const std::string& data) {
    const std::string stream = "product-" + key;
    EventView event;
    event.position = Position{++position};
    event.stream = stream;
    event.version = StreamVersion{version};
    event.type = type;
    event.data = data;
    review.take(event);
  };
  take("a", 1, "ProductCreated", R"({"values":{"id":"a","size":"3"}})");
  take("a", 2, "ProductUpdated", R"({"changes":{"size":{"old":"3","new":"4"}}})");
  take("a", 3, "ProductUpdated", R"({"changes":{"size":{"old":"4","new":5}}})");
  take("b", 1, "ProductCreated", R"({"values":{"id":"b","size":9223372036854775807}})");
  take("c", 1, "ProductCreated", R"({"values":{"id":"c","twice":1}})");
  review.finish();
  EXPECT_TRUE(review.holds());
  EXPECT_EQ(review.carried().at("size").number, 2u);
  EXPECT_THAT(review.carried().at("size").examples, ElementsAre("1", "2"));
  EXPECT_EQ(review.not_computed().size(), 1u);
  EXPECT_THAT(review.not_computed().at("twice: not_computable").examples, ElementsAre("b"));
  EXPECT_EQ(review.left_out().at("twice").number, 1u);

  take("d", 1, "ProductCreated", R"({"values":{"id":"d","size":"lamp"}})");
  EXPECT_FALSE(review.holds());
  EXPECT_THAT(review.broken().examples.front(), HasSubstr("position 6 (product-d, version 1)"));
  EXPECT_THAT(review.broken().examples.front(), HasSubstr("a text is no integer"));
}

}  // namespace
}  // namespace annals::model
