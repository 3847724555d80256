// Walks through a table in order of its keys and of indexed fields, however its rows came.

#include "projection/field_index.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <map>
#include <thread>

#include "model/test_model.hpp"
#include "model/value_order.hpp"
#include "projection/read_table.hpp"

namespace annals::projection {
namespace {

const model::Model& indexed_thing() {
  static const model::Model model = model::declared_model(R"(
[model.thing]
path = "/things"
[model.thing.fields]
id   = { type = "string", primary_key = true }
name = { type = "string", indexed = true }
size = { type = "integer", indexed = true }
code = { type = "string", unique = true }
)");
  return model;
}
constexpr std::size_t indexed_name = 1;
constexpr std::size_t indexed_size = 2;

/// Events with positions 1, 2, 3, ... and the text that they borrow.
class IndexedThings {
 public:
  IndexedThings& create(const std::string& key, const std::string& name, const std::string& size) {
    return add(key, indexed_thing().created_type,
               R"({"thing_id":")" + key + R"(","values":{"id":")" + key + R"(","name":)" + name + R"(,"size":)" + size +
                   R"(,"code":"c)" + key + "\"}}");
  }
  IndexedThings& resize(const std::string& key, const std::string& size) {
    return add(key, indexed_thing().updated_type,
               R"({"thing_id":")" + key + R"(","changes":{"size":{"old":null,"new":)" + size + "}}}");
  }
  IndexedThings& remove(const std::string& key) { return add(key, indexed_thing().deleted_type, "{}"); }
  [[nodiscard]] std::span<const EventView> all() const { return events_; }

