// Every model attribute's examples.

#include "model/model_attribute.hpp"

#include <gtest/gtest.h>

#include "model/audited_operations.hpp"
#include "model/methods.hpp"
#include "model/model_file.hpp"

namespace annals::model {
namespace {

/// A model of these lines, with whatever else it needs.
Result<std::vector<DeclaredModel>> with_lines(const ModelAttribute& attribute, std::string_view lines) {
  std::string text = "[model.thing]\n" + std::string(lines) + "\n";
  if (attribute.name != "path") text += "path = \"/things\"\n";
  if (!attribute.of_resource) text += "profile = \"kv\"\n";
  if (attribute.of_resource && attribute.name != "fields")
    text += "[model.thing.fields]\nid = { type = \"uuid\", primary_key = true }\nname = { type = \"string\" }\n";
  const Declared root = TRY(read_declarations(text, "annals.toml"));
  return read_models(*root.find("model"));
}

TEST(model_attributes, the_examples_are_what_they_say) {
  for (const ModelAttribute* attribute : model_attributes()) {
    SCOPED_TRACE(attribute->name);
    EXPECT_TRUE(attribute->of_kv || attribute->of_resource);
    EXPECT_FALSE(attribute->sentence.empty());
    EXPECT_NE(attribute->accepted.find(attribute->name), std::string_view::npos);
    EXPECT_NE(attribute->refused.find(attribute->name), std::string_view::npos);
    const auto models = with_lines(*attribute, attribute->accepted);
    EXPECT_TRUE(models) << models.error().message;
    const auto refused = with_lines(*attribute, attribute->refused);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().message.starts_with("annals.toml:")) << refused.error().message;
    EXPECT_NE(refused.error().message.find('^'), std::string::npos) << refused.error().message;
  }
}

TEST(model_attributes, an_unknown_one_is_refused_with_the_nearest_name) {
  const auto refused = with_lines(*model_attributes().front(), "audted = true");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("did you mean \"audited\"?"), std::string::npos) << refused.error().message;
}

TEST(model_attributes, of_the_words_of_a_fixed_set_the_nearest_is_told) {
  struct Case {
    std::string_view lines;
    std::string_view part;
  };
  for (const Case& one : {
           Case{R"(profile = "resorce")", R"(expected "kv" or "resource"; did you mean "resource"?)"},
           Case{R"(consistency = "evental")", R"("live", "eventual" or "restart"; did you mean "eventual"?)"},
           Case{R"(durability = "memroy")", R"("store", "memory" or "local"; did you mean "memory"?)"},
           Case{R"(durability = "Local")", R"(did you mean "local"?)"},
           Case{R"(methods = ["get"])", R"(did you mean "GET"?)"},
           Case{"audit = true", R"(did you mean "audited"?)"},
           Case{"cahce = \"1s\"", R"(did you mean "cache"?)"},
           Case{"unique = true", "it is one of a field, and stands in [model.thing.fields]"},
           Case{"type = \"uuid\"", "it is one of a field"},
           Case{"value_bytes_max = 5", "it is one of profile kv"},
           Case{"batch_size = 5", "it is one of performance"},
           Case{"operations = { update = { audit = true } }", R"(did you mean "audited"?)"},
       }) {
    const auto refused = with_lines(*model_attributes().front(), one.lines);
    ASSERT_FALSE(refused) << one.lines;
    EXPECT_NE(refused.error().message.find(one.part), std::string::npos) << refused.error().message;
  }
}

