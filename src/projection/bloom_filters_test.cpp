// Bloom filters over the values of a table's records: never a denial of what is there, and few "perhaps" of what is
// not.

#include "projection/bloom_filters.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <deque>
#include <map>

#include "model/test_model.hpp"
#include "projection/read_table.hpp"
#include "projection/test_world.hpp"

namespace annals::projection {
namespace {

const model::Model& thing() {
  static const model::Model model = model::declared_model(R"(
[model.thing]
path = "/things"
[model.thing.fields]
id   = { type = "string", primary_key = true }
name = { type = "string", bloom_filter = true }
size = { type = "integer", bloom_filter = true }
)");
  return model;
}
constexpr std::size_t name_field = 1;
constexpr std::size_t size_field = 2;

/// Events of records, and what they leave, the naive way.
class Things {
 public:
  void set(const std::string& key, const std::string& name, std::int64_t size) {
    std::string values = "\"name\":";
    model::append_json(values, model::FieldValue{name});
    const std::string number = std::to_string(size);
    if (now_.contains(key)) {
      std::string data = "{\"changes\":{\"name\":{\"old\":null,\"new\":";
      model::append_json(data, model::FieldValue{name});
      add(key, thing().updated_type, data + "},\"size\":{\"old\":null,\"new\":" + number + "}}}");
    } else {
      add(key, thing().created_type, R"({"values":{"id":")" + key + "\"," + values + ",\"size\":" + number + "}}");
    }
    now_[key] = {name, size};
  }
  void remove(const std::string& key) {
    if (now_.erase(key) > 0) add(key, thing().deleted_type, "{}");
  }
  /// Those that were not yet given.
  [[nodiscard]] std::span<const EventView> more() {
    const auto events = std::span(events_).subspan(given_);
    given_ = events_.size();
    return events;
  }
  [[nodiscard]] std::span<const EventView> all() const { return events_; }

  struct Values {
    std::string name;
    std::int64_t size;
  };
  [[nodiscard]] const std::map<std::string, Values>& now() const { return now_; }