 private:
  struct Text {
    std::string stream;
    std::string type;
    std::string data;
  };
  IndexedThings& add(const std::string& key, const std::string& type, std::string data) {
    const Text& text = texts_.emplace_back(Text{indexed_thing().stream(key), type, std::move(data)});
    EventView view;
    view.position = Position{events_.size() + 1};
    view.stream = text.stream;
    view.version = StreamVersion{++versions_[key]};
    view.type = text.type;
    view.data = text.data;
    view.created_at = Instant{static_cast<std::int64_t>(view.position.value)};
    events_.push_back(view);
    return *this;
  }
  std::deque<Text> texts_;
  std::map<std::string, std::uint64_t> versions_;
  std::vector<EventView> events_;
};

TableWalk walk_of(std::optional<std::size_t> field, bool descending = false, std::vector<WalkRange> ranges = {{}}) {
  return {field, descending, std::move(ranges)};
}

std::string order(std::int64_t size) {
  return model::order_of(model::FieldType::integer, {size});
}

/// The keys that a walk comes by, `rows_max` at a time.
std::string walked(const ReadTable& table, const TableWalk& walk, std::size_t rows_max = 100,
                   std::optional<WalkPlace> after = {}) {
  std::string keys;
  do {
    const WalkedRows some = table.walk_on(walk, after, rows_max);
    for (const RowHolder& row : some.rows) keys += std::string(row->key()) + " ";
    after = some.place;
  } while (after);
  return keys;
}

IndexedThings some_things() {
  IndexedThings things;
  things.create("e", "\"x\"", "5").create("a", "\"y\"", "5").create("b", "null", "-1").create("c", "\"x\"", "null");
  things.create("d", "\"w\"", "5").create("f", "\"x\"", "7").create("g", "\"g\"", "5").remove("g");
  return things;
}

void expect_in_order(const ReadTable& table) {
  for (const std::size_t rows_max : {1u, 2u, 3u, 100u}) {
    EXPECT_EQ(walked(table, walk_of({}), rows_max), "a b c d e f ");
    EXPECT_EQ(walked(table, walk_of({}, true), rows_max), "f e d c b a ");
    EXPECT_EQ(walked(table, walk_of(indexed_size), rows_max), "c b a d e f ");
    EXPECT_EQ(walked(table, walk_of(indexed_size, true), rows_max), "f a d e b c ") << "keys go up among equals";
    EXPECT_EQ(walked(table, walk_of(indexed_name), rows_max), "b d c e f a ");
    EXPECT_EQ(walked(table, walk_of(indexed_name, true), rows_max), "a c e f d b ");
  }
}

TEST(field_index, rows_come_in_order_of_values_and_then_of_keys_however_they_came) {
  const IndexedThings things = some_things();
  ReadTable applied(indexed_thing());
  ASSERT_TRUE(applied.apply(things.all()));
  expect_in_order(applied);

  ReadTable filled(indexed_thing());
  ASSERT_TRUE(filled.stage(things.all()));
  ASSERT_TRUE(filled.publish());
  expect_in_order(filled);

  ReadTable published_twice(indexed_thing());
  ASSERT_TRUE(published_twice.stage(things.all().first(4)));
  ASSERT_TRUE(published_twice.publish());
  ASSERT_TRUE(published_twice.stage(things.all().subspan(4)));
  ASSERT_TRUE(published_twice.publish());
  expect_in_order(published_twice);

  ReadTable restored(indexed_thing());
  for (const RowHolder& row : applied.slice(nullptr, 10, 1u << 20).rows)
    ASSERT_TRUE(restored.restore({row->key(), row->version(), row->exists(), row->updated_at()}, row->value()));
  ASSERT_TRUE(restored.adopt(Position{8}, {.position = Position{8}, .id = {}, .created_at = {}}));
  expect_in_order(restored);
  for (const ReadTable* table : {&filled, &published_twice, &restored}) {
    EXPECT_GT(table->index_bytes(), 5 * sizeof(IndexEntry));
    EXPECT_LT(table->index_bytes(), applied.index_bytes() + 200);
  }
}

TEST(field_index, a_walk_keeps_to_its_ranges) {
  const IndexedThings things = some_things();
  ReadTable table(indexed_thing());
  ASSERT_TRUE(table.apply(things.all()));
  for (const std::size_t rows_max : {1u, 2u, 100u}) {
    for (const bool descending : {false, true}) {
      const auto sizes = [&](std::vector<WalkRange> ranges) {
        return walked(table, walk_of(indexed_size, descending, std::move(ranges)), rows_max);
      };
      EXPECT_EQ(sizes({{order(5), order(7)}}), "a d e ");
      EXPECT_EQ(sizes({{order(6), {}}}), "f ");
      EXPECT_EQ(sizes({{order(8), {}}}), "");
      EXPECT_EQ(sizes({}), "");
      EXPECT_EQ(sizes({{order(-1), order(0)}, {order(7), order(8)}}), descending ? "f b " : "b f ");
      const auto keys = walk_of({}, descending, {{"b", "c"}, {"d", "e\1"}});
      EXPECT_EQ(walked(table, keys, rows_max), descending ? "e d b " : "b d e ");
    }
  }
  EXPECT_EQ(table.count(walk_of(indexed_size, false, {{order(5), order(8)}}), 100), 4u);
  EXPECT_EQ(table.count(walk_of(indexed_size, false, {{order(5), order(8)}}), 3), 3u);
}

TEST(field_index, a_walk_goes_on_behind_a_place_that_nobody_stands_at) {
  const IndexedThings things = some_things();
  ReadTable table(indexed_thing());
  ASSERT_TRUE(table.apply(things.all()));
  EXPECT_EQ(walked(table, walk_of(indexed_size), 1, WalkPlace{order(5), "b"}), "d e f ");
  EXPECT_EQ(walked(table, walk_of(indexed_size, true), 1, WalkPlace{order(5), "b"}), "d e b c ");
  EXPECT_EQ(walked(table, walk_of(indexed_size), 1, WalkPlace{order(6), "b"}), "f ");
  EXPECT_EQ(walked(table, walk_of(indexed_size, true), 1, WalkPlace{order(6), "b"}), "a d e b c ");
  EXPECT_EQ(walked(table, walk_of(indexed_size, true), 1, WalkPlace{order(5), ""}), "a d e b c ")
      << "before all equals";
  EXPECT_EQ(walked(table, walk_of({}), 1, WalkPlace{"cc", "cc"}), "d e f ");
  EXPECT_EQ(walked(table, walk_of({}, true), 1, WalkPlace{"cc", "cc"}), "c b a ");
  const std::vector<WalkRange> sizes{{order(0), order(6)}};
  EXPECT_EQ(walked(table, walk_of(indexed_size, false, sizes), 1, WalkPlace{order(9), "a"}), "") << "beyond the range";
  EXPECT_EQ(walked(table, walk_of(indexed_size, true, sizes), 1, WalkPlace{order(9), "a"}), "a d e ") << "before it";
  EXPECT_EQ(walked(table, walk_of(indexed_size, true, sizes), 1, WalkPlace{order(-1), "a"}), "");
}

TEST(field_index, an_index_follows_changes_deletions_and_records_that_come_back) {
  IndexedThings things = some_things();
  ReadTable table(indexed_thing());
  ASSERT_TRUE(table.apply(things.all()));
  const std::uint64_t before = table.index_bytes();
  things.resize("a", "6").resize("f", "7").remove("e").create("g", "\"" + std::string(100, 'n') + "\"", "0");
  ASSERT_TRUE(table.apply(things.all()));
  EXPECT_EQ(walked(table, walk_of(indexed_size)), "c b g d a f ");
  EXPECT_EQ(walked(table, walk_of(indexed_name)), "b g d c f a ");
  EXPECT_GE(table.index_bytes(), before + 100) << "a long value";
  things.remove("g").create("e", "\"x\"", "5");
  ASSERT_TRUE(table.apply(things.all()));
  EXPECT_EQ(table.index_bytes(), before);
}

TEST(field_index, rows_of_one_value_come_in_order_of_keys_that_begin_alike) {
  IndexedThings things;
  const std::string beginning = "a-long-beginning-";
  for (const char* key : {"b", "a-long-beginning-c", "a-long-b", "a-long-beginning-a", "a-long-beginning-b", "a"})
    things.create(key, "\"x\"", "5");
  ReadTable table(indexed_thing());
  ASSERT_TRUE(table.apply(things.all()));
  const std::string in_order = "a a-long-b a-long-beginning-a a-long-beginning-b a-long-beginning-c b ";
  EXPECT_EQ(walked(table, walk_of(indexed_size), 1), in_order);
  EXPECT_EQ(walked(table, walk_of(indexed_size, true), 1), in_order);
  things.remove(beginning + "b").resize(beginning + "a", "4");
  ASSERT_TRUE(table.apply(things.all()));
  EXPECT_EQ(walked(table, walk_of(indexed_size)), "a-long-beginning-a a a-long-b a-long-beginning-c b ");
}

// Whoever knows what each event leaves hands that over, and the table may then write its rows over.
TEST(field_index, an_index_follows_rows_that_are_written_over) {
  IndexedThings things = some_things();
  for (const char* size : {"6", "8", "8", "3"}) things.resize("a", size).resize("d", "9").resize("d", "5");
  things.resize("f", "-10").resize("c", "2").remove("f");
  ReadTable told(indexed_thing());
  ReadTable alone(indexed_thing());
  int written_over = 0;
  for (const EventView& event : things.all()) {
    const std::string_view key = key_of(event.stream);
    ASSERT_TRUE(alone.apply({&event, 1}));
    const model::Record left = *alone.get(key);
    const StoredRow* const before = told.find(key) ? &*told.find(key) : nullptr;
    ASSERT_TRUE(told.apply({&event, 1}, {&left, 1}));
    if (before == &*told.find(key)) ++written_over;
    for (const auto field : {indexed_name, indexed_size}) {
      EXPECT_EQ(walked(told, walk_of(field)), walked(alone, walk_of(field)));
      EXPECT_EQ(walked(told, walk_of(field, true), 2), walked(alone, walk_of(field, true), 2));
    }
    EXPECT_EQ(*told.get(key)->value, *left.value);
    EXPECT_EQ(told.get(key)->version, left.version);
    EXPECT_EQ(told.index_bytes(), alone.index_bytes());
    EXPECT_EQ(told.bytes(), alone.bytes());
  }
  EXPECT_GE(written_over, 10) << "sizes of one digit";
}

// Two rows of a checkpoint, the later one of a later moment: by then the value had gone over to it.
TEST(field_index, a_unique_value_stays_with_the_row_that_a_checkpoint_has_of_a_later_moment) {
  ReadTable table(indexed_thing());
  ASSERT_TRUE(table.restore({"a", StreamVersion{1}, true, Instant{1}}, R"({"id":"a","name":"x","size":5,"code":"c"})"));
  ASSERT_TRUE(table.restore({"b", StreamVersion{1}, true, Instant{4}}, R"({"id":"b","name":"x","size":5,"code":"c"})"));
  ASSERT_TRUE(table.adopt(Position{1}, {.position = Position{4}, .id = {}, .created_at = {}}));
  IndexedThings things;
  things.create("a", "\"x\"", "5").resize("a", "6").remove("a");
  ASSERT_TRUE(table.apply(things.all()));
  EXPECT_EQ(table.get("a")->version, StreamVersion{3});
  const auto values = model::unique_values(indexed_thing(), *table.get("b")->value);
  ASSERT_TRUE(values.has_value());
  ASSERT_EQ(values->size(), 1u);
  EXPECT_EQ(table.owner(values->front()), "b");
}

TEST(field_index, readers_walk_while_the_index_changes_and_always_come_by_what_stays) {
  IndexedThings things;
  for (int number = 100; number < 160; ++number)
    things.create("k" + std::to_string(number), "\"n\"", std::to_string(number));
  const std::size_t created = things.all().size();
  for (int round = 0; round < 20; ++round) {
    // Every other record moves, from one end of the order to the other.
    for (int number = 100; number < 160; number += 2)
      things.resize("k" + std::to_string(number), std::to_string(round % 2 == 0 ? -number : 1000 + number));
  }
  ReadTable table(indexed_thing());
  ASSERT_TRUE(table.apply(things.all().first(created)));
  std::atomic<bool> stop = false;
  std::atomic<int> walks = 0;
  const auto read = [&](bool descending) {
    while (!stop.load()) {
      std::string keys;
      std::optional<WalkPlace> after;
      do {
        const WalkedRows some = table.walk_on(walk_of(indexed_size, descending), after, 7);
        for (const RowHolder& row : some.rows) {
          if (row->version() == StreamVersion{1} && row->key().back() % 2 == 1) keys += row->key().substr(1);
        }
        after = some.place;
      } while (after);
      std::string expected;
      for (int number = 101; number < 160; number += 2)
        expected = descending ? std::to_string(number) + expected : expected + std::to_string(number);
      EXPECT_EQ(keys, expected);
      ++walks;
    }
  };
  std::thread up([&] { read(false); });
  std::thread down([&] { read(true); });
  std::size_t at = created;
  while (at < things.all().size() || walks.load() < 4) {
    if (at == things.all().size()) {
      std::this_thread::yield();
      continue;
    }
    EXPECT_TRUE(table.apply(things.all().subspan(at++, 1)));
  }
  stop = true;
  up.join();
  down.join();
}

TEST(field_index, a_row_that_is_none_of_the_model_is_not_adopted) {
  ReadTable table(indexed_thing());
  ASSERT_TRUE(table.restore({"a", StreamVersion{1}, true, Instant{}},
                            R"({"id":"a","name":"x","size":"no number","code":null})"));
  const auto adopted = table.adopt(Position{1}, {.position = Position{1}, .id = {}, .created_at = {}});
  ASSERT_FALSE(adopted);
  EXPECT_EQ(adopted.error().kind, ErrorKind::corrupt);
  EXPECT_EQ(table.size(), 0u);
}

}  // namespace
}  // namespace annals::projection
