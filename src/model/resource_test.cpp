#include "model/resource.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "model/model_file.hpp"
#include "model/record_text.hpp"
#include "model/test_model.hpp"

namespace annals::model {
namespace {

constexpr std::string_view declaration = R"(
[model.product]
path = "/api/products"
[model.product.fields]
id    = { type = "string", primary_key = true }
name  = { type = "string", required = true, length = [1, 200] }
price = { type = "decimal", min = 0, event = "PriceUpdated" }
stock = { type = "integer", min = 0, default = 0 }
tags  = { type = "list", of = "string" }
made  = { type = "timestamp", default = "now" }
)";

class ResourceTest : public testing::Test {
 protected:
  static Model product() {
    const auto root = read_declarations(std::string(declaration), "annals.toml");
    auto models = read_models(*root.value().find("model"));
    EXPECT_TRUE(models) << models.error().message;
    return models->front().model;
  }
  static json::Object body(std::string_view text) { return json::thread_reader().read_object(text).value(); }

  Result<> run(Operation operation, std::vector<GivenField> given, SharedText value = nullptr) {
    Command command;
    command.operation = operation;
    command.key = "a";
    command.given = std::move(given);
    command.value = std::move(value);
    events.clear();
    const std::vector<Decision> decisions = TRY(decide(model, record, command, now));
    for (const Decision& decision : decisions) {
      events.push_back(decision.type + " " + decision.data);
      record = TRY(evolve(model, record, decision.type, decision.data, record.version.next(), now));
    }
    return {};
  }
  Result<> create(std::string_view text) {
    return run(Operation::create, TRY(read_new_record(model, body(text), {now, [] { return Uuid{}; }})));
  }
  Result<> replace(std::string_view text) {
    return run(Operation::update, TRY(read_replacement(model, body(text), "a")));
  }
  Result<> patch(std::string_view text) { return run(Operation::update, TRY(read_patch(model, body(text), "a"))); }

  const Model model = product();
  const Instant now = Instant::from_text("2026-02-12T10:00:00Z").value();
  Record record;
  std::vector<std::string> events;
};

TEST_F(ResourceTest, a_record_is_created_with_its_defaults) {
  ASSERT_TRUE(create(R"({"name":"lamp","id":"a","price":"7.50"})"));
  EXPECT_EQ(events, (std::vector<std::string>{
                        R"(ProductCreated {"product_id":"a","values":{"id":"a","name":"lamp","price":"7.50","stock":0,)"
                        R"("made":"2026-02-12T10:00:00.000000Z"}})"}));
  EXPECT_EQ(*record.value,
            R"({"id":"a","name":"lamp","price":"7.50","stock":0,"tags":null,"made":"2026-02-12T10:00:00.000000Z"})");
  EXPECT_EQ(create(R"({"name":"lamp","id":"a"})").error().code, "already_exists");
}

TEST_F(ResourceTest, everything_that_is_wrong_is_told_at_once) {
  const auto refused = create(R"({"price":"-1","stock":"many","colour":1,"pric":1,"id":""})");
  ASSERT_FALSE(refused);
  std::string told;
  for (const Fault& fault : refused.error().faults) told += fault.pointer + " " + fault.code + "\n";
  EXPECT_EQ(told,
            "/price too_small\n/stock wrong_type\n/colour unknown_member\n/pric unknown_member\n/id empty\n"
            "/name required\n");
}

TEST_F(ResourceTest, of_a_body_with_many_faults_a_hundred_are_told) {
  const auto body_with = [](std::size_t unknown) {
    std::string text = R"({"name":"lamp","id":"a")";
    for (std::size_t number = 0; number < unknown; ++number) text += ",\"nam" + std::to_string(number) + "\":1";
    return text + "}";
  };
  const auto all = create(body_with(faults_max));
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().faults.size(), faults_max);
  EXPECT_EQ(all.error().message, "the body is no product: 100 things are wrong");
  const auto more = create(body_with(faults_max + 1));
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().faults.size(), faults_max);
  EXPECT_EQ(more.error().message,
            "the body is no product: more than 100 things are wrong; errors tells the first 100, and nothing further "
            "was looked at");
  EXPECT_EQ(std::ranges::count_if(more.error().faults,
                                  [](const Fault& fault) { return fault.detail.contains("did you mean \"name\"?"); }),
            static_cast<std::ptrdiff_t>(near_names_max));
}

