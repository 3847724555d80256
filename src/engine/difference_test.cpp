#include "engine/difference.hpp"

#include <gtest/gtest.h>

#include "engine/test_engine.hpp"

namespace annals::engine {
namespace {

using projection::deleted_event;
using projection::record;
using projection::set_event;

class DifferenceTest : public testing::Test {
 protected:
  Instant set(const std::string& key, const std::string& value) {
    return record(store, "config-" + key, set_event(value)).created_at;
  }
  Instant remove(const std::string& key) { return record(store, "config-" + key, deleted_event()).created_at; }
  /// Brings the table up to now.
  void fill() {
    const EventPage page = store.read_all(table.applied(), Horizon::visible, PageLimit{100'000, 1u << 30}).value();
    ASSERT_TRUE(table.apply(page.events()));
  }
  static std::string shown(const model::Record& record) { return std::string(record.exists() ? *record.value : "-"); }
  [[nodiscard]] std::string differences(Interval interval, const std::string& prefix = "",
                                        std::optional<std::string> after = std::nullopt, std::size_t limit = 2) {
    Difference difference({store, model}, table, interval, prefix, std::move(after));
    std::string all;
    while (!difference.ended()) {
      const auto rows = difference.next(limit, Turn::endless());
      EXPECT_TRUE(rows.has_value());
      EXPECT_LE(rows->size(), limit);
      for (const auto& row : *rows) {
        all += row.key + ":" + std::string(to_string(change_between(row.from, row.to))) + ":" + shown(row.from) + ">" +
               shown(row.to) + " ";
      }
    }
    return all;
  }

  TestWorld world;
  ControlledStore store{world.platform()};
  const model::Model model = kv("config");
  projection::ReadTable table{model};
};

TEST_F(DifferenceTest, it_tells_what_was_added_changed_and_removed_in_order_of_keys) {
  set("same", "1");
  set("removed", "1");
  set("changed", "1");
  const Instant from = set("back", "1");
  set("changed", "2");
  set("back", "2");
  record(store, "other-x", set_event("1"));
  remove("removed");
  set("added", "1");
  set("back", "1");
  set("gone", "1");
  const Instant to = remove("gone");
  set("later", "1");
  for (const bool filled : {false, true}) {
    if (filled) fill();
    EXPECT_EQ(differences({from, to}), "added:added:->1 changed:changed:1>2 removed:removed:1>- ") << filled;
    EXPECT_EQ(differences({to, from}), "added:removed:1>- changed:changed:2>1 removed:added:->1 ") << filled;
    EXPECT_EQ(differences({from, std::nullopt}),
              "added:added:->1 changed:changed:1>2 later:added:->1 removed:removed:1>- ")
        << filled;
    EXPECT_EQ(differences({from, from}), "");
    EXPECT_EQ(differences({to, Instant{4'000'000'000'000'000}}), "later:added:->1 ");
  }
}

TEST_F(DifferenceTest, it_can_be_asked_in_pages_and_by_prefix) {
  const Instant from = set("a", "1");
  for (const char* key : {"b1", "b2", "b3", "c"}) set(key, "1");
  fill();
  EXPECT_EQ(differences({from, std::nullopt}, "b"), "b1:added:->1 b2:added:->1 b3:added:->1 ");
  EXPECT_EQ(differences({from, std::nullopt}, "b", "b1"), "b2:added:->1 b3:added:->1 ");
  EXPECT_EQ(differences({from, std::nullopt}, "", "b3", 1), "c:added:->1 ");
  EXPECT_EQ(differences({from, std::nullopt}, "d"), "");
}

TEST_F(DifferenceTest, a_short_span_of_many_keys_looks_at_its_events_alone) {
  Instant from{};
  for (int key = 0; key < 3000; ++key) from = set("k" + std::to_string(10'000 + key), "1");
  set("k11000", "2");
  set("k12000", "2");
  fill();
  const std::size_t before = store.stream_reads();
  EXPECT_EQ(differences({from, std::nullopt}), "k11000:changed:1>2 k12000:changed:1>2 ");
  EXPECT_LE(store.stream_reads() - before, 4u);
}

TEST_F(DifferenceTest, a_long_span_of_few_keys_looks_at_the_keys_alone) {
  Instant from = set("a", "0");
  for (int count = 1; count <= 3000; ++count) set("a", std::to_string(count));
  fill();
  const std::size_t before = store.read_from().size();
  EXPECT_EQ(differences({from, std::nullopt}), "a:changed:0>3000 ");
  EXPECT_EQ(store.read_from().size(), before);
}

TEST_F(DifferenceTest, keys_that_the_table_does_not_know_yet_are_found_among_those_it_does) {
  for (int key = 0; key < 1200; ++key) set("k" + std::to_string(10'000 + 2 * key), "1");
  fill();
  const Instant from = Instant{0};
  for (int key = 0; key < 1200; ++key) set("k" + std::to_string(10'001 + 2 * key), "1");
  std::string expected;
  for (int key = 0; key < 2400; ++key) expected += "k" + std::to_string(10'000 + key) + ":added:->1 ";
  EXPECT_TRUE(differences({from, std::nullopt}, "", std::nullopt, 100) == expected);
}

TEST_F(DifferenceTest, what_takes_long_is_done_in_turns) {
  constexpr int keys = 40;
  Instant from{};
  for (int key = 0; key < keys; ++key) from = set("k" + std::to_string(100 + key), "1");
  for (int key = 0; key < keys; ++key) set("k" + std::to_string(100 + key), key == 7 ? "2" : "1");
  fill();
  store.before_each_stream_read([&] { world.clock.advance(std::chrono::milliseconds{1}); });
  Difference difference({store, model}, table, {from, std::nullopt}, "", std::nullopt);
  std::vector<std::string> found;
  std::size_t turns = 0;
  for (; !difference.ended(); ++turns) {
    const Duration begun = world.clock.monotonic();
    const auto rows = difference.next(100, Turn(world.clock));
    ASSERT_TRUE(rows);
    for (const auto& row : *rows) found.push_back(row.key);
    EXPECT_LE(world.clock.monotonic() - begun, turn_time + std::chrono::milliseconds{2}) << "the key under way has two";
  }
  EXPECT_EQ(found, std::vector<std::string>{"k107"});
  EXPECT_GE(turns, keys);
}

TEST_F(DifferenceTest, where_the_names_of_what_changed_take_too_much_memory_every_key_is_looked_at) {
  // More than 16 MiB of names, each of 512 bytes, and fewer events than the table has keys.
  constexpr std::size_t changed = 29'000;
  const auto key_of_number = [](std::size_t number) {
    return std::to_string(100'000 + number) + std::string(506, 'k');
  };
  const auto set_all = [&](const std::string& value) {
    std::vector<Group> groups(1);
    for (std::size_t number = 0; number < changed; ++number) {
      if (groups.back().appends.size() == group_events_max) groups.emplace_back();
      groups.back().appends.push_back({"config-" + key_of_number(number), ExpectedVersion::any(), {set_event(value)}});
    }
    store.inner().append(groups, [](const std::vector<AppendResult>& results) {
      for (const AppendResult& result : results) ASSERT_TRUE(result) << result.error().message;
    });
  };
  set_all("1");
  for (int key = 0; key < 100; ++key) set("z" + std::to_string(key), "1");
  fill();
  const Instant from = set("a", "1");
  set_all("2");
  set("b", "1");
  Difference difference({store, model}, table, {from, std::nullopt}, "", std::nullopt);
  std::size_t found = 0;
  std::size_t bytes_max = 0;
  std::string last;
  while (!difference.ended()) {
    const auto rows = difference.next(1000, Turn::endless()).value();
    for (const auto& row : rows) {
      EXPECT_LT(last, row.key);
      last = row.key;
      ++found;
    }
    bytes_max = std::max(bytes_max, difference.bytes_of_keys());
  }
  EXPECT_EQ(found, changed + 1);
  EXPECT_EQ(last, "b");
  EXPECT_LT(bytes_max, 1u << 10) << "of the one key that the table does not know";
}

TEST_F(DifferenceTest, what_cannot_be_read_is_an_error) {
  const Instant from = set("a", "1");
  set("a", "2");
  store.fail_reads(Error(ErrorKind::input_output, "bad disk"));
  Difference difference({store, model}, table, {from, std::nullopt}, "", std::nullopt);
  Result<std::vector<Difference::Row>> rows;
  while (rows && !difference.ended()) rows = difference.next(1, Turn::endless());
  EXPECT_FALSE(rows.has_value());
}

}  // namespace
}  // namespace annals::engine
