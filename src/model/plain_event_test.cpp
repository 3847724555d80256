#include "model/plain_event.hpp"

#include <gtest/gtest.h>

#include <string>

#include "model/decider.hpp"
#include "model/test_model.hpp"

namespace annals::model {
namespace {

class PlainEvent : public testing::Test {
 protected:
  const Model model = declared_model(R"(
[model.product]
path = "/api/products"
[model.product.fields]
id    = { type = "uuid", primary_key = true }
name  = { type = "string", required = true, renamed_from = ["title"] }
note  = { type = "text" }
price = { type = "decimal", event = "PriceUpdated" }
stock = { type = "integer", default = 0 }
sold  = { type = "boolean" }
made  = { type = "timestamp" }
day   = { type = "date" }
size  = { type = "enum", values = ["s", "m"] }
width = { type = "double" }
tags  = { type = "list", of = "string" }
any   = { type = "json" }
twice = { type = "integer", computed = "stock * 2" }
)");
  const std::string key = R"("product_id":"0192e4a0-7a3c-7def-8123-456789abcdef")";

  [[nodiscard]] std::string created(const std::string& values) const {
    return "{" + key + ",\"values\":{" + values + "}}";
  }
  /// "name=\"lamp\" stock=1" of a creation with these values; "-" when it is for the parser.
  [[nodiscard]] std::string of_created(const std::string& values) const {
    return told(model.created_type, created(values));
  }
  [[nodiscard]] std::string told(const std::string& type, const std::string& data) const {
    const auto plain = plain_values(model, type, data);
    if (!plain) return "-";
    std::string text;
    for (const PlainValue& one : *plain)
      text.append(text.empty() ? "" : " ").append(model.fields[one.place].name).append("=").append(one.value);
    return text;
  }
};

TEST_F(PlainEvent, what_the_model_writes_is_read_without_a_parser) {
  EXPECT_EQ(of_created(R"("name":"lamp","price":"7.50","stock":1)"), R"(name="lamp" price="7.50" stock=1)");
  EXPECT_EQ(of_created(R"("stock":-5,"sold":true,"made":"2026-02-12T10:00:00.000000Z","day":"2026-02-12","size":"m")"),
            R"(stock=-5 sold=true made="2026-02-12T10:00:00.000000Z" day="2026-02-12" size="m")");
  EXPECT_EQ(of_created(R"("name":"Lämpchen, {groß}","stock":null)"), R"(name="Lämpchen, {groß}" stock=null)");
  EXPECT_EQ(told("ProductUpdated", "{" + key + R"(,"changes":{"name":{"old":null,"new":"lamp"}}})"), R"(name="lamp")");
  EXPECT_EQ(
      told("ProductUpdated", "{" + key + R"(,"changes":{"name":{"old":"a","new":"b"},"stock":{"old":1,"new":null}}})"),
      R"(name="b" stock=null)");
  EXPECT_EQ(told("PriceUpdated", "{" + key + R"(,"old_price":"7.50","new_price":"8"})"), R"(price="8")");
}

TEST_F(PlainEvent, what_has_another_form_is_for_the_parser) {
  const std::string good = R"("name":"lamp","stock":1)";
  ASSERT_NE(of_created(good), "-");
  EXPECT_EQ(told(model.created_type, created(good) + " "), "-");
  EXPECT_EQ(told(model.created_type, "{ " + created(good).substr(1)), "-");
  EXPECT_EQ(of_created(R"("name":"lamp")"), "-") << "a field with a default that the event does not know";
  EXPECT_EQ(of_created(R"("stock":1,"name":"lamp")"), "-") << "another order";
  EXPECT_EQ(of_created(R"("name":"lamp","stock":1,"stock":2)"), "-");
  EXPECT_EQ(of_created(R"("title":"lamp","stock":1)"), "-");
  EXPECT_EQ(of_created(R"("name":"lamp","stock":1,"gone":2)"), "-");
  EXPECT_EQ(of_created(R"("stock":1,"twice":3)"), "-");
  EXPECT_EQ(told("ProductUpdated", "{" + key + R"(,"changes":{"name":{"new":"lamp","old":null}}})"), "-");
  EXPECT_EQ(told("PriceUpdated", "{" + key + R"(,"new_price":"8","old_price":"7.50"})"), "-");
  EXPECT_EQ(told("PriceUpdated", "{" + key + R"(,"old_price":"7.50","new_price":"8","by":1})"), "-");
  EXPECT_EQ(told("ProductSeen", "{" + key + "}"), "-");
}

TEST_F(PlainEvent, a_value_that_is_not_in_canonical_form_is_for_the_parser) {
  for (const char* value : {R"("name":"a\"b")",
                            R"("name":"a\u0062")",
                            "\"name\":\"a\tb\"",
                            "\"name\":\"a\x7f\"",
                            "\"name\":\"\xff\"",
                            R"("name":7)",
                            R"("name":"open)",
                            R"("price":7.5)",
                            R"("price":"07.5")",
                            R"("price":"")",
                            R"("sold":truer)",
                            R"("sold":"true")",
                            R"("made":"2026-02-12T10:00:00Z")",
                            R"("made":"2026-02-12T10:00:00.000000+00:00")",
                            R"("day":"2026-02-30")",
                            R"("size":"l")",
                            R"("width":0.5)",
                            R"("tags":["a"])",
                            R"("any":{"a":1})",
                            R"("any":"text")"}) {
    EXPECT_EQ(of_created(value + std::string(R"(,"stock":1)")), "-") << value;
  }
  for (const char* stock : {"1.0", "1e3", "01", "-0", "+1", "9223372036854775808", " 1", "1 ", "nul", "\"1\"", ""})
    EXPECT_EQ(of_created(R"("stock":)" + std::string(stock)), "-") << stock;
  EXPECT_EQ(of_created(R"("id":"0192E4A0-7a3c-7def-8123-456789abcdef","stock":1)"), "-");
  EXPECT_NE(of_created(R"("id":"0192e4a0-7a3c-7def-8123-456789abcdef","stock":1)"), "-");
}

TEST_F(PlainEvent, no_beginning_of_an_event_is_plain) {
  const std::string data = created(R"("name":"lamp","price":"7.50","stock":1)");
  for (std::size_t size = 0; size < data.size(); ++size)
    EXPECT_EQ(told(model.created_type, data.substr(0, size)), "-") << data.substr(0, size);
}

TEST(PlainEventOfSecrets, a_secret_is_for_the_parser_which_looks_whether_it_is_sealed) {
  const Model model = declared_model(R"(
[model.account]
path = "/accounts"
[model.account.fields]
id  = { type = "string", primary_key = true }
pin = { type = "string", secret = true }
)");
  EXPECT_FALSE(plain_values(model, model.created_type, R"({"account_id":"a","values":{"id":"a","pin":"1234"}})"));
  EXPECT_TRUE(plain_values(model, model.created_type, R"({"account_id":"a","values":{"id":"a"}})"));
}

TEST(PlainEventOfNames, a_key_that_looks_like_a_value_is_for_the_parser) {
  const Model model = declared_model(R"(
[model.new]
path = "/news"
[model.new.fields]
id = { type = "string", primary_key = true }
of = { type = "string", event = "OfUpdated" }
)");
  EXPECT_FALSE(plain_values(model, "OfUpdated", R"({"new_id":"a","old_of":"a","new_of":"b"})"));
}

}  // namespace
}  // namespace annals::model