TEST_F(ResourceTest, each_wrong_element_of_a_list_is_told) {
  const auto told = [](const Result<>& refused) {
    std::string all;
    for (const Fault& fault : refused.error().faults) all += fault.pointer + " " + fault.code + "\n";
    return all;
  };
  EXPECT_EQ(told(create(R"({"name":"lamp","id":"a","tags":[1,"x",null,true]})")),
            "/tags/0 wrong_type\n/tags/2 wrong_type\n/tags/3 wrong_type\n");
  const std::string longer(string_length_max + 1, 'x');
  EXPECT_EQ(told(create(R"({"name":"lamp","id":"a","tags":[")" + longer + R"(","x",")" + longer + R"("]})")),
            "/tags/0 too_long\n/tags/2 too_long\n");
  std::string many = R"({"name":"lamp","id":"a","tags":[1)";
  for (std::size_t number = 0; number < faults_max; ++number) many += ",1";
  const auto refused = create(many + R"(],"stock":"x"})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().faults.size(), faults_max);
  EXPECT_TRUE(refused.error().message.contains("more than 100")) << refused.error().message;
}

TEST_F(ResourceTest, only_what_changed_is_recorded) {
  ASSERT_TRUE(create(R"({"name":"lamp","id":"a","price":"7.50","tags":["x"]})"));
  ASSERT_TRUE(patch(R"({"price":"7.5","tags":["x"],"name":"lamp"})"));
  EXPECT_TRUE(events.empty()) << "7.5 is 7.50";
  ASSERT_TRUE(patch(R"({"price":"8"})"));
  EXPECT_EQ(events.back(), R"(PriceUpdated {"product_id":"a","old_price":"7.50","new_price":"8"})");
  ASSERT_TRUE(patch(R"({"price":null,"stock":3})"));
  EXPECT_EQ(events.back(), R"(ProductUpdated {"product_id":"a","changes":{"price":{"old":"8","new":null},)"
                           R"("stock":{"old":0,"new":3}}})");
  EXPECT_EQ(record.version.value, 3u);
  EXPECT_EQ(*record.value,
            R"({"id":"a","name":"lamp","price":null,"stock":3,"tags":["x"],"made":"2026-02-12T10:00:00.000000Z"})");
}

TEST_F(ResourceTest, a_replacement_brings_back_defaults_but_makes_nothing_anew) {
  ASSERT_TRUE(create(R"({"name":"lamp","id":"a","price":"7.50","stock":9,"made":"2020-01-01T00:00:00Z"})"));
  ASSERT_TRUE(replace(R"({"name":"torch"})"));
  EXPECT_EQ(*record.value,
            R"({"id":"a","name":"torch","price":null,"stock":0,"tags":null,"made":"2020-01-01T00:00:00.000000Z"})");
  EXPECT_EQ(replace(R"({"stock":1})").error().faults.front().code, "required");
  EXPECT_EQ(replace(R"({"name":"x","id":"b"})").error().faults.front().code, "immutable");
  EXPECT_TRUE(replace(R"({"name":"x","id":"a"})"));
  EXPECT_EQ(patch(R"({"name":null})").error().faults.front().code, "required");
}

TEST_F(ResourceTest, what_a_default_makes_is_checked_like_what_is_given) {
  Model ruled = model;
  ruled.fields[5].max = FieldValue{std::string("2026-02-12T09:59:59.000000Z")};
  const auto refused = read_new_record(ruled, body(R"({"name":"lamp","id":"a"})"), {now, [] { return Uuid{}; }});
  ASSERT_FALSE(refused);
  ASSERT_EQ(refused.error().faults.size(), 1u);
  EXPECT_EQ(refused.error().faults.front().pointer + " " + refused.error().faults.front().code, "/made too_large");
  EXPECT_TRUE(read_new_record(ruled, body(R"({"name":"lamp","id":"a","made":"2020-01-01T00:00:00Z"})"),
                              {now, [] { return Uuid{}; }}));
}

TEST_F(ResourceTest, a_replacement_lets_a_required_value_stay_that_is_there) {
  Model requiring = model;
  requiring.fields[5].required = true;
  const auto replaced = [&](std::string_view made) {
    Command command;
    command.operation = Operation::update;
    command.key = "a";
    command.given = read_replacement(requiring, body(R"({"name":"torch"})"), "a").value();
    const Record before{
        StreamVersion{1},
        SharedText(R"({"id":"a","name":"lamp","price":null,"stock":0,"tags":null,"made":)" + std::string(made) + "}"),
        now};
    const auto decided = decide(requiring, before, command, now);
    return decided ? decided->front().data
                   : decided.error().faults.front().pointer + " " + decided.error().faults.front().code;
  };
  EXPECT_EQ(replaced("null"), "/made required") << "of the time before it was declared";
  EXPECT_EQ(replaced(R"("2020-01-01T00:00:00.000000Z")"),
            R"({"product_id":"a","changes":{"name":{"old":"lamp","new":"torch"}}})");
}

TEST_F(ResourceTest, json_that_is_written_otherwise_is_no_change) {
  Model noted = model;
  noted.fields[4].type = FieldType::json;
  const Record before{
      StreamVersion{1},
      SharedText(R"({"id":"a","name":"lamp","price":null,"stock":0,"tags":{"a":[1,2.5],"b":null},"made":null})"), now};
  const auto changes = [&](std::string_view tags) {
    Command command;
    command.operation = Operation::update;
    command.key = "a";
    command.given = read_replacement(noted, body(R"({"name":"lamp","tags":)" + std::string(tags) + "}"), "a").value();
    return decide(noted, before, command, now).value().size();
  };
  EXPECT_EQ(changes(R"({"b":null,"a":[1.0,25e-1]})"), 0u);
  EXPECT_EQ(changes(R"({"b":null,"a":[2.5,1]})"), 1u) << "an array has an order";
  EXPECT_EQ(changes(R"({"a":[1,2.5]})"), 1u);
}

TEST_F(ResourceTest, a_key_that_clients_take_out_of_paths_is_refused) {
  for (const char* key : {".", ".."}) {
    const auto refused = create(R"({"name":"lamp","id":")" + std::string(key) + "\"}");
    ASSERT_FALSE(refused) << key;
    EXPECT_EQ(refused.error().faults.front().pointer + " " + refused.error().faults.front().code, "/id unreachable");
  }
  EXPECT_TRUE(create(R"({"name":"lamp","id":"..."})"));
  EXPECT_EQ(canonical_key(model, ".."), "..") << "one that is there already can be read";
}

