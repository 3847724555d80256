#include "projection/table_state.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/bytes.hpp"
#include "projection/test_world.hpp"

namespace annals::projection {
namespace {

const model::Model state_model = model::Model::kv("config", {"/config"});

class TableStateTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(world.files.create_directories("data")); }

  void set(const std::string& key, const std::string& value) { put_event(key, set_event(value)); }
  void remove(const std::string& key) { put_event(key, deleted_event()); }
  void put_event(const std::string& key, NewEvent event) {
    event.id = platform::make_uuid(world.clock.now(), world.random);
    record(store, "config-" + key, std::move(event));
  }
  /// Takes in what the store has, up to a position.
  void catch_up(ReadTable& table, Position up_to = Position{~std::uint64_t{0}}) {
    while (true) {
      const auto page = store.read_all(table.applied(), Horizon::visible, PageLimit{});
      ASSERT_TRUE(page);
      std::vector<EventView> events;
      for (const EventView& event : page->events()) {
        if (event.position <= up_to) events.push_back(event);
      }
      if (events.empty()) return;
      ASSERT_TRUE(table.apply(events));
    }
  }
  [[nodiscard]] static std::string text(const ReadTable& table) {
    std::string text;
    for (const std::string& key : table.keys("", std::nullopt, 1'000'000)) {
      const model::Record record = table.get(key).value();
      text += key + "=" + (record.exists() ? std::string(*record.value) : "(deleted)") + " " +
              to_string(record.version) + " " + std::to_string(record.updated_at.microseconds) + "\n";
    }
    return text;
  }
  [[nodiscard]] std::string from_the_log() {
    ReadTable table(state_model);
    catch_up(table);
    return text(table);
  }

  const std::string path = "data/config.table";
  TestWorld world;
  ControlledStore store{world.platform()};
};

TEST_F(TableStateTest, where_the_last_events_were_removed_the_file_names_the_one_before_them) {
  set("a", "1");
  set("b", "1");
  set("c", "1");
  store.remove(Position{2});
  store.remove(Position{3});
  ReadTable table(state_model);
  TableState state(table, state_model);
  StateKeeper keeper(state, path, store, world.platform());
  catch_up(table);
  table.pass_over(Position{3});
  ASSERT_TRUE(keeper.write_all());
  EXPECT_EQ(keeper.behind(), 0u) << "positions without events are nothing to write down";

  ReadTable again(state_model);
  TableState again_state(again, state_model);
  StateKeeper again_keeper(again_state, path, store, world.platform());
  ASSERT_TRUE(again_keeper.load());
  EXPECT_EQ(text(again), text(table));
  EXPECT_EQ(again.applied(), Position{1});
  store.remove(Position{1});
  ReadTable none(state_model);
  TableState none_state(none, state_model);
  StateKeeper none_keeper(none_state, path, store, world.platform());
  EXPECT_FALSE(none_keeper.load()) << "its last event was removed too, so who knows what else";
}

TEST_F(TableStateTest, a_state_of_positions_without_events_alone_is_written_and_read_back) {
  ReadTable table(state_model);
  TableState state(table, state_model);
  StateKeeper keeper(state, path, store, world.platform());
  table.pass_over(Position{7});
  ASSERT_TRUE(keeper.write_all());
  ReadTable again(state_model);
  TableState again_state(again, state_model);
  StateKeeper again_keeper(again_state, path, store, world.platform());
  EXPECT_TRUE(again_keeper.load());
  EXPECT_EQ(again.size(), 0u);
}

