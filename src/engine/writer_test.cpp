#include "engine/writer.hpp"

#include <gtest/gtest.h>

#include "engine/test_engine.hpp"

namespace annals::engine {
namespace {

using projection::deleted_event;
using projection::record;
using projection::set_event;

const Error conflict{ErrorKind::conflict, "version_conflict", "another server came first"};
const Error unavailable{ErrorKind::unavailable, "the flush failed"};
const Error group_too_large{ErrorKind::too_large, "the group does not fit"};

class WriterTest : public testing::Test {
 protected:
  void run() { world.executor.run_ready(); }

  TestWorld world;
  ControlledStore store{world.platform()};
};

TEST_F(WriterTest, commands_that_wait_are_recorded_by_one_append) {
  WriterUnderTest writer(world, store);
  for (int count = 0; count < 64; ++count) writer.submit(set_request("same", std::to_string(count)));
  run();
  EXPECT_EQ(store.appends(), (std::vector<std::size_t>{64}));
  for (std::size_t place = 0; place < 64; ++place) EXPECT_EQ(writer.text(place), std::to_string(place + 1));
  EXPECT_EQ(writer.value("same"), "63");
  EXPECT_EQ(writer->status().commands, 64u);
  EXPECT_EQ(writer->status().batches, 1u);
}

TEST_F(WriterTest, a_batch_has_batch_size_commands_at_most) {
  WriterOptions options;
  options.batch_size = 3;
  WriterUnderTest writer(world, store, options);
  for (int count = 0; count < 8; ++count) writer.submit(set_request("k" + std::to_string(count), "x"));
  run();
  EXPECT_EQ(store.appends(), (std::vector<std::size_t>{3, 3, 2}));
  EXPECT_EQ(writer.order(), (std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6, 7}));
}

class WriterApartTest : public WriterTest {
 protected:
  WriteRequest alone(const std::string& key) {
    WriteRequest request = set_request(key, "x");
    request.alone = true;
    return request;
  }