TEST_F(ResourceTest, the_texts_of_a_list_are_no_longer_than_their_type) {
  const auto tags = [](std::size_t length) {
    return R"({"name":"lamp","id":"a","tags":["x",")" + std::string(length, 'x') + R"("]})";
  };
  const auto refused = create(tags(string_length_max + 1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().faults.front().code, "too_long");
  EXPECT_EQ(refused.error().faults.front().pointer, "/tags/1");
  EXPECT_EQ(refused.error().faults.front().detail, "it has 1001 characters; the most is 1000");
  EXPECT_TRUE(create(tags(string_length_max)));
}

TEST_F(ResourceTest, a_record_is_deleted_and_can_be_made_again) {
  EXPECT_EQ(run(Operation::remove, {}).error().kind, ErrorKind::not_found);
  EXPECT_EQ(patch(R"({"stock":1})").error().kind, ErrorKind::not_found);
  ASSERT_TRUE(create(R"({"name":"lamp","id":"a","made":"2020-01-01T00:00:00Z"})"));
  const SharedText before = record.value;
  ASSERT_TRUE(run(Operation::remove, {}));
  EXPECT_EQ(events.back(), R"(ProductDeleted {"product_id":"a","old_values":{"id":"a","name":"lamp","stock":0,)"
                           R"("made":"2020-01-01T00:00:00.000000Z"},"deleted_at":"2026-02-12T10:00:00.000000Z"})");
  EXPECT_TRUE(record.was_deleted());
  EXPECT_EQ(run(Operation::remove, {}).error().kind, ErrorKind::gone);
  EXPECT_EQ(patch(R"({"stock":1})").error().kind, ErrorKind::not_found);
  ASSERT_TRUE(run(Operation::restore, {}, before));
  EXPECT_EQ(*record.value, *before);
  EXPECT_EQ(record.version.value, 3u);
  ASSERT_TRUE(run(Operation::remove, {}));
  ASSERT_TRUE(create(R"({"name":"again","id":"a"})"));
  EXPECT_EQ(record.version.value, 5u);
}

TEST_F(ResourceTest, a_restored_record_differs_by_what_changed_since) {
  ASSERT_TRUE(create(R"({"name":"lamp","id":"a","price":"7.50"})"));
  const SharedText before = record.value;
  ASSERT_TRUE(patch(R"({"price":"8","stock":3})"));
  ASSERT_TRUE(run(Operation::restore, {}, before));
  EXPECT_EQ(events.back(), R"(ProductUpdated {"product_id":"a","changes":{"price":{"old":"8","new":"7.50"},)"
                           R"("stock":{"old":3,"new":0}}})");
  EXPECT_EQ(*record.value, *before);
}

/// The product as it is declared later: with more rules.
Model stricter() {
  return declared_model(R"(
[model.product]
path = "/api/products"
[model.product.fields]
id    = { type = "string", primary_key = true, length = [3, 9] }
name  = { type = "string", required = true, length = [5, 200] }
price = { type = "decimal", min = 10 }
stock = { type = "integer", required = true }
tags  = { type = "list", of = "string", exposed = false, required = true }
made  = { type = "timestamp", default = "now" }
twice = { type = "integer", computed = "stock * 2", max = 9 }
)");
}

/// The record as the model has it: of an earlier declaration it lacks fields.
std::string recorded_as(const Model& model, std::string_view text) {
  return change_of(model, {}, "ProductCreated", R"({"product_id":"a","values":)" + std::string(text) + "}",
                   StreamVersion{1})
      ->made;
}

std::vector<std::string> refused_for(const Result<std::vector<Decision>>& decided) {
  std::vector<std::string> faults;
  if (decided) return faults;
  EXPECT_EQ(decided.error().kind, ErrorKind::unprocessable);
  EXPECT_EQ(decided.error().code, "invalid_record");
  for (const Fault& fault : decided.error().faults) faults.push_back(fault.pointer + " " + fault.code);
  return faults;
}

TEST_F(ResourceTest, a_record_is_restored_only_to_what_keeps_the_rules_of_now) {
  using Told = std::vector<std::string>;
  const Model strict = stricter();
  const Record present{StreamVersion{2},
                       SharedText(recorded_as(strict, R"({"id":"a","name":"lantern","price":"12","stock":1})")), now};
  const Record deleted{StreamVersion{3}, nullptr, now};
  const auto restored = [&](const Record& from, std::string_view to) {
    Command command;
    command.operation = Operation::restore;
    command.key = "a";
    command.value = SharedText(recorded_as(strict, to));
    return refused_for(decide(strict, from, command, now));
  };
  const std::string bad = R"({"id":"a","name":"lamp","price":"7.50","made":"2026-01-01T00:00:00Z"})";
  EXPECT_EQ(restored(present, bad), (Told{"/name too_short", "/price too_small", "/stock required"}));
  EXPECT_EQ(restored(deleted, bad), (Told{"/name too_short", "/price too_small", "/stock required", "/tags required"}))
      << "a new record has what is not shown, too";
  EXPECT_EQ(restored(present, R"({"id":"a","name":"lantern","stock":5})"), Told{"/twice too_large"});
  EXPECT_EQ(restored(deleted, R"({"id":"a","name":"lantern","stock":5,"tags":[]})"), Told{"/twice too_large"});
  EXPECT_EQ(restored(present, R"({"id":"a","name":"lantern","stock":4})"), Told{});
  EXPECT_EQ(restored(deleted, R"({"id":"a","name":"lantern","stock":4,"tags":[]})"), Told{});
}

TEST_F(ResourceTest, a_record_that_keeps_no_rule_of_now_is_not_restored_to_what_it_is_either) {
  const Model strict = stricter();
  const SharedText text(recorded_as(strict, R"({"id":"a","name":"lamp","stock":1})"));
  Command command;
  command.operation = Operation::restore;
  command.key = "a";
  command.value = text;
  EXPECT_EQ(refused_for(decide(strict, {StreamVersion{1}, text, now}, command, now)),
            (std::vector<std::string>{"/name too_short"}));
}

TEST_F(ResourceTest, events_of_others_are_taken_in_and_those_that_make_no_sense_are_damage) {
  const auto change = [&](std::string_view type, std::string_view data) {
    return change_of(model, {}, type, data, StreamVersion{1});
  };
  EXPECT_EQ(change("SomethingElse", "{}")->effect, Change::Effect::none);
  // A database of jsonb gives back members in another order, with blanks.
  EXPECT_EQ(
      change("ProductCreated", R"({ "values": {"price": "1", "name": "n", "id": "a", "gone": 1}, "product_id": "a"})")
          ->new_value(),
      R"({"id":"a","name":"n","price":"1","stock":0,"tags":null,"made":null})");
  for (const auto& [type, data] : {std::pair{"ProductCreated", "{}"},
                                   {"ProductCreated", "no"},
                                   {"ProductCreated", R"({"values":{"stock":"x"}})"},
                                   {"ProductUpdated", R"({"changes":{"stock":{"old":1,"new":2}}})"},
                                   {"PriceUpdated", "{}"}}) {
    const auto damaged = change(type, data);
    ASSERT_FALSE(damaged) << type << data;
    EXPECT_EQ(damaged.error().kind, ErrorKind::corrupt);
  }
}

TEST_F(ResourceTest, no_value_in_the_place_of_a_default_is_recorded_and_comes_back) {
  ASSERT_TRUE(create(R"({"name":"lamp","id":"a","stock":null,"made":null})"));
  EXPECT_EQ(events, (std::vector<std::string>{
                        R"(ProductCreated {"product_id":"a","values":{"id":"a","name":"lamp","stock":null}})"}));
  const SharedText before = record.value;
  EXPECT_EQ(*before, R"({"id":"a","name":"lamp","price":null,"stock":null,"tags":null,"made":null})");
  ASSERT_TRUE(run(Operation::remove, {}));
  ASSERT_TRUE(run(Operation::restore, {}, before));
  EXPECT_EQ(*record.value, *before);
}

TEST_F(ResourceTest, json_is_taken_as_deep_as_events_can_hold_it) {
  Model deep = model;
  deep.fields[4].type = FieldType::json;
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + "\"]\\\"\"" + std::string(depth, ']'); };
  for (std::size_t depth = 1; depth <= 60; ++depth) {
    const std::string text = R"({"name":"n","id":"a","tags":)" + nested(depth) + "}";
    const auto given = read_new_record(deep, body(text), {now, [] { return Uuid{}; }});
    EXPECT_EQ(given.has_value(), depth <= 56) << depth;
    if (!given) {
      EXPECT_EQ(given.error().faults.front().code, "too_deep");
      continue;
    }
    Command command;
    command.operation = Operation::create;
    command.key = "a";
    command.given = *given;
    const auto created = decide(deep, Record{}, command, now);
    ASSERT_TRUE(created);
    auto made = evolve(deep, Record{}, created->front().type, created->front().data, StreamVersion{1}, now);
    ASSERT_TRUE(made) << depth << made.error().message;
    command.operation = Operation::update;
    command.given = read_patch(deep, body(R"({"stock":2,"tags":)" + nested(depth - 1) + "}"), "a").value();
    const auto updated = decide(deep, *made, command, now);
    ASSERT_TRUE(updated);
    EXPECT_TRUE(evolve(deep, *made, updated->front().type, updated->front().data, StreamVersion{2}, now)) << depth;
  }
}

