// Every attribute's examples, and what attributes have to say of values.

#include "model/attribute.hpp"

#include <gtest/gtest.h>

#include "model/model_file.hpp"
#include "model/resource.hpp"
#include "model/test_cipher.hpp"

namespace annals::model {
namespace {

/// A model of one field beside a key; the field is the key when it says so.
Result<std::vector<DeclaredModel>> with_field(std::string_view declaration) {
  std::string text =
      "[model.thing]\npath = \"/things\"\n[model.thing.fields]\nfield = " + std::string(declaration) + "\n";
  const bool is_key = declaration.find("primary_key = true") != std::string_view::npos;
  if (!is_key) text += "id = { type = \"uuid\", primary_key = true }\n";
  const Declared root = TRY(read_declarations(text, "annals.toml"));
  std::vector<DeclaredModel> models = TRY(read_models(*root.find("model")));
  models.front().model.cipher = std::make_shared<TestCipher>();
  return models;
}

Result<> write(const Model& model, std::string_view value) {
  const Fresh fresh{Instant{}, [] { return Uuid{}; }};
  const json::Object body = TRY(json::thread_reader().read_object("{\"field\":" + std::string(value) + "}"));
  TRY(read_new_record(model, body, fresh));
  return {};
}

TEST(attributes, the_examples_are_what_they_say) {
  for (const Attribute* attribute : attributes()) {
    SCOPED_TRACE(attribute->name);
    EXPECT_FALSE(attribute->sentence.empty());
    EXPECT_NE(attribute->accepted.find(attribute->name), std::string_view::npos);
    EXPECT_NE(attribute->refused.find(attribute->name), std::string_view::npos);
    const auto models = with_field(attribute->accepted);
    ASSERT_TRUE(models) << models.error().message;
    const Model& model = models->front().model;
    if (!attribute->takes.empty()) {
      const auto written = write(model, attribute->takes);
      EXPECT_TRUE(written) << written.error().faults.front().detail;
    }
    if (!attribute->does_not_take.empty()) {
      const auto written = write(model, attribute->does_not_take);
      ASSERT_FALSE(written);
      EXPECT_EQ(written.error().kind, ErrorKind::unprocessable);
      ASSERT_EQ(written.error().faults.size(), 1u);
      EXPECT_EQ(written.error().faults.front().pointer, "/field");
      EXPECT_FALSE(written.error().faults.front().detail.empty());
    }
    const auto refused = with_field(attribute->refused);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().message.starts_with("annals.toml:4:")) << refused.error().message;
    EXPECT_NE(refused.error().message.find('^'), std::string::npos) << refused.error().message;
  }
}

TEST(attributes, an_unknown_one_is_refused_with_the_nearest_name) {
  const auto refused = with_field(R"({ type = "string", uniqe = true })");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("did you mean \"unique\"?"), std::string::npos) << refused.error().message;
}

struct AttributeCase {
  std::string_view declaration;
  std::string takes;
  std::string_view code;  ///< of the refusal; empty: taken
};

/// A name of so many characters, in labels of one.
std::string host_of(std::size_t characters) {
  std::string host;
  while (host.size() + 2 < characters) host += "a.";
  return host + std::string(characters - host.size(), 'a');
}

TEST(attributes, a_default_that_is_made_anew_and_can_never_hold_is_refused) {
  for (const std::string_view declaration : {
           R"({ type = "timestamp", default = "now", max = 2020-01-01T00:00:00Z })",
           R"({ type = "date", max = "2025-12-31", default = "now" })",
           R"({ type = "timestamp", default = "now", one_of = ["2027-01-01T00:00:00Z"] })",
           R"({ type = "uuid", one_of = ["0192e4a0-7a3c-7def-8123-456789abcdef"], default = "uuid" })",
       }) {
    const auto refused = with_field(declaration);
    ASSERT_FALSE(refused) << declaration;
    EXPECT_TRUE(refused.error().message.contains("the default of \"field\" is")) << refused.error().message;
    EXPECT_TRUE(refused.error().message.starts_with("annals.toml:4:")) << refused.error().message;
  }
  // What is over some day holds until then, and is then told to whoever writes.
  EXPECT_TRUE(with_field(R"({ type = "timestamp", default = "now", max = 2026-01-01T00:00:00Z })"));
  EXPECT_TRUE(with_field(R"({ type = "date", default = "now", min = "2020-01-01", max = "2999-12-31" })"));
}