  platform::SteppedExecutor apart{world.clock};
  WriterOptions options{.receipts = {}, .apart = &apart};
};

TEST_F(WriterApartTest, what_is_not_alone_is_recorded_apart_and_answered_at_home) {
  WriterUnderTest writer(world, store, options);
  EXPECT_EQ(writer.write(alone("a")), "1");

  writer.submit(alone("a"));
  writer.submit(set_request("b", "x"));
  run();
  EXPECT_EQ(writer.texts(), "1, (waiting), (waiting)");
  EXPECT_EQ(store.appends(), (std::vector<std::size_t>{1}));
  apart.run_ready();
  EXPECT_EQ(store.appends(), (std::vector<std::size_t>{1, 2}));
  EXPECT_EQ(writer.texts(), "1, (waiting), (waiting)");
  run();
  EXPECT_EQ(writer.texts(), "1, 2, 1");

  // The token is back: a lone command is served at home again.
  EXPECT_EQ(writer.write(alone("b")), "2");
}

TEST_F(WriterApartTest, with_a_slow_disk_nothing_is_recorded_at_home_until_it_is_fast_again) {
  WriterUnderTest writer(world, store, options);
  store.before_next_append([this](EventStore&) { world.clock.advance(std::chrono::milliseconds(5)); });
  EXPECT_EQ(writer.write(alone("a")), "1");
  EXPECT_EQ(writer.write(alone("a")), "(waiting)");
  apart.run_ready();
  run();
  EXPECT_EQ(writer.text(1), "2");
  EXPECT_EQ(writer.write(alone("a")), "3");
}

TEST_F(WriterTest, what_comes_while_a_flush_runs_is_the_next_batch) {
  WriterUnderTest writer(world, store);
  store.hold(true);
  writer.submit(set_request("a", "1"));
  run();
  writer.submit(set_request("a", "2"));
  writer.submit(set_request("b", "1"));
  run();
  EXPECT_EQ(store.appends(), (std::vector<std::size_t>{1}));
  EXPECT_EQ(writer->status().queued, 2u);
  store.release();
  run();
  EXPECT_EQ(writer.texts(), "1, (waiting), (waiting)");
  EXPECT_EQ(store.appends(), (std::vector<std::size_t>{1, 2}));
  store.release();
  run();
  EXPECT_EQ(writer.texts(), "1, 2, 1");
}

TEST_F(WriterTest, nothing_is_visible_and_nobody_answered_before_the_flush) {
  WriterUnderTest writer(world, store);
  ASSERT_EQ(writer.write(set_request("a", "old")), "1");
  store.hold(true);
  writer.submit(set_request("a", "new"));
  writer.submit(set_request("a", "x", 1));  // refused on the state that is still pending
  writer.submit(remove_request("absent"));  // refused on state that is not
  run();
  EXPECT_EQ(writer.texts(), "1, (waiting), (waiting), (waiting)");
  EXPECT_EQ(writer.value("a"), "old");
  EXPECT_EQ(writer.feed().table().progress().position(), Position{1});
  store.release();
  EXPECT_EQ(writer.text(1), "(waiting)") << "not on the thread of the store";
  run();
  EXPECT_EQ(writer.texts(), "1, 2, version_conflict, not_found");
  EXPECT_EQ(writer.value("a"), "new");
}

TEST_F(WriterTest, a_live_table_shows_a_change_before_its_reply_goes_out) {
  WriterUnderTest writer(world, store);
  std::string seen;
  writer->submit(set_request("a", "x"), world.executor, [&](const Result<Receipt>&) { seen = writer.value("a"); });
  run();
  EXPECT_EQ(seen, "x");
}

TEST_F(WriterTest, commands_of_a_batch_are_decided_on_what_those_before_them_did) {
  WriterUnderTest writer(world, store);
  writer.submit(set_request("a", "1"));
  writer.submit(set_request("a", "2", 1));
  writer.submit(set_request("a", "3", 1));
  writer.submit(remove_request("a"));
  writer.submit(remove_request("a"));
  writer.submit(set_request("a", "4"));
  run();
  EXPECT_EQ(writer.texts(), "1, 2, version_conflict, 3, already_deleted, 4");
  const auto page = store.read_stream("config-a", StreamVersion{4}, Direction::forward, PageLimit{});
  EXPECT_NE(page->events().front().data.find("\"old_value\":null"), std::string_view::npos);
  EXPECT_EQ(store.appends(), (std::vector<std::size_t>{4}));
}

TEST_F(WriterTest, a_refusal_alone_needs_no_append) {
  WriterUnderTest writer(world, store);
  EXPECT_EQ(writer.write(remove_request("a")), "not_found");
  EXPECT_TRUE(store.appends().empty());
}

TEST_F(WriterTest, the_receipt_tells_version_and_position) {
  WriterUnderTest writer(world, store);
  record(store, "other-a", set_event("x"));
  const auto place = writer.submit(set_request("a", "x"));
  run();
  EXPECT_EQ(writer.answer(place)->value().version, StreamVersion{1});
  EXPECT_EQ(writer.answer(place)->value().position, Position{2});
}

// --- Other writers
// -----------------------------------------------------------------------------------------------------------

TEST_F(WriterTest, after_a_conflict_a_command_is_decided_again_on_fresh_state) {
  WriterUnderTest writer(world, store);
  ASSERT_EQ(writer.write(set_request("a", "1")), "1");
  store.before_next_append([](EventStore& inner) { record(inner, "config-a", set_event("theirs")); });
  EXPECT_EQ(writer.write(set_request("a", "ours")), "3");
  EXPECT_EQ(writer.value("a"), "ours");
  const auto page = store.read_stream("config-a", StreamVersion{3}, Direction::forward, PageLimit{});
  EXPECT_NE(page->events().front().data.find("\"old_value\":\"theirs\""), std::string_view::npos);
}

TEST_F(WriterTest, what_another_server_recorded_in_between_shows_in_the_live_table_too) {
  WriterUnderTest writer(world, store);
  store.before_next_append([](EventStore& inner) { record(inner, "config-b", set_event("theirs")); });
  EXPECT_EQ(writer.write(set_request("a", "ours")), "1");
  EXPECT_EQ(writer.value("b"), "theirs");
}

TEST_F(WriterTest, an_if_match_that_lost_to_another_server_is_refused_on_fresh_state) {
  WriterUnderTest writer(world, store);
  ASSERT_EQ(writer.write(set_request("a", "1")), "1");
  store.before_next_append([](EventStore& inner) { record(inner, "config-a", set_event("theirs")); });
  EXPECT_EQ(writer.write(set_request("a", "ours", 1)), "version_conflict");
  EXPECT_EQ(store.stream_version("config-a").value(), StreamVersion{2});
}

TEST_F(WriterTest, a_refusal_decided_on_state_that_was_not_recorded_is_decided_again) {
  WriterUnderTest writer(world, store);
  ASSERT_EQ(writer.write(set_request("a", "1")), "1");
  store.before_next_append([](EventStore& inner) {
    for (int count = 0; count < 4; ++count) record(inner, "config-a", set_event("theirs"));
    record(inner, "config-a", deleted_event());
  });
  writer.submit(set_request("a", "ours", 1));  // decided to succeed, with version 2, and then conflicts
  writer.submit(remove_request("a"));          // decided to succeed, with version 3
  writer.submit(remove_request("a"));          // refused: already deleted
  run();
  EXPECT_EQ(writer.texts(), "1, version_conflict, already_deleted, already_deleted");
  EXPECT_EQ(store.stream_version("config-a").value(), StreamVersion{6});
}

TEST_F(WriterTest, a_refusal_on_pending_state_becomes_a_success_when_that_state_does_not_come_to_be) {
  WriterUnderTest writer(world, store);
  store.answer_next({group_too_large});
  writer.submit(set_request("a", "huge"));
  writer.submit(set_request("a", "small", 7));
  WriteRequest create = set_request("a", "created");
  create.command.precondition = {model::Precondition::Rule::does_not_exist, {}};
  writer.submit(create);
  run();
  EXPECT_EQ(writer.texts(), "too_large, version_conflict, 1");
  EXPECT_EQ(writer.value("a"), "created");
}

TEST_F(WriterTest, commands_that_are_decided_again_keep_their_order_and_go_before_later_ones) {
  WriterUnderTest writer(world, store);
  store.before_next_append([](EventStore& inner) {
    for (int count = 0; count < 10; ++count) record(inner, "config-a", set_event("theirs"));
  });
  store.hold(true);
  for (int count = 0; count < 5; ++count) writer.submit(set_request("a", std::to_string(count)));
  run();
  for (int count = 5; count < 8; ++count) writer.submit(set_request("a", std::to_string(count)));
  store.hold(false);
  store.release();
  run();
  EXPECT_EQ(writer.texts(), "11, 12, 13, 14, 15, 16, 17, 18");
  EXPECT_EQ(writer.order(), (std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6, 7}));
}

