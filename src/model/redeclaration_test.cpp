#include "model/redeclaration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/model_file.hpp"

namespace annals::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// With all of its fields given.
Model declared_whole(const std::string& fields) {
  const auto root =
      read_declarations("[model.product]\npath = \"/products\"\n[model.product.fields]\n" + fields, "annals.toml");
  auto models = read_models(*root.value().find("model"));
  EXPECT_TRUE(models) << models.error().message;
  return models->front().model;
}

Model declared(const std::string& fields) {
  return declared_whole("id = { type = \"string\", primary_key = true }\n" + fields);
}

/// Events of some records, as a store would give them.
class Reader {
 public:
  explicit Reader(const Model& model, std::span<const std::string> before = {}) : review(model, before) {}

  void take(std::string_view key, std::string_view type, std::string_view data) {
    const std::string stream = "product-" + std::string(key);
    StreamVersion& version = versions_[stream];
    version = version.next();
    EventView event;
    event.position = Position{++position_};
    event.stream = stream;
    event.version = version;
    event.type = type;
    event.data = data;
    review.take(event);
  }
  void created(std::string_view key, const std::string& values) {
    take(key, "ProductCreated", "{\"values\":" + values + "}");
  }

  Review review;

 private:
  std::map<std::string, StreamVersion> versions_;
  std::uint64_t position_ = 0;
};

TEST(redeclaration, tells_what_a_field_is_called_now_and_whether_it_is_shown) {
  const auto differences = [](const std::string& before, const std::string& after) {
    return differences_of(declared(before).declaration, declared(after).declaration).value().back();
  };
  const std::string hidden = "a = { type = \"string\", exposed = false }\n";
  EXPECT_EQ(differences("a = { type = \"string\" }\n", "b = { type = \"string\", renamed_from = \"a\" }\n"),
            "- a: called \"b\" now");
  EXPECT_EQ(differences(hidden, "b = { type = \"string\", renamed_from = [\"c\", \"a\"], exposed = false }\n"),
            "- a: called \"b\" now");
  EXPECT_EQ(differences(hidden, "b = { type = \"string\", renamed_from = \"a\" }\n"),
            "- a: called \"b\" now; replies show it now, and histories what it was");
  EXPECT_EQ(differences(hidden, "b = { type = \"string\", renamed_from = \"aa\" }\n"),
            "- a: declared no more; replies did not show it, and histories now show what events have of it");
  EXPECT_EQ(differences("a = { type = \"string\", secret = true }\n",
                        "b = { type = \"string\", secret = true, renamed_from = \"a\" }\n"),
            "- a: called \"b\" now");
}

