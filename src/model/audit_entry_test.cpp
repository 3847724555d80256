#include "model/audit_entry.hpp"

#include <gtest/gtest.h>

#include "model/model_file.hpp"

namespace annals::model {
namespace {

class AuditEntryTest : public testing::Test {
 protected:
  AuditEntryTest() {
    const auto root = read_declarations(R"(
[model.product]
path = "/products"
audited = true
[model.product.fields]
id    = { type = "uuid", primary_key = true }
price = { type = "decimal", event = "PriceUpdated" }
)",
                                        "annals.toml");
    auto models = read_models(*root.value().find("model"));
    model = std::move(models.value().front().model);
  }
  /// "update {...} {...}", or the kind of error.
  [[nodiscard]] std::string entry(std::string_view type, std::string_view data) const {
    const auto found = audit_entry_of(model, type, data);
    if (!found) return std::string(to_string(found.error().kind));
    return found->action + " " + found->old_values + " " + found->new_values;
  }

  Model model;
};

TEST_F(AuditEntryTest, each_event_tells_what_was_and_what_is) {
  EXPECT_EQ(entry("ProductCreated", R"({"product_id":"a","values":{"id":"a","price":"7.50"}})"),
            R"(create null {"id":"a","price":"7.50"})");
  EXPECT_EQ(entry("ProductUpdated",
                  R"({"product_id":"a","changes":{"price":{"old":"7.50","new":null},"gone":{"old":[1],"new":2.5}}})"),
            R"(update {"price":"7.50","gone":[1]} {"price":null,"gone":2.5})");
  EXPECT_EQ(entry("PriceUpdated", R"({"product_id":"a","old_price":"7.50","new_price":"8"})"),
            R"(update {"price":"7.50"} {"price":"8"})");
  EXPECT_EQ(entry("ProductDeleted", R"({"product_id":"a","old_values":{"id":"a"},"deleted_at":"t"})"),
            R"(delete {"id":"a"} null)");
}

TEST_F(AuditEntryTest, an_event_of_an_older_declaration_is_told_as_it_was_recorded) {
  EXPECT_EQ(entry("StockUpdated", R"({"product_id":"a","old_stock":1,"new_stock":2})"),
            R"(update {"stock":1} {"stock":2})");
}

TEST_F(AuditEntryTest, an_event_of_others_is_told_by_its_type) {
  EXPECT_EQ(entry("ProductSeen", R"({"product_id":"a"})"), "ProductSeen null null");
}

TEST_F(AuditEntryTest, the_key_of_a_model_is_no_value_whatever_the_model_is_called) {
  for (const std::string name : {"new_product", "old_product"}) {
    model.key_member = name + "_id";
    EXPECT_EQ(entry("PriceUpdated", "{\"" + model.key_member + R"(":"a","old_price":"7.50","new_price":"8"})"),
              R"(update {"price":"7.50"} {"price":"8"})");
    EXPECT_EQ(entry("ProductSeen", "{\"" + model.key_member + R"(":"a"})"), "ProductSeen null null");
  }
}

TEST_F(AuditEntryTest, what_the_model_did_not_write_is_corrupt) {
  EXPECT_EQ(entry("ProductCreated", R"({"values":[]})"), "corrupt");
  EXPECT_EQ(entry("ProductUpdated", R"({"changes":{"price":{"new":1}}})"), "corrupt");
  EXPECT_EQ(entry("ProductDeleted", "no JSON"), "corrupt");
}

}  // namespace
}  // namespace annals::model
