// What a store was declared with is in its log, and a declaration that its events do not suit is not admitted.

#include "engine/declarations.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/test_engine.hpp"
#include "model/declared_attributes.hpp"
#include "model/model_file.hpp"

namespace annals::engine {
namespace {

class DeclarationsTest : public testing::Test {
 protected:
  static std::vector<model::Model> declared(const std::string& fields, const std::string& attributes = "") {
    const auto root = model::read_declarations("[model.product]\npath = \"/products\"\n" + attributes +
                                                   "[model.product.fields]\n"
                                                   "id = { type = \"string\", primary_key = true }\n" +
                                                   fields,
                                               "annals.toml");
    auto models = model::read_models(*root.value().find("model"));
    EXPECT_TRUE(models) << models.error().message;
    return {models->front().model};
  }
  Result<> admit(const std::vector<model::Model>& models) {
    TRY(marks(models));
    return {};
  }
  Result<std::vector<std::string>> marks(const std::vector<model::Model>& models) {
    return admit_declarations(store, models, world.platform());
  }
  void record(const std::string& key, const std::string& values) {
    NewEvent event;
    event.id = Uuid{};
    event.type = "ProductCreated";
    event.data = "{\"product_id\":\"" + key + "\",\"values\":" + values + "}";
    event.metadata = "{}";
    std::vector<Group> groups(1);
    groups[0].appends.push_back({"product-" + key, ExpectedVersion::none(), {event}});
    store.append(groups, [](std::vector<AppendResult> results) { EXPECT_TRUE(results.front()); });
  }

  /// What another server of the same store records.
  void record_of_another(std::uint32_t node, const std::string& stream, const std::string& type,
                         const std::string& data) {
    EventView event;
    event.position = store.status().visible.next();
    event.stream = stream;
    event.version = store.stream_version(stream).value().next();
    event.id = platform::make_uuid(world.platform().clock.now(), world.platform().random);
    event.type = type;
    event.data = data;
    event.metadata = "{}";
    const EventPage last = store.read_all(Position{event.position.value - 2}, Horizon::visible, PageLimit{}).value();
    event.created_at = last.events().back().created_at.plus(std::chrono::microseconds(1));
    event.node_id = node;
    const auto restored = store.restore(std::vector{event});
    ASSERT_TRUE(restored) << restored.error().message;
  }
  void create_by_another(std::uint32_t node, const std::string& key, const std::string& values) {
    record_of_another(node, "product-" + key, "ProductCreated",
                      "{\"product_id\":\"" + key + "\",\"values\":" + values + "}");
  }
  void declare_by_another(std::uint32_t node, const model::Model& model) {
    record_of_another(node, "$declarations-product", "ModelDeclared",
                      "{\"model\":\"product\",\"fields\":" + model.declaration +
                          ",\"attributes\":" + model::declared_attributes(model) + "}");
  }

