// The writer over a store that other servers append to, too.

#include <gtest/gtest.h>

#include "engine/event_metadata.hpp"
#include "engine/test_engine.hpp"

namespace annals::engine {
namespace {

using projection::deleted_event;
using projection::record;
using projection::set_event;

class WriterOthersTest : public testing::Test {
 protected:
  WriterOthersTest() { store.share(); }
  void run() { world.executor.run_ready(); }

  TestWorld world;
  ControlledStore store{world.platform()};
};

TEST_F(WriterOthersTest, what_others_record_is_shown_without_a_write_of_ours) {
  WriterUnderTest writer(world, store);
  record(store.inner(), "config-a", set_event("theirs"));
  EXPECT_EQ(writer.value("a"), "(none)");
  run();
  EXPECT_EQ(writer.value("a"), "theirs");
  EXPECT_TRUE(writer.feed().is_live());
}

TEST_F(WriterOthersTest, a_write_goes_on_where_theirs_ended) {
  WriterUnderTest writer(world, store);
  store.before_next_append([](EventStore& inner) { record(inner, "config-a", set_event("theirs")); });
  EXPECT_EQ(writer.write(set_request("a", "ours")), "2") << "the first attempt expects no events";
  EXPECT_EQ(store.appends(), (std::vector<std::size_t>{1, 1}));
  EXPECT_EQ(writer.value("a"), "ours");
}

TEST_F(WriterOthersTest, theirs_between_ours_are_taken_in_too) {
  WriterUnderTest writer(world, store);
  store.before_next_append([](EventStore& inner) { record(inner, "config-b", set_event("theirs")); });
  EXPECT_EQ(writer.write(set_request("a", "ours")), "1");
  EXPECT_EQ(store.appends(), (std::vector<std::size_t>{1})) << "another stream is no conflict";
  EXPECT_EQ(writer.value("a"), "ours");
  EXPECT_EQ(writer.value("b"), "theirs");
  EXPECT_TRUE(writer.feed().is_live());
}

TEST_F(WriterOthersTest, a_refusal_is_final_only_once_the_store_has_been_asked) {
  WriterUnderTest writer(world, store);
  store.before_newest([](EventStore& inner) { record(inner, "config-a", set_event("theirs")); });
  EXPECT_EQ(writer.write(remove_request("a")), "2") << "at first it did not exist";
  EXPECT_EQ(store.asked(), 1u);
  EXPECT_EQ(writer.write(remove_request("a")), "already_deleted");
  EXPECT_EQ(store.asked(), 2u);
}

TEST_F(WriterOthersTest, a_precondition_is_refused_on_what_others_recorded) {
  WriterUnderTest writer(world, store);
  EXPECT_EQ(writer.write(set_request("a", "1")), "1");
  store.before_next_append([](EventStore& inner) { record(inner, "config-a", set_event("theirs")); });
  EXPECT_EQ(writer.write(set_request("a", "2", 1)), "version_conflict");
  EXPECT_EQ(writer.value("a"), "theirs");
}

TEST_F(WriterOthersTest, a_refusal_beside_a_recorded_group_is_final_when_nothing_of_theirs_came_before) {
  WriterUnderTest writer(world, store);
  writer.submit(set_request("a", "1"));
  writer.submit(remove_request("b"));
  run();
  EXPECT_EQ(writer.texts(), "1, not_found");
  EXPECT_EQ(store.asked(), 0u);
}

TEST_F(WriterOthersTest, a_refusal_beside_a_recorded_group_is_decided_again_when_something_of_theirs_came_before) {
  WriterUnderTest writer(world, store);
  store.before_next_append([](EventStore& inner) { record(inner, "config-b", set_event("theirs")); });
  writer.submit(set_request("a", "1"));
  writer.submit(remove_request("b"));
  run();
  EXPECT_EQ(writer.texts(), "1, 2");
}

TEST_F(WriterOthersTest, a_refusal_is_not_given_while_the_store_cannot_be_asked) {
  WriterUnderTest writer(world, store);
  store.fail_newest(Error{ErrorKind::unavailable, "the server is away"});
  EXPECT_EQ(writer.write(remove_request("a")), "unavailable");
  store.fail_newest(std::nullopt);
  EXPECT_EQ(writer.write(remove_request("a")), "not_found");
}

TEST_F(WriterOthersTest, a_refusal_is_in_doubt_and_has_recorded_nothing_while_the_store_takes_no_writes) {
  WriterUnderTest writer(world, store);
  store.set_writable(false);
  EXPECT_EQ(writer.write(remove_request("a")), "database_away");
  store.set_writable(true);
  store.answer_next({Error{ErrorKind::unavailable, "outcome_unknown", "the connection broke"}});
  writer.submit(set_request("b", "1"));
  writer.submit(remove_request("a"));
  run();
  EXPECT_EQ(writer.text(1), "outcome_unknown");
  EXPECT_EQ(writer.text(2), "database_away") << "whatever became of the other request of its batch";
}

TEST_F(WriterOthersTest, whom_others_come_before_again_and_again_keeps_them_off) {
  WriterUnderTest writer(world, store);
  store.before_each_append([](EventStore& inner) { record(inner, "config-a", set_event("theirs")); });
  EXPECT_EQ(writer.write(set_request("a", "ours")), "3");
  EXPECT_EQ(store.holds(), 1u);
  EXPECT_EQ(store.appends(), (std::vector<std::size_t>{1, 1, 1}));
  EXPECT_EQ(writer.value("a"), "ours");
}

TEST_F(WriterOthersTest, an_idempotency_key_holds_across_servers) {
  ControlledStore* const shared = &store;
  WriterUnderTest writer(world, *shared);
  const WriteRequest request = with_key(set_request("a", "1"), "key", "body");
  // Another server gets the same request first, while this one is about to record it.
  store.before_next_append([&](EventStore& inner) {
    NewEvent event = set_event("1");
    event.metadata = make_metadata("anonymous", request.idempotency);
    record(inner, "config-b", event);
  });
  EXPECT_EQ(writer.write(request), "1 replayed");
  EXPECT_EQ(writer.value("a"), "(none)") << "nothing was recorded twice";
  EXPECT_EQ(writer.write(with_key(set_request("a", "1"), "key", "another body")), "idempotency_key_reused");
}

TEST_F(WriterOthersTest, commands_with_keys_are_recorded_together_and_do_not_stand_in_each_others_way) {
  WriterUnderTest writer(world, store);
  writer.submit(set_request("a", "0"));
  for (int count = 1; count < 8; ++count) {
    const std::string name = std::to_string(count);
    writer.submit(with_key(set_request("a", name), name, name));
  }
  run();
  EXPECT_EQ(writer.texts(), "1, 2, 3, 4, 5, 6, 7, 8");
  EXPECT_EQ(store.appends(), (std::vector<std::size_t>{8}));
}

TEST_F(WriterOthersTest, a_barrier_asks_the_store) {
  WriterUnderTest writer(world, store);
  EXPECT_TRUE(writer->may_hide(world.clock.now())) << "others are never idle for certain";
  store.before_newest([](EventStore& inner) { record(inner, "config-a", set_event("theirs")); });
  std::string seen;
  writer->barrier(world.executor, [&](const Result<>&) { seen = writer.value("a"); });
  run();
  EXPECT_EQ(seen, "theirs");
}

TEST_F(WriterOthersTest, a_barrier_behind_a_batch_that_theirs_came_before_waits_for_a_look) {
  WriterUnderTest writer(world, store);
  store.before_next_append([](EventStore& inner) { record(inner, "config-b", set_event("theirs")); });
  std::string seen;
  writer.submit(set_request("a", "1"));
  writer->barrier(world.executor, [&](const Result<>&) { seen = writer.value("b"); });
  run();
  EXPECT_EQ(seen, "theirs");
}

TEST_F(WriterOthersTest, a_store_that_cannot_be_read_after_an_append_leaves_no_stale_table) {
  WriterUnderTest writer(world, store);
  store.before_next_append([this](EventStore& inner) {
    record(inner, "config-b", set_event("theirs"));
    store.fail_reads(Error{ErrorKind::unavailable, "the server is away"});
  });
  EXPECT_EQ(writer.write(set_request("a", "1")), "1");
  EXPECT_FALSE(writer.feed().is_live());
  store.fail_reads(std::nullopt);
  world.clock.advance(std::chrono::seconds(1));
  run();
  EXPECT_EQ(writer.write(set_request("a", "2")), "2");
  EXPECT_EQ(writer.value("b"), "theirs");
}

TEST_F(WriterOthersTest, what_could_not_be_read_of_theirs_is_read_as_soon_as_it_can_be) {
  WriterUnderTest writer(world, store);
  store.fail_reads(Error{ErrorKind::unavailable, "the server is away"});
  record(store.inner(), "config-a", set_event("theirs"));
  run();
  EXPECT_FALSE(writer->sees_others());
  for (int again = 0; again < 50; ++again) {
    EXPECT_TRUE(world.executor.run_next_timer());
    run();
  }
  EXPECT_EQ(writer.value("a"), "(none)");
  EXPECT_FALSE(writer->sees_others());
  EXPECT_EQ(world.logged("What other servers recorded could not be read"), 1u) << "of 100 in five seconds";
  store.fail_reads(std::nullopt);
  EXPECT_TRUE(world.executor.run_next_timer());
  run();
  EXPECT_EQ(writer.value("a"), "theirs") << "nobody wrote meanwhile";
  EXPECT_TRUE(writer->sees_others());
  EXPECT_FALSE(world.executor.run_next_timer()) << "it is tried no longer";
}

TEST_F(WriterOthersTest, an_outage_after_which_nothing_is_unread_leaves_nothing_to_try) {
  WriterUnderTest writer(world, store);
  store.fail_newest(Error{ErrorKind::unavailable, "the server is away"});
  EXPECT_EQ(writer.write(remove_request("a")), "unavailable");
  EXPECT_TRUE(writer->sees_others());
  EXPECT_FALSE(world.executor.run_next_timer());
}

TEST_F(WriterOthersTest, whoever_stops_following_looks_no_more) {
  auto writer = std::make_unique<WriterUnderTest>(world, store);
  store.fail_reads(Error{ErrorKind::unavailable, "the server is away"});
  record(store.inner(), "config-a", set_event("theirs"));
  run();
  (*writer)->stop_following();
  store.fail_reads(std::nullopt);
  world.executor.run_next_timer();
  run();
  EXPECT_EQ(writer->value("a"), "(none)");
  writer = std::make_unique<WriterUnderTest>(world, store);
  EXPECT_EQ(writer->value("a"), "theirs");
  store.fail_reads(Error{ErrorKind::unavailable, "the server is away"});
  record(store.inner(), "config-a", set_event("more"));
  run();
  EXPECT_FALSE((*writer)->sees_others());
  writer.reset();  // what waits for its time must not touch it
  world.executor.run_next_timer();
  run();
}

TEST_F(WriterOthersTest, states_that_no_table_stands_for_are_read_anew_after_others_changed_them) {
  WriterUnderTest writer(world, store, {}, model::Consistency::eventual);
  EXPECT_EQ(writer.write(set_request("a", "1")), "1");
  record(store.inner(), "config-a", set_event("theirs"));
  run();
  EXPECT_EQ(writer.write(set_request("a", "3", 2)), "3") << "the cache does not hold version 1 against it";
  EXPECT_EQ(store.appends(), (std::vector<std::size_t>{1, 1}));
}

TEST_F(WriterOthersTest, two_writers_on_one_store_agree) {
  WriterUnderTest first(world, store);
  WriterUnderTest second(world, store);
  for (int round = 0; round < 50; ++round) {
    first.submit(set_request("a", "first " + std::to_string(round)));
    second.submit(set_request("a", "second " + std::to_string(round)));
    if (round % 7 == 0) second.submit(remove_request("a"));
    run();
  }
  EXPECT_EQ(first.value("a"), second.value("a"));
  for (std::size_t place = 0; place < 50; ++place) EXPECT_TRUE(first.answer(place)->has_value());
  EXPECT_EQ(store.inner().stream_version("config-a").value().value, 108u);
}

}  // namespace
}  // namespace annals::engine