TEST_F(WriterTest, a_command_that_keeps_losing_is_refused_in_the_end) {
  WriterUnderTest writer(world, store);
  std::function<void(EventStore&)> interfere = [&](EventStore& inner) {
    record(inner, "config-a", set_event("theirs"));
    store.before_next_append(interfere);
  };
  store.before_next_append(interfere);
  EXPECT_EQ(writer.write(set_request("a", "ours")), "write_contention");
  store.before_next_append({});
  EXPECT_EQ(store.stream_version("config-a").value(), StreamVersion{6}) << "theirs, once an attempt";
  EXPECT_EQ(writer.write(set_request("a", "ours")), "7");
}

TEST_F(WriterTest, a_group_that_fails_by_itself_touches_no_other) {
  WriterUnderTest writer(world, store);
  store.answer_next({std::nullopt, group_too_large, std::nullopt});
  for (const char* key : {"a", "b", "c"}) writer.submit(set_request(key, "x"));
  run();
  EXPECT_EQ(writer.texts(), "1, too_large, 1");
  EXPECT_EQ(writer.value("a") + writer.value("b") + writer.value("c"), "x(none)x");
}

// --- A store that does not know
// ------------------------------------------------------------------------------------------------

TEST_F(WriterTest, unavailable_reaches_everything_that_was_decided_on_the_batch) {
  WriterUnderTest writer(world, store);
  ASSERT_EQ(writer.write(set_request("old", "x")), "1");
  store.answer_next({unavailable, unavailable});
  writer.submit(set_request("a", "1"));
  writer.submit(set_request("a", "2", 1));
  writer.submit(set_request("a", "3", 9));  // a refusal on pending state
  writer.submit(
      with_key(set_request("b", "1"), "key", "request"));  // recorded by the third group, which is not reached
  run();
  EXPECT_EQ(writer.text(1), "unavailable");
  EXPECT_EQ(writer.text(2), "unavailable");
  EXPECT_EQ(writer.text(3), "unavailable");
  EXPECT_EQ(writer.text(4), "1");
  EXPECT_EQ(writer.value("a"), "(none)");
  EXPECT_EQ(writer->status().queued, 0u);
}

