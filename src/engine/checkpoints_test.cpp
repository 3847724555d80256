#include "engine/checkpoints.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/bytes.hpp"
#include "engine/engine.hpp"
#include "engine/test_engine.hpp"

namespace annals::engine {
namespace {

using model::Consistency;

/// A server's engine over a store that outlives it, as the log does.
class CheckpointsTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(world.files.create_directories("data")); }

  void open(Consistency consistency = Consistency::live, ReceiptLimits limits = {}) {
    EngineOptions options;
    options.checkpoint_directory = "data";
    options.checkpoint_rule.events_min = 100;
    options.writer.receipts = limits;
    engine = std::make_unique<Engine>(std::vector{kv("config", consistency), kv("flag", consistency)}, store,
                                      world.platform(), world.executor, options);
    ASSERT_TRUE(engine->start([] {}));
    world.executor.run_ready();
  }
  void stop() {
    engine->stop();
    engine.reset();
  }
  /// Ends without a word; what waits in the executor finds nobody.
  void crash() { forget(); }
  void forget() {
    // A process that is killed writes nothing more: the disk takes nothing while the engine is destroyed.
    world.files.set_capacity(0);
    engine.reset();
    world.files.set_capacity(std::nullopt);
  }
  std::string write(WriteRequest request) {
    std::string text;
    engine->writer().submit(std::move(request), world.executor,
                            [&](const Result<Receipt>& answer) { text = to_text(answer); });
    world.executor.run_ready();
    return text;
  }
  void write_many(int count) {
    for (int number = 0; number < count; ++number) {
      const std::string text = std::to_string(next_key++);
      write(with_key(set_request("k" + std::to_string(next_key % 50), text), "key" + text, text));
    }
  }
  /// Lets the clock run until a look at what is due, and all its work, is over.
  void look() {
    for (int timer = 0; timer < 40; ++timer) world.executor.run_next_timer();
  }
  [[nodiscard]] bool there(const std::string& name) { return *world.files.exists("data/" + name); }
  [[nodiscard]] std::string value(const std::string& key) {
    const auto record = engine->feed(0).table().get(key).value();
    return record.exists() ? std::string(*record.value) : "(none)";
  }
  [[nodiscard]] std::size_t loaded() const { return world.logged("A checkpoint was loaded"); }
  /// After the writes of `write_many(10)` and of a = 1, and a stop that wrote all: the next start reads no event again.
  void expect_to_go_on_from_checkpoints() {
    const std::size_t reads_before = store.read_from().size();
    open();
    EXPECT_EQ(loaded(), 3u);
    EXPECT_EQ(value("a"), "1");
    const auto reads = store.read_from();
    for (std::size_t read = reads_before; read < reads.size(); ++read) EXPECT_GE(reads[read], Position{10});
    EXPECT_EQ(write(with_key(set_request("k1", "0"), "key0", "0")), "1 replayed");
  }

  TestWorld world;
  ControlledStore store{world.platform()};
  std::unique_ptr<Engine> engine;
  int next_key = 0;
};

TEST_F(CheckpointsTest, nothing_is_written_before_it_is_due) {
  open();
  write_many(99);
  look();
  EXPECT_FALSE(there("config.table"));
  write_many(1);
  look();
  EXPECT_TRUE(there("config.table"));
  EXPECT_TRUE(there("flag.table")) << "its position moves too";
  EXPECT_TRUE(there("receipts"));
  EXPECT_FALSE(there("config.table.new"));
}

TEST_F(CheckpointsTest, a_clean_stop_writes_all_and_the_next_start_reads_no_event) {
  open();
  write_many(10);
  write(set_request("a", "1"));
  stop();
  EXPECT_TRUE(there("receipts"));
  expect_to_go_on_from_checkpoints();
  EXPECT_EQ(write(set_request("a", "2")), "2");
}

TEST_F(CheckpointsTest, a_stop_while_the_store_is_away_writes_all_and_the_next_start_reads_no_event) {
  open();
  write_many(10);
  write(set_request("a", "1"));
  store.set_away("the database does not answer");
  stop();
  EXPECT_EQ(world.logged("A checkpoint could not be written"), 0u);
  store.set_away(std::nullopt);
  expect_to_go_on_from_checkpoints();
}

// Its receipts go on from an event that is older than they are kept for.
TEST_F(CheckpointsTest, receipts_of_a_store_without_recent_events_are_written_while_it_is_away) {
  projection::record(store, "config-a", projection::set_event("old"));
  world.clock.advance(std::chrono::hours(48));
  open();
  store.set_away("the database does not answer");
  stop();
  EXPECT_EQ(world.logged("A checkpoint could not be written"), 0u);
  store.set_away(std::nullopt);
  open();
  EXPECT_EQ(loaded(), 3u);
}

