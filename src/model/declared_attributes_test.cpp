// What is declared of a model beside its fields, told in one form and compared.

#include "model/declared_attributes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/model_attribute.hpp"
#include "model/model_file.hpp"
#include "model/test_model.hpp"

namespace annals::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view fields = "\n[model.thing.fields]\nid = { type = \"uuid\", primary_key = true }\n";

Model with_lines(std::string_view lines) {
  const std::string path = lines.contains("path = ") ? "" : "path = \"/things\"\n";
  return declared_model("[model.thing]\n" + path + std::string(lines) + std::string(fields));
}

std::string told(std::string_view lines) {
  return declared_attributes(with_lines(lines));
}

TEST(declared_attributes, each_of_the_catalogue_is_told_with_what_a_change_of_it_does) {
  for (const ModelAttribute* attribute : model_attributes()) {
    SCOPED_TRACE(attribute->name);
    EXPECT_EQ(attribute->tell == nullptr, attribute->change.empty());
    // The fields are recorded beside the attributes, and tell the profile; write_behind is a durability.
    const bool is_told_otherwise = attribute->name == "profile" || attribute->name == "fields";
    EXPECT_EQ(attribute->tell == nullptr, is_told_otherwise || attribute->name == "write_behind");
    if (is_told_otherwise) continue;
    const std::string lines(attribute->accepted);
    const std::string text =
        attribute->of_resource
            ? told(lines)
            : declared_attributes(declared_model("[model.thing]\nprofile = \"kv\"\npath = \"/things\"\n" + lines));
    const auto differences = attribute_differences(told(""), text);
    ASSERT_TRUE(differences);
    ASSERT_FALSE(differences->empty());
    // Of what is said of single operations each attribute has its own sentence.
    if (attribute->name != "write_behind" && attribute->name != "operations") {
      EXPECT_THAT(differences->front(), testing::EndsWith(attribute->change));
    }
  }
}

TEST(declared_attributes, what_is_said_in_two_ways_and_what_is_as_if_nothing_were_said_is_told_once) {
  EXPECT_EQ(told(""), R"({"path":["/things"]})");
  for (const std::string_view lines : {
           "path = [\"/things\"]",
           "audited = false",
           "consistency = \"live\"",
           "snapshot_every = 1000",
           "durability = \"store\"",
           "write_behind = false",
           "cache = \"0s\"",
           "performance = { snapshot_frequency = 1000 }",
           "methods = [\"DELETE\", \"PATCH\", \"PUT\", \"POST\", \"GET\"]",
           "operations = { update = { audited = false, durability = \"store\" }, get = { cache = \"0s\" }, list = {} }",
       })
    EXPECT_EQ(told(lines), told("")) << lines;
  EXPECT_EQ(told("cache = \"300s\""), told("cache = \"5m\""));
  EXPECT_EQ(told("memory_max = 67108864"), told("memory_max = \"64MiB\""));
  EXPECT_EQ(told("performance = { snapshot_frequency = 20 }"), told("snapshot_every = 20"));
  EXPECT_EQ(told("write_behind = true"), told("durability = \"memory\""));
  EXPECT_EQ(told("methods = [\"POST\", \"GET\"]"), told("methods = [\"GET\", \"POST\"]"));
  EXPECT_EQ(told("retention = \"48h\"\nversioned = 3"), told("versioned = 3\nretention = \"48h\""));
  EXPECT_NE(told("snapshot_every = 0"), told(""));
  EXPECT_NE(told("path = [\"/a\", \"/b\"]"), told("path = [\"/b\", \"/a\"]"));
}

TEST(declared_attributes, all_are_told_in_one_object) {
  EXPECT_EQ(told(R"(
path = ["/things", "/v1/things"]
methods = ["GET", "PUT"]
audited = true
versioned = 10
retention = "90d"
snapshot_every = 20
memory_max = "64MiB"
durability = "local"
cache = "5m"
performance = { batch_size = 7 }
operations = { update = { audited = false, durability = "store" }, get = { cache = "0s" } })"),
            R"({"path":["/things","/v1/things"],"methods":["GET","PUT"],"audited":true,"versioned":10,)"
            R"("retention":"90d","snapshot_every":20,"memory_max":"64MiB","durability":"local","cache":"5m",)"
            R"("performance":{"batch_size":7},)"
            R"("operations":{"get":{"cache":"0s"},"update":{"audited":false,"durability":"store"}}})");
  EXPECT_EQ(told("consistency = \"restart\"\nrefresh_every = \"30s\""),
            R"({"path":["/things"],"consistency":"restart","refresh_every":"30s"})");
  EXPECT_EQ(declared_attributes(declared_model("[model.thing]\nprofile = \"kv\"\npath = \"/things\"\n"
                                               "value_bytes_max = \"64KiB\"\n")),
            R"({"path":["/things"],"value_bytes_max":"64KiB"})");
}

TEST(declared_attributes, differences_are_told_one_by_one_with_what_they_do_to_what_is_stored) {
  EXPECT_THAT(
      attribute_differences(told("versioned = 10\ncache = \"5m\"\noperations = { update = { audited = true } }"),
                            told("versioned = 20\naudited = true\noperations = { delete = { audited = false } }"))
          .value(),
      ElementsAre("+ audited: true. Nothing of what is stored changes: an audit is made from the events, also from "
                  "those that are there.",
                  "~ versioned: was 10, is 20. No event goes: it is how much is shown of the past, also of the past "
                  "that is there.",
                  HasSubstr("+ operations.delete.audited: false. Nothing of what is stored changes: an audit"),
                  HasSubstr(R"(- cache: was "5m", is no more. Nothing of what is stored changes: who got)"),
                  HasSubstr("- operations.update.audited: was true, is no more. Nothing")));
  EXPECT_THAT(attribute_differences(told("performance = { batch_size = 7 }"), told("")).value(),
              ElementsAre("- performance.batch_size: was 7, is no more. Nothing of what is stored changes."));
  EXPECT_THAT(attribute_differences(told(""), told("")).value(), ElementsAre());
}

TEST(declared_attributes, those_of_another_version_of_the_program_are_compared_too) {
  EXPECT_THAT(
      attribute_differences(R"({"path":["/things"],"colour":"red","operations":{"get":{"hue":1}}})", told("")).value(),
      ElementsAre(R"(- colour: was "red", is no more)",
                  "- operations.get.hue: was 1, is no more. Nothing of what is stored changes."));
  EXPECT_FALSE(attribute_differences("[]", told("")));
}

}  // namespace
}  // namespace annals::model