  TestWorld world;
  ControlledStore store{world.platform()};
  const std::string two = "size = { type = \"enum\", values = [\"s\", \"l\"] }\n";
  const std::string one = "size = { type = \"enum\", values = [\"s\"] }\n";
};

TEST_F(DeclarationsTest, what_another_server_recorded_by_another_declaration_is_looked_at_at_every_start) {
  store.share();
  ASSERT_TRUE(admit(declared(two)));
  declare_by_another(7, declared(two)[0]);
  ASSERT_TRUE(admit(declared(one)));
  create_by_another(7, "a", R"({"id":"a","size":"s"})");
  ASSERT_TRUE(admit(declared(one))) << "it suits";
  create_by_another(7, "b", R"({"id":"b","size":"l"})");
  const auto refused = admit(declared(one));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::usage);
  EXPECT_THAT(refused.error().message,
              testing::AllOf(testing::HasSubstr("by another server"),
                             testing::HasSubstr("1 event that it cannot take: position 6 (product-b, version 1)")));
  EXPECT_TRUE(admit(declared(two)));
}

TEST_F(DeclarationsTest, what_suits_is_not_read_again_and_who_declares_the_same_is_believed) {
  store.share();
  ASSERT_TRUE(admit(declared(two)));
  ASSERT_TRUE(admit(declared(one)));
  create_by_another(7, "a", R"({"id":"a","size":"s"})");
  ASSERT_TRUE(admit(declared(one)));
  EXPECT_EQ(last_declaration(store, declared(one)[0])->version.value, 3u)
      << "read, because nobody knows by what it was";
  EXPECT_EQ(last_declaration(store, declared(one)[0])->read_to.value, 3u);
  ASSERT_TRUE(admit(declared(one)));
  EXPECT_EQ(last_declaration(store, declared(one)[0])->version.value, 3u);
  declare_by_another(7, declared(one)[0]);
  create_by_another(7, "b", R"({"id":"b","size":"s"})");
  ASSERT_TRUE(admit(declared(one)));
  EXPECT_EQ(last_declaration(store, declared(one)[0])->version.value, 4u) << "that server declared the same";
}

TEST_F(DeclarationsTest, a_store_that_is_nobody_elses_is_not_read_again) {
  ASSERT_TRUE(admit(declared(two)));
  ASSERT_TRUE(admit(declared(one)));
  create_by_another(7, "a", R"({"id":"a","size":"s"})");
  ASSERT_TRUE(admit(declared(one)));
  EXPECT_EQ(last_declaration(store, declared(one)[0])->version.value, 2u);
}

TEST_F(DeclarationsTest, a_declaration_is_recorded_once_and_again_when_it_has_changed) {
  const auto first = declared("name = { type = \"string\" }\n");
  EXPECT_EQ(last_declaration(store, first[0])->version.value, 0u);
  ASSERT_TRUE(admit(first));
  ASSERT_TRUE(admit(first));
  const auto last = last_declaration(store, first[0]);
  ASSERT_TRUE(last);
  EXPECT_EQ(last->version.value, 1u);
  EXPECT_EQ(last->fields, first[0].declaration);

  const auto second = declared("name = { type = \"string\" }\nsize = { type = \"integer\" }\n");
  ASSERT_TRUE(admit(second));
  EXPECT_EQ(last_declaration(store, second[0])->version.value, 2u);
}

TEST_F(DeclarationsTest, a_declaration_has_a_mark_once_the_store_was_served_with_another) {
  const auto first = declared("name = { type = \"string\" }\n");
  const auto second = declared("name = { type = \"string\", default = \"x\" }\n");
  EXPECT_THAT(marks(first).value(), testing::ElementsAre(""));
  EXPECT_THAT(marks(first).value(), testing::ElementsAre(""));
  const std::string mark = marks(second).value().front();
  EXPECT_THAT(mark, testing::MatchesRegex("[0-9a-f]{8}"));
  EXPECT_THAT(marks(second).value(), testing::ElementsAre(mark));
  const std::string mark_of_first = marks(first).value().front();
  EXPECT_THAT(mark_of_first, testing::MatchesRegex("[0-9a-f]{8}"));
  EXPECT_NE(mark_of_first, mark);
}

TEST_F(DeclarationsTest, other_attributes_are_recorded_once_with_the_same_fields_and_what_suits_them) {
  const auto first = declared("", "versioned = 10\n");
  const auto second = declared("", "versioned = 20\naudited = true\n");
  EXPECT_THAT(marks(first).value(), testing::ElementsAre(""));
  record("a", R"({"id":"a"})");
  EXPECT_EQ(last_declaration(store, first[0])->attributes, R"({"path":["/products"],"versioned":10})");
  const Position read_to = last_declaration(store, first[0])->read_to;
  for (int start = 0; start < 3; ++start) {
    EXPECT_THAT(marks(second).value(), testing::ElementsAre("")) << "records look as they did";
    const auto last = last_declaration(store, second[0]);
    EXPECT_EQ(last->version.value, 2u);
    EXPECT_EQ(last->fields, second[0].declaration);
    EXPECT_EQ(last->attributes, R"({"path":["/products"],"audited":true,"versioned":20})");
    EXPECT_EQ(last->read_to, read_to) << "no event was read";
  }
  EXPECT_TRUE(admit(declared("", "audited = true\nversioned = 20\ncache = \"0s\"\n")));
  EXPECT_EQ(last_declaration(store, second[0])->version.value, 2u) << "the same in other words";
}

TEST_F(DeclarationsTest, servers_whose_attributes_alone_differ_record_one_event_a_start_and_read_no_others) {
  store.share();
  ASSERT_TRUE(admit(declared(two)));
  ASSERT_TRUE(admit(declared(one)));
  const auto first = declared(one, "versioned = 10\n");
  const auto second = declared(one, "versioned = 20\n");
  for (std::uint64_t start = 3; start < 9; start += 2) {
    ASSERT_TRUE(admit(first));
    EXPECT_EQ(last_declaration(store, first[0])->version.value, start);
    ASSERT_TRUE(admit(second));
    EXPECT_EQ(last_declaration(store, first[0])->version.value, start + 1);
  }
  create_by_another(7, "a", R"({"id":"a","size":"l"})");
  EXPECT_THAT(admit(first).error().message, testing::HasSubstr("by another server"))
      << "what others record is looked at all the same";
}

TEST_F(DeclarationsTest, attributes_that_nobody_recorded_are_recorded_by_the_next_start) {
  const auto models = declared("", "versioned = 10\n");
  record("a", R"({"id":"a"})");
  record_of_another(1, "$declarations-product", "ModelDeclared",
                    "{\"model\":\"product\",\"fields\":" + models[0].declaration + "}");
  EXPECT_EQ(last_declaration(store, models[0])->attributes, std::nullopt);
  EXPECT_THAT(marks(models).value(), testing::ElementsAre(""));
  EXPECT_EQ(last_declaration(store, models[0])->version.value, 2u);
  EXPECT_EQ(last_declaration(store, models[0])->attributes, R"({"path":["/products"],"versioned":10})");
  EXPECT_EQ(last_declaration(store, models[0])->read_to.value, 2u) << "as the event said that has no read_to";
  ASSERT_TRUE(admit(models));
  EXPECT_EQ(last_declaration(store, models[0])->version.value, 2u);
}

TEST_F(DeclarationsTest, a_store_that_is_not_to_be_written_to_is_served_with_other_attributes) {
  ASSERT_TRUE(admit(declared("")));
  store.answer_next({Error(ErrorKind::unavailable, "read_only", "nothing can be written")});
  EXPECT_THAT(marks(declared("", "versioned = 10\n")).value(), testing::ElementsAre(""));
  EXPECT_EQ(last_declaration(store, declared("")[0])->version.value, 1u);
}

TEST_F(DeclarationsTest, of_servers_that_begin_at_once_with_the_same_one_records_it) {
  const auto models = declared("", "versioned = 10\n");
  store.before_next_append(
      [&](EventStore& inner) { ASSERT_TRUE(admit_declarations(inner, models, world.platform())); });
  EXPECT_THAT(marks(models).value(), testing::ElementsAre(""));
  EXPECT_EQ(last_declaration(store, models[0])->version.value, 1u);
  EXPECT_EQ(world.logged("The declaration of a model was not recorded"), 0u);
}

TEST_F(DeclarationsTest, what_stored_events_do_not_suit_is_refused_and_not_recorded) {
  ASSERT_TRUE(admit(declared("name = { type = \"string\" }\n")));
  record("a", R"({"id":"a","name":"lamp"})");
  record("b", R"({"id":"b","name":"lamp"})");
  const auto unique = declared("name = { type = \"string\", unique = true }\n");
  const auto refused = admit(unique);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::usage);
  EXPECT_THAT(refused.error().message, testing::HasSubstr(R"(1 value that is to be unique and is not: name "lamp")"));
  const auto other_type = declared("name = { type = \"integer\" }\n");
  EXPECT_THAT(admit(other_type).error().message, testing::HasSubstr("2 events that it cannot take: position 2"));
  EXPECT_EQ(last_declaration(store, unique[0])->version.value, 1u);
  EXPECT_TRUE(admit(declared("name = { type = \"text\" }\n")));
}

