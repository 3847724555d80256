#include "model/model_file.hpp"

#include <gtest/gtest.h>

namespace annals::model {
namespace {

std::string refusal(const std::string& text) {
  const auto root = read_declarations(text, "annals.toml");
  if (!root) return root.error().message;
  const auto models = read_models(*root->find("model"));
  return models ? "(taken)" : models.error().message;
}

/// The refusal of a model whose fields these are.
std::string with_fields(const std::string& fields, const std::string& more = "") {
  return refusal("[model.a]\npath = \"/a\"\n" + more + "[model.a.fields]\n" + fields);
}

const std::string key = "id = { type = \"uuid\", primary_key = true }\n";

TEST(model_file, a_resource_is_read_whole) {
  const auto root =
      read_declarations("[model.line_item]\npath = [\"/lines\", \"/v1/lines\"]\n[model.line_item.fields]\n" + key +
                            "amount = { type = \"integer\", default = 1 }\n",
                        "annals.toml");
  const auto models = read_models(*root.value().find("model"));
  ASSERT_TRUE(models) << models.error().message;
  ASSERT_EQ(models->size(), 1u);
  const Model& model = models->front().model;
  EXPECT_EQ(model.profile, Profile::resource);
  EXPECT_EQ(model.paths, (std::vector<std::string>{"/lines", "/v1/lines"}));
  EXPECT_EQ(model.created_type, "LineItemCreated");
  EXPECT_EQ(model.key_member, "line_item_id");
  ASSERT_EQ(model.fields.size(), 2u);
  EXPECT_EQ(model.primary_key, 0u);
  EXPECT_EQ(model.fields[0].made, Field::Made::uuid) << "a uuid is made for who has none";
  EXPECT_EQ(to_json(*model.fields[1].otherwise), "1");
}

TEST(model_file, fields_that_do_not_hold_together_are_refused_at_their_place) {
  struct Case {
    std::string fields;
    std::string place;
    std::string part;
  };
  for (const Case& one : {
           Case{"name = { type = \"string\" }\n", "3:", "has no primary key"},
           Case{key + "id2 = { type = \"uuid\", primary_key = true }\n", "5:1", "is a second primary key"},
           Case{key + "name = { typ = \"string\" }\n", "5:10", "did you mean \"type\"?"},
           Case{key + "name = { type = \"enum\", vlues = [\"a\"] }\n", "5:25", "did you mean \"values\"?"},
           Case{key + "name = { required = true }\n", "5:8", "has no type"},
           Case{key + "name = { type = \"strin\" }\n", "5:17", "did you mean \"string\"?"},
           Case{key + "name = \"string\"\n", "5:8", "write name = { type = \"string\" }"},
           Case{key + "Name = { type = \"string\" }\n", "5:1", "[a-z][a-z0-9_]*"},
           Case{key + "name = { type = \"string\", uniqe = true }\n", "5:27", "did you mean \"unique\"?"},
           Case{key + "name = { type = \"string\", secret = true, unique = true }\n", "5:51",
                "does not go with secret"},
           Case{key + "name = { type = \"string\", indexed = true, secret = true }\n", "5:37",
                "does not go with secret"},
           Case{key + "name = { type = \"string\", secret = true, default = \"a\" }\n", "5:52",
                "does not go with secret"},
           Case{key + "name = { type = \"string\", secret = true, one_of = [\"a\"] }\n", "5:51",
                "does not go with secret"},
           Case{key + "name = { type = \"string\", secret = true, references = \"a\" }\n", "5:55",
                "does not go with secret"},
           Case{key + "name = { type = \"string\", secret = true, exposed = true }\n", "5:52", "leave exposed out"},
           Case{key + "name = { type = \"string\", secret = true, min = 1 }\n", "5:48", "min suits"},
           Case{key + "name = { type = \"integer\", secret = true }\n", "5:37",
                "secret suits fields of type string, text"},
           Case{key + "name = { type = \"string\", secret = 1 }\n", "5:36", "true or false"},
           Case{key + "name = { type = \"string\", exposed = \"no\" }\n", "5:37", "true or false"},
           Case{key + "name = { type = \"string\", exposed = false, indexed = true }\n", "5:54", "no list is filtered"},
           Case{"id = { type = \"string\", primary_key = true, exposed = false }\n", "4:55", "every reply shows it"},
           Case{"id = { type = \"string\", primary_key = true, secret = true }\n", "4:39", "does not go with secret"},
           Case{key + "name = { type = \"list\" }\n", "5:17", "of = \"string\""},
           Case{key + "name = { type = \"string\", event = \"ADeleted\" }\n", "5:35", "calls its own events"},
           Case{key + "name = { type = \"string\", event = \"ACreated\" }\n", "5:35", "calls its own events"},
           Case{key + "name = { type = \"string\", renamed_from = \"name\" }\n", "5:42", "called \"name\" now"},
           Case{key + "name = { type = \"string\", renamed_from = \"id\" }\n", "5:42", "is a field of this model"},
           Case{key + "name = { type = \"string\", renamed_from = [\"b\", \"b\"] }\n", "5:48", "twice"},
           Case{key + "name = { type = \"string\", renamed_from = \"b\" }\nc = { type = \"string\", renamed_from = "
                      "\"b\" }\n",
                "5:42", "what \"c\" was called as well"},
           Case{key + "name = { type = \"list\", of = \"list\" }\n", "5:30", "not one of lists"},
           Case{key + "name = { type = \"string\", of = \"string\" }\n", "5:32", "goes with type = \"list\""},
           Case{key + "name = { type = \"integer\", one_of = [1, 2, 1] }\n", "5:44", "1 is in one_of twice"},
           Case{key + "name = { type = \"decimal\", one_of = [\"1\", \"1.0\"] }\n", "5:43", "is in one_of twice"},
           Case{key + "name = { type = \"integer\", one_of = [1, 2], min = 2 }\n", "5:38",
                "what is one_of of \"name\" is refused by its other attributes: "},
           Case{key + "name = { type = \"double\", min = nan }\n", "5:33", "is no number that a record can have"},
           Case{key + "name = { type = \"double\", default = [inf] }\n", "5:", "must suit its type"},
           Case{"id = { type = \"integer\", primary_key = true, default = 4 }\n", "4:56", "leave default out"},
           Case{key + "name = { type = \"enum\" }\n", "5:17", "says its values"},
           Case{key + "name = { type = \"enum\", values = [\"draft\"], default = \"drfat\" }\n", "5:55",
                "did you mean \"draft\"?"},
           Case{key + "name = { type = \"date\", default = \"nwo\" }\n", "5:35", "did you mean \"now\"?"},
           Case{key + "name = { type = \"date\", default = \"soon\" }\n", "5:35", "must suit its type"},
           Case{key + "name = { type = \"enum\", values = [] }\n", "5:34", "one at least"},
           Case{key + "name = { type = \"enum\", values = [\"a\", \"a\"] }\n", "5:40", "twice"},
           Case{key + "name = { type = \"string\", values = [\"a\"] }\n", "5:36", "goes with type = \"enum\""},
           Case{key + "name = { type = \"integer\", default = 0, min = 1 }\n", "5:38",
                "refused by its other attributes"},
           Case{"id = { type = \"string\", primary_key = true, unique = true }\n", "4:", "unique by itself"},
           Case{"id = { type = \"string\", primary_key = true, indexed = true }\n", "4:", "in order of their keys"},
           Case{"id = { type = \"string\", primary_key = true, event = \"Renamed\" }\n", "4:53", "leave event out"},
       }) {
    const std::string message = with_fields(one.fields);
    EXPECT_TRUE(message.starts_with("annals.toml:" + one.place)) << message;
    EXPECT_NE(message.find(one.part), std::string::npos) << message;
  }
}

TEST(model_file, what_a_deletion_brings_along_happens_without_a_method) {
  const auto with_lines = [](const std::string& lines, const std::string& on_delete) {
    return with_fields(key + "a = { type = \"uuid\", references = \"a\", on_delete = \"" + on_delete + "\" }\n", lines);
  };
  const std::string of_delete = "methods = [\"GET\"]\noperations = { delete = { durability = \"local\" } }\n";
  const std::string of_update = "methods = [\"GET\"]\noperations = { update = { durability = \"local\" } }\n";
  EXPECT_EQ(with_lines(of_delete, "cascade"), "(taken)");
  EXPECT_EQ(with_lines(of_update, "set_null"), "(taken)");
  EXPECT_NE(with_lines(of_update, "cascade").find("nothing would come of it"), std::string::npos);
  EXPECT_NE(with_lines(of_delete, "restrict").find("nothing would come of it"), std::string::npos);
}

TEST(model_file, an_event_for_what_never_happens_is_refused) {
  const std::string with_event = key + "b = { type = \"string\", event = \"Moved\" }\n";
  const std::string message = with_fields(with_event, "methods = [\"GET\", \"DELETE\"]\n");
  EXPECT_TRUE(message.starts_with("annals.toml:3:11: ")) << message;
  EXPECT_NE(message.find("\"b\" has an event, Moved, for when it does"), std::string::npos) << message;
  EXPECT_EQ(with_fields(with_event, "methods = [\"GET\", \"POST\"]\n"), "(taken)") << "a rollback is a POST";
  const std::string lets_go =
      key + "b = { type = \"uuid\", references = \"a\", on_delete = \"set_null\", event = \"Moved\" }\n";
  EXPECT_EQ(with_fields(lets_go, "methods = [\"GET\", \"DELETE\"]\n"), "(taken)");
}

TEST(model_file, what_serves_lists_alone_needs_get) {
  const std::string message =
      with_fields(key + "b = { type = \"string\", indexed = true }\n", "methods = [\"POST\"]\n");
  EXPECT_TRUE(message.starts_with("annals.toml:3:11: ")) << message;
  EXPECT_NE(message.find("there are no lists, for which \"b\" is to be indexed"), std::string::npos) << message;
  EXPECT_NE(with_fields(key + "b = { type = \"string\", bloom_filter = true }\n", "methods = [\"POST\"]\n")
                .find("is to be in a bloom_filter"),
            std::string::npos);
}

TEST(model_file, a_table_of_fields_that_is_called_otherwise_is_what_is_wrong) {
  const std::string message = refusal("[model.a]\npath = \"/a\"\n[model.a.feilds]\n" + key);
  EXPECT_TRUE(message.starts_with("annals.toml:3:")) << message;
  EXPECT_NE(message.find("did you mean \"fields\"?"), std::string::npos) << message;
  EXPECT_NE(refusal("[model.a]\npath = \"/a\"\nprofile = \"resource\"\n[model.a.feilds]\n" + key)
                .find("did you mean \"fields\"?"),
            std::string::npos);
  EXPECT_NE(refusal("[model.a]\npath = \"/a\"\nprofil = \"kv\"\n").find("did you mean \"profile\"?"),
            std::string::npos);
  EXPECT_NE(with_fields(key + "b = { type = \"string\", cache = \"1s\" }\n").find("it is one of the model"),
            std::string::npos);
}

TEST(model_file, a_model_has_attributes_of_its_profile_only) {
  EXPECT_EQ(with_fields(key), "(taken)");
  EXPECT_EQ(with_fields("id = { type = \"integer\", primary_key = true, indexed = true }\n"), "(taken)");
  EXPECT_EQ(with_fields(key, "profile = \"resource\"\n"), "(taken)");
  EXPECT_NE(with_fields(key, "value_bytes_max = 5\n").find("not an attribute of a model of profile resource"),
            std::string::npos);
  EXPECT_NE(with_fields(key, "profile = \"kv\"\n").find("not an attribute of a model of profile kv"),
            std::string::npos);
  EXPECT_NE(refusal("[model.a]\npath = \"/a\"\nprofile = \"resource\"\n").find("has no fields"), std::string::npos);
  EXPECT_NE(refusal("[model.a]\nfields = 1\npath = \"/a\"\n").find("is a table of 1 to 200 fields"), std::string::npos);
  EXPECT_NE(with_fields(key + "a = { type = \"string\", unique = true }\n", "consistency = \"eventual\"\n")
                .find("that goes with consistency = \"live\""),
            std::string::npos);
}

TEST(model_file, a_reference_is_to_the_key_of_a_declared_resource) {
  const std::string b = "[model.b]\npath = \"/b\"\n[model.b.fields]\nid = { type = \"integer\", primary_key = true }\n";
  const std::string c = "[model.c]\nprofile = \"kv\"\npath = \"/c\"\n";
  const auto with_b = [&](const std::string& field) { return with_fields(key + "other = " + field + "\n" + b + c); };
  EXPECT_EQ(with_b(R"({ type = "integer", references = "b" })"), "(taken)");
  EXPECT_EQ(with_b(R"({ type = "uuid", references = "a", on_delete = "cascade" })"), "(taken)");
  const std::string unknown = with_b(R"({ type = "integer", references = "bb" })");
  EXPECT_TRUE(unknown.starts_with("annals.toml:5:42: there is no model \"bb\"; did you mean \"b\"?")) << unknown;
  EXPECT_NE(with_b(R"({ type = "uuid", references = "b" })").find("a reference has the type of the key"),
            std::string::npos);
  EXPECT_NE(with_b(R"({ type = "string", references = "c" })").find("only resources can be referred to"),
            std::string::npos);
  EXPECT_NE(with_b(R"({ type = "integer", on_delete = "cascade" })").find("on_delete goes with references"),
            std::string::npos);
  EXPECT_NE(with_b(R"({ type = "integer", required = true, references = "b", on_delete = "set_null" })")
                .find("set_null cannot take it away"),
            std::string::npos);
  EXPECT_NE(with_fields(key + "other = { type = \"uuid\", references = \"a\" }\n", "consistency = \"eventual\"\n")
                .find("that goes with consistency = \"live\""),
            std::string::npos);
}

TEST(model_file, a_resource_has_snapshots_as_often_as_it_says) {
  const auto snapshots_of = [](const std::string& attribute) {
    const auto root =
        read_declarations("[model.a]\npath = \"/a\"\n" + attribute + "[model.a.fields]\n" + key, "a.toml");
    return read_models(*root.value().find("model")).value().front().model.snapshot_every;
  };
  EXPECT_EQ(snapshots_of(""), 1000u);
  EXPECT_EQ(snapshots_of("snapshot_every = 10\n"), 10u);
  EXPECT_EQ(snapshots_of("snapshot_every = 1000000\n"), 1'000'000u);
  EXPECT_EQ(snapshots_of("snapshot_every = 0\n"), 0u);
  for (const std::string refused : {"9", "1000001", "-1", "\"1000\"", "1000.0"}) {
    const std::string message = with_fields(key, "snapshot_every = " + refused + "\n");
    EXPECT_TRUE(message.starts_with("annals.toml:3:18: model.a.snapshot_every: expected a number")) << message;
  }
  EXPECT_NE(with_fields(key, "snapshots_every = 10\n").find("did you mean \"snapshot_every\"?"), std::string::npos);
  EXPECT_NE(refusal("[model.a]\npath = \"/a\"\nprofile = \"kv\"\nsnapshot_every = 10\n").find("is not an attribute"),
            std::string::npos);
}

TEST(model_file, a_resource_may_be_audited) {
  EXPECT_EQ(with_fields(key, "audited = true\n"), "(taken)");
  EXPECT_NE(with_fields(key, "audited = \"yes\"\n").find("expected true or false"), std::string::npos);
  EXPECT_NE(refusal("[model.a]\npath = \"/a\"\nprofile = \"kv\"\naudited = true\n").find("is not an attribute"),
            std::string::npos);
}

}  // namespace
}  // namespace annals::model
