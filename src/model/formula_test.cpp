// Computed fields: what is declared, what records have, and what may be said of them.

#include "model/formula.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/model_file.hpp"
#include "model/record_text.hpp"
#include "model/resource.hpp"
#include "model/test_model.hpp"

namespace annals::model {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// What is said of a model of these fields beside a key `id`, which stands in line 4; empty when it is good.
std::string refusal_of(const std::string& fields) {
  const auto root = read_declarations(
      "[model.product]\npath = \"/products\"\n[model.product.fields]\nid = { type = \"string\", primary_key = true "
      "}\n" +
          fields,
      "annals.toml");
  if (!root) return root.error().message;
  const auto models = read_models(*root->find("model"));
  return models ? "" : models.error().message;
}

TEST(formula, what_is_wrong_is_told_with_its_place_in_the_file) {
  EXPECT_EQ(refusal_of("price = { type = \"decimal\" }\ntotal = { type = \"decimal\", computed = \"price * stok\" }\n"
                       "stock = { type = \"integer\" }\n"),
            "annals.toml:6:49: computed of \"total\": there is no \"stok\" here; did you mean \"stock\"?\n"
            "  6 | total = { type = \"decimal\", computed = \"price * stok\" }\n"
            "    |                                                 ^");
  EXPECT_THAT(refusal_of("total = { type = \"text\", computed = \"'\\u00e4' + \\\"\\\" + 3\" }\n"),
              StartsWith("annals.toml:5:54: computed of \"total\": \"+\" adds numbers or joins texts"));
  EXPECT_THAT(refusal_of("total = { type = \"text\", computed = 'id + 3' }\n"), StartsWith("annals.toml:5:41: "));
  EXPECT_THAT(refusal_of("total = { type = \"text\", computed = \"\"\"\nid + 3\"\"\" }\n"),
              StartsWith("annals.toml:5:37: computed of \"total\": \"+\" adds numbers or joins texts; found text and "
                         "integer; convert one with string(...) or decimal(...), at its character 4"));
}

TEST(formula, what_cannot_be_computed_or_not_from_that_is_refused) {
  for (const auto& [fields, why] : std::vector<std::pair<std::string, std::string>>{
           {R"x(a = { type = "integer", computed = "1 + a" })x", R"("a" is the field itself)"},
           {R"x(a = { type = "integer", computed = "length(b)" }
b = { type = "string", computed = "string(c)" }
c = { type = "integer", computed = "a + 1" })x",
            "computed goes in a circle: a from b from c from a"},
           {R"x(a = { type = "integer", computed = "id" })x", "it gives text, and the field is of type integer"},
           {R"x(a = { type = "integer", computed = "1 / 2" })x", "it gives decimal, and the field is of type integer"},
           {R"x(a = { type = "integer", computed = "null" })x", "it gives nothing"},
           {R"x(a = { type = "json", computed = "id" })x", "no expression gives a json"},
           {R"x(a = { type = "list", of = "string", computed = "id" })x", "no expression gives a list of string"},
           {R"x(a = { type = "string", computed = 3 })x", "computed is an expression in quotes"},
           {R"x(a = { type = "string", computed = "" })x", "computed is an expression in quotes"},
           {R"x(a = { type = "string", computed = "id", unique = true })x", "unique does not go with computed"},
           {R"x(a = { type = "string", computed = "id", required = true })x", "required does not go with computed"},
           {R"x(a = { type = "string", computed = "id", default = "x" })x", "default does not go with computed"},
           {R"x(a = { type = "string", computed = "id", event = "Changed" })x", "event does not go with computed"},
           {R"x(a = { type = "string", computed = "id", secret = true })x", "secret does not go with computed"},
           {R"x(a = { type = "string", computed = "id", renamed_from = "b" })x", "renamed_from does not go with"},
           {R"x(a = { type = "string", computed = "id", upcast = "value" })x", "upcast does not go with computed"},
           {R"x(a = { type = "string", computed = "b" }
b = { type = "list", of = "string" })x",
            R"("b" is of type list of string, which expressions know nothing of)"},
           {R"x(a = { type = "string", computed = "b" }
b = { type = "string", secret = true })x",
            R"("b" is secret; nothing is computed from it)"},
           {R"x(a = { type = "string", computed = "b" }
b = { type = "string", exposed = false })x",
            R"("b" is not exposed; what is computed from it shows it)"},
       }) {
    EXPECT_THAT(refusal_of(fields + "\n"), HasSubstr(why)) << fields;
  }
  EXPECT_EQ(refusal_of("a = { type = \"string\", exposed = false, computed = \"b\" }\n"
                       "b = { type = \"string\", exposed = false }\n"),
            "");
}