TEST(redeclaration, tells_of_long_values_the_beginning) {
  const auto with_default = [](const std::string& value) {
    return declared("a = { type = \"text\", default = \"" + value + "\" }\n").declaration;
  };
  const std::string without = declared("").declaration;
  std::string umlauts;
  for (int number = 0; number < 200'000; ++number) umlauts += "\u00e4";
  for (const auto& [before, after] :
       std::vector<std::pair<std::string, std::string>>{{without, with_default(umlauts)},
                                                        {with_default("b"), with_default(umlauts)},
                                                        {with_default(umlauts), with_default("b")}}) {
    const auto lines = differences_of(before, after).value();
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_LT(lines.front().size(), 300u);
    EXPECT_THAT(lines.front(), HasSubstr("\u00e4... (400002 bytes)"));
  }
}

TEST(redeclaration, tells_what_differs_field_by_field_and_attribute_by_attribute) {
  const Model before = declared("name = { type = \"string\", length = [1, 20] }\nold = { type = \"date\" }\n");
  const Model after =
      declared("name = { type = \"string\", length = [1, 9], required = true }\nnew = { type = \"text\" }\n");
  EXPECT_THAT(differences_of(before.declaration, after.declaration).value(),
              ElementsAre("~ name: length was [1,20], is [1,9], required was not given, is true",
                          R"(+ new: {"type":"text"})", "- old: declared no more"));
  EXPECT_THAT(differences_of(after.declaration, after.declaration).value(), ElementsAre());
  EXPECT_FALSE(differences_of("[]", after.declaration));
}

TEST(redeclaration, what_events_say_of_fields_that_are_no_more_is_left_out_and_told) {
  const Model model = declared("name = { type = \"string\", renamed_from = \"title\" }\n");
  Reader reader(model);
  reader.created("a", R"({"id":"a","title":"lamp","size":3})");
  reader.take("a", "SizeUpdated", R"({"product_id":"a","old_size":3,"new_size":4})");
  reader.take("a", "ProductUpdated", R"({"changes":{"name":{"old":"lamp","new":"torch"}}})");
  reader.review.finish();
  EXPECT_TRUE(reader.review.holds());
  EXPECT_EQ(reader.review.events(), 3u);
  EXPECT_EQ(reader.review.records(), 1u);
  ASSERT_EQ(reader.review.left_out().size(), 1u);
  EXPECT_THAT(reader.review.left_out().at("size").examples, ElementsAre("1", "2"));
  EXPECT_TRUE(reader.review.not_kept().empty());
}

TEST(redeclaration, what_a_field_does_not_take_and_what_no_model_knows_is_refused_once_a_record) {
  const Model model = declared("size = { type = \"integer\" }\n");
  Reader reader(model);
  reader.created("a", R"({"id":"a","size":"large"})");
  reader.take("a", "ProductUpdated", R"({"changes":{"size":{"old":"large","new":"small"}}})");
  reader.created("b", R"({"id":"b","size":3})");
  reader.take("b", "SomethingElse", R"({"product_id":"b"})");
  reader.review.finish();
  EXPECT_FALSE(reader.review.holds());
  EXPECT_EQ(reader.review.broken().number, 2u);
  EXPECT_THAT(
      reader.review.broken().examples,
      ElementsAre(HasSubstr("position 1 (product-a, version 1): "),
                  HasSubstr("position 4 (product-b, version 2): the model knows no event of type SomethingElse")));
}

TEST(redeclaration, rules_that_records_do_not_keep_are_told_and_values_that_are_not_unique_refused) {
  const Model model = declared(
      "price = { type = \"decimal\", max = 5 }\nname = { type = \"string\", required = true }\n"
      "sku = { type = \"string\", unique = true }\n");
  Reader reader(model);
  reader.created("b", R"({"id":"b","price":"9","sku":"x"})");
  reader.created("a", R"({"id":"a","price":"5","name":"n","sku":"x"})");
  reader.created("c", R"({"id":"c","name":"n"})");
  reader.created("d", R"({"id":"d","name":"n","sku":"x"})");
  reader.take("d", "ProductDeleted", R"({"old_values":{}})");
  reader.review.finish();
  EXPECT_EQ(reader.review.records(), 3u);
  ASSERT_EQ(reader.review.not_kept().size(), 2u);
  EXPECT_THAT(reader.review.not_kept().at("price: too_large").examples, ElementsAre("b"));
  EXPECT_THAT(reader.review.not_kept().at("name: required").examples, ElementsAre("b"));
  EXPECT_EQ(reader.review.taken_twice().number, 1u) << "a deleted record has nothing";
  EXPECT_THAT(reader.review.taken_twice().examples, ElementsAre(R"(sku "x", of "a" and "b")"));
  EXPECT_FALSE(reader.review.holds());
}

TEST(redeclaration, a_field_that_was_secret_is_no_computed_one_because_histories_would_show_what_is_sealed) {
  const std::vector<std::string> before{declared("token = { type = \"string\", secret = true }\n").declaration};
  const Model after = declared("token = { type = \"string\", computed = \"upper(id)\" }\n");
  Reader none(after, before);
  none.created("a", R"({"id":"a"})");
  none.review.finish();
  EXPECT_TRUE(none.review.holds()) << "nothing is sealed";
  Reader some(after, before);
  some.created("a", R"({"id":"a","token":"v1.k1.GW1dW0r"})");
  some.review.finish();
  EXPECT_FALSE(some.review.holds());
  EXPECT_THAT(some.review.broken().examples, ElementsAre(HasSubstr("which was secret then")));
}

TEST(redeclaration, a_primary_key_that_leaves_a_record_with_another_key_than_its_stream_has_is_refused) {
  const auto broken = [](const std::string& fields, const std::vector<std::string>& keys, const std::string& values) {
    const Model model = declared_whole(fields);
    Reader reader(model);
    for (const std::string& key : keys) reader.created(key, "{\"id\":" + key + values + "}");
    reader.review.finish();
    EXPECT_EQ(reader.review.holds(), reader.review.broken().number == 0);
    return reader.review.broken();
  };
  // Another field.
  const Review::Count moved = broken("id = { type = \"integer\" }\nb = { type = \"integer\", primary_key = true }\n",
                                     {"1", "2", "77"}, ",\"b\":77");
  EXPECT_EQ(moved.number, 2u) << "one record keeps its key";
  EXPECT_THAT(
      moved.examples.front(),
      HasSubstr("position 1 (product-1, version 1): the primary key \"b\" is 77, and the record's key is \"1\""));
  // Another name, and nobody says that it is the same.
  const Review::Count renamed = broken("key = { type = \"integer\", primary_key = true }\n", {"1"}, "");
  EXPECT_THAT(renamed.examples, ElementsAre(HasSubstr("the primary key \"key\" has no value")));
  // What keeps all keys.
  EXPECT_EQ(broken("key = { type = \"integer\", primary_key = true, renamed_from = \"id\" }\n", {"1", "-2"}, "").number,
            0u);
  EXPECT_EQ(broken("id = { type = \"integer\" }\nb = { type = \"integer\", primary_key = true }\n", {"77"}, ",\"b\":77")
                .number,
            0u);
}

TEST(redeclaration, a_primary_key_of_another_type_is_taken_where_keys_stay_the_same_text) {
  const auto broken = [](const std::string& type, const std::string& key, const std::string& stream) {
    const Model model = declared_whole("id = { type = \"" + type + "\", primary_key = true }\n");
    Reader reader(model);
    reader.created(stream, "{\"id\":" + key + "}");
    reader.review.finish();
    return reader.review.broken().number;
  };
  const std::string capitals = "0192E4A0-7A3C-7DEF-8123-456789ABCDEF";
  const std::string small = "0192e4a0-7a3c-7def-8123-456789abcdef";
  EXPECT_EQ(broken("uuid", '"' + small + '"', small), 0u);
  EXPECT_EQ(broken("uuid", '"' + capitals + '"', capitals), 1u) << "the UUID of that text is another key";
  EXPECT_EQ(broken("string", '"' + small + '"', small), 0u);
  EXPECT_EQ(broken("integer", "7", "7"), 0u);
  EXPECT_EQ(broken("integer", "7", "007"), 1u);
}

TEST(redeclaration, a_record_whose_key_field_was_changed_later_is_refused_at_that_event) {
  const Model model = declared_whole("id = { type = \"string\" }\nb = { type = \"string\", primary_key = true }\n");
  Reader reader(model);
  reader.created("a", R"({"id":"a","b":"a"})");
  reader.take("a", "ProductUpdated", R"({"changes":{"b":{"old":"a","new":"z"}}})");
  reader.review.finish();
  EXPECT_THAT(reader.review.broken().examples, ElementsAre(HasSubstr("position 2 (product-a, version 2): ")));
}

TEST(redeclaration, a_kv_model_over_events_of_a_resource_is_refused_and_a_resource_over_those_of_kv) {
  const Model kv = Model::kv("product", {"/products"});
  Reader reader(kv);
  reader.take("a", "ProductCreated", R"({"product_id":"a","values":{"id":"a"}})");
  reader.take("a", "PriceUpdated", R"({"product_id":"a","old_price":1,"new_price":2})");
  reader.take("b", "PriceUpdated", R"({"product_id":"b","old_price":1,"new_price":2})");
  reader.take("b", "ProductDeleted", R"({"product_id":"b","old_values":{}})");
  reader.take("c", "ProductValueSet", R"({"product_name":"c","value":"x"})");
  reader.take("c", "SomethingElse", R"({"product_name":"c"})");
  reader.review.finish();
  EXPECT_FALSE(reader.review.holds());
  EXPECT_THAT(reader.review.broken().examples,
              ElementsAre("position 1 (product-a, version 1): it is an event of a resource, ProductCreated, and the "
                          "model is of profile kv",
                          HasSubstr("position 3 (product-b, version 1): ")));
  EXPECT_EQ(reader.review.records(), 2u);
  EXPECT_EQ(reader.review.unsuitable(), 1u) << "b is deleted";

  const Model resource = declared("");
  Reader other(resource);
  other.take("c", "ProductValueSet", R"({"product_name":"c","value":"x"})");
  other.take("d", "ProductValueSet", R"({"product_name":"d","value":"x"})");
  other.take("d", "ProductValueDeleted", R"({"product_name":"d"})");
  other.review.finish();
  EXPECT_EQ(other.review.broken().number, 2u);
  EXPECT_EQ(other.review.records(), 1u);
}

TEST(redeclaration, records_that_exist_and_do_not_suit_are_counted_among_those_that_exist) {
  const Model model = declared("size = { type = \"integer\" }\n");
  Reader reader(model);
  reader.created("a", R"({"id":"a","size":"x"})");
  reader.created("b", R"({"id":"b","size":"x"})");
  reader.created("c", R"({"id":"c","size":1})");
  reader.take("b", "ProductDeleted", R"({"old_values":{}})");
  reader.review.finish();
  EXPECT_EQ(reader.review.records(), 2u);
  EXPECT_EQ(reader.review.unsuitable(), 1u);
}

TEST(redeclaration, records_that_a_changed_default_changes_are_counted) {
  const std::vector<std::string> before{
      declared("a = { type = \"string\", default = \"one\" }\nb = { type = \"date\", default = \"now\" }\n"
               "c = { type = \"integer\" }\nd = { type = \"integer\", default = 1 }\n")
          .declaration};
  const Model after = declared(
      "a = { type = \"string\", default = \"two\" }\nb = { type = \"date\" }\n"
      "c = { type = \"integer\", default = 5 }\nd = { type = \"integer\", default = 1 }\n");
  Reader reader(after, before);
  reader.created("without", R"({"id":"without","c":3})");
  reader.created("null", R"({"id":"null","a":null,"c":null})");
  reader.created("later", R"({"id":"later","c":3})");
  reader.take("later", "ProductUpdated", R"({"changes":{"a":{"old":"one","new":"x"}}})");
  reader.created("none", R"({"id":"none","a":"x"})");
  reader.created("again", R"({"id":"again","a":"x","c":3})");
  reader.take("again", "ProductDeleted", R"({"old_values":{}})");
  reader.created("again", R"({"id":"again","c":3})");
  reader.review.finish();
  ASSERT_EQ(reader.review.defaulted().size(), 2u);
  EXPECT_THAT(reader.review.defaulted().at(R"(a: was "one", is "two")").examples, ElementsAre("again", "without"));
  EXPECT_THAT(reader.review.defaulted().at("c: was null, is 5").examples, ElementsAre("none"));
  EXPECT_TRUE(reader.review.found_again().empty());
}

TEST(redeclaration, a_field_that_is_declared_again_has_the_values_of_its_time_and_that_is_told) {
  const std::vector<std::string> before{declared("a = { type = \"string\" }\n").declaration, declared("").declaration};
  const Model after = declared("a = { type = \"string\", default = \"x\" }\n");
  Reader reader(after, before);
  reader.created("had", R"({"id":"had","a":"old"})");
  reader.created("lost", R"({"id":"lost","a":"old"})");
  reader.take("lost", "ProductUpdated", R"({"changes":{"a":{"old":"old","new":null}}})");
  reader.created("never", R"({"id":"never"})");
  reader.review.finish();
  ASSERT_EQ(reader.review.found_again().size(), 1u);
  EXPECT_THAT(reader.review.found_again().at("a").examples, ElementsAre("had"));
}

TEST(redeclaration, references_to_nothing_and_whole_numbers_that_no_double_is_are_told) {
  const Model model = declared("n = { type = \"double\" }\nfrom = { type = \"string\", references = \"product\" }\n");
  Reader reader(model);
  reader.created("a", R"({"id":"a","n":9007199254740993,"from":"b"})");
  reader.created("b", R"({"id":"b","n":9007199254740992,"from":"nobody"})");
  reader.take("b", "ProductUpdated", R"({"changes":{"n":{"old":1,"new":9223372036854775807}}})");
  reader.take("b", "NUpdated", R"({"product_id":"b","old_n":1,"new_n":-9007199254740993})");
  reader.review.finish();
  reader.review.look_at_references(
      [&](std::string_view name, std::string_view key) { return name == "product" && reader.review.has(key); });
  EXPECT_TRUE(reader.review.holds());
  EXPECT_THAT(reader.review.rounded().at("n").examples, ElementsAre("1", "3", "4"));
  ASSERT_EQ(reader.review.dangling().size(), 1u);
  EXPECT_THAT(reader.review.dangling().at(2).examples, ElementsAre(R"("b" to "nobody")"));
}

TEST(redeclaration, the_key_that_events_of_a_model_called_new_tell_is_no_field) {
  const auto root = read_declarations(
      "[model.new_m]\npath = \"/m\"\n[model.new_m.fields]\nid = { type = \"string\", primary_key = true }\n"
      "a = { type = \"string\" }\n",
      "annals.toml");
  const Model model = read_models(*root.value().find("model")).value().front().model;
  Reader reader(model);
  reader.take("a", "NewMCreated", R"({"new_m_id":"a","values":{"id":"a","a":"x"}})");
  reader.take("a", "AChanged", R"({"new_m_id":"a","old_a":"x","new_a":"y"})");
  reader.review.finish();
  EXPECT_TRUE(reader.review.holds());
  EXPECT_TRUE(reader.review.left_out().empty());
}

TEST(redeclaration, what_another_field_took_before_is_told_when_it_moves) {
  const std::string title = "title = { type = \"string\", renamed_from = \"name\" }\n";
  const std::vector<std::string> before{declared(title + "label = { type = \"string\" }\n").declaration};
  const auto moved = [&](const std::string& fields) {
    const Model after = declared(fields);
    Reader reader(after, before);
    reader.created("1", R"({"id":"1","name":"lamp"})");
    reader.created("2", R"({"id":"2","title":"desk"})");
    reader.take("1", "ProductUpdated", R"({"changes":{"name":{"old":"lamp","new":"bulb"}}})");
    reader.review.finish();
    EXPECT_TRUE(reader.review.holds());
    return reader.review.moved();
  };
  EXPECT_TRUE(moved(title).empty());
  EXPECT_TRUE(moved("heading = { type = \"string\", renamed_from = [\"title\", \"name\"] }\n").empty());
  EXPECT_TRUE(moved("title = { type = \"string\" }\n").empty()) << "that is left out";
  const auto back = moved("title = { type = \"string\" }\nname = { type = \"string\" }\n");
  EXPECT_THAT(back.at(R"("name" was taken by "title", and is by "name")").examples, ElementsAre("1", "3"));
  const auto other = moved("title = { type = \"string\" }\nlabel = { type = \"string\", renamed_from = \"name\" }\n");
  EXPECT_EQ(other.at(R"("name" was taken by "title", and is by "label")").number, 2u);
}

TEST(redeclaration, two_fields_of_one_time_do_not_become_one) {
  const std::vector<std::string> before{declared("a = { type = \"string\" }\nb = { type = \"string\" }\n").declaration};
  const Model after = declared("b = { type = \"string\", renamed_from = \"a\" }\n");
  Reader both(after, before);
  both.created("1", R"({"id":"1","a":"A","b":"B"})");
  both.created("2", R"({"id":"2","b":"B"})");
  both.review.finish();
  EXPECT_FALSE(both.review.holds());
  EXPECT_EQ(both.review.broken().number, 1u);
  EXPECT_THAT(both.review.broken().examples, ElementsAre(HasSubstr("both were fields at the same time")));
  Reader one(after, before);
  one.created("2", R"({"id":"2","b":"B"})");
  one.review.finish();
  EXPECT_TRUE(one.review.holds()) << "none has a value of the other";
  Reader renamed(after, std::vector{declared("a = { type = \"string\" }\n").declaration});
  renamed.created("1", R"({"id":"1","a":"A"})");
  renamed.review.finish();
  EXPECT_TRUE(renamed.review.holds());
}

TEST(redeclaration, the_key_of_a_model_is_no_value_that_is_left_out) {
  Model model = declared("price = { type = \"decimal\", event = \"PriceUpdated\" }\n");
  model.key_member = "new_product_id";
  Reader reader(model);
  reader.created("a", R"({"id":"a","price":"1"})");
  reader.take("a", "PriceUpdated", R"({"new_product_id":"a","old_price":"1","new_price":"2"})");
  reader.review.finish();
  EXPECT_TRUE(reader.review.left_out().empty());
  EXPECT_TRUE(reader.review.holds());
}

}  // namespace
}  // namespace annals::model
