#include "projection/read_table.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <thread>

#include "model/test_model.hpp"
#include "projection/test_world.hpp"

namespace annals::projection {
namespace {

const model::Model config_model = model::Model::kv("config", {"/config"});

/// Events with positions 1, 2, 3, ... and the text that they borrow.
class History {
 public:
  History& set(const std::string& key, const std::string& value) { return add("config-" + key, set_event(value)); }
  History& remove(const std::string& key) { return add("config-" + key, deleted_event()); }
  History& add(const std::string& stream, NewEvent event) {
    const Text& text = texts_.emplace_back(Text{stream, std::move(event)});
    EventView view;
    view.position = Position{events_.size() + 1};
    view.stream = text.stream;
    view.version = StreamVersion{++versions_[stream]};
    view.type = text.event.type;
    view.data = text.event.data;
    view.created_at = Instant{static_cast<std::int64_t>(1000 * view.position.value)};
    events_.push_back(view);
    return *this;
  }
  [[nodiscard]] std::span<const EventView> all() const { return events_; }
  [[nodiscard]] std::span<const EventView> from(std::size_t first) const { return all().subspan(first); }

 private:
  struct Text {
    std::string stream;
    NewEvent event;
  };
  std::deque<Text> texts_;
  std::map<std::string, std::uint64_t> versions_;
  std::vector<EventView> events_;
};

std::string listed(const ReadTable& table, std::string_view prefix = "",
                   std::optional<std::string> after = std::nullopt, std::size_t limit = 100) {
  std::string text;
  for (const auto& row : table.list(prefix, after, limit)) {
    text.append(row->key()).append("=").append(row->value()).append(" ");
  }
  return text;
}

TEST(read_table, a_key_that_never_was_has_version_0_and_no_value) {
  const ReadTable table(config_model);
  EXPECT_EQ(table.get("x")->version, StreamVersion{});
  EXPECT_FALSE(table.get("x")->exists());
  EXPECT_EQ(table.progress().position(), Position{});
}

TEST(read_table, a_stream_that_was_removed_and_begins_again_makes_its_row_anew) {
  History history;
  history.set("a", "1").set("a", "2").set("b", "1");
  EventView again = history.all()[0];
  again.position = Position{9};
  again.created_at = Instant{9000};
  for (const bool stages : {false, true}) {
    ReadTable table(config_model);
    ASSERT_TRUE(table.apply(history.all()));
    ASSERT_TRUE(stages ? table.stage({&again, 1}) : table.apply({&again, 1}));
    ASSERT_TRUE(stages ? table.publish() : Result<>());
    EXPECT_EQ(listed(table), "a=1 b=1 ");
    EXPECT_EQ(table.get("a")->version, StreamVersion{1});
  }
}

TEST(read_table, what_it_takes_of_memory_follows_its_rows_however_they_came) {
  History history;
  history.set("a", "12345").set("b", "1").set("a", "1").remove("b").set("c", std::string(1000, 'x'));
  ReadTable applied(config_model);
  EXPECT_EQ(applied.bytes(), 0u);
  ASSERT_TRUE(applied.apply(history.all().first(1)));
  const std::uint64_t one = applied.bytes();
  EXPECT_GE(one, sizeof(StoredRow) + 6);
  EXPECT_LE(one, sizeof(StoredRow) + 6 + 60) << "a key costs 40 to 60 bytes beside its text";
  ASSERT_TRUE(applied.apply(history.from(1)));
  EXPECT_EQ(applied.bytes(), 3 * (one - 6) + 2 + 1 + 1001);

  ReadTable staged(config_model);
  for (const std::size_t piece : {0u, 2u, 4u}) {
    ASSERT_TRUE(staged.stage(history.from(piece).first(piece < 4 ? 2 : 1)));
    ASSERT_TRUE(staged.publish());
  }
  EXPECT_EQ(staged.bytes(), applied.bytes());

  ReadTable restored(config_model);
  for (const RowHolder& row : applied.slice(nullptr, 10, 1u << 20).rows) {
    ASSERT_TRUE(restored.restore({row->key(), row->version(), row->exists(), row->updated_at()}, row->value()));
  }
  ASSERT_TRUE(restored.adopt(Position{5}, {.position = Position{5}, .id = {}, .created_at = {}}));
  EXPECT_EQ(restored.bytes(), applied.bytes());
}

TEST(read_table, rows_come_in_order_of_bytes) {
  ReadTable table(config_model);
  History history;
  for (const char* key : {"b", "a", "B", "ä", "a-1", "a/1", "aa", "~", "10", "9"}) history.set(key, "v");
  ASSERT_TRUE(table.apply(history.all()));
  EXPECT_EQ(listed(table), "10=v 9=v B=v a=v a-1=v a/1=v aa=v b=v ~=v ä=v ");
}

TEST(read_table, a_list_goes_by_prefix_after_and_limit) {
  ReadTable table(config_model);
  History history;
  for (const char* key : {"a", "ab", "abc", "abd", "ac", "b"}) history.set(key, "v");
  ASSERT_TRUE(table.apply(history.all()));
  EXPECT_EQ(listed(table, "ab"), "ab=v abc=v abd=v ");
  EXPECT_EQ(listed(table, "ab", "ab"), "abc=v abd=v ");
  EXPECT_EQ(listed(table, "ab", "a"), "ab=v abc=v abd=v ") << "an `after` before the prefix";
  EXPECT_EQ(listed(table, "ab", "b"), "") << "an `after` beyond the prefix";
  EXPECT_EQ(listed(table, "ab", "abcc"), "abd=v ") << "an `after` that is no key";
  EXPECT_EQ(listed(table, "", "a", 2), "ab=v abc=v ");
  EXPECT_EQ(listed(table, "", "", 1), "a=v ");
  EXPECT_EQ(listed(table, "", std::nullopt, 0), "");
}

TEST(read_table, deleted_keys_are_not_listed_but_keep_their_version) {
  ReadTable table(config_model);
  History history;
  history.set("a", "1").set("b", "1").remove("a").remove("b").set("b", "2");
  ASSERT_TRUE(table.apply(history.all()));
  EXPECT_EQ(listed(table), "b=2 ");
  EXPECT_TRUE(table.get("a")->was_deleted());
  EXPECT_EQ(table.get("a")->version, StreamVersion{2});
  EXPECT_EQ(table.get("b")->version, StreamVersion{3});
  EXPECT_EQ(table.keys("", std::nullopt, 10), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(table.keys("", "a", 10), (std::vector<std::string>{"b"}));
  EXPECT_EQ(table.size(), 2u);
}

TEST(read_table, a_limit_counts_existing_keys_not_deleted_ones) {
  ReadTable table(config_model);
  History history;
  for (const char* key : {"a", "b", "c", "d"}) history.set(key, "v");
  history.remove("a").remove("c");
  ASSERT_TRUE(table.apply(history.all()));
  EXPECT_EQ(listed(table, "", std::nullopt, 2), "b=v d=v ");
}

TEST(read_table, events_of_other_streams_move_the_position_and_nothing_else) {
  ReadTable table(config_model);
  History history;
  history.add("other-a", set_event("x"))
      .add("config", set_event("x"))
      .add("config-", set_event("x"))
      .add("config2-a", set_event("x"));
  ASSERT_TRUE(table.apply(history.all()));
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.progress().position(), Position{4});
}

TEST(read_table, taking_in_again_what_was_taken_in_changes_nothing) {
  ReadTable table(config_model);
  History history;
  history.set("a", "1").set("a", "2").remove("b").set("a", "3");
  ASSERT_TRUE(table.apply(history.all()));
  ASSERT_TRUE(table.apply(history.all()));
  ASSERT_TRUE(table.apply(history.all().subspan(1, 2)));
  EXPECT_EQ(listed(table), "a=3 ");
  EXPECT_EQ(table.get("a")->version, StreamVersion{3});
  EXPECT_EQ(table.progress().position(), Position{4});
  history.set("a", "4");
  ASSERT_TRUE(table.apply(history.all().subspan(2))) << "old and new events in one page";
  EXPECT_EQ(listed(table), "a=4 ");
}

TEST(read_table, the_record_tells_when_it_was_changed) {
  ReadTable table(config_model);
  History history;
  history.set("a", "1").set("b", "1").set("a", "2");
  ASSERT_TRUE(table.apply(history.all()));
  EXPECT_EQ(table.get("a")->updated_at, Instant{3000});
}

TEST(read_table, an_event_that_cannot_be_read_stops_the_table_just_before_it) {
  ReadTable table(config_model);
  NewEvent broken = set_event("x");
  broken.data = "{}";
  History history;
  history.set("a", "1").set("b", "1").add("config-a", broken).set("c", "1");
  const auto applied = table.apply(history.all());
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().kind, ErrorKind::corrupt);
  EXPECT_NE(applied.error().message.find("config-a, position 3"), std::string::npos) << applied.error().message;
  EXPECT_EQ(table.applied(), Position{2});
  EXPECT_EQ(table.progress().position(), Position{2});
  EXPECT_EQ(listed(table), "a=1 b=1 ");
}

NewEvent typed_event(const std::string& type, const std::string& data) {
  NewEvent event;
  event.type = type;
  event.data = data;
  return event;
}

// Of another server's declaration: with another primary key, or of the other profile.
TEST(read_table, an_event_that_can_be_folded_and_is_of_another_declaration_stops_the_table_too) {
  const model::Model product = model::declared_model(R"(
[model.product]
path = "/products"
[model.product.fields]
id   = { type = "string", primary_key = true }
code = { type = "string" }
)");
  struct Case {
    const model::Model& model;
    std::string stream;
    NewEvent event;
    std::string code;
  };
  const std::vector<Case> cases{
      {product, "product-a", typed_event("ProductCreated", R"({"product_id":"a","values":{"id":"x","code":"a"}})"),
       "another_key"},
      {product, "product-a", typed_event("ProductCreated", R"({"product_id":"a","values":{"code":"a"}})"),
       "another_key"},
      {product, "product-a", typed_event("ProductValueSet", R"({"product_name":"a","value":"1"})"), "unknown_type"},
      {config_model, "config-a", typed_event("ConfigCreated", R"({"config_id":"a","values":{}})"), "unknown_type"},
  };
  for (const Case& one : cases) {
    History history;
    history.add(one.stream, one.event);
    ReadTable table(one.model);
    const auto taken = table.apply(history.all());
    ASSERT_FALSE(taken) << one.event.data;
    EXPECT_EQ(taken.error().kind, ErrorKind::corrupt);
    EXPECT_NE(taken.error().message.find("position 1"), std::string::npos) << taken.error().message;
    ASSERT_EQ(taken.error().faults.size(), 1u);
    EXPECT_EQ(taken.error().faults.front().code, one.code);
    EXPECT_EQ(table.applied(), Position{});
  }
  // What another program adds beside its values is no event of the model's.
  History beside;
  beside.set("a", "1").add("config-a", typed_event("SomethingElse", R"({"seen":true})"));
  ReadTable table(config_model);
  ASSERT_TRUE(table.apply(beside.all()));
  EXPECT_EQ(table.get("a")->version, StreamVersion{2});
}

TEST(read_table, what_an_event_is_known_to_leave_is_taken_where_the_row_is_at_the_version_before) {
  ReadTable table(config_model);
  History history;
  history.set("a", "1").set("b", "1").set("a", "2").set("b", "2").remove("b").set("a", "3");
  // Other texts than those of the events, which nobody would hand over, show which of them were looked at.
  std::vector<model::Record> left(6);
  left[0] = {StreamVersion{1}, SharedText("one"), {}};
  left[2] = {StreamVersion{9}, SharedText("of another version"), {}};
  left[4] = {StreamVersion{3}, nullptr, {}};
  ASSERT_TRUE(table.apply(history.all().first(2), std::span(left).first(2)));
  EXPECT_EQ(listed(table), "a=one b=1 ");
  ASSERT_TRUE(table.apply(history.all().subspan(2, 2), std::span(left).subspan(2, 2)));
  EXPECT_EQ(listed(table), "a=2 b=2 ");
  ASSERT_TRUE(table.apply(history.from(4), std::span(left).subspan(4)));
  EXPECT_EQ(listed(table), "a=3 ");
  EXPECT_EQ(table.get("b")->version, StreamVersion{3});
  EXPECT_EQ(table.get("b")->updated_at, Instant{5000}) << "the event's own time";
  EXPECT_EQ(table.existing(), 1u);

  ReadTable behind(config_model);
  ASSERT_TRUE(behind.apply(history.all().first(1)));
  const std::vector<model::Record> third{{StreamVersion{3}, SharedText("three"), {}}};
  ASSERT_TRUE(behind.apply(history.from(5), third));
  EXPECT_EQ(listed(behind), "a=3 ") << "there is a version that the table has not seen";
}

/// What the events leave, as whoever decided on them knows it.
std::vector<model::Record> left_by(std::span<const EventView> events, const std::vector<std::string>& values) {
  std::vector<model::Record> left;
  for (std::size_t at = 0; at < events.size(); ++at)
    left.push_back({events[at].version, SharedText(values[at]), events[at].created_at});
  return left;
}

TEST(read_table, a_row_that_nobody_reads_is_written_over_where_its_next_version_takes_as_much) {
  ReadTable table(config_model);
  History history;
  history.set("a", "12345").set("b", "1").set("a", "54321").set("a", "543").set("a", std::string(100, 'x'));
  const std::vector<std::string> values{"12345", "1", "54321", "543", std::string(100, 'x')};
  const auto left = left_by(history.all(), values);
  const auto apply = [&](std::size_t first, std::size_t count) {
    return table.apply(history.all().subspan(first, count), std::span(left).subspan(first, count));
  };
  ASSERT_TRUE(apply(0, 2));
  const StoredRow* const first = &*table.find("a");
  const std::uint64_t bytes = table.bytes();
  ASSERT_TRUE(apply(2, 1));
  EXPECT_EQ(&*table.find("a"), first) << "it is the same row";
  EXPECT_EQ(listed(table), "a=54321 b=1 ");
  EXPECT_EQ(table.get("a")->version, StreamVersion{2});
  EXPECT_EQ(table.get("a")->updated_at, history.all()[2].created_at);
  EXPECT_EQ(table.bytes(), bytes);
  EXPECT_EQ(table.newest(), Position{3});
  ASSERT_TRUE(apply(3, 1));
  EXPECT_EQ(&*table.find("a"), first) << "a shorter value takes a block as large";
  EXPECT_EQ(listed(table), "a=543 b=1 ");
  EXPECT_EQ(table.bytes(), bytes - 2);
  ASSERT_TRUE(apply(4, 1));
  EXPECT_NE(&*table.find("a"), first);
  EXPECT_EQ(table.get("a")->version, StreamVersion{4});
  EXPECT_EQ(table.bytes(), bytes + 95);
  EXPECT_EQ(table.size(), 2u);
  EXPECT_EQ(table.existing(), 2u);
}

TEST(read_table, what_somebody_holds_of_a_row_stays_as_it_was) {
  ReadTable table(config_model);
  History history;
  history.set("a", "1").set("a", "2").set("a", "3").set("a", "4");
  const auto left = left_by(history.all(), {"1", "2", "3", "4"});
  ASSERT_TRUE(table.apply(history.all().first(1), std::span(left).first(1)));
  const model::Record held = *table.get("a");
  ASSERT_TRUE(table.apply(history.all().subspan(1, 1), std::span(left).subspan(1, 1)));
  EXPECT_EQ(*held.value, "1");
  EXPECT_EQ(*table.get("a")->value, "2");
  const RowHolder row = table.find("a");
  ASSERT_TRUE(table.apply(history.all().subspan(2, 2), std::span(left).subspan(2, 2)));
  EXPECT_EQ(row->value(), "2");
  EXPECT_EQ(row->version(), StreamVersion{2});
  EXPECT_EQ(listed(table), "a=4 ");
}

// A value that is all of one letter, the letter that its version stands for, is one that no write has torn.
TEST(read_table, readers_see_each_version_whole_while_rows_are_written_over) {
  constexpr std::uint64_t versions = 3000;
  const auto value_of = [](std::uint64_t version) {
    return std::string(300, static_cast<char>('a' + static_cast<int>(version % 26)));
  };
  ReadTable table(config_model);
  History history;
  std::vector<std::string> values;
  for (std::uint64_t version = 1; version <= versions; ++version) {
    values.push_back(value_of(version));
    history.set("a", values.back());
  }
  const auto left = left_by(history.all(), values);
  ASSERT_TRUE(table.apply(history.all().first(1), std::span(left).first(1)));
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  std::atomic<int> looks{0};
  {
    const auto read = [&] {
      while (!done.load()) {
        const auto record = table.get("a");
        const auto rows = table.list("", std::nullopt, 1);
        if (*record->value != value_of(record->version.value)) ++wrong;
        if (rows.at(0)->value() != value_of(rows.at(0)->version().value)) ++wrong;
        ++looks;
      }
    };
    std::jthread one(read);
    std::jthread other(read);
    for (std::size_t at = 1; at < versions; ++at)
      ASSERT_TRUE(table.apply(history.all().subspan(at, 1), {&left[at], 1}));
    while (looks.load() == 0) std::this_thread::yield();
    done = true;
  }
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_EQ(table.get("a")->version, StreamVersion{versions});
}

TEST(read_table, what_is_staged_is_not_seen_before_it_is_published) {
  ReadTable table(config_model);
  History history;
  history.set("a", "1").set("b", "1");
  ASSERT_TRUE(table.stage(history.all()));
  ASSERT_TRUE(table.publish());
  history.set("a", "2").remove("b").set("c", "1").set("a", "3");
  ASSERT_TRUE(table.stage(history.from(2)));
  EXPECT_EQ(listed(table), "a=1 b=1 ");
  EXPECT_EQ(table.progress().position(), Position{2});
  EXPECT_EQ(table.applied(), Position{6});
  ASSERT_TRUE(table.publish());
  EXPECT_EQ(listed(table), "a=3 c=1 ");
  EXPECT_EQ(table.get("a")->version, StreamVersion{3});
  EXPECT_EQ(table.progress().position(), Position{6});
}

// Staging looks at several events at once; what they come to must not depend on how they fall into those.
TEST(read_table, staging_comes_to_the_same_as_applying_however_long_the_history) {
  History history;
  for (int event = 0; event < 500; ++event) {
    const std::string key = "key-" + std::to_string(event * 7 % 61);
    if (event % 11 == 10) {
      history.remove(key);
    } else if (event % 13 == 12) {
      history.add("other-" + key, set_event("x"));
    } else {
      history.set(key, "value " + std::to_string(event));
    }
  }
  for (const std::size_t first_page : {0u, 1u, 31u, 32u, 33u, 100u, 499u}) {
    ReadTable applied(config_model);
    ASSERT_TRUE(applied.apply(history.all()));
    ReadTable staged(config_model);
    ASSERT_TRUE(staged.stage(history.all().first(first_page)));
    ASSERT_TRUE(staged.stage(history.all()));  // from the start, as after a failure
    ASSERT_TRUE(staged.publish());
    EXPECT_EQ(listed(staged), listed(applied)) << first_page;
    EXPECT_EQ(staged.size(), applied.size());
    EXPECT_EQ(staged.applied(), applied.applied());
    EXPECT_EQ(staged.get("key-3")->version, applied.get("key-3")->version);
  }
}

// Two keys that always change together: a reader of the list must never see them differ.
TEST(read_table, readers_see_a_publication_whole_or_not_at_all) {
  ReadTable table(config_model);
  History history;
  for (int round = 0; round < 300; ++round) history.set("a", std::to_string(round)).set("b", std::to_string(round));
  std::atomic<bool> done{false};
  std::atomic<int> differing{0};
  std::atomic<int> looks{0};
  {
    std::jthread reader([&] {
      while (!done.load()) {
        const auto rows = table.list("", std::nullopt, 10);
        ++looks;
        if (rows.size() == 1 || (rows.size() == 2 && rows[0]->value() != rows[1]->value())) ++differing;
      }
    });
    for (std::size_t place = 0; place < history.all().size(); place += 2) {
      ASSERT_TRUE(table.stage(history.all().subspan(place, 2)));
      ASSERT_TRUE(table.publish());
    }
    while (looks.load() == 0) std::this_thread::yield();
    done = true;
  }
  EXPECT_EQ(differing.load(), 0);
}

TEST(read_table, a_look_for_change_finds_what_changed_after_a_time_in_pieces_and_deleted_names_too) {
  ReadTable table(config_model);
  History history;
  for (const char* key : {"a1", "a2", "a3", "b1"}) history.set(key, "x");
  history.remove("a2");
  ASSERT_TRUE(table.apply(history.all()));
  EXPECT_EQ(table.newest(), Position{5});
  const auto time = [&](std::size_t position) { return history.all()[position - 1].created_at; };
  EXPECT_TRUE(table.look_for_change("a", std::nullopt, time(4), 10).changed);
  EXPECT_FALSE(table.look_for_change("a", std::nullopt, time(5), 10).changed);
  EXPECT_FALSE(table.look_for_change("b", std::nullopt, time(4), 10).changed);
  EXPECT_TRUE(table.look_for_change("", std::nullopt, time(3), 10).changed);
  EXPECT_FALSE(table.look_for_change("c", std::nullopt, Instant{INT64_MIN}, 10).changed);

  const auto first = table.look_for_change("a", std::nullopt, time(4), 1);
  EXPECT_FALSE(first.changed);
  EXPECT_EQ(first.after, "a1");
  EXPECT_TRUE(table.look_for_change("a", first.after, time(4), 1).changed);
  const auto last = table.look_for_change("a", "a2", time(5), 2);
  EXPECT_FALSE(last.changed);
  EXPECT_EQ(last.after, std::nullopt) << "b1 is none of them";
}

// What position() promised before a read, the read shows.
TEST(read_table, a_read_reflects_at_least_the_position_asked_before_it) {
  ReadTable table(config_model);
  History history;
  for (int round = 0; round < 3000; ++round) history.set("a", std::to_string(round));
  std::atomic<int> behind{0};
  {
    std::jthread reader([&] {
      while (table.progress().position() < Position{3000}) {
        const Position position = table.progress().position();
        if (table.get("a")->version.value < position.value) ++behind;
      }
    });
    for (const EventView& event : history.all()) ASSERT_TRUE(table.apply({&event, 1}));
  }
  EXPECT_EQ(behind.load(), 0);
}

}  // namespace
}  // namespace annals::projection