TEST_F(TableStateTest, a_table_comes_back_with_versions_times_and_deleted_keys) {
  set("a", "1");
  set("b", "");
  set("a", std::string(300'000, 'x'));
  remove("b");
  set("c", "");
  ReadTable table(state_model);
  TableState state(table, state_model);
  StateKeeper keeper(state, path, store, world.platform());
  catch_up(table);
  ASSERT_TRUE(keeper.write_all());
  EXPECT_EQ(keeper.saved(), Position{5});

  ReadTable again(state_model);
  TableState again_state(again, state_model);
  StateKeeper again_keeper(again_state, path, store, world.platform());
  ASSERT_TRUE(again_keeper.load());
  EXPECT_EQ(text(again), text(table));
  EXPECT_EQ(again.applied(), Position{5});
  EXPECT_EQ(again.progress().position(), Position{5});
  EXPECT_EQ(again_keeper.behind(), 0u);
  EXPECT_EQ(world.logged("A checkpoint was loaded"), 1u);
}

// Writes go on between all pieces of the walk; what was written down is then of many moments, and the replay mends it.
TEST_F(TableStateTest, a_table_written_down_while_it_changes_comes_back_right) {
  platform::SimulatedRandom dice(7);
  const auto change = [&] {
    const std::string key = "k" + std::to_string(dice.below(300));
    if (dice.below(4) == 0) {
      remove(key);
    } else {
      set(key, std::string(dice.below(2000), 'v') + std::to_string(dice.next()));
    }
  };
  for (int count = 0; count < 1000; ++count) change();
  ReadTable table(state_model);
  catch_up(table);
  TableState state(table, state_model);
  const Position begin = state.position();
  auto writer = StateFileWriter::create(world.files, path, state.name(), begin);
  ASSERT_TRUE(writer);
  state.begin_writing();
  std::string contents;
  int pieces = 0;
  while (const std::uint64_t count = state.write(contents).value()) {
    ASSERT_TRUE((*writer)->add(contents, count));
    contents.clear();
    ++pieces;
    for (int changes = 0; changes < 100; ++changes) change();
    catch_up(table);
  }
  ASSERT_GT(pieces, 1);
  for (int changes = 0; changes < 100; ++changes) change();
  ASSERT_GT(state.newest().position, begin);
  ASSERT_TRUE((*writer)->finish(store, state.newest(), ""));
  ASSERT_TRUE((*writer)->publish());

  ReadTable again(state_model);
  TableState again_state(again, state_model);
  StateKeeper keeper(again_state, path, store, world.platform());
  ASSERT_TRUE(keeper.load());
  EXPECT_EQ(again.applied(), begin) << "the replay overlaps what is in the rows";
  catch_up(again);
  EXPECT_EQ(text(again), from_the_log());
}

TEST_F(TableStateTest, staged_events_of_an_overlapping_replay_leave_the_table_right) {
  for (int round = 0; round < 3; ++round) {
    for (const char* key : {"a", "b", "c"}) set(key, std::to_string(round));
  }
  remove("b");
  ReadTable table(state_model);
  TableState state(table, state_model);
  catch_up(table, Position{4});
  state.begin_writing();
  const Position begin = state.position();
  catch_up(table);
  std::string contents;
  ASSERT_EQ(state.write(contents), 3u);

  ReadTable again(state_model);
  TableState again_state(again, state_model);
  ASSERT_TRUE(again_state.read(contents));
  ASSERT_TRUE(again_state.take_over({begin, state.newest(), 3, ""}));
  const auto page = store.read_all(again.applied(), Horizon::visible, PageLimit{});
  ASSERT_TRUE(again.stage(page->events()));
  ASSERT_TRUE(again.publish());
  EXPECT_EQ(text(again), from_the_log());
}

TEST_F(TableStateTest, a_file_is_not_named_before_the_store_has_flushed_what_is_in_it) {
  set("a", "1");
  set("a", "2");
  ReadTable table(state_model);
  TableState state(table, state_model);
  StateKeeper keeper(state, path, store, world.platform());
  catch_up(table);
  store.set_flushed(Position{1});
  EXPECT_EQ(keeper.step(), StateKeeper::Step::waiting);
  EXPECT_EQ(keeper.step(), StateKeeper::Step::waiting);
  EXPECT_FALSE(*world.files.exists(path));
  store.set_flushed(std::nullopt);
  EXPECT_EQ(keeper.step(), StateKeeper::Step::done);
  EXPECT_TRUE(*world.files.exists(path));
  EXPECT_EQ(keeper.saved(), Position{2});
}

TEST_F(TableStateTest, a_stop_has_the_store_flush_what_is_in_the_file_before_it_is_named) {
  set("a", "1");
  ReadTable table(state_model);
  TableState state(table, state_model);
  StateKeeper keeper(state, path, store, world.platform());
  catch_up(table);
  store.set_flushed(Position{0});
  EXPECT_TRUE(keeper.write_all());
  EXPECT_EQ(store.status().flushed, Position{1});
  set("a", "2");
  catch_up(table);
  store.set_flushed(Position{1});
  store.set_writable(false);
  EXPECT_FALSE(keeper.write_all().has_value());
  EXPECT_EQ(keeper.saved(), Position{1});
  EXPECT_FALSE(*world.files.exists(path + ".new"));
}

// As at the stop of a server whose database has gone: whichever event was the last that the table took in, it is known.
TEST_F(TableStateTest, a_file_is_written_without_a_question_to_the_store) {
  const auto write_and_load = [&](ReadTable& table, StateKeeper& keeper) {
    store.set_away("the database does not answer");
    const auto written = keeper.write_all();
    EXPECT_TRUE(written) << written.error().message;
    store.set_away(std::nullopt);
    ReadTable again(state_model);
    TableState again_state(again, state_model);
    StateKeeper again_keeper(again_state, path, store, world.platform());
    EXPECT_TRUE(again_keeper.load());
    EXPECT_EQ(text(again), text(table));
    EXPECT_EQ(again.last(), witness_at(store, table.applied()).value());
  };
  ReadTable table(state_model);
  TableState state(table, state_model);
  StateKeeper keeper(state, path, store, world.platform());
  write_and_load(table, keeper);  // before there is any event

  set("a", "1");
  catch_up(table);
  write_and_load(table, keeper);

  NewEvent foreign = set_event("of another model");
  foreign.id = platform::make_uuid(world.clock.now(), world.random);
  record(store, "other-a", std::move(foreign));
  catch_up(table);
  write_and_load(table, keeper);

  set("b", "2");
  remove("a");
  const auto page = store.read_all(table.applied(), Horizon::visible, PageLimit{});
  ASSERT_TRUE(table.stage(page->events()));
  ASSERT_TRUE(table.publish());
  write_and_load(table, keeper);
}

// One that was read back, and has taken in nothing since, may be written down again.
TEST_F(TableStateTest, a_restored_table_knows_its_last_event) {
  set("a", "1");
  set("a", "2");
  ReadTable table(state_model);
  TableState state(table, state_model);
  StateKeeper keeper(state, path, store, world.platform());
  catch_up(table);
  ASSERT_TRUE(keeper.write_all());

  ReadTable again(state_model);
  TableState again_state(again, state_model);
  StateKeeper again_keeper(again_state, path, store, world.platform());
  ASSERT_TRUE(again_keeper.load());
  store.set_away("the database does not answer");
  EXPECT_TRUE(again_keeper.write_all());
  store.set_away(std::nullopt);
  EXPECT_EQ(read_state_file_end(world.files, path)->event, witness_at(store, Position{2})->id);
}

TEST_F(TableStateTest, a_damaged_file_leaves_the_table_empty_and_is_told_once) {
  set("a", "1");
  ReadTable table(state_model);
  TableState state(table, state_model);
  StateKeeper keeper(state, path, store, world.platform());
  catch_up(table);
  ASSERT_TRUE(keeper.write_all());
  world.files.damage(path, [](std::string& bytes) { bytes.back() ^= 1; });

  ReadTable again(state_model);
  TableState again_state(again, state_model);
  StateKeeper again_keeper(again_state, path, store, world.platform());
  EXPECT_FALSE(again_keeper.load());
  EXPECT_EQ(again.size(), 0u);
  EXPECT_EQ(again.applied(), Position{});
  EXPECT_EQ(world.logged("A checkpoint cannot be used"), 1u);
  catch_up(again);
  EXPECT_EQ(text(again), text(table));
}

// As a program that is wrong could write it: with checksums that are right.
TEST_F(TableStateTest, a_row_of_a_time_that_no_text_can_name_is_refused) {
  for (const std::int64_t time : {std::int64_t{0}, INT64_MIN, INT64_MAX}) {
    ReadTable table(state_model);
    TableState state(table, state_model);
    std::string row;
    put<std::uint16_t>(row, 1);
    put<std::uint32_t>(row, 1);
    put<std::uint64_t>(row, 1);
    put<std::int64_t>(row, time);
    row += "kv";
    const auto read = state.read(row);
    EXPECT_EQ(read.has_value(), time == 0);
    EXPECT_TRUE(read || read.error().kind == ErrorKind::corrupt);
  }
}

TEST_F(TableStateTest, a_disk_without_room_costs_the_checkpoint_and_nothing_else) {
  set("a", std::string(10'000, 'x'));
  ReadTable table(state_model);
  TableState state(table, state_model);
  StateKeeper keeper(state, path, store, world.platform());
  catch_up(table);
  world.files.set_capacity(5'000);
  EXPECT_FALSE(keeper.step().has_value());
  EXPECT_FALSE(*world.files.exists(path + ".new"));
  world.files.set_capacity(std::nullopt);
  EXPECT_TRUE(keeper.write_all());
}

// For the thread sanitizer: one thread applies, one writes the table down again and again, two read.
TEST_F(TableStateTest, a_table_is_written_down_while_others_write_and_read) {
  for (int count = 0; count < 3000; ++count) set("k" + std::to_string(count % 500), "value" + std::to_string(count));
  ReadTable table(state_model);
  TableState state(table, state_model);
  StateKeeper keeper(state, path, store, world.platform());
  catch_up(table, Position{600});
  std::atomic<bool> done{false};
  int written = 0;
  {
    const auto read = [&] {
      std::uint64_t bytes = 0;
      while (!done.load()) {
        const model::Record record = table.get("k7").value();
        bytes += record.exists() ? record.value->size() : 0;
        for (const auto& row : table.list("k4", std::nullopt, 20)) bytes += row->value_bytes();
      }
      EXPECT_GT(bytes, 0u);
    };
    std::jthread first_reader(read);
    std::jthread second_reader(read);
    std::jthread applier([&] {
      for (std::uint64_t position = 610; position <= 3000; position += 10) catch_up(table, Position{position});
      done = true;
    });
    while (!done.load()) {
      ASSERT_TRUE(keeper.write_all());
      ++written;
    }
  }
  EXPECT_GT(written, 0);
  ReadTable again(state_model);
  TableState again_state(again, state_model);
  StateKeeper again_keeper(again_state, path, store, world.platform());
  ASSERT_TRUE(again_keeper.load());
  catch_up(again);
  EXPECT_EQ(text(again), from_the_log());
}

}  // namespace
}  // namespace annals::projection