TEST(formula, hostile_expressions_are_refused_at_once) {
  EXPECT_THAT(refusal_of("a = { type = \"integer\", computed = \"" + std::string(2000, '(') + "1\" }\n"),
              HasSubstr("lie deeper in one another than"));
  EXPECT_THAT(refusal_of("a = { type = \"integer\", computed = \"" + std::string(100'000, '1') + "\" }\n"),
              HasSubstr("4096 bytes at most"));
}

std::string text_of(const Record& record) {
  return std::string(*record.value);
}

class FormulaTest : public testing::Test {
 protected:
  static Model product() {
    return declared_model(R"x(
[model.product]
path = "/products"
[model.product.fields]
id      = { type = "string", primary_key = true }
gross   = { type = "decimal", computed = "round(total * 1.19, 2)", max = "1000" }
total   = { type = "decimal", computed = "price * stock" }
price   = { type = "decimal" }
stock   = { type = "integer", default = 1 }
code    = { type = "string", computed = "upper(trim(name))", length = [1, 5] }
name    = { type = "text" }
each    = { type = "decimal", computed = "price / stock" }
next    = { type = "integer", computed = "stock + 1" }
note    = { type = "string" }
)x");
  }
  Result<> run(Operation operation, std::vector<GivenField> given, SharedText value = nullptr) {
    Command command;
    command.operation = operation;
    command.key = "a";
    command.given = std::move(given);
    command.value = std::move(value);
    events.clear();
    for (const Decision& decision : TRY(decide(model, record, command, Instant{}))) {
      events.push_back(decision.type + " " + decision.data);
      record = TRY(evolve(model, record, decision.type, decision.data, record.version.next(), Instant{}));
    }
    return {};
  }
  static json::Object body(std::string_view text) { return json::thread_reader().read_object(text).value(); }
  Result<> create(std::string_view text) {
    return run(Operation::create, TRY(read_new_record(model, body(text), {Instant{}, [] { return Uuid{}; }})));
  }
  Result<> replace(std::string_view text) {
    return run(Operation::update, TRY(read_replacement(model, body(text), "a")));
  }
  Result<> patch(std::string_view text) { return run(Operation::update, TRY(read_patch(model, body(text), "a"))); }
  /// "/total: computed"
  static std::string faults_of(const Result<>& result) {
    std::string text;
    if (result) return text;
    for (const Fault& fault : result.error().faults) text += fault.pointer + ": " + fault.code + " ";
    return text;
  }

  const Model model = product();
  Record record;
  std::vector<std::string> events;
};

TEST_F(FormulaTest, values_are_made_of_others_and_stand_in_no_event) {
  ASSERT_TRUE(create(R"({"id":"a","price":"7.50","stock":3,"name":" lamp "})"));
  EXPECT_EQ(text_of(record),
            R"({"id":"a","gross":"26.78","total":"22.5","price":"7.50","stock":3,"code":"LAMP","name":" lamp ",)"
            R"("each":"2.5","next":4,"note":null})");
  EXPECT_THAT(events,
              testing::ElementsAre(
                  R"(ProductCreated {"product_id":"a","values":{"id":"a","price":"7.50","stock":3,"name":" lamp "}})"));
  ASSERT_TRUE(patch(R"({"stock":0})"));
  EXPECT_EQ(text_of(record),
            R"({"id":"a","gross":"0","total":"0","price":"7.50","stock":0,"code":"LAMP","name":" lamp ","each":null,)"
            R"("next":1,"note":null})");
  EXPECT_THAT(events,
              testing::ElementsAre(R"(ProductUpdated {"product_id":"a","changes":{"stock":{"old":3,"new":0}}})"));
  ASSERT_TRUE(run(Operation::remove, {}));
  EXPECT_THAT(events.front(), testing::Not(HasSubstr("total")));
}

TEST_F(FormulaTest, a_client_may_give_a_value_as_it_is_and_no_other) {
  EXPECT_EQ(faults_of(create(R"({"id":"a","price":"2","total":"3"})")), "/total: computed ");
  ASSERT_TRUE(create(R"({"id":"a","price":"2","total":"2.00"})"));
  const std::string shown = text_of(record);
  ASSERT_TRUE(replace(shown));
  EXPECT_TRUE(events.empty());
  // What was shown, with another price: the total is that of before.
  ASSERT_TRUE(patch(R"({"price":"4","total":"2.0"})"));
  EXPECT_THAT(text_of(record), HasSubstr(R"("total":"4")"));
  ASSERT_TRUE(patch(R"({"price":"5","total":"5"})")) << "that of after";
  EXPECT_EQ(faults_of(patch(R"({"price":"6","total":"4"})")), "/total: computed ");
  EXPECT_EQ(faults_of(patch(R"({"total":null,"next":1})")), "/total: computed /next: computed ");
  EXPECT_EQ(faults_of(patch(R"({"total":true})")), "/total: wrong_type ");
  EXPECT_TRUE(patch(R"({"code":null})")) << "it is null";
}

TEST_F(FormulaTest, a_write_that_leaves_what_cannot_be_computed_is_refused) {
  EXPECT_EQ(faults_of(create(R"({"id":"a","stock":9223372036854775807})")), "/next: not_computable ");
  EXPECT_EQ(faults_of(create(R"({"id":"a","price":"99999999999999999999999999999999999999","stock":10})")),
            "/total: not_computable ");
  EXPECT_EQ(faults_of(create(R"({"id":"a","price":"1000"})")), "/gross: too_large ");
  EXPECT_EQ(faults_of(create(R"({"id":"a","name":"inkwell"})")), "/code: too_long ");
  EXPECT_EQ(faults_of(create(R"({"id":"a","name":"a\nb"})")), "/code: control_character ");
  ASSERT_TRUE(create(R"({"id":"a","price":"1"})"));
  EXPECT_EQ(faults_of(patch(R"({"name":"inkwell","price":"1000"})")), "/gross: too_large /code: too_long ");
  EXPECT_EQ(record.version.value, 1u);
}

TEST_F(FormulaTest, what_was_so_before_does_not_keep_other_fields_from_being_written) {
  // As an earlier declaration may have left it.
  record = evolve(model, {}, "ProductCreated", R"({"values":{"id":"a","price":"1000","name":"inkwell"}})",
                  StreamVersion{1}, Instant{})
               .value();
  EXPECT_THAT(text_of(record), HasSubstr(R"("gross":null,"total":"1000")"));
  EXPECT_THAT(text_of(record), HasSubstr(R"("code":null)"));
  EXPECT_TRUE(patch(R"({"note":"x"})"));
  EXPECT_EQ(faults_of(patch(R"({"stock":2})")), "/gross: too_large ");
  EXPECT_TRUE(patch(R"({"name":"ink"})"));
  EXPECT_THAT(text_of(record), HasSubstr(R"("code":"INK")"));
}

TEST_F(FormulaTest, a_record_that_is_brought_back_is_computed_as_it_is_declared_now) {
  ASSERT_TRUE(create(R"({"id":"a","price":"1"})"));
  const SharedText first = record.value;
  ASSERT_TRUE(patch(R"({"price":"2"})"));
  ASSERT_TRUE(run(Operation::restore, {}, first));
  EXPECT_EQ(text_of(record), std::string(*first));
  ASSERT_TRUE(run(Operation::remove, {}));
  ASSERT_TRUE(run(Operation::restore, {}, first));
  EXPECT_EQ(text_of(record), std::string(*first));
  EXPECT_THAT(events.front(), testing::Not(HasSubstr("total")));
}

TEST_F(FormulaTest, what_events_have_of_a_field_that_is_computed_now_is_left_out) {
  record = evolve(model, {}, "ProductCreated", R"({"values":{"id":"a","price":"2","total":"77"}})", StreamVersion{1},
                  Instant{})
               .value();
  EXPECT_THAT(text_of(record), HasSubstr(R"("total":"2")"));
  record = evolve(model, record, "TotalUpdated", R"({"old_total":"77","new_total":"78"})", StreamVersion{2}, Instant{})
               .value();
  EXPECT_THAT(text_of(record), HasSubstr(R"("total":"2")"));
}

TEST_F(FormulaTest, rows_are_of_another_form_when_a_formula_or_a_rule_of_it_changes) {
  const auto form = [](const std::string& attributes) {
    return row_form_of(
        declared_model("[model.product]\npath = \"/products\"\n[model.product.fields]\nid = { type = \"string\", "
                       "primary_key = true }\n"
                       "a = { type = \"integer\", " +
                       attributes + " }\n"));
  };
  const std::string first = form("computed = \"length(id)\"");
  EXPECT_EQ(form("computed = \"length(id)\""), first);
  EXPECT_NE(form("computed = \"length(id) + 1\""), first);
  EXPECT_NE(form("computed = \"length(id)\", max = 3"), first);
  EXPECT_NE(form("upcast = \"integer(value)\""), form("min = 0"));
}

TEST_F(FormulaTest, what_is_computed_has_room_for_so_much_together_and_the_rest_has_no_value) {
  std::string fields;
  for (int number = 0; number < 40; ++number)
    fields += "c" + std::to_string(number) + " = { type = \"text\", computed = \"name + 'x'\" }\n";
  const Model many = declared_model(
      "[model.product]\npath = \"/products\"\n[model.product.fields]\nid = { type = \"string\", primary_key = true }\n"
      "name = { type = \"text\" }\nnote = { type = \"text\" }\nother = { type = \"text\", computed = \"note\" }\n" +
      fields);
  const auto patched = [&](const Record& before, const std::string& body) {
    Command command;
    command.operation = Operation::update;
    command.key = "a";
    command.given = read_patch(many, json::thread_reader().read_object(body).value(), "a").value();
    return decide(many, before, command, Instant{});
  };
  Record product =
      evolve(many, {}, "ProductCreated", R"({"values":{"id":"a","name":"b","note":"c"}})", StreamVersion{1}, Instant{})
          .value();
  const std::string name(500'000, 'n');
  const auto refused = patched(product, "{\"name\":\"" + name + "\"}");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unprocessable);
  // 33 of them fit 16 MiB, with what is made of the note.
  ASSERT_EQ(refused.error().faults.size(), 7u);
  EXPECT_EQ(refused.error().faults.front().pointer, "/c33");
  EXPECT_EQ(refused.error().faults.front().code, "not_computable");
  EXPECT_THAT(refused.error().faults.front().detail, HasSubstr("more than 16 MiB"));

  // A record that an event of old times made so large is served without them, and may be written otherwise.
  product = evolve(many, product, "ProductUpdated", R"({"changes":{"name":{"old":"b","new":")" + name + R"("}}})",
                   StreamVersion{2}, Instant{})
                .value();
  EXPECT_LT(product.value->size(), 18u << 20);
  EXPECT_THAT(std::string(*product.value).substr(product.value->size() - 40), HasSubstr("\"c39\":null"));
  EXPECT_TRUE(patched(product, R"({"note":"d"})"));
  EXPECT_TRUE(patched(product, R"({"name":"d"})"));
  // One that pushes another out is refused, though that is made of something else.
  EXPECT_FALSE(patched(product, "{\"note\":\"" + std::string(400'000, 'n') + "\"}"));
}

TEST_F(FormulaTest, texts_with_escapes_are_what_they_say) {
  const Model escaped = declared_model(R"x(
[model.product]
path = "/products"
[model.product.fields]
id   = { type = "string", primary_key = true }
size = { type = "integer", computed = "length(name + more)" }
name = { type = "text" }
more = { type = "text" }
)x");
  const auto made = evolve(escaped, {}, "ProductCreated", R"({"values":{"id":"a","name":"a\"\n\\","more":"\u00e4\t"}})",
                           StreamVersion{1}, Instant{});
  ASSERT_TRUE(made);
  EXPECT_THAT(text_of(*made), HasSubstr("\"size\":6"));
}

}  // namespace
}  // namespace annals::model