TEST_F(WriterTest, twins_and_reuses_of_a_key_share_the_unknown_outcome) {
  WriterUnderTest writer(world, store);
  store.answer_next({unavailable});
  writer.submit(with_key(set_request("a", "1"), "key", "one"));
  writer.submit(with_key(set_request("a", "1"), "key", "one"));
  writer.submit(with_key(set_request("a", "2"), "key", "other"));
  run();
  EXPECT_EQ(writer.texts(), "unavailable, unavailable, unavailable");
  EXPECT_EQ(writer.write(with_key(set_request("a", "2"), "key", "other")), "1") << "only successes are kept";
}

TEST_F(WriterTest, once_an_outcome_is_unknown_no_refusal_by_the_state_is_final) {
  WriterUnderTest writer(world, store);
  ASSERT_EQ(writer.write(with_key(set_request("there", "x"), "key", "one")), "1");
  store.answer_next({unavailable});
  writer.submit(set_request("a", "1"));
  writer.submit(remove_request("absent"));
  run();
  EXPECT_EQ(writer.texts(), "1, unavailable, unavailable");
  store.set_writable(false);
  EXPECT_EQ(writer.write(remove_request("a")), "unavailable") << "it may be there after a restart";
  EXPECT_EQ(writer.write(set_request("a", "1", 3)), "unavailable");
  EXPECT_EQ(writer.write(with_key(set_request("there", "x"), "key", "one")), "1 replayed")
      << "that was recorded for certain";
  EXPECT_EQ(writer.write(with_key(set_request("there", "y"), "key", "two")), "idempotency_key_reused");
}

TEST_F(WriterTest, state_that_cannot_be_read_is_an_error_of_that_command_only) {
  WriterUnderTest writer(world, store, {}, model::Consistency::eventual);
  ASSERT_EQ(writer.write(set_request("known", "1")), "1");
  store.fail_reads(Error(ErrorKind::input_output, "bad disk"));
  writer.submit(set_request("unknown", "1"));
  writer.submit(set_request("known", "2"));
  run();
  EXPECT_EQ(writer.texts(), "1, input_output, 2");
  store.fail_reads(std::nullopt);
  EXPECT_EQ(writer.write(set_request("unknown", "1")), "1");
}

// --- Limits
// --------------------------------------------------------------------------------------------------------------------

TEST_F(WriterTest, one_command_more_than_the_queue_holds_is_refused_at_once) {
  WriterOptions options;
  options.queue_max = 2;
  WriterUnderTest writer(world, store, options);
  store.hold(true);
  writer.submit(set_request("a", "0"));
  run();
  for (int count = 1; count <= 4; ++count) writer.submit(set_request("a", std::to_string(count)));
  run();
  EXPECT_EQ(writer.texts(), "(waiting), (waiting), (waiting), queue_full, queue_full");
  EXPECT_EQ(writer.answer(3)->error().kind, ErrorKind::overloaded);
  EXPECT_EQ(writer->status().overloaded, 2u);
  store.hold(false);
  store.release();
  run();
  EXPECT_EQ(writer.texts(), "1, 2, 3, queue_full, queue_full");
  EXPECT_EQ(writer.write(set_request("a", "5")), "4");
}

TEST_F(WriterTest, the_queue_is_bounded_in_bytes_too_but_takes_one_large_command) {
  WriterOptions options;
  options.queue_bytes_max = 1000;
  WriterUnderTest writer(world, store, options);
  store.hold(true);
  writer.submit(set_request("a", "first"));
  run();
  writer.submit(set_request("a", std::string(5000, 'x')));
  writer.submit(set_request("a", "x"));
  run();
  EXPECT_EQ(writer.texts(), "(waiting), (waiting), queue_full");
  store.release();
  run();
  writer.submit(set_request("a", std::string(700, 'x')));
  writer.submit(set_request("a", std::string(400, 'x')));
  writer.submit(set_request("a", std::string(200, 'x')));
  run();
  EXPECT_EQ(writer.texts(), "1, (waiting), queue_full, (waiting), queue_full, (waiting)");
  store.hold(false);
  store.release();
  run();
  EXPECT_EQ(writer.texts(), "1, 2, queue_full, 3, queue_full, 4");
}

