// What becomes of the values of secret fields on their way to the log, and of those in it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "model/decider.hpp"
#include "model/record_text.hpp"
#include "model/redeclaration.hpp"
#include "model/resource.hpp"
#include "model/test_cipher.hpp"
#include "model/test_model.hpp"

namespace annals::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Model account(const std::string& attributes = "secret = true, length = [4, 100]") {
  Model model = declared_model(R"([model.account]
path = "/accounts"
[model.account.fields]
id = { type = "string", primary_key = true }
token = { type = "string", required = true, )" +
                               attributes + R"( }
name = { type = "string" }
)");
  model.cipher = std::make_shared<TestCipher>();
  return model;
}

const SecretPlace of_ada{"account", "token", {}, "ada"};

class SecretTest : public testing::Test {
 protected:
  static json::Object body(std::string_view text) {
    static json::Reader reader;
    return reader.read_object(text).value();
  }
  Result<std::vector<GivenField>> read_new(std::string_view text) {
    return read_new_record(model, body(text), {Instant{}, [] { return Uuid{}; }});
  }
  /// Decides, and evolves; the data of what was decided, empty when that is nothing.
  std::string does(Operation operation, Result<std::vector<GivenField>> given, SharedText value = {}) {
    Command command{operation, "ada", std::move(value), {}, given.value()};
    const auto decisions = decide(model, record, command, Instant{});
    EXPECT_TRUE(decisions) << decisions.error().message;
    if (!decisions || decisions->empty()) return "";
    record = evolve(model, record, decisions->front().type, decisions->front().data, record.version.next(), Instant{})
                 .value();
    return decisions->front().data;
  }
  std::string stored_token() const {
    const FieldValue value = value_from_text(model.fields[1], values_of(model, *record.value).value()[1]).value();
    return value.is_null() ? "" : *value.as<std::string>();
  }

  Model model = account();
  Record record;
};

TEST_F(SecretTest, a_value_is_checked_in_plain_and_recorded_sealed_for_its_record) {
  const std::string data = does(Operation::create, read_new(R"({"id":"ada","token":"open sesame"})"));
  EXPECT_THAT(data, Not(HasSubstr("sesame")));
  EXPECT_EQ(TestCipher::open(of_ada, stored_token()), "open sesame");

  const auto refused = read_new(R"({"id":"ada","token":"abc"})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().faults.front().code, "too_short");
  const auto line_feed = read_new(R"({"id":"ada","token":"abc\ndef"})");
  ASSERT_FALSE(line_feed);
  EXPECT_THAT(line_feed.error().faults.front().detail, Not(HasSubstr("abc")));
}

TEST_F(SecretTest, the_same_value_again_changes_nothing_and_another_is_recorded_sealed_on_both_sides) {
  does(Operation::create, read_new(R"({"id":"ada","token":"1234"})"));
  const std::string first = stored_token();
  EXPECT_EQ(does(Operation::update, read_patch(model, body(R"({"token":"1234"})"), "ada")), "");
  EXPECT_EQ(does(Operation::update, read_replacement(model, body(R"({"token":"1234"})"), "ada")), "");
  const std::string data = does(Operation::update, read_patch(model, body(R"({"token":"12345"})"), "ada"));
  EXPECT_THAT(data, HasSubstr("\"old\":\"" + first + "\",\"new\":\"" + stored_token() + "\""));
  EXPECT_EQ(TestCipher::open(of_ada, stored_token()), "12345");
}

TEST_F(SecretTest, a_sealed_text_that_a_client_sends_is_a_value_like_any_other) {
  does(Operation::create, read_new(R"({"id":"ada","token":"1234"})"));
  const std::string first = stored_token();
  does(Operation::update, read_patch(model, body(R"({"token":")" + first + "\"}"), "ada"));
  EXPECT_EQ(TestCipher::open(of_ada, stored_token()), first);
}

TEST_F(SecretTest, a_rollback_and_a_record_that_comes_back_keep_the_sealed_text) {
  does(Operation::create, read_new(R"({"id":"ada","token":"1234"})"));
  const SharedText first = record.value;
  does(Operation::update, read_patch(model, body(R"({"token":"5678"})"), "ada"));
  does(Operation::restore, std::vector<GivenField>{}, first);
  EXPECT_EQ(*record.value, *first);
  does(Operation::remove, std::vector<GivenField>{});
  does(Operation::restore, std::vector<GivenField>{}, first);
  EXPECT_EQ(*record.value, *first);
}

TEST_F(SecretTest, a_value_that_does_not_open_any_more_counts_as_another) {
  does(Operation::create, read_new(R"({"id":"ada","token":"1234"})"));
  std::string moved(*record.value);
  const std::string sealed = stored_token();
  const SecretPlace of_bob{"account", "token", {}, "bob"};
  moved.replace(moved.find(sealed), sealed.size(), model.cipher->seal(of_bob, "1234"));
  record.value = SharedText(moved);
  EXPECT_NE(does(Operation::update, read_patch(model, body(R"({"token":"1234"})"), "ada")), "");
  EXPECT_EQ(TestCipher::open(of_ada, stored_token()), "1234");
}