TEST(attributes, values_are_taken_by_type) {
  const std::string long_text = "\"" + std::string(1001, 'x') + "\"";
  for (const AttributeCase& one : {
           AttributeCase{R"({ type = "string" })", R"("a\tb")", "control_character"},
           AttributeCase{R"({ type = "string" })", long_text, "too_long"},
           AttributeCase{R"({ type = "text" })", R"("a\nb")", ""},
           AttributeCase{R"({ type = "text" })", long_text, ""},
           AttributeCase{R"({ type = "integer" })", "9223372036854775807", ""},
           AttributeCase{R"({ type = "integer" })", "9223372036854775808", "out_of_range"},
           AttributeCase{R"({ type = "integer" })", "1.0", ""},
           AttributeCase{R"({ type = "integer" })", "1.5", "wrong_type"},
           AttributeCase{R"({ type = "integer" })", "\"1\"", "wrong_type"},
           AttributeCase{R"({ type = "decimal" })", "\"0.10\"", ""},
           AttributeCase{R"({ type = "decimal" })", "3", ""},
           AttributeCase{R"({ type = "decimal" })", "0.1", "wrong_type"},
           AttributeCase{R"({ type = "decimal" })", "\"1e3\"", "wrong_type"},
           AttributeCase{R"({ type = "double" })", "1e300", ""},
           AttributeCase{R"({ type = "double" })", "true", "wrong_type"},
           AttributeCase{R"({ type = "boolean" })", "false", ""},
           AttributeCase{R"({ type = "boolean" })", "0", "wrong_type"},
           AttributeCase{R"({ type = "date" })", R"("2024-02-29")", ""},
           AttributeCase{R"({ type = "date" })", R"("2023-02-29")", "wrong_type"},
           AttributeCase{R"({ type = "date" })", R"("2024-02-29T00:00:00Z")", "wrong_type"},
           AttributeCase{R"({ type = "timestamp" })", R"("2024-02-29T10:00:00+01:00")", ""},
           AttributeCase{R"({ type = "timestamp" })", R"("2024-02-29 10:00")", "wrong_type"},
           AttributeCase{R"({ type = "uuid" })", R"("0192E4A0-7A3C-7DEF-8123-456789ABCDEF")", ""},
           AttributeCase{R"({ type = "uuid" })", R"("0192e4a0")", "wrong_type"},
           AttributeCase{R"({ type = "enum", values = ["new", "paid"] })", R"("paid")", ""},
           AttributeCase{R"({ type = "enum", values = ["new", "paid"] })", R"("Paid")", "wrong_type"},
           AttributeCase{R"({ type = "json" })", R"({"a":[1,{"b":null}]})", ""},
           AttributeCase{R"({ type = "list", of = "integer" })", "[1,2]", ""},
           AttributeCase{R"({ type = "list", of = "integer" })", "[1,\"2\"]", "wrong_type"},
           AttributeCase{R"({ type = "list", of = "integer" })", "[1,null]", "wrong_type"},
           AttributeCase{R"({ type = "list", of = "integer" })", "1", "wrong_type"},
           AttributeCase{R"({ type = "list", of = "string", length = [1, 2] })", R"(["a","b","c"])", "too_long"},
           AttributeCase{R"({ type = "string", format = "ipv4" })", R"("10.0.0.1")", ""},
           AttributeCase{R"({ type = "string", format = "ipv4" })", R"("10.0.0.1.")", "format_mismatch"},
           AttributeCase{R"({ type = "string", format = "ipv4" })", R"("10.0.0.256")", "format_mismatch"},
           AttributeCase{R"({ type = "string", format = "url" })", R"("https://example.org:80/a?b#c")", ""},
           AttributeCase{R"({ type = "string", format = "url" })", "\"javascript:alert(1)\"", "format_mismatch"},
           AttributeCase{R"({ type = "string", format = "url" })", R"("http://a:65535")", ""},
           AttributeCase{R"({ type = "string", format = "url" })", R"("http://a:65536/")", "format_mismatch"},
           AttributeCase{R"({ type = "string", format = "url" })", "\"http://" + host_of(253) + "/\"", ""},
           AttributeCase{R"({ type = "string", format = "url" })", "\"http://" + host_of(254) + "/\"",
                         "format_mismatch"},
           AttributeCase{R"({ type = "string", format = "url" })", R"("http://[::1]:80/a:b")", ""},
           AttributeCase{R"({ type = "string", format = "url" })", R"("http://[::]")", ""},
           AttributeCase{R"({ type = "string", format = "url" })", R"("http://[1:2:3:4:5:6:7:8]")", ""},
           AttributeCase{R"({ type = "string", format = "url" })", R"("http://[1::7:8]")", ""},
           AttributeCase{R"({ type = "string", format = "url" })", R"("http://[::ffff:10.0.0.1]")", ""},
           AttributeCase{R"({ type = "string", format = "url" })", R"("http://[::::]")", "format_mismatch"},
           AttributeCase{R"({ type = "string", format = "url" })", R"("http://[1:2:3]")", "format_mismatch"},
           AttributeCase{R"({ type = "string", format = "url" })", R"("http://[1:2:3:4:5:6:7::8]")", "format_mismatch"},
           AttributeCase{R"({ type = "string", format = "url" })", R"("http://[1::2::3]")", "format_mismatch"},
           AttributeCase{R"({ type = "string", format = "url" })", R"("http://[1:2:3:4:5:6:7:8:]")", "format_mismatch"},
           AttributeCase{R"({ type = "string", format = "url" })", R"("http://[12345::]")", "format_mismatch"},
           AttributeCase{R"({ type = "string", format = "url" })", R"("http://[10.0.0.1::]")", "format_mismatch"},
           AttributeCase{R"({ type = "string", format = "url" })", R"("http://[::10.0.0.256]")", "format_mismatch"},
           AttributeCase{R"({ type = "string", format = "hostname" })", '"' + host_of(253) + '"', ""},
           AttributeCase{R"({ type = "string", format = "hostname" })", '"' + host_of(254) + '"', "format_mismatch"},
           AttributeCase{R"({ type = "string", format = "hostname" })", '"' + std::string(64, 'a') + '"',
                         "format_mismatch"},
           AttributeCase{R"({ type = "string", format = "email" })", "\"a@" + host_of(252) + "\"", ""},
           AttributeCase{R"({ type = "string", format = "email" })", "\"a@" + host_of(253) + "\"", "format_mismatch"},
           AttributeCase{R"({ type = "string", format = "slug" })", R"("a-b1")", ""},
           AttributeCase{R"({ type = "string", format = "slug" })", R"("a--b")", "format_mismatch"},
           AttributeCase{R"({ type = "timestamp", min = 2024-01-01T00:00:00Z })", R"("2023-12-31T23:59:59Z")",
                         "too_small"},
           AttributeCase{R"({ type = "decimal", min = 0 })", R"("-0.00")", ""},
       }) {
    const auto models = with_field(one.declaration);
    ASSERT_TRUE(models) << models.error().message;
    const auto written = write(models->front().model, one.takes);
    if (one.code.empty()) {
      EXPECT_TRUE(written) << one.declaration << " " << one.takes << ": " << written.error().faults.front().detail;
    } else {
      ASSERT_FALSE(written) << one.declaration << " " << one.takes;
      EXPECT_EQ(written.error().faults.front().code, one.code) << one.declaration << " " << one.takes;
    }
  }
}

TEST(attributes, no_fault_tells_a_value_that_is_not_exposed) {
  for (const std::string_view declaration : {
           R"({ type = "integer", exposed = false, min = 100000 })",
           R"({ type = "integer", exposed = false, max = 1 })",
           R"({ type = "integer", exposed = false, one_of = [1, 2] })",
           R"({ type = "string", secret = true, pattern = "[a-z]+" })",
           R"({ type = "string", secret = true, format = "email" })",
           R"({ type = "string", secret = true, length = [9, 10] })",
           R"({ type = "date", exposed = false })",
           R"({ type = "uuid", exposed = false })",
           R"({ type = "decimal", exposed = false })",
           R"({ type = "enum", values = ["a"], exposed = false })",
           R"({ type = "list", of = "date", exposed = false })",
       }) {
    const auto models = with_field(declaration);
    ASSERT_TRUE(models) << models.error().message;
    for (const std::string_view value : {"54321", R"("54321")", R"(["54321"])"}) {
      const auto written = write(models->front().model, value);
      if (written) continue;
      for (const Fault& fault : written.error().faults)
        EXPECT_EQ(fault.detail.find("54321"), std::string::npos) << declaration << " " << fault.detail;
    }
    EXPECT_FALSE(write(models->front().model, R"({"54321":54321})")) << declaration;
  }
}

TEST(attributes, a_hostile_text_does_not_hold_a_pattern_up) {
  const auto models = with_field(R"({ type = "text", pattern = "(a+)+b" })");
  ASSERT_TRUE(models) << models.error().message;
  EXPECT_FALSE(write(models->front().model, "\"" + std::string(500'000, 'a') + "\""));
}

}  // namespace
}  // namespace annals::model