TEST(model_attributes, what_is_said_of_what_nobody_can_ask_is_refused) {
  struct Case {
    std::string_view lines;
    std::string_view part;
  };
  constexpr std::string_view unserved = "nothing would come of it, because the model is served with ";
  for (const Case& one : {
           Case{"methods = [\"GET\"]\noperations = { create = { durability = \"local\" } }", "GET only"},
           Case{"methods = [\"GET\"]\noperations = { update = { durability = \"local\" } }",
                "serve PUT, PATCH or POST (a rollback) as well"},
           Case{"methods = [\"GET\", \"PUT\"]\noperations = { delete = { write_behind = true } }",
                "GET and PUT only; take it away, or serve DELETE as well"},
           Case{"operations = { get = { cache = \"1s\" } }\nmethods = [\"POST\"]", "serve GET as well"},
           Case{"operations = { list = { cache = \"1s\" } }\nmethods = [\"POST\"]",
                "model.thing.operations.list.cache: "},
           Case{"operations = { create = { audited = true } }\nmethods = [\"POST\"]", "serve GET as well"},
           Case{"audited = true\nmethods = [\"POST\"]", "model.thing.audited: "},
           Case{"cache = \"1s\"\nmethods = [\"POST\"]", "model.thing.cache: "},
           Case{"durability = \"local\"\nmethods = [\"GET\"]", "serve a method that writes as well"},
           Case{"write_behind = true\nmethods = [\"GET\"]", "serve a method that writes as well"},
           Case{"performance = { batch_size = 9 }\nmethods = [\"GET\"]",
                "annals.toml:2:30: model.thing.performance.batch_size: "},
           Case{"methods = [\"GET\"]\nperformance = { batch_size = 9 }", "serve a method that writes as well"},
           Case{"versioned = 3\nmethods = [\"PUT\"]", "model.thing.versioned: "},
           Case{"retention = \"3d\"\nmethods = [\"PUT\"]", "model.thing.retention: "},
       }) {
    const auto refused = with_lines(*model_attributes().front(), one.lines);
    ASSERT_FALSE(refused) << one.lines;
    EXPECT_NE(refused.error().message.find(unserved), std::string::npos) << refused.error().message;
    EXPECT_NE(refused.error().message.find(one.part), std::string::npos) << refused.error().message;
  }
  for (const std::string_view good : {
           // A rollback is a POST and an update.
           "methods = [\"GET\", \"POST\"]\noperations = { update = { durability = \"local\" } }",
           // The events of what was served once are there.
           "methods = [\"GET\", \"POST\"]\naudited = true\noperations = { delete = { audited = false } }",
           "methods = [\"POST\"]\naudited = false\ncache = \"0s\"\nversioned = 3",
           // A flush takes commands of whatever method.
           "methods = [\"GET\", \"DELETE\"]\nperformance = { batch_size = 9 }",
           // What was recorded once has a past.
           "methods = [\"GET\"]\nperformance = { snapshot_frequency = 20 }",
       }) {
    const auto taken = with_lines(*model_attributes().front(), good);
    EXPECT_TRUE(taken) << taken.error().message;
  }
}

TEST(model_attributes, operations_are_known_and_so_is_what_is_said_of_them) {
  struct Case {
    std::string_view lines;
    std::string_view part;
  };
  for (const Case& one : {
           Case{"operations = { updat = {} }", "did you mean \"update\"?"},
           Case{"operations = { update = 1 }", "a table is expected"},
           Case{"operations = { update = { path = \"/a\" } }", "is for the whole model"},
           Case{"operations = { update = { colour = 1 } }", "is not an attribute of an operation"},
       }) {
    const auto refused = with_lines(*model_attributes().front(), one.lines);
    ASSERT_FALSE(refused) << one.lines;
    EXPECT_NE(refused.error().message.find(one.part), std::string::npos) << refused.error().message;
  }
}

TEST(model_attributes, what_bounds_a_model_is_checked) {
  struct Case {
    std::string_view lines;
    std::string_view part;
  };
  for (const Case& one : {
           Case{R"(methods = ["GET", "PATCH", "GET"])", "GET is named twice"},
           Case{R"(methods = ["GET", "HEAD"])", "HEAD goes with GET"},
           Case{R"(methods = ["posts"])", "did you mean \"POST\"?"},
           Case{R"(methods = "GET")", "expected a list of methods"},
           Case{R"(methods = ["GET", 1])", "expected a list of methods"},
           Case{"versioned = 1000001", "from 1 to 1000000"},
           Case{"versioned = -1", "from 1 to 1000000"},
           Case{R"(versioned = "3")", "from 1 to 1000000"},
           Case{R"(retention = "59s")", "of 1m to 36525d"},
           Case{R"(retention = "36526d")", "of 1m to 36525d"},
           Case{"retention = 90", "with its unit in quotes, such as \"90d\", of 1m to 36525d"},
           Case{R"(retention = "90")", "with its unit in quotes"},
           Case{"consistency = \"restart\"\nrefresh_every = \"30\"", "with its unit in quotes"},
           Case{"operations = { list = { audited = false } }", "list records none"},
           Case{"operations = { update = { audited = 1 } }", "expected true or false"},
           Case{"operations = { update = { versioned = 1 } }", "is for the whole model"},
       }) {
    const auto refused = with_lines(*model_attributes().front(), one.lines);
    ASSERT_FALSE(refused) << one.lines;
    EXPECT_NE(refused.error().message.find(one.part), std::string::npos) << refused.error().message;
  }
  const auto good =
      with_lines(*model_attributes().front(),
                 "versioned = 1000000\nretention = \"1m\"\nmethods = [\"GET\", \"DELETE\"]\noperations = { delete "
                 "= { audited = true } }");
  ASSERT_TRUE(good) << good.error().message;
  const Model& model = good->front().model;
  EXPECT_EQ(model.versioned, 1'000'000u);
  EXPECT_EQ(model.retention, std::chrono::minutes(1));
  EXPECT_TRUE(serves(model, "GET"));
  EXPECT_FALSE(serves(model, "POST"));
  EXPECT_TRUE(is_audited(model));
  EXPECT_TRUE(is_audited(model, operation_of(model, "ThingDeleted")));
  EXPECT_FALSE(is_audited(model, operation_of(model, "NameChanged")));
}