TEST_F(SecretTest, what_a_put_leaves_out_of_what_is_not_shown_stays_and_null_takes_it_away) {
  for (const char* attributes : {"secret = true", "exposed = false"}) {
    model = account(attributes);
    record = {};
    does(Operation::create, read_new(R"({"id":"ada","token":"1234","name":"Ada"})"));
    const std::string before = stored_token();
    does(Operation::update, read_replacement(model, body("{}"), "ada"));
    EXPECT_EQ(stored_token(), before);
    EXPECT_THAT(std::string(*record.value), HasSubstr("\"name\":null"));
    EXPECT_FALSE(read_replacement(model, body(R"({"token":null})"), "ada")) << "it is required";
  }
}

TEST_F(SecretTest, a_plain_value_in_the_log_is_no_secret_and_refused) {
  const auto evolved =
      evolve(model, record, "AccountCreated", R"({"values":{"id":"ada","token":"1234"}})", StreamVersion{1}, Instant{});
  ASSERT_FALSE(evolved);
  EXPECT_EQ(evolved.error().kind, ErrorKind::corrupt);
  EXPECT_THAT(evolved.error().message, HasSubstr("plain value of \"token\""));
  EXPECT_THAT(evolved.error().message, Not(HasSubstr("1234")));
}

void take(Review& review, std::string_view stream, std::string_view data) {
  EventView event;
  event.position = Position{1};
  event.stream = stream;
  event.version = StreamVersion{1};
  event.type = "AccountCreated";
  event.data = data;
  review.take(event);
}

TEST_F(SecretTest, a_field_neither_becomes_secret_over_plain_values_nor_plain_over_sealed_ones) {
  const Model plain = account("length = [1, 100]");
  Review becomes(model, std::array{plain.declaration});
  take(becomes, "account-ada", R"({"values":{"id":"ada","token":"1234"}})");
  take(becomes, "account-bob", R"({"values":{"id":"bob"}})");
  becomes.finish();
  EXPECT_THAT(becomes.broken().examples, ElementsAre(HasSubstr("plain value of \"token\"")));

  const std::string sealed = R"({"values":{"id":"ada","token":")" + model.cipher->seal(of_ada, "1234") + R"("}})";
  Review ends(plain, std::array{model.declaration});
  take(ends, "account-ada", sealed);
  take(ends, "account-bob", R"({"values":{"id":"bob","token":"new"}})");
  EXPECT_THAT(ends.broken().examples, ElementsAre(HasSubstr("an encrypted value of \"token\"")));

  const Model renamed = account("renamed_from = \"key\"");
  Model before = account();
  before.declaration.replace(before.declaration.find("\"token\""), 7, "\"key\"");
  Review ends_by_name(renamed, std::array{before.declaration});
  take(ends_by_name, "account-ada", R"({"values":{"id":"ada","key":")" + model.cipher->seal(of_ada, "1") + R"("}})");
  EXPECT_EQ(ends_by_name.broken().number, 1u);

  // However long ago it was, and whatever it is now.
  Model between = account();
  between.declaration = R"({"id":{"type":"string","primary_key":true}})";
  Review ends_later(plain, std::array{model.declaration, between.declaration});
  take(ends_later, "account-ada", sealed);
  EXPECT_EQ(ends_later.broken().number, 1u);
  Model any = plain;
  any.fields[*any.field_of("token")].type = FieldType::json;
  Review ends_as_json(any, std::array{model.declaration});
  take(ends_as_json, "account-ada", sealed);
  EXPECT_EQ(ends_as_json.broken().number, 1u);

  Review stays(model, std::array{model.declaration});
  take(stays, "account-ada", sealed);
  stays.finish();
  EXPECT_TRUE(stays.holds());
  EXPECT_TRUE(stays.not_kept().empty()) << "the rules are about the plain text";
}

TEST_F(SecretTest, a_hidden_field_that_is_declared_no_more_is_told_to_be_shown) {
  const std::string none = R"({"id":{"type":"string","primary_key":true}})";
  for (const char* attributes : {"secret = true", "exposed = false"}) {
    EXPECT_THAT(differences_of(account(attributes).declaration, none).value(),
                ElementsAre("- token: declared no more; replies did not show it, and histories now show what events "
                            "have of it",
                            "- name: declared no more"));
    EXPECT_THAT(differences_of(account(attributes).declaration, account("length = [4, 100]").declaration).value(),
                ElementsAre(testing::EndsWith("; replies show it now, and histories what it was")));
  }
}

TEST(secret_form, only_what_was_written_is_read) {
  const std::string bytes(28, 'b');
  const auto read = read_sealed(write_sealed("2026-02_a", bytes));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->bytes, bytes);
  for (const std::string& text :
       {std::string(), std::string("v1."), std::string("v1.a"), "v2" + write_sealed("a", bytes).substr(2),
        write_sealed("a", std::string(27, 'b')), write_sealed("", bytes), write_sealed("a b", bytes),
        write_sealed(std::string(33, 'k'), bytes), write_sealed("a", bytes) + "="}) {
    EXPECT_FALSE(read_sealed(text)) << text;
  }
}

}  // namespace
}  // namespace annals::model
