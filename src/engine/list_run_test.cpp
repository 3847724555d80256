// Lists of random records by random filters and sorts, page by page, compared with a look at every record; and which
// way they are found.

#include "engine/list_run.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <deque>
#include <map>

#include "engine/test_engine.hpp"
#include "model/model_file.hpp"
#include "model/value_order.hpp"

namespace annals::engine {
namespace {

using model::ListQuery;
using model::Model;

const std::string long_text(300, 'x');

/// Fields with and without an index, and values of which many are alike. The key's type is `key`.
Model thing(const std::string& key = "string") {
  const auto root =
      model::read_declarations("[model.thing]\npath = \"/things\"\n[model.thing.fields]\nid = { type = \"" + key +
                                   "\", primary_key = true }\n"
                                   R"(
name  = { type = "string", indexed = true }
price = { type = "decimal", indexed = true }
stock = { type = "integer", bloom_filter = true }
state = { type = "enum", values = ["a", "b", "c"], indexed = true }
code  = { type = "string", unique = true }
note  = { type = "text", bloom_filter = true }
parent = { type = ")" + key + R"(", references = "thing" }
)",
                               "annals.toml");
  auto models = model::read_models(*root.value().find("model"));
  return std::move(models.value().front().model);
}

/// Members of a record, as JSON.
using Members = std::map<std::string, std::string>;

const std::map<std::string, std::vector<std::string>>& values() {
  static const std::map<std::string, std::vector<std::string>> all{
      {"name", {"", "a", "ab", "b", "ä", "x" + long_text, "y" + long_text + "1", "y" + long_text + "2"}},
      {"price", {"-1.5", "0", "0.50", "0.5", "7.5", "7.50", "10", "9.99"}},
      {"stock", {"-3", "0", "5", "12"}},
      {"state", {"a", "b", "c"}},
      {"note", {"a", "b\\n"}},
      {"parent", {"1", "2", "12"}},
  };
  return all;
}

/// A table, and the events that made it.
class Shop {
 public:
  explicit Shop(Model of = thing()) : model(std::move(of)), table(model) {}

  void put(const std::string& key, const Members& members) {
    const bool is_new = !records.contains(key);
    std::string data = "{\"thing_id\":\"" + key + "\",";
    data += is_new ? "\"values\":{" : "\"changes\":{";
    std::string separator;
    const auto add = [&](const std::string& name, const std::string& value) {
      data += separator + "\"" + name + "\":" + (is_new ? value : "{\"old\":null,\"new\":" + value + "}");
      separator = ",";
    };
    const bool number = model.fields[0].type == model::FieldType::integer;
    if (is_new) add("id", number ? key : "\"" + key + "\"");
    for (const auto& field : model.fields) {
      if (field.primary_key) continue;
      const auto member = members.find(field.name);
      if (member != members.end()) {
        add(field.name, member->second);
      } else if (!is_new) {
        add(field.name, "null");
      }
    }
    record(key, is_new ? model.created_type : model.updated_type, data + "}}");
    records[key] = members;
  }
  void remove(const std::string& key) {
    record(key, model.deleted_type, "{}");
    records.erase(key);
  }

  [[nodiscard]] ListPage page(const ListQuery& query) {
    ListRun run({store, model}, table, query, std::nullopt);
    const auto found = run.go_on(Turn::endless());
    EXPECT_TRUE(found && *found);
    return run.take();
  }

  const Model model;
  projection::ReadTable table;
  std::map<std::string, Members> records;
  TestWorld world;
  ControlledStore store{world.platform()};

 private:
  void record(const std::string& key, const std::string& type, const std::string& data) {
    const std::string stream = model.stream(key);
    EventView event;
    event.position = Position{++position_};
    event.stream = stream;
    event.version = StreamVersion{++versions_[key]};
    event.type = type;
    event.data = data;
    event.created_at = Instant{static_cast<std::int64_t>(position_)};
    ASSERT_TRUE(table.apply(std::span(&event, 1)));
  }