TEST_F(DeclarationsTest, a_store_that_was_written_to_before_declarations_were_recorded_is_read) {
  record("a", R"({"id":"a","name":"lamp"})");
  EXPECT_FALSE(admit(declared("name = { type = \"integer\" }\n")));
  EXPECT_TRUE(admit(declared("")));
}

TEST_F(DeclarationsTest, a_kv_model_declares_nothing) {
  ASSERT_TRUE(admit({kv("config")}));
  EXPECT_EQ(store.status().visible.value, 0u);
}

TEST_F(DeclarationsTest, a_kv_model_that_has_been_a_resource_is_refused_as_long_as_there_are_events_of_that) {
  ASSERT_TRUE(admit(declared("")));
  const model::Model product = kv("product");
  ASSERT_TRUE(admit({product})) << "nothing was recorded";
  EXPECT_EQ(last_declaration(store, product)->fields, "{}");
  ASSERT_TRUE(admit({product}));
  EXPECT_EQ(last_declaration(store, product)->version.value, 2u);
  EXPECT_THAT(marks({product}).value(), testing::ElementsAre(""));
  ASSERT_TRUE(admit(declared("")));
  record("a", R"({"id":"a"})");
  const auto refused = admit({product});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::usage);
  EXPECT_THAT(refused.error().message,
              testing::HasSubstr("1 event that it cannot take: position 4 (product-a, version 1)"));
}

TEST_F(DeclarationsTest, a_resource_that_has_been_kv_meanwhile_is_read_again) {
  ASSERT_TRUE(admit(declared("")));
  ASSERT_TRUE(admit({kv("product")}));
  record_of_another(1, "product-a", "ProductValueSet", R"({"product_name":"a","value":"x"})");
  EXPECT_FALSE(admit(declared("")));
}

TEST_F(DeclarationsTest, references_are_looked_up_in_the_records_of_all_models) {
  record("a", R"({"id":"a","of":"b"})");
  record("b", R"({"id":"b","of":"c"})");
  const auto models = declared("of = { type = \"string\", references = \"product\" }\n");
  const std::vector<const model::Model*> all{models.data()};
  const auto reviewed = review(store, all);
  ASSERT_TRUE(reviewed);
  EXPECT_THAT(reviewed->reviews.front().dangling().at(1).examples, testing::ElementsAre(R"("b" to "c")"));
}

TEST_F(DeclarationsTest, a_review_counts_what_no_model_has) {
  record("a", R"({"id":"a"})");
  const model::Model config = kv("config");
  const std::vector<const model::Model*> models{&config};
  const auto reviewed = review(store, models);
  ASSERT_TRUE(reviewed);
  EXPECT_EQ(reviewed->others, (std::map<std::string, std::uint64_t>{{"product", 1}}));
}

}  // namespace
}  // namespace annals::engine