TEST_F(WriterTest, a_reply_that_throws_holds_up_nobody) {
  WriterUnderTest writer(world, store);
  platform::SteppedExecutor elsewhere(world.clock);
  int answered = 0;
  writer->submit(set_request("a", "1"), world.executor,
                 [](const Result<Receipt>&) { throw std::runtime_error("broken"); });
  writer->submit(set_request("a", "2"), world.executor, [](const Result<Receipt>&) { throw 7; });
  writer->submit(set_request("a", "3"), elsewhere, [](const Result<Receipt>&) { throw std::runtime_error("broken"); });
  writer->submit(set_request("a", "4"), elsewhere, [&](const Result<Receipt>&) { ++answered; });
  writer->submit(set_request("a", "5"), world.executor, [&](const Result<Receipt>&) { ++answered; });
  run();
  elsewhere.run_ready();
  EXPECT_EQ(answered, 2);
  EXPECT_EQ(writer.write(set_request("a", "6")), "6");
  EXPECT_EQ(world.logged("The reply to a write could not be given"), 3u);
}

TEST_F(WriterTest, replies_come_on_the_executor_of_whoever_asked) {
  WriterUnderTest writer(world, store);
  platform::SteppedExecutor elsewhere(world.clock);
  int there = 0;
  writer.submit(set_request("a", "1"));
  for (int count = 0; count < 3; ++count)
    writer->submit(set_request("a", "x"), elsewhere, [&](const Result<Receipt>&) { ++there; });
  run();
  EXPECT_EQ(there, 0);
  EXPECT_EQ(elsewhere.run_ready(), 1u) << "one task for all replies of a batch";
  EXPECT_EQ(there, 3);
}

// --- Barriers and settled times
// --------------------------------------------------------------------------------------------------

TEST_F(WriterTest, a_barrier_waits_for_everything_before_it) {
  WriterUnderTest writer(world, store);
  int passed = 0;
  writer->barrier(world.executor, [&](const Result<>&) { ++passed; });
  run();
  EXPECT_EQ(passed, 1) << "an idle writer lets it pass";
  store.hold(true);
  writer.submit(set_request("a", "1"));
  run();
  writer->barrier(world.executor, [&](const Result<>&) { ++passed; });
  run();
  EXPECT_EQ(passed, 1);
  store.release();
  run();
  EXPECT_EQ(passed, 2);
  EXPECT_EQ(writer->status().commands, 1u) << "a barrier is no command";
}

TEST_F(WriterTest, a_full_queue_does_not_let_a_barrier_pass_before_its_time) {
  WriterOptions options;
  options.queue_max = 1;
  WriterUnderTest writer(world, store, options);
  store.hold(true);
  writer.submit(set_request("a", "1"));
  run();
  writer.submit(set_request("a", "2"));
  int passed = 0;
  writer->barrier(world.executor, [&](const Result<>&) { ++passed; });
  run();
  EXPECT_EQ(passed, 0);
  store.hold(false);
  store.release();
  run();
  EXPECT_EQ(passed, 1);
}

TEST_F(WriterTest, only_a_busy_writer_may_hide_events_and_none_before_the_last_visible_one) {
  WriterUnderTest writer(world, store);
  ASSERT_EQ(writer.write(set_request("a", "1")), "1");
  const Instant first = world.clock.now();
  world.clock.advance(std::chrono::seconds(1));
  EXPECT_FALSE(writer->may_hide(world.clock.now()));
  store.hold(true);
  writer.submit(set_request("a", "2"));
  EXPECT_TRUE(writer->may_hide(world.clock.now())) << "from the moment that it was handed in";
  run();
  EXPECT_TRUE(writer->may_hide(world.clock.now()));
  EXPECT_FALSE(writer->may_hide(first));
  store.release();
  run();
  EXPECT_FALSE(writer->may_hide(world.clock.now()));
}

TEST_F(WriterTest, a_new_writer_knows_the_time_of_the_last_event_of_the_log) {
  record(store, "config-a", set_event("x"));
  const Instant last = world.clock.now();
  WriterUnderTest writer(world, store);
  store.hold(true);
  writer.submit(set_request("a", "2"));
  run();
  EXPECT_FALSE(writer->may_hide(last));
  EXPECT_TRUE(writer->may_hide(last.plus(Duration{1})));
  store.release();
  run();
}

}  // namespace
}  // namespace annals::engine
