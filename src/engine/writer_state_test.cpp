// Where the writer has a stream's state from: the live table, or, where the table is behind, its cache and the store.
// And idempotency keys.

#include <gtest/gtest.h>

#include "engine/test_engine.hpp"

namespace annals::engine {
namespace {

using model::Consistency;
using projection::record;
using projection::set_event;

const Error too_large{ErrorKind::too_large, "the group does not fit"};

class WriterStateTest : public testing::Test {
 protected:
  void run() { world.executor.run_ready(); }

  TestWorld world;
  ControlledStore store{world.platform()};
};

TEST_F(WriterStateTest, models_that_are_not_live_are_decided_on_the_newest_state_all_the_same) {
  for (const Consistency consistency : {Consistency::eventual, Consistency::restart}) {
    ControlledStore fresh(world.platform());
    record(fresh, "config-a", set_event("before"));
    WriterUnderTest writer(world, fresh, {}, consistency);
    record(fresh, "config-b", set_event("unseen"));  // after the table was filled
    EXPECT_EQ(writer.write(set_request("a", "2", 1)), "2");
    EXPECT_EQ(writer.write(set_request("a", "3", 1)), "version_conflict");
    EXPECT_EQ(writer.write(set_request("a", "3", 2)), "3");
    EXPECT_EQ(writer.write(set_request("b", "2", 1)), "2");
    EXPECT_EQ(writer.write(remove_request("b")), "3");
    EXPECT_EQ(writer.write(remove_request("b")), "already_deleted");
    EXPECT_EQ(writer.write(remove_request("c")), "not_found");
    const auto page = fresh.read_stream("config-a", StreamVersion{3}, Direction::forward, PageLimit{});
    EXPECT_NE(page->events().front().data.find("\"old_value\":\"2\""), std::string_view::npos);
  }
}

TEST_F(WriterStateTest, a_stream_is_read_once_and_then_known) {
  record(store, "config-a", set_event("before"));
  WriterUnderTest writer(world, store, {}, Consistency::eventual);
  for (int count = 0; count < 10; ++count) writer.write(set_request("a", "x"));
  EXPECT_EQ(store.stream_reads(), 1u);
  EXPECT_EQ(writer.write(set_request("a", "x")), "12");
}

TEST_F(WriterStateTest, a_live_model_needs_no_read_of_the_store) {
  WriterUnderTest writer(world, store);
  for (int count = 0; count < 10; ++count) writer.write(set_request("a", "x"));
  EXPECT_EQ(store.stream_reads(), 0u);
}

/// Remembers up to where the writer of each group says that it has taken in the streams.
class ListeningStore final : public ControlledStore {
 public:
  using ControlledStore::ControlledStore;
  void append(std::span<const Group> groups, AppendDone done) override {
    for (const Group& group : groups) {
      for (const StreamAppend& append : group.appends) known_at.push_back(append.known_at);
    }
    ControlledStore::append(groups, std::move(done));
  }
  std::vector<std::optional<Position>> known_at;
};

TEST_F(WriterStateTest, a_group_tells_up_to_where_the_live_table_has_taken_in_its_streams) {
  using Known = std::vector<std::optional<Position>>;
  ListeningStore listening(world.platform());
  record(listening, "config-a", set_event("before"));
  record(listening, "other-a", set_event("of another model"));
  WriterUnderTest writer(world, listening);
  listening.known_at.clear();
  EXPECT_EQ(writer.write(set_request("a", "2", 1)), "2");
  EXPECT_EQ(writer.write(set_request("b", "1")), "1");
  EXPECT_EQ(listening.known_at, (Known{Position{2}, Position{3}}));
  listening.known_at.clear();
  writer.submit(set_request("c", "1"));
  writer.submit(set_request("c", "2"));
  run();
  EXPECT_EQ(listening.known_at, (Known{Position{4}, std::nullopt})) << "the second rests on the first, under way";
  ListeningStore behind(world.platform());
  record(behind, "config-a", set_event("before"));
  behind.known_at.clear();
  WriterUnderTest of_eventual(world, behind, {}, Consistency::eventual);
  EXPECT_EQ(of_eventual.write(set_request("a", "2", 1)), "2");
  EXPECT_EQ(behind.known_at, Known{std::nullopt}) << "a table that is behind knows nothing of now";
}

// The first group on the stream is recorded, the second is not: what the second would have made must not be remembered.
TEST_F(WriterStateTest, what_was_not_recorded_does_not_stay_in_the_cache) {
  WriterUnderTest writer(world, store, {}, Consistency::eventual);
  store.answer_next({std::nullopt, too_large});
  writer.submit(set_request("a", "small"));
  writer.submit(set_request("a", "huge"));
  run();
  EXPECT_EQ(writer.texts(), "1, too_large");
  ASSERT_EQ(writer.write(set_request("a", "y", 1)), "2") << "the huge value was never version 2";
  const auto page = store.read_stream("config-a", StreamVersion{2}, Direction::forward, PageLimit{});
  EXPECT_NE(page->events().front().data.find("\"old_value\":\"small\""), std::string_view::npos);
}

// A table that falls out of live, comes back, and falls out again: what the cache remembers of the first time is old by
// then.
TEST_F(WriterStateTest, a_cache_from_the_time_before_the_table_was_live_again_is_not_believed) {
  WriterUnderTest writer(world, store);
  ASSERT_EQ(writer.write(set_request("a", "1")), "1");
  const auto fall_out = [&] {
    const std::string data = set_event("other").data;
    record(store, "config-other", set_event("other"));
    const Appended appended = record(store, "config-other", set_event("other"));
    EventView second;
    second.position = appended.first;
    second.stream = "config-other";
    second.version = appended.versions.front();
    second.type = "ConfigValueSet";
    second.data = data;
    store.fail_reads(Error(ErrorKind::input_output, "the first of them cannot be read"));
    writer.feed().apply_live({&second, 1});
    ASSERT_FALSE(writer.feed().is_live());
  };
  fall_out();
  run();
  store.fail_reads(std::nullopt);
  ASSERT_EQ(writer.write(set_request("a", "2", 1)), "2");
  ASSERT_FALSE(writer.feed().is_live());
  ASSERT_TRUE(world.executor.run_next_timer());
  ASSERT_TRUE(writer.feed().is_live());
  ASSERT_EQ(writer.write(set_request("a", "3", 2)), "3");
  fall_out();
  run();
  store.fail_reads(std::nullopt);
  ASSERT_FALSE(writer.feed().is_live());
  EXPECT_EQ(writer.write(set_request("a", "4", 3)), "4");
}

TEST(state_cache, it_keeps_what_was_used_last_and_never_more_than_its_bound) {
  StateCache cache(100);
  const auto stream = [](std::uint64_t number) { return "config-" + std::to_string(number); };
  for (std::uint64_t number = 0; number < 1000; ++number) {
    cache.put(stream(number), {StreamVersion{number + 1}, nullptr, {}});
    EXPECT_NE(cache.find(stream(0)), nullptr) << "used at every step";
    // Finding old ones again must not grow it either.
    for (std::uint64_t other = 0; other < number; other += 7) (void)cache.find(stream(other));
    cache.put(stream(0), {StreamVersion{1}, nullptr, {}});
    ASSERT_LE(cache.size(), 100u);
  }
  for (std::uint64_t number = 0; number < 1000; ++number) {
    const model::Record* record = cache.find(stream(number));
    EXPECT_TRUE(record == nullptr || record->version == StreamVersion{number + 1}) << number;
  }
}

TEST(state_cache, the_newest_state_of_a_stream_is_the_one_that_is_found) {
  StateCache cache(4);
  cache.put("a", {StreamVersion{1}, nullptr, {}});
  cache.put("b", {StreamVersion{1}, nullptr, {}});
  cache.put("c", {StreamVersion{1}, nullptr, {}});  // "a" is in the old generation now
  cache.put("a", {StreamVersion{2}, nullptr, {}});
  EXPECT_EQ(cache.find("a")->version, StreamVersion{2});
  cache.forget("a");
  EXPECT_EQ(cache.find("a"), nullptr);
}

TEST(state_cache, it_keeps_to_its_bytes) {
  StateCache cache(1000, 1000);
  for (std::uint64_t number = 0; number < 100; ++number)
    cache.put("config-" + std::to_string(number), {StreamVersion{1}, SharedText(std::string(100, 'x')), {}});
  EXPECT_LE(cache.size(), 10u);
  EXPECT_NE(cache.find("config-99"), nullptr);
  cache.put("large", {StreamVersion{1}, SharedText(std::string(5000, 'x')), {}});
  EXPECT_EQ(cache.find("large"), nullptr);
  cache.put("large", {StreamVersion{2}, SharedText(std::string(10, 'x')), {}});
  EXPECT_EQ(cache.find("large")->version, StreamVersion{2});
}

// --- Idempotency keys
// --------------------------------------------------------------------------------------------------------

TEST_F(WriterStateTest, the_same_request_under_the_same_key_gets_the_same_receipt_and_records_nothing) {
  WriterUnderTest writer(world, store);
  ASSERT_EQ(writer.write(with_key(set_request("a", "1"), "key", "one")), "1");
  ASSERT_EQ(writer.write(set_request("a", "2")), "2");
  const auto again = writer.submit(with_key(set_request("a", "1"), "key", "one"));
  run();
  EXPECT_EQ(writer.text(again), "1 replayed");
  EXPECT_EQ(writer.answer(again)->value().position, Position{1});
  EXPECT_EQ(writer.value("a"), "2");
  EXPECT_EQ(store.appends().size(), 2u);
}

TEST_F(WriterStateTest, another_request_under_the_same_key_is_refused) {
  WriterUnderTest writer(world, store);
  ASSERT_EQ(writer.write(with_key(set_request("a", "1"), "key", "one")), "1");
  const auto other = writer.submit(with_key(set_request("b", "1"), "key", "other"));
  run();
  EXPECT_EQ(writer.text(other), "idempotency_key_reused");
  EXPECT_EQ(writer.answer(other)->error().kind, ErrorKind::unprocessable);
  EXPECT_EQ(writer.value("b"), "(none)");
}

TEST_F(WriterStateTest, a_simultaneous_twin_waits_and_is_recorded_once) {
  WriterUnderTest writer(world, store);
  store.hold(true);
  writer.submit(with_key(set_request("a", "1"), "key", "one"));
  writer.submit(with_key(set_request("a", "1"), "key", "one"));
  writer.submit(with_key(set_request("a", "2"), "key", "other"));
  run();
  writer.submit(with_key(set_request("a", "1"), "key", "one"));  // comes while the flush runs
  run();
  EXPECT_EQ(writer.texts(), "(waiting), (waiting), (waiting), (waiting)");
  store.hold(false);
  store.release();
  run();
  EXPECT_EQ(writer.texts(), "1, 1 replayed, idempotency_key_reused, 1 replayed");
  EXPECT_EQ(store.stream_version("config-a").value(), StreamVersion{1});
}

TEST_F(WriterStateTest, a_twin_of_a_request_that_conflicts_is_decided_again_with_it) {
  WriterUnderTest writer(world, store);
  store.before_next_append([](EventStore& inner) { record(inner, "config-a", set_event("theirs")); });
  writer.submit(with_key(set_request("a", "1"), "key", "one"));
  writer.submit(with_key(set_request("a", "1"), "key", "one"));
  writer.submit(with_key(set_request("a", "2"), "key", "other"));
  run();
  EXPECT_EQ(writer.texts(), "2, 2 replayed, idempotency_key_reused");
  EXPECT_EQ(store.stream_version("config-a").value(), StreamVersion{2});
}

TEST_F(WriterStateTest, a_key_of_a_request_that_failed_is_free_again) {
  WriterUnderTest writer(world, store);
  EXPECT_EQ(writer.write(with_key(remove_request("a"), "key", "one")), "not_found");
  ASSERT_EQ(writer.write(set_request("a", "1")), "1");
  EXPECT_EQ(writer.write(with_key(remove_request("a"), "key", "one")), "2");
}

TEST_F(WriterStateTest, keys_survive_a_restart) {
  {
    WriterUnderTest writer(world, store);
    ASSERT_EQ(writer.write(with_key(set_request("a", "1"), "key", "one")), "1");
    for (int count = 0; count < 1500; ++count) writer.submit(set_request("b", "x"));  // more than a page
    run();
    ASSERT_EQ(writer.write(with_key(set_request("a", "2"), "second", "two")), "2");
  }
  WriterUnderTest writer(world, store);
  EXPECT_EQ(writer.write(with_key(set_request("a", "1"), "key", "one")), "1 replayed");
  EXPECT_EQ(writer.write(with_key(set_request("a", "2"), "second", "two")), "2 replayed");
  EXPECT_EQ(writer.write(with_key(set_request("a", "1"), "key", "other")), "idempotency_key_reused");
}

TEST_F(WriterStateTest, a_key_expires_with_its_retention_also_over_a_restart) {
  WriterOptions options;
  options.receipts.retention = std::chrono::hours(1);
  {
    WriterUnderTest writer(world, store, options);
    ASSERT_EQ(writer.write(with_key(set_request("a", "1"), "first", "one")), "1");
    world.clock.advance(std::chrono::minutes(59));
    EXPECT_EQ(writer.write(with_key(set_request("a", "1"), "first", "one")), "1 replayed")
        << "being asked for does not renew it";
    ASSERT_EQ(writer.write(with_key(set_request("a", "2"), "second", "two")), "2");
    world.clock.advance(std::chrono::minutes(2));
    EXPECT_EQ(writer.write(with_key(set_request("a", "1"), "first", "one")), "3");
  }
  world.clock.advance(std::chrono::minutes(59));
  WriterUnderTest writer(world, store, options);
  EXPECT_EQ(writer.write(with_key(set_request("a", "1"), "first", "one")), "3 replayed");
  EXPECT_EQ(writer.write(with_key(set_request("a", "2"), "second", "two")), "4");
}

TEST_F(WriterStateTest, keys_are_bounded_in_number_and_the_oldest_go_first_with_a_warning) {
  WriterOptions options;
  options.receipts.keys_max = 3;
  WriterUnderTest writer(world, store, options);
  for (int count = 0; count < 5; ++count) writer.submit(with_key(set_request("a", "x"), std::to_string(count), "one"));
  run();
  EXPECT_EQ(writer.write(with_key(set_request("a", "x"), "4", "one")), "5 replayed");
  EXPECT_EQ(writer.write(with_key(set_request("a", "x"), "2", "one")), "3 replayed");
  EXPECT_EQ(writer.write(with_key(set_request("a", "x"), "1", "one")), "6");
  EXPECT_EQ(world.logged("Idempotency keys are forgotten before their time"), 1u) << "not once a key";
  world.clock.advance(std::chrono::minutes(2));
  writer.write(with_key(set_request("a", "x"), "new", "one"));
  EXPECT_EQ(world.logged("Idempotency keys are forgotten before their time"), 2u);
}

TEST_F(WriterStateTest, a_key_that_was_used_anew_after_it_expired_lives_from_its_last_use) {
  ReceiptLimits limits;
  limits.retention = std::chrono::hours(2);
  Receipts receipts(limits, world.platform());
  const Idempotency idempotency{digest_of({"key"}), digest_of({"request"})};
  const Instant start = world.clock.now();
  // Both uses are within the retention of now, because the setting was raised between two starts.
  receipts.insert(idempotency, {StreamVersion{1}, Position{1}, false}, start);
  receipts.insert(idempotency, {StreamVersion{2}, Position{2}, false}, start.plus(std::chrono::minutes(90)));
  EXPECT_EQ(receipts.size(), 1u);
  world.clock.set(start.plus(std::chrono::minutes(150)));
  ASSERT_TRUE(receipts.answer(idempotency).value());
  EXPECT_EQ(receipts.answer(idempotency).value()->version, StreamVersion{2});
  world.clock.set(start.plus(std::chrono::minutes(211)));
  EXPECT_FALSE(receipts.answer(idempotency).value());
  EXPECT_EQ(receipts.size(), 0u);
}

}  // namespace
}  // namespace annals::engine