TEST_F(ResourceTest, events_of_the_time_before_a_declaration_was_changed_tell_the_same) {
  ASSERT_TRUE(create(R"({"name":"lamp","id":"a","price":"7.50"})"));
  const Record created = record;
  ASSERT_TRUE(patch(R"({"price":"8"})"));
  const std::string own = events.back().substr(events.back().find('{'));
  ASSERT_TRUE(patch(R"({"name":"torch","stock":2})"));
  const std::string update = events.back().substr(events.back().find('{'));

  Model changed = model;
  changed.fields[1].name = "title";
  changed.fields[1].renamed_from = {"caption", "name"};
  changed.fields[2].name = "cost";
  changed.fields[2].renamed_from = {"price"};
  changed.fields[2].event = "CostUpdated";
  const auto again = change_of(changed, {}, "ProductCreated",
                               R"({"product_id":"a","values":{"id":"a","name":"lamp","price":"7.50"}})", {});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->new_value(), R"({"id":"a","title":"lamp","cost":"7.50","stock":0,"tags":null,"made":null})");
  const auto dearer = change_of(changed, again->new_value(), "PriceUpdated", own, {});
  ASSERT_TRUE(dearer);
  EXPECT_EQ(dearer->new_value(), R"({"id":"a","title":"lamp","cost":"8","stock":0,"tags":null,"made":null})");
  const auto renamed = change_of(changed, dearer->new_value(), "ProductUpdated", update, {});
  ASSERT_TRUE(renamed);
  EXPECT_EQ(renamed->new_value(), R"({"id":"a","title":"torch","cost":"8","stock":2,"tags":null,"made":null})");

  changed.fields.erase(changed.fields.begin() + 2);
  EXPECT_EQ(
      change_of(changed, R"({"id":"a","title":"torch","stock":2,"tags":null,"made":null})", "PriceUpdated", own, {})
          ->effect,
      Change::Effect::none)
      << "of a field that is declared no more";
  EXPECT_NE(row_form_of(changed), row_form_of(model));
}

TEST_F(ResourceTest, the_text_of_a_record_is_read_back_and_what_is_none_is_refused) {
  const std::string text = R"({"id":"a\"}","name":"n","price":null,"stock":0,"tags":["]","}"],"made":null})";
  const auto values = values_of(model, text);
  ASSERT_TRUE(values);
  EXPECT_EQ((*values)[0], R"("a\"}")");
  EXPECT_EQ((*values)[4], R"(["]","}"])");
  EXPECT_EQ(record_text(model, *values), text);
  for (std::size_t length = 0; length < text.size(); ++length)
    EXPECT_FALSE(values_of(model, std::string_view(text).substr(0, length))) << length;
  EXPECT_FALSE(values_of(model, text + " "));
  EXPECT_FALSE(values_of(model, R"({"name":"n","id":"a","price":null,"stock":0,"tags":null,"made":null})"));
}

}  // namespace
}  // namespace annals::model