  std::uint64_t position_ = 0;
  std::map<std::string, std::uint64_t> versions_;
};

ListQuery query_of(const Model& model, const std::vector<std::pair<std::string, std::string>>& filters,
                   const std::string& sort = "", std::size_t limit = 100) {
  ListQuery query;
  for (const auto& [name, value] : filters) query.filters.push_back(model::read_filter(model, name, value, {}).value());
  if (!sort.empty()) query.sort = model::read_sort(model, sort).value();
  query.limit = limit;
  return query;
}

std::vector<std::string> keys_of(const ListPage& page) {
  std::vector<std::string> keys;
  for (const ListRow& row : page.rows) keys.emplace_back(row.place.key());
  return keys;
}

/// What a list is, found by a look at every record.
std::vector<std::string> naive(const Shop& shop, const ListQuery& query) {
  std::vector<std::pair<std::string, std::vector<model::FieldValue>>> rows;
  for (const auto& [key, members] : shop.records) {
    std::vector<model::FieldValue> fields;
    for (const model::Field& field : shop.model.fields) {
      const auto member = members.find(field.name);
      std::string text = member == members.end() ? "null" : member->second;
      if (field.primary_key) text = field.type == model::FieldType::integer ? key : "\"" + key + "\"";
      fields.push_back(model::value_from_text(field, text).value());
    }
    const bool all = std::ranges::all_of(
        query.filters, [&](const model::Filter& filter) { return model::passes(filter, fields[filter.field]); });
    if (all) rows.emplace_back(key, std::move(fields));
  }
  std::ranges::sort(rows, [&](const auto& left, const auto& right) {
    for (const model::SortKey& key : query.sort) {
      model::FieldValue one = left.second[key.field];
      model::FieldValue other = right.second[key.field];
      // Long texts are in order as far as their beginning goes.
      for (model::FieldValue* value : {&one, &other}) {
        if (auto* text = std::get_if<std::string>(&value->value))
          text->resize(std::min(text->size(), model::value_order_bytes_max));
      }
      const auto order = key.descending ? compare(other, one) : compare(one, other);
      if (order != 0) return order < 0;
    }
    return left.first < right.first;
  });
  std::vector<std::string> keys;
  for (const auto& row : rows) keys.push_back(row.first);
  return keys;
}

Members random_members(const std::string& key_type) {
  Members members;
  for (const auto& [name, all] : values()) {
    const auto choice = *rc::gen::inRange<std::size_t>(0, all.size() + 2);
    if (choice >= all.size()) continue;
    const bool number = name == "stock" || (name == "parent" && key_type == "integer");
    members[name] = number ? all[choice] : "\"" + all[choice] + "\"";
  }
  return members;
}

std::pair<std::string, std::string> random_filter() {
  const std::map<std::string, std::vector<std::string>> operators{
      {"id", {"eq", "ne", "gt", "gte", "lt", "lte", "in"}},
      {"name", {"eq", "ne", "gt", "gte", "lt", "lte", "in", "prefix", "contains"}},
      {"price", {"eq", "ne", "gt", "gte", "lt", "lte", "in"}},
      {"stock", {"eq", "gt", "lte"}},
      {"state", {"eq", "ne", "in"}},
      {"code", {"eq", "in", "ne"}},
      {"note", {"eq", "contains"}},
      {"parent", {"eq", "in", "ne", "gt"}},
  };
  const auto& [field, known] = *std::next(operators.begin(), *rc::gen::inRange<std::ptrdiff_t>(0, 8));
  const std::string operation = *rc::gen::elementOf(known);
  const bool keyed = field == "id" || field == "code";
  const auto value = [&] {
    if (keyed) return (field == "id" ? "" : "c") + std::to_string(*rc::gen::inRange(1, 40));
    const std::string text = *rc::gen::elementOf(values().at(field));
    return text == "b\\n" ? std::string("b\n") : text;
  };
  std::string operand = value();
  if (operation == "in") operand += "," + value();
  if ((operation == "eq" || operation == "ne") && !keyed && *rc::gen::inRange(0, 5) == 0) operand.clear();
  const bool needs_value = operation != "eq" && operation != "ne" && operation != "in";
  if (operand.empty() && needs_value) operand = field == "parent" ? "2" : "a";
  return {field + "[" + operation + "]", operand};
}

std::string random_sort() {
  std::string sort;
  std::vector<std::string> fields{"id", "name", "price", "stock", "state", "code"};
  const int count = *rc::gen::inRange(0, 4);
  for (int number = 0; number < count; ++number) {
    const auto place = *rc::gen::inRange<std::size_t>(0, fields.size());
    sort += (sort.empty() ? "" : ",") + std::string(*rc::gen::arbitrary<bool>() ? "-" : "") + fields[place];
    fields.erase(fields.begin() + static_cast<std::ptrdiff_t>(place));
  }
  return sort;
}

void lists_are_what_a_look_at_every_record_finds(const std::string& key_type) {
  Shop shop(thing(key_type));
  const int commands = *rc::gen::inRange(0, 60);
  for (int number = 0; number < commands; ++number) {
    const std::string key = std::to_string(*rc::gen::inRange(1, 40));
    if (*rc::gen::inRange(0, 5) == 0) {
      if (shop.records.contains(key)) shop.remove(key);
      continue;
    }
    Members members = random_members(key_type);
    if (*rc::gen::arbitrary<bool>()) members["code"] = "\"c" + key + "\"";
    shop.put(key, members);
  }
  for (int number = 0; number < 8; ++number) {
    std::vector<std::pair<std::string, std::string>> filters;
    std::string shown;
    for (int filter = *rc::gen::inRange(0, 4); filter > 0; --filter) {
      filters.push_back(random_filter());
      if (key_type == "integer" && filters.back().first == "id[ne]") filters.back().first = "id[gte]";
      shown += filters.back().first + "=" + filters.back().second.substr(0, 20) + "&";
    }
    const std::string sort = random_sort();
    ListQuery query = query_of(shop.model, filters, sort, *rc::gen::element<std::size_t>(1, 2, 5, 100));
    const std::vector<std::string> expected = naive(shop, query);
    RC_LOG() << shown << "sort=" << sort << " limit=" << query.limit << "\n";

    std::vector<std::string> found;
    for (bool more = true; more;) {
      const ListPage page = shop.page(query);
      const std::vector<std::string> keys = keys_of(page);
      found.insert(found.end(), keys.begin(), keys.end());
      RC_ASSERT(found.size() <= expected.size());
      more = page.more;
      RC_ASSERT(!more || keys.size() == query.limit);
      if (!more) break;
      // As a client would.
      const std::string bytes = place_to_bytes(shop.model, query.sort, page.rows.back().place);
      query.after = model::place_from_bytes(shop.model, query.sort, bytes);
      RC_ASSERT(query.after.has_value());
    }
    RC_ASSERT(found == expected);

    query.count = true;  // behind the page before the last, if there are several
    const ListPage counted = shop.page(query);
    RC_ASSERT(counted.total == std::optional<std::uint64_t>(expected.size()));
    const std::size_t shown_last = expected.empty() ? 0 : (expected.size() - 1) % query.limit + 1;
    RC_ASSERT(keys_of(counted) ==
              std::vector<std::string>(expected.end() - static_cast<std::ptrdiff_t>(shown_last), expected.end()));
  }
}

RC_GTEST_PROP(list_property, pages_are_what_a_look_at_every_record_finds, ()) {
  lists_are_what_a_look_at_every_record_finds("string");
}

RC_GTEST_PROP(list_property, pages_of_records_with_numbers_for_keys_are_too, ()) {
  lists_are_what_a_look_at_every_record_finds("integer");
}

// --- Plans ---

/// A shop with more records of each state than a plan counts.
class PlanTest : public testing::Test {
 protected:
  static Shop& shop() {
    static Shop* const made = [] {
      auto* shop = new Shop;
      for (std::size_t number = 0; number < 3 * plan_count_max; ++number) {
        Members members;
        members["state"] = number % 3 == 0 ? "\"a\"" : "\"b\"";
        members["price"] = "\"" + std::to_string(number) + "\"";
        members["name"] = number < 10 ? "\"few\"" : "\"n" + std::to_string(number) + "\"";
        members["code"] = "\"c" + std::to_string(number) + "\"";
        members["stock"] = std::to_string(number % 7);
        members["parent"] = number % 2 == 0 ? "\"k10002\"" : number < 8 ? "\"k10001\"" : "null";
        shop->put("k" + std::to_string(10'000 + number), members);
      }
      return shop;
    }();
    return *made;
  }
  /// "way field order rows".
  static std::string explained(const std::vector<std::pair<std::string, std::string>>& filters,
                               const std::string& sort = "", std::size_t limit = 10, bool count = false) {
    ListQuery query = query_of(shop().model, filters, sort, limit);
    query.count = count;
    const ListPage page = shop().page(query);
    const ListExplanation& how = page.explanation;
    return std::string(how.way) + " " + (how.field ? shop().model.fields[*how.field].name : "-") +
           (how.in_order ? " in order " : " sorted ") + std::to_string(how.rows_looked_at);
  }
};

TEST_F(PlanTest, records_named_by_key_or_unique_value_are_looked_at_and_no_others) {
  EXPECT_EQ(explained({{"id", "k10005"}}), "key id in order 1");
  EXPECT_EQ(explained({{"id[in]", "k10005,k10001,none"}, {"state", "a"}}, "-id"), "key id in order 2");
  EXPECT_EQ(explained({{"code", "c17"}}, "price"), "unique code sorted 1");
  EXPECT_EQ(explained({{"code[in]", "c17,c3"}, {"name", "few"}}), "unique code in order 2");
  EXPECT_EQ(explained({{"code", "none"}}), "unique code in order 0");
}

TEST_F(PlanTest, a_page_in_order_of_an_index_or_of_the_keys_ends_when_it_is_full) {
  EXPECT_EQ(explained({}), "table - in order 11");
  EXPECT_EQ(explained({}, "-id"), "table - in order 11");
  EXPECT_EQ(explained({{"id[gt]", "k10100"}}), "key id in order 11");
  EXPECT_EQ(explained({}, "-price"), "index price in order 11");
  EXPECT_EQ(explained({{"price[gte]", "100"}}, "price"), "index price in order 11");
  EXPECT_EQ(explained({{"state", "a"}}), "index state in order 11");
  EXPECT_EQ(explained({{"state", "a"}}, "state,id"), "index state in order 11");
}

TEST_F(PlanTest, a_value_that_no_record_has_is_not_looked_for) {
  EXPECT_EQ(explained({{"stock", "77"}}), "bloom_filter stock in order 0");
  EXPECT_EQ(explained({{"stock[in]", "77,78"}, {"state", "a"}}, "-price"), "bloom_filter stock in order 0");
  EXPECT_EQ(explained({{"note", "x"}}, "", 10, true), "bloom_filter note in order 0");
  EXPECT_EQ(explained({{"stock[in]", "77,3"}}), "table - in order 74") << "some have the other";
  EXPECT_EQ(explained({{"stock[gt]", "77"}}), "table - in order 6000");
  EXPECT_EQ(explained({{"note", ""}}), "table - in order 11") << "records without a value";
}

TEST_F(PlanTest, the_fewest_records_are_taken_and_sorted_where_they_are_few) {
  EXPECT_EQ(explained({{"name", "few"}, {"state", "a"}}, "-price"), "index name sorted 10");
  EXPECT_EQ(explained({{"price[lt]", "20"}, {"state", "b"}}, "name"), "index price sorted 20");
  EXPECT_EQ(explained({{"price[lt]", "20"}}), "index price sorted 20");
}

TEST_F(PlanTest, records_that_refer_to_a_key_are_found_where_they_are_few) {
  EXPECT_EQ(explained({{"parent", "k10001"}}), "reference parent in order 4");
  EXPECT_EQ(explained({{"parent[in]", "k10001,none"}, {"state", "b"}}, "-price"), "reference parent sorted 4");
  EXPECT_EQ(explained({{"parent", "k10001"}}, "-id", 1), "reference parent in order 2");
  EXPECT_EQ(explained({{"parent", "k10001"}}, "", 10, true), "reference parent in order 4");
  EXPECT_EQ(explained({{"parent", "none"}}), "reference parent in order 0");
  EXPECT_EQ(explained({{"parent", "k10001"}, {"name", "few"}}), "reference parent in order 4");
  EXPECT_EQ(explained({{"parent", "k10002"}}), "table - in order 21") << "half of all";
  EXPECT_EQ(explained({{"parent[in]", "k10001,k10002"}}), "table - in order 13");
  EXPECT_EQ(explained({{"parent", ""}}), "table - in order 30") << "records without a value";
}

TEST_F(PlanTest, else_the_order_of_the_list_decides) {
  EXPECT_EQ(explained({{"state", "b"}}, "-price"), "index price in order 16") << "a row in three is passed over";
  EXPECT_EQ(explained({{"stock", "3"}}), "table - in order 74");
  EXPECT_EQ(explained({{"price[gte]", "10"}}, "stock"), "index price sorted 5990");
  EXPECT_EQ(explained({}, "stock"), "table - sorted 6000");
}

TEST_F(PlanTest, by_several_fields_a_page_ends_behind_the_last_value_of_the_first) {
  EXPECT_EQ(explained({}, "price,name"), "index price sorted 128");
  EXPECT_EQ(explained({}, "-state,name"), "index state sorted 4096") << "4000 of state b, and the rest of a look";
}

TEST_F(PlanTest, a_list_that_is_counted_sees_all_within_its_bounds) {
  EXPECT_EQ(explained({{"price[lt]", "50"}}, "price", 10, true), "index price in order 50");
  EXPECT_EQ(explained({}, "", 10, true), "table - in order 11") << "how many there are is known";
}

// --- While others write ---

TEST(list_run, a_record_that_moves_while_a_list_is_made_is_shown_once_and_as_it_came_to_be) {
  Shop shop;
  for (std::size_t number = 0; number < 400; ++number) {
    shop.put("k" + std::to_string(1000 + number),
             {{"price", "\"" + std::to_string(number) + "\""}, {"stock", std::to_string(number)}});
  }
  // Not in order of the index, so all of it is looked at; a turn ends after each look.
  const ListQuery query = query_of(shop.model, {{"price[gte]", "0"}}, "stock", 1000);
  ListRun run({shop.store, shop.model}, shop.table, query, std::nullopt);
  std::size_t turns = 0;
  while (true) {
    Turn turn(shop.world.clock);
    shop.world.clock.advance(turn_time);
    const auto found = run.go_on(turn);
    ASSERT_TRUE(found);
    if (*found) break;
    if (++turns == 1) shop.put("k1000", {{"price", "\"399.5\""}, {"stock", "1000"}});
  }
  EXPECT_GE(turns, 3u) << "128 rows at a time";
  const ListPage page = run.take();
  ASSERT_EQ(page.rows.size(), 400u);
  EXPECT_EQ(page.rows.back().place.key(), "k1000");
  EXPECT_NE(page.rows.back().record.value->find("\"stock\":1000"), std::string::npos);
}

TEST(list_run, a_page_of_large_values_ends_early_and_the_next_goes_on) {
  Shop shop;
  const std::string note = "\"" + std::string(100'000, 'n') + "\"";
  for (std::size_t number = 0; number < 20; ++number)
    shop.put("k" + std::to_string(10 + number), {{"note", note}, {"stock", std::to_string(20 - number)}});
  for (const std::string sort : {"", "stock"}) {
    ListQuery query = query_of(shop.model, {}, sort, 1000);
    const ListPage first = shop.page(query);
    EXPECT_EQ(first.rows.size(), 10u);
    EXPECT_TRUE(first.more);
    query.after = first.rows.back().place;
    const ListPage second = shop.page(query);
    EXPECT_EQ(second.rows.size(), 10u);
    EXPECT_FALSE(second.more);
    EXPECT_NE(first.rows.back().place.key(), second.rows.front().place.key());
  }
}

}  // namespace
}  // namespace annals::engine