TEST_F(CheckpointsTest, keys_of_commands_that_changed_nothing_are_kept_too) {
  open();
  write(set_request("a", "1"));
  const auto change_nothing = [this](std::string_view key) {
    WriteRequest request = with_key({}, key, "body");
    request.actor = "anonymous";
    request.plan = [this] { return Plan{{}, store.status().visible}; };
    return request;
  };
  write(change_nothing("first"));
  write(change_nothing("second"));
  stop();
  open();
  EXPECT_EQ(loaded(), 3u);
  EXPECT_EQ(world.logged("A checkpoint cannot be used"), 0u);
  EXPECT_TRUE(write(change_nothing("first")).ends_with(" replayed"));
  EXPECT_TRUE(write(change_nothing("second")).ends_with(" replayed"));
  EXPECT_EQ(write(set_request("a", "2")), "2");
}

TEST_F(CheckpointsTest, a_stop_after_no_change_writes_nothing) {
  open();
  write_many(3);
  stop();
  open();
  const std::uint64_t steps = world.files.steps();
  stop();
  EXPECT_EQ(world.files.steps(), steps);
}

TEST_F(CheckpointsTest, keys_recorded_after_the_checkpoint_are_read_back_from_the_log) {
  open();
  write_many(120);
  look();
  ASSERT_TRUE(there("receipts"));
  write_many(30);
  crash();
  open();
  EXPECT_EQ(loaded(), 3u);
  for (int number = 0; number < 150; ++number) {
    const std::string text = std::to_string(number);
    const std::string answer =
        write(with_key(set_request("k" + std::to_string((number + 1) % 50), text), "key" + text, text));
    EXPECT_TRUE(answer.ends_with(" replayed")) << number << ": " << answer;
  }
}

// The process dies at every step of the file system that writing checkpoints takes.
TEST_F(CheckpointsTest, a_crash_at_any_step_of_writing_loses_no_key_and_no_value) {
  open();
  write_many(20);
  stop();
  for (std::uint64_t step = 1; step < 40; ++step) {
    open();
    write_many(3);
    world.files.fault_at(world.files.steps() + step, platform::SimulatedFileSystem::Fault::power_loss);
    stop();
    platform::SimulatedRandom dice(step);
    world.files.crash(platform::SimulatedFileSystem::Survival::some_sectors, dice);
    open();
    for (int number = 0; number < next_key; ++number) {
      const std::string text = std::to_string(number);
      const std::string answer =
          write(with_key(set_request("k" + std::to_string((number + 1) % 50), text), "key" + text, text));
      ASSERT_TRUE(answer.ends_with(" replayed")) << "step " << step << ", " << number << ": " << answer;
    }
    ASSERT_EQ(value("k" + std::to_string(next_key % 50)), std::to_string(next_key - 1));
    stop();
  }
}

TEST_F(CheckpointsTest, tables_of_every_consistency_come_back) {
  for (const Consistency consistency : {Consistency::live, Consistency::eventual, Consistency::restart}) {
    open(consistency);
    const std::string text(to_string(consistency));
    write(set_request("a", text));
    stop();
    open(consistency);
    EXPECT_EQ(value("a"), text);
    stop();
  }
}

TEST_F(CheckpointsTest, a_restart_table_is_written_as_it_was_published_and_starts_with_what_came_since) {
  open(Consistency::restart);
  write(set_request("a", "1"));
  engine->feed(0).refresh([] {});
  world.executor.run_ready();
  write(set_request("a", "2"));
  EXPECT_EQ(value("a"), "1");
  stop();
  open(Consistency::restart);
  EXPECT_EQ(value("a"), "2");
  EXPECT_EQ(engine->feed(0).table().get("a")->version, StreamVersion{2});
}

// As a program that is wrong could write it: with checksums that are right.
TEST_F(CheckpointsTest, a_receipt_that_is_cut_short_is_refused) {
  for (std::size_t bytes = 1; bytes < 68; ++bytes) {
    Receipts receipts({}, world.platform());
    EXPECT_FALSE(receipts.read(std::string(bytes, '\0')).has_value()) << bytes;
  }
  Receipts receipts({}, world.platform());
  EXPECT_TRUE(receipts.read(std::string(68, '\0')).has_value());
}

// As above.
TEST_F(CheckpointsTest, a_receipt_of_a_time_that_no_text_can_name_is_refused) {
  for (const std::int64_t time : {std::int64_t{0}, INT64_MIN, INT64_MAX}) {
    Receipts receipts({}, world.platform());
    std::string entry(32, 'x');
    put<std::uint64_t>(entry, 1);
    put<std::uint64_t>(entry, 1);
    put<std::int64_t>(entry, time);
    entry.append(12, '\0');
    EXPECT_EQ(receipts.read(entry).has_value(), time == 0);
    std::string note;
    put<std::int64_t>(note, time);
    const auto taken = receipts.take_over({.begin = {}, .end = {}, .records = 0, .note = note});
    EXPECT_EQ(taken.has_value(), time != INT64_MAX) << "since the beginning of time all are known";
  }
}

