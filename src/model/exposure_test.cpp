// What replies show of a model with fields that are not exposed.

#include "model/exposure.hpp"

#include <gtest/gtest.h>

#include "model/audit_entry.hpp"
#include "model/record_text.hpp"
#include "model/test_model.hpp"

namespace annals::model {
namespace {

Model user() {
  return declared_model(R"([model.user]
path = "/users"
[model.user.fields]
id = { type = "string", primary_key = true }
pin = { type = "string", exposed = false, event = "PinUpdated", renamed_from = "code" }
name = { type = "string", event = "NameUpdated" }
)");
}

TEST(exposure, a_record_is_shown_without_the_fields_that_are_not_exposed) {
  const Model model = user();
  EXPECT_TRUE(model.hides);
  const SharedText text(R"({"id":"a","pin":"1,\"}2","name":"Ada"})");
  EXPECT_EQ(**shown_record(model, text), R"({"id":"a","name":"Ada"})");
  EXPECT_EQ(*shown_record(model, nullptr), nullptr);
  EXPECT_EQ(shown_record(model, SharedText("{}")).error().kind, ErrorKind::corrupt);
}

TEST(exposure, a_model_that_hides_nothing_shows_the_very_text) {
  const Model model = declared_model("[model.a]\npath=\"/a\"\n[model.a.fields]\nid={type=\"uuid\",primary_key=true}\n");
  EXPECT_FALSE(model.hides);
  const SharedText text("{}");
  EXPECT_EQ((*shown_record(model, text))->data(), text->data());
  EXPECT_EQ(shown_data(model, "ACreated", "not JSON"), "not JSON");
}

TEST(exposure, an_event_is_shown_without_them_by_whichever_name_they_had) {
  const Model model = user();
  EXPECT_EQ(shown_data(model, "UserCreated", R"({"user_id":"a","values":{"id":"a","code":"1","pin":"2","size":1.50}})"),
            R"({"user_id":"a","values":{"id":"a","size":1.5}})");
  EXPECT_EQ(shown_data(model, "UserUpdated",
                       R"({"user_id":"a","changes":{"pin":{"old":"1","new":"2"},"name":{"old":null,"new":"Ada"}}})"),
            R"({"user_id":"a","changes":{"name":{"old":null,"new":"Ada"}}})");
  EXPECT_EQ(shown_data(model, "UserDeleted", R"({"user_id":"a","old_values":{"pin":"2"},"deleted_at":"t"})"),
            R"({"user_id":"a","old_values":{},"deleted_at":"t"})");
  EXPECT_EQ(shown_data(model, "PinUpdated", R"({"user_id":"a","old_pin":"1","new_pin":"2"})"), R"({"user_id":"a"})");
  EXPECT_EQ(shown_data(model, "CodeUpdated", R"({"user_id":"a","old_code":"1","new_code":"2"})"), R"({"user_id":"a"})");
  EXPECT_EQ(shown_data(model, "NameUpdated", R"({"user_id":"a","old_name":"x","new_name":"y"})"),
            R"({"user_id":"a","old_name":"x","new_name":"y"})");
  EXPECT_EQ(shown_data(model, "UserCreated", R"({"values":["pin","1"]})"), "{}");
  EXPECT_EQ(shown_data(model, "UserCreated", "pin: 1"), "{}");
}

TEST(exposure, the_audit_says_that_something_changed_and_not_what) {
  const Model model = user();
  const auto created = audit_entry_of(model, "UserCreated", R"({"user_id":"a","values":{"id":"a","pin":"1"}})");
  EXPECT_EQ(created->new_values, R"({"id":"a"})");
  const auto updated = audit_entry_of(model, "UserUpdated",
                                      R"({"changes":{"code":{"old":"1","new":"2"},"name":{"old":null,"new":"Ada"}}})");
  EXPECT_EQ(updated->old_values, R"({"name":null})");
  EXPECT_EQ(updated->new_values, R"({"name":"Ada"})");
  const auto own = audit_entry_of(model, "PinUpdated", R"({"user_id":"a","old_pin":"1","new_pin":"2"})");
  EXPECT_EQ(own->action, "update");
  EXPECT_EQ(own->old_values, "{}");
  EXPECT_EQ(own->new_values, "{}");
  const auto deleted = audit_entry_of(model, "UserDeleted", R"({"old_values":{"id":"a","pin":"1"}})");
  EXPECT_EQ(deleted->old_values, R"({"id":"a"})");
}

}  // namespace
}  // namespace annals::model