TEST(model_attributes, durability_cache_and_performance_are_refused_where_they_would_say_two_things_or_nothing) {
  struct Case {
    std::string_view lines;
    std::string_view part;
  };
  for (const Case& one : {
           Case{"write_behind = true\ndurability = \"local\"", "write_behind says otherwise"},
           Case{"durability = \"local\"\nwrite_behind = true", "says otherwise"},
           Case{"write_behind = false\ndurability = \"memory\"", "says otherwise"},
           Case{"write_behind = 1", "expected true or false"},
           Case{"write_behind = true\naudited = true", "is audited"},
           Case{"audited = true\nwrite_behind = true", "is audited"},
           Case{"durability = \"memory\"\naudited = true", "is audited"},
           Case{"audited = true\noperations = { delete = { write_behind = true } }", "is audited"},
           Case{"operations = { delete = { write_behind = true, durability = \"store\" } }", "says otherwise"},
           Case{"operations = { get = { write_behind = true } }", "records nothing"},
           Case{"operations = { list = { durability = \"local\" } }", "records nothing"},
           Case{"operations = { create = { durability = true } }", "expected \"store\""},
           Case{"operations = { create = { cache = \"1s\" } }", "is for list and get"},
           Case{"cache = \"1500ms\"", "whole seconds"},
           Case{"cache = \"9000h\"", "to 365d"},
           Case{"cache = 300", "with its unit in quotes"},
           Case{"cache = \"300\"", "with its unit in quotes"},
           Case{"performance = 3", "expected a table"},
           Case{"performance = { batch_sise = 3 }", "did you mean \"batch_size\"?"},
           Case{"performance = { batch_size = 0 }", "from 1 to 10000"},
           Case{"performance = { async_replication = false }", "there are no replicas"},
           Case{"performance = { snapshot_frequency = 5 }", "snapshot_every by another name"},
           Case{"performance = { snapshot_frequency = 20 }\nsnapshot_every = 30", "say different numbers"},
           Case{"snapshot_every = 30\nperformance = { snapshot_frequency = 20 }", "say different numbers"},
       }) {
    const auto refused = with_lines(*model_attributes().front(), one.lines);
    ASSERT_FALSE(refused) << one.lines;
    EXPECT_NE(refused.error().message.find(one.part), std::string::npos) << refused.error().message;
  }
}

TEST(model_attributes, what_an_operation_does_not_say_is_as_the_model_says) {
  const auto declared = with_lines(*model_attributes().front(), R"(
write_behind = true
cache = "300s"
snapshot_every = 20
performance = { snapshot_frequency = 20, batch_size = 7 }
operations = { create = { durability = "local" }, delete = { write_behind = false }, get = { cache = "0s" } })");
  ASSERT_TRUE(declared) << declared.error().message;
  const Model& model = declared->front().model;
  EXPECT_EQ(model.durability_of(ApiOperation::create), AskedDurability::local);
  EXPECT_EQ(model.durability_of(ApiOperation::update), AskedDurability::memory);
  EXPECT_EQ(model.durability_of(ApiOperation::remove), AskedDurability::store);
  EXPECT_EQ(model.cache_of(ApiOperation::list), std::chrono::seconds(300));
  EXPECT_EQ(model.cache_of(ApiOperation::get), Duration{0});
  EXPECT_EQ(model.snapshot_every, 20u);
  EXPECT_EQ(model.batch_size, 7u);
}

}  // namespace
}  // namespace annals::model