 private:
  struct Text {
    std::string stream;
    std::string type;
    std::string data;
  };
  void add(const std::string& key, const std::string& type, std::string data) {
    const Text& text = texts_.emplace_back(Text{thing().stream(key), type, std::move(data)});
    EventView view;
    view.position = Position{events_.size() + 1};
    view.stream = text.stream;
    view.version = StreamVersion{++versions_[key]};
    view.type = text.type;
    view.data = text.data;
    view.created_at = Instant{static_cast<std::int64_t>(view.position.value)};
    events_.push_back(view);
  }
  std::deque<Text> texts_;
  std::map<std::string, std::uint64_t> versions_;
  std::vector<EventView> events_;
  std::size_t given_ = 0;
  std::map<std::string, Values> now_;
};

bool has_all(const ReadTable& table, const Things& things) {
  for (const auto& [key, values] : things.now()) {
    if (table.surely_lacks(name_field, {values.name}) || table.surely_lacks(size_field, {values.size})) return false;
  }
  return true;
}

/// Of values that no record has, how many in 10,000 a filter does not deny.
std::size_t not_denied(const ReadTable& table) {
  std::size_t count = 0;
  for (int number = 0; number < 10'000; ++number) {
    if (!table.surely_lacks(name_field, {"absent " + std::to_string(number)})) ++count;
  }
  return count;
}

/// A table, and what keeps its values to so many bytes of memory.
class Bounded {
 public:
  Bounded(TestWorld& world, std::uint64_t bytes_max, const std::string& path = "data/thing.rows")
      : memory("thing", bytes_max, path, world.platform()), table(thing(), &memory) {}
  TextMemory memory;
  ReadTable table;
};

TEST(bloom_filters, few_absent_values_are_not_denied_however_many_there_are) {
  Things things;
  ReadTable table(thing());
  EXPECT_EQ(not_denied(table), 0u);
  for (std::size_t records = 0; records < 20'000;) {
    for (int more = 0; more < 1000; ++more, ++records) {
      const std::string number = std::to_string(records);
      things.set("k" + number, "name " + number, static_cast<std::int64_t>(records));
    }
    ASSERT_TRUE(table.apply(things.more()));
    EXPECT_LT(not_denied(table), 200u) << records;
  }
  EXPECT_TRUE(has_all(table, things));
  EXPECT_LT(table.index_bytes(), 20'000u * 2 * 10)
      << "2 to 4 bytes for each of two fields, and what is left of growing";
}

TEST(bloom_filters, what_went_is_denied_again_after_a_while) {
  Things things;
  ReadTable table(thing());
  // Each record has a hundred values, one after another.
  for (int round = 0; round < 100; ++round) {
    for (int record = 0; record < 200; ++record) {
      things.set("k" + std::to_string(record), "absent " + std::to_string(100 * record + round), round);
    }
    ASSERT_TRUE(table.apply(things.more()));
    ASSERT_TRUE(has_all(table, things)) << round;
  }
  EXPECT_LT(not_denied(table), 2'500u) << "of 10,000 that were there, 100 are there still";
  EXPECT_LT(table.index_bytes(), 32u << 10);
}

TEST(bloom_filters, filters_are_made_anew_from_records_that_are_not_in_memory) {
  TestWorld world;
  ASSERT_TRUE(world.files.create_directories("data"));
  Things things;
  Bounded bounded(world, 600);
  for (int round = 0; round < 100; ++round) {
    for (int record = 0; record < 200; ++record) {
      things.set("k" + std::to_string(record), "absent " + std::to_string(100 * record + round), round);
    }
    ASSERT_TRUE(bounded.table.apply(things.more()));
    ASSERT_TRUE(has_all(bounded.table, things)) << round;
    ASSERT_GE(bounded.memory.status().cold, 150u);
  }
  EXPECT_LT(not_denied(bounded.table), 2'500u) << "of 10,000 that were there, 100 are there still";
  EXPECT_LE(bounded.memory.status().bytes, 600u);
}

TEST(bloom_filters, what_cannot_be_read_back_delays_new_filters_and_is_never_denied) {
  TestWorld world;
  ASSERT_TRUE(world.files.create_directories("data"));
  Things things;
  Bounded bounded(world, 600);
  std::map<std::string, std::string, std::less<>> texts;
  bool recalls = false;
  bounded.memory.set_recall([&](std::string_view key, StreamVersion) -> Result<SharedText> {
    if (!recalls) return fail(ErrorKind::input_output, "the log cannot be read now");
    return SharedText(texts.find(key)->second);
  });
  const auto create = [&](int from, int to) {
    for (int record = from; record < to; ++record)
      things.set("k" + std::to_string(record), "name " + std::to_string(record), record);
    return bounded.table.apply(things.more());
  };
  ASSERT_TRUE(create(0, 400));
  for (const auto& [key, values] : things.now()) texts[key] = std::string(*bounded.table.get(key).value().value);
  ASSERT_GE(bounded.memory.status().cold, 300u);
  world.files.damage("data/thing.rows", [](std::string& bytes) { std::fill(bytes.begin() + 16, bytes.end(), '?'); });
  // Filters that are too full are to be made anew, which needs what cannot be read.
  for (int record = 400; record < 4'000; record += 100) {
    ASSERT_TRUE(create(record, record + 100));
    ASSERT_TRUE(has_all(bounded.table, things)) << record;
  }
  EXPECT_GT(not_denied(bounded.table), 500u);
  EXPECT_EQ(bounded.table.size(), 4'000u);
  recalls = true;
  ASSERT_TRUE(create(4'000, 7'000));
  EXPECT_TRUE(has_all(bounded.table, things));
  EXPECT_LT(not_denied(bounded.table), 200u);
}

TEST(bloom_filters, a_table_that_is_filled_at_once_or_restored_knows_its_values) {
  Things things;
  for (int record = 0; record < 3'000; ++record)
    things.set("k" + std::to_string(record), "name " + std::to_string(record), record);
  ReadTable filled(thing());
  ASSERT_TRUE(filled.stage(things.more()));
  ASSERT_TRUE(filled.publish());
  EXPECT_TRUE(has_all(filled, things));
  EXPECT_LT(not_denied(filled), 200u);

  ReadTable restored(thing());
  for (const RowHolder& row : filled.slice(nullptr, 10'000, 1u << 30).rows)
    ASSERT_TRUE(restored.restore({row->key(), row->version(), row->exists(), row->updated_at()}, row->value()));
  ASSERT_TRUE(restored.adopt(filled.applied(), filled.last()));
  EXPECT_TRUE(has_all(restored, things));
  EXPECT_LT(not_denied(restored), 200u);

  // More at once into one that is there.
  for (int record = 0; record < 9'000; ++record)
    things.set("m" + std::to_string(record), "more " + std::to_string(record), -record);
  const auto more = things.more();
  ASSERT_TRUE(restored.stage(more));
  ASSERT_TRUE(restored.publish());
  EXPECT_TRUE(has_all(restored, things));
  EXPECT_LT(not_denied(restored), 400u);
}

TEST(bloom_filters, a_field_without_one_denies_nothing) {
  const ReadTable table(thing());
  EXPECT_FALSE(table.surely_lacks(0, {std::string("a")}));
  EXPECT_FALSE(table.surely_lacks(name_field, {}));
  EXPECT_TRUE(table.surely_lacks(name_field, {std::string("a")}));
}

RC_GTEST_PROP(bloom_filters_property, nothing_that_is_there_is_ever_denied, ()) {
  TestWorld world;
  RC_ASSERT(world.files.create_directories("data").has_value());
  const std::uint64_t bytes_max = *rc::gen::element<std::uint64_t>(600, 10'000, 1u << 30);
  Things things;
  auto bounded = std::make_unique<Bounded>(world, bytes_max);
  const auto steps = *rc::gen::inRange(1, 25);
  for (int step = 0; step < steps; ++step) {
    ReadTable& table = bounded->table;
    // Few keys and many writes, so that filters grow stale and are made anew amid them.
    const auto writes = *rc::gen::element(1, 3, 50, 200);
    const auto keys = *rc::gen::element<unsigned>(1, 20, 500);
    const auto seed = *rc::gen::arbitrary<unsigned>();
    for (int write = 0; write < writes; ++write) {
      const unsigned dice = (seed + static_cast<unsigned>(write)) * 2'654'435'761u;
      const std::string key = "k" + std::to_string(dice % keys);
      if (dice / keys % 5 == 0) {
        things.remove(key);
      } else {
        things.set(key, "n" + std::to_string(dice), static_cast<std::int64_t>(dice % 7));
      }
    }
    if (*rc::gen::arbitrary<bool>()) {
      RC_ASSERT(table.apply(things.more()).has_value());
    } else {
      RC_ASSERT(table.stage(things.more()).has_value());
      RC_ASSERT(table.publish().has_value());
    }
    if (*rc::gen::inRange(0, 8) == 0) {
      auto next = std::make_unique<Bounded>(world, bytes_max, "data/" + std::to_string(step) + ".rows");
      for (const RowHolder& row : table.slice(nullptr, 100'000, 1u << 30).rows) {
        const model::Record record = table.record(*row, Use::passes).value();
        RC_ASSERT(next->table.restore({row->key(), row->version(), row->exists(), row->updated_at()},
                                      row->exists() ? *record.value : std::string_view()));
      }
      RC_ASSERT(next->table.adopt(table.applied(), table.last()).has_value());
      RC_ASSERT(has_all(next->table, things));
      bounded = std::move(next);
    }
    RC_ASSERT(has_all(bounded->table, things));
  }
}

}  // namespace
}  // namespace annals::projection