TEST_F(CheckpointsTest, a_longer_retention_than_the_file_knows_is_read_from_the_log) {
  open(Consistency::live, {.retention = std::chrono::hours(1), .keys_max = 1000});
  write(with_key(set_request("a", "1"), "early", "1"));
  world.clock.advance(std::chrono::hours(2));
  write(with_key(set_request("a", "2"), "late", "2"));
  EXPECT_EQ(write(with_key(set_request("a", "1"), "early", "1")), "3") << "forgotten";
  stop();
  open(Consistency::live, {.retention = std::chrono::hours(24), .keys_max = 1000});
  EXPECT_EQ(world.logged("idempotency keys are to be known since"), 1u);
  EXPECT_EQ(write(with_key(set_request("a", "2"), "late", "2")), "2 replayed");
}

TEST_F(CheckpointsTest, a_smaller_number_of_keys_keeps_the_newest) {
  open();
  write_many(10);
  stop();
  open(Consistency::live, {.retention = std::chrono::hours(24), .keys_max = 4});
  EXPECT_EQ(write(with_key(set_request("k10", "9"), "key9", "9")), "1 replayed");
  EXPECT_EQ(write(with_key(set_request("k1", "0"), "key0", "0")), "2");
}

TEST_F(CheckpointsTest, what_others_recorded_in_between_is_not_passed_over) {
  open();
  write(with_key(set_request("a", "1"), "one", "1"));
  NewEvent foreign = projection::set_event("theirs");
  foreign.metadata = R"({"actor":"x","idempotency":{"key":")" + to_hex(digest_of({"theirs"})) + R"(","request":")" +
                     to_hex(digest_of({"body"})) + R"("}})";
  projection::record(store.inner(), "config-b", foreign);
  write(with_key(set_request("a", "2"), "two", "2"));
  stop();
  open();
  EXPECT_EQ(write(with_key(set_request("b", "x"), "theirs", "body")), "1 replayed");
  EXPECT_EQ(write(with_key(set_request("a", "2"), "two", "2")), "2 replayed");
}

TEST_F(CheckpointsTest, a_disk_that_is_full_is_told_and_tried_again_later) {
  open();
  write_many(120);
  world.files.set_capacity(0);
  look();
  EXPECT_EQ(world.logged("A checkpoint could not be written"), 3u);
  world.files.set_capacity(std::nullopt);
  look();
  look();
  EXPECT_TRUE(there("config.table"));
}

// For the thread sanitizer: the writer inserts and looks up, others look up too, old entries go, and the receipts are
// written down meanwhile.
TEST_F(CheckpointsTest, receipts_are_written_down_while_the_writer_and_others_use_them) {
  const auto idempotency = [](std::uint64_t number) {
    const std::string text = std::to_string(number);
    return Idempotency{digest_of({text}), digest_of({text})};
  };
  constexpr std::uint64_t count = 3000;
  for (std::uint64_t number = 1; number <= count; ++number)
    projection::record(store, "config-a", projection::set_event("x"));
  Receipts receipts({.retention = std::chrono::hours(24), .keys_max = 500}, world.platform());
  projection::StateKeeper keeper(receipts, "data/receipts", store, world.platform());
  std::atomic<bool> done{false};
  {
    std::jthread writer([&] {
      for (std::uint64_t number = 1; number <= count; ++number) {
        EXPECT_EQ(receipts.answer(idempotency(number)).value(), std::nullopt);
        receipts.insert(idempotency(number), {StreamVersion{number}, Position{number}, false}, world.clock.now());
        receipts.advance(Position{number}, projection::witness_at(store, Position{number}).value());
      }
      done = true;
    });
    const std::jthread reader([&] {
      for (std::uint64_t number = 1; !done.load(); number = number % count + 1) {
        const auto answer = receipts.answer(idempotency(number)).value();
        EXPECT_TRUE(!answer || answer->version.value == number);
      }
    });
    while (!done.load()) ASSERT_TRUE(keeper.write_all());
  }
  ASSERT_TRUE(keeper.write_all());
  Receipts again({.retention = std::chrono::hours(24), .keys_max = 500}, world.platform());
  projection::StateKeeper again_keeper(again, "data/receipts", store, world.platform());
  ASSERT_TRUE(again.load(store, &again_keeper));
  EXPECT_EQ(again.size(), 500u);
  EXPECT_EQ(again.position(), Position{count});
  ASSERT_TRUE(again.answer(idempotency(count)).value());
  EXPECT_EQ(again.answer(idempotency(count)).value()->version, StreamVersion{count});
  EXPECT_FALSE(again.answer(idempotency(count - 500)).value());
}

}  // namespace
}  // namespace annals::engine
