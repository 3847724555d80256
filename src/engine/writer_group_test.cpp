// Requests for several keys: one group, or nothing; and those that are planned from the state.

#include <gtest/gtest.h>

#include "engine/prefix_rollback.hpp"
#include "engine/test_engine.hpp"

namespace annals::engine {
namespace {

using model::Consistency;
using projection::record;
using projection::set_event;

WriteRequest together(std::vector<WriteRequest> requests) {
  WriteRequest all;
  all.actor = "anonymous";
  for (WriteRequest& request : requests) all.several.push_back({request.model, std::move(request.command)});
  return all;
}

class WriterGroupTest : public testing::Test {
 protected:
  void run() { world.executor.run_ready(); }
  [[nodiscard]] std::vector<EventView> events() {
    page = store.inner().read_all(Position{}, Horizon::visible, PageLimit{100'000, 1u << 30}).value();
    return page.events();
  }

  TestWorld world;
  ControlledStore store{world.platform()};
  EventPage page;
};

TEST_F(WriterGroupTest, several_commands_are_one_group) {
  WriterUnderTest writer(world, store);
  writer.write(set_request("b", "old"));
  const std::size_t place =
      writer.submit(together({set_request("a", "1"), remove_request("b"), set_request("c", "1")}));
  run();
  ASSERT_EQ(writer.text(place), "1");
  const Receipt& receipt = **writer.answer(place);
  EXPECT_EQ(receipt.position, Position{4});
  EXPECT_EQ(receipt.tally, (Tally{2, 1, 3}));
  EXPECT_EQ(writer.value("a") + writer.value("b") + writer.value("c"), "1(none)1");
  EXPECT_EQ(store.appends(), (std::vector<std::size_t>{1, 1}));
}

TEST_F(WriterGroupTest, one_refusal_refuses_all_and_leaves_no_trace) {
  WriterUnderTest writer(world, store);
  const std::size_t refused = writer.submit(together({set_request("a", "1"), remove_request("never")}));
  const std::size_t after = writer.submit(set_request("a", "2", 1));
  const std::size_t first = writer.submit(set_request("a", "3"));
  run();
  EXPECT_EQ(writer.text(refused), "not_found");
  EXPECT_EQ(writer.text(after), "version_conflict") << "it does not see what was refused";
  EXPECT_EQ(writer.text(first), "1");
}

TEST_F(WriterGroupTest, a_key_may_come_several_times_and_the_last_counts) {
  WriterUnderTest writer(world, store);
  const std::size_t place = writer.submit(
      together({set_request("a", "1"), set_request("b", "1"), set_request("a", "2", 1), remove_request("a")}));
  run();
  ASSERT_EQ(writer.text(place), "3");
  EXPECT_EQ(writer.value("a"), "(none)");
  EXPECT_EQ(writer.write(set_request("a", "3", 3)), "4");
}

TEST_F(WriterGroupTest, commands_of_one_flush_see_what_a_group_leaves) {
  for (const auto consistency : {Consistency::live, Consistency::eventual}) {
    ControlledStore own(world.platform());
    WriterUnderTest writer(world, own, {}, consistency);
    const std::size_t first = writer.submit(set_request("a", "1"));
    const std::size_t both = writer.submit(together({set_request("a", "2", 1), set_request("b", "1")}));
    const std::size_t last = writer.submit(set_request("b", "2", 1));
    run();
    EXPECT_EQ(writer.text(first) + writer.text(both) + writer.text(last), "122");
    EXPECT_EQ(own.appends(), (std::vector<std::size_t>{3}));
    EXPECT_EQ(writer.write(set_request("a", "3", 2)), "3");
  }
}

TEST_F(WriterGroupTest, a_group_whose_state_was_not_recorded_is_decided_again) {
  WriterUnderTest writer(world, store);
  store.answer_next({Error(ErrorKind::too_large, "the group does not fit")});
  const std::size_t lost = writer.submit(set_request("a", "1"));
  const std::size_t both = writer.submit(together({set_request("b", "1"), set_request("a", "2")}));
  const std::size_t refused = writer.submit(together({set_request("c", "1"), set_request("a", "2", 7)}));
  run();
  EXPECT_EQ(writer.text(lost), "too_large");
  EXPECT_EQ(writer.text(both), "1");
  EXPECT_EQ(writer.text(refused), "version_conflict");
  EXPECT_EQ(writer.value("a"), "2");
}

TEST_F(WriterGroupTest, what_a_group_cannot_hold_is_refused_by_number) {
  WriterUnderTest writer(world, store);
  WriteRequest many;
  for (std::size_t key = 0; key <= group_events_max; ++key) {
    many.several.push_back({0, set_request("k" + std::to_string(key), "1").command});
  }
  WriteRequest large;
  const SharedText value(std::string(1u << 20, 'x'));
  for (int key = 0; key < 40; ++key) {
    large.several.push_back({0, set_request("k" + std::to_string(key), "1").command});
    large.several.back().command.value = value;
  }
  for (auto& [request, number] : {std::pair{&many, "10001"}, std::pair{&large, "40"}}) {
    const std::size_t place = writer.submit(*request);
    run();
    ASSERT_EQ(writer.text(place), "group_too_large");
    EXPECT_EQ(writer.answer(place)->error().kind, ErrorKind::too_large);
    EXPECT_NE(writer.answer(place)->error().message.find(number), std::string::npos);
  }
  store.answer_next({Error(ErrorKind::too_large, "a segment has no room")});
  const std::size_t place = writer.submit(together({set_request("a", "1"), set_request("b", "1")}));
  run();
  EXPECT_NE(writer.answer(place)->error().message.find("2 changes"), std::string::npos);
  EXPECT_TRUE(events().empty());
}

TEST_F(WriterGroupTest, an_idempotency_key_gives_the_same_receipt_also_after_a_restart) {
  const auto request = [] {
    return with_key(together({set_request("a", "1"), set_request("b", "1"), remove_request("a")}), "key", "body");
  };
  for (int start = 0; start < 2; ++start) {
    WriterUnderTest writer(world, store);
    const std::size_t first = writer.submit(request());
    const std::size_t twin = writer.submit(request());
    run();
    for (const std::size_t place : {first, twin}) {
      ASSERT_TRUE(writer.answer(place)->has_value());
      const Receipt& receipt = **writer.answer(place);
      EXPECT_EQ(receipt.tally, (Tally{2, 1, 3}));
      EXPECT_EQ(receipt.position, Position{3});
      EXPECT_EQ(receipt.replayed, start == 1 || place == twin);
    }
    EXPECT_EQ(writer.write(with_key(set_request("a", "1"), "key", "other")), "idempotency_key_reused");
  }
  EXPECT_EQ(events().size(), 3u);
}

class RollbackTest : public WriterGroupTest {
 protected:
  /// The request that rolls back, prepared.
  [[nodiscard]] WriteRequest prepared(WriterUnderTest& writer, Instant at, const std::string& prefix) {
    const auto rollback =
        std::make_shared<PrefixRollback>(Past{store, writer.feed().model()}, 0, writer.feed().table(), at, prefix);
    Result<bool> done = false;
    while (done && !*done) done = rollback->prepare(Turn::endless());
    EXPECT_TRUE(done.has_value());
    WriteRequest request;
    request.actor = "anonymous";
    request.plan = [rollback] { return rollback->plan(); };
    return request;
  }
  std::string roll_back(WriterUnderTest& writer, WriteRequest request) {
    const std::size_t place = writer.submit(std::move(request));
    run();
    const auto& answer = *writer.answer(place);
    if (!answer) return answer.error().code;
    return std::to_string(answer->tally.set) + " set, " + std::to_string(answer->tally.removed) + " removed";
  }
  /// What the store says of the time after the last event.
  [[nodiscard]] Instant now() { return events().back().created_at; }
};

TEST_F(RollbackTest, everything_under_a_prefix_goes_back_and_what_is_as_it_was_records_nothing) {
  for (const auto consistency : {Consistency::live, Consistency::restart}) {
    const std::string other = consistency == Consistency::live ? "l" : "r";
    WriterUnderTest writer(world, store, {}, consistency);
    const auto write = [&](WriteRequest request) { ASSERT_NE(writer.write(std::move(request)), ""); };
    for (const char* name : {"/same", "/changed", "/removed", "/touched"}) write(set_request(other + name, "1"));
    write(set_request("other", "1"));
    const Instant at = now();
    for (const char* name : {"/changed", "/added", "/touched"}) write(set_request(other + name, "2"));
    write(set_request(other + "/touched", "1"));
    write(remove_request(other + "/removed"));
    write(set_request("other", "2"));
    const std::size_t before = events().size();
    EXPECT_EQ(roll_back(writer, prepared(writer, at, other + "/")), "2 set, 1 removed");
    EXPECT_EQ(events().size(), before + 3);
    if (consistency == Consistency::live) {
      EXPECT_EQ(writer.value("l/changed") + writer.value("l/removed") + writer.value("l/added"), "11(none)");
      EXPECT_EQ(writer.value("other"), "2");
    }
    EXPECT_EQ(roll_back(writer, prepared(writer, at, other + "/")), "0 set, 0 removed");
    EXPECT_EQ(events().size(), before + 3);
  }
}

TEST_F(RollbackTest, what_was_written_between_preparation_and_decision_goes_back_too) {
  WriterUnderTest writer(world, store);
  writer.write(set_request("a", "1"));
  writer.write(set_request("b", "1"));
  const Instant at = now();
  writer.write(set_request("b", "2"));
  WriteRequest request = prepared(writer, at, "");
  writer.write(set_request("a", "2"));
  writer.write(set_request("b", "1"));
  // These are of the same batch, and not recorded yet when the rollback's turn comes.
  const std::size_t fresh = writer.submit(set_request("c", "1"));
  const std::size_t rollback = writer.submit(request);
  const std::size_t after = writer.submit(set_request("a", "3", 3));
  run();
  EXPECT_EQ(writer.text(fresh), "1");
  EXPECT_EQ((*writer.answer(rollback))->tally, (Tally{1, 1, 2}));
  EXPECT_EQ(writer.text(after), "4") << "it is decided on what the rollback left";
  EXPECT_EQ(writer.value("b") + writer.value("c"), "1(none)");
}

TEST_F(RollbackTest, what_another_server_wrote_meanwhile_makes_it_decide_again) {
  WriterUnderTest writer(world, store);
  writer.write(set_request("a", "1"));
  const Instant at = now();
  writer.write(set_request("a", "2"));
  store.before_next_append([](EventStore& inner) { record(inner, "config-b", set_event("1")); });
  EXPECT_EQ(roll_back(writer, prepared(writer, at, "")), "1 set, 1 removed");
  EXPECT_EQ(events().size(), 5u);
}

TEST_F(RollbackTest, one_that_changes_nothing_is_remembered_too) {
  WriterUnderTest writer(world, store);
  writer.write(set_request("a", "1"));
  const Instant at = now();
  EXPECT_EQ(roll_back(writer, prepared(writer, at, "")), "0 set, 0 removed");
  EXPECT_EQ(events().size(), 1u) << "without a key there is nothing to remember";
  const std::size_t first = writer.submit(with_key(prepared(writer, at, ""), "key", "body"));
  const std::size_t twin = writer.submit(with_key(prepared(writer, at, ""), "key", "body"));
  run();
  EXPECT_EQ((*writer.answer(first))->position, Position{2});
  EXPECT_FALSE((*writer.answer(first))->replayed);
  EXPECT_TRUE((*writer.answer(twin))->replayed);
  ASSERT_EQ(events().size(), 2u);
  EXPECT_EQ(events().back().stream, receipts_stream);
  EXPECT_EQ(events().back().type, nothing_changed_type);
  EXPECT_FALSE(writer.feed().model().owns_stream(events().back().stream));
  writer.write(set_request("a", "2"));
  EXPECT_EQ(roll_back(writer, with_key(prepared(writer, at, ""), "key", "body")), "0 set, 0 removed");
  EXPECT_EQ(writer.value("a"), "2");

  WriterUnderTest after_a_restart(world, store);
  const std::size_t again = after_a_restart.submit(with_key(prepared(after_a_restart, at, ""), "key", "body"));
  run();
  EXPECT_TRUE((*after_a_restart.answer(again))->replayed);
  EXPECT_EQ((*after_a_restart.answer(again))->tally, Tally{});
  EXPECT_EQ(after_a_restart.value("a"), "2") << "the write that came after the first answer is not undone";
  EXPECT_EQ(roll_back(after_a_restart, with_key(prepared(after_a_restart, at, ""), "key", "other")),
            "idempotency_key_reused");
  EXPECT_EQ(events().size(), 3u);
}

TEST_F(RollbackTest, one_that_changes_nothing_is_remembered_on_a_shared_store_too) {
  store.share();
  WriterUnderTest first(world, store);
  WriterUnderTest second(world, store);
  first.write(set_request("a", "1"));
  const Instant at = now();
  const auto request = [&](WriterUnderTest& writer) { return with_key(prepared(writer, at, ""), "key", "body"); };
  // The state that it was planned on is not the last, and then it is.
  store.before_next_append([](EventStore& inner) { record(inner, "config-a", set_event("1")); });
  EXPECT_EQ(roll_back(first, request(first)), "0 set, 0 removed");
  EXPECT_EQ(events().size(), 3u);
  first.write(set_request("a", "2"));
  EXPECT_EQ(roll_back(second, request(second)), "0 set, 0 removed");
  EXPECT_EQ(second.value("a"), "2");
  EXPECT_EQ(events().size(), 4u);
}

TEST_F(RollbackTest, what_was_recorded_before_is_known_without_a_look_at_the_state) {
  WriterUnderTest writer(world, store);
  const WriteRequest request = with_key(set_request("a", "1"), "key", "body");
  store.hold(true);
  const std::size_t place = writer.submit(request);
  run();
  EXPECT_EQ(writer->recorded_before(*request.idempotency).value(), std::nullopt) << "it may still fail";
  store.hold(false);
  store.release();
  run();
  ASSERT_EQ(writer.text(place), "1");
  EXPECT_EQ(to_text(*writer->recorded_before(*request.idempotency).value()), "1 replayed");
  const auto reused = writer->recorded_before({request.idempotency->key, digest_of({"other"})});
  ASSERT_FALSE(reused.has_value());
  EXPECT_EQ(reused.error().code, "idempotency_key_reused");
}

TEST_F(RollbackTest, more_than_a_group_holds_is_refused_before_all_of_it_has_been_found) {
  WriterUnderTest writer(world, store);
  writer.write(set_request("a", "1"));
  const Instant at = now();
  std::vector<Group> groups(1);
  for (std::size_t key = 0; key < 12'345; ++key) {
    if (groups.back().appends.size() == group_events_max) groups.emplace_back();
    groups.back().appends.push_back({"config-k" + std::to_string(key), ExpectedVersion::any(), {set_event("x")}});
  }
  store.inner().append(groups, [](const std::vector<AppendResult>& results) { ASSERT_TRUE(results.back()); });
  PrefixRollback rollback({store, writer.feed().model()}, 0, writer.feed().table(), at, "k");
  Result<bool> done = false;
  while (done && !*done) done = rollback.prepare(Turn::endless());
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().kind, ErrorKind::too_large);
  const std::string at_least = "at least ";
  const std::size_t place = done.error().message.find(at_least);
  ASSERT_NE(place, std::string::npos) << done.error().message;
  const std::size_t found = std::stoul(done.error().message.substr(place + at_least.size()));
  EXPECT_GT(found, group_events_max);
  EXPECT_LT(found, 12'345u);
}

TEST_F(RollbackTest, a_store_that_cannot_be_read_is_told_and_nothing_is_recorded) {
  WriterUnderTest writer(world, store);
  writer.write(set_request("a", "1"));
  const Instant at = now();
  writer.write(set_request("a", "2"));
  WriteRequest request = prepared(writer, at, "");
  writer.write(set_request("a", "3"));
  store.fail_reads(Error(ErrorKind::input_output, "bad disk"));
  EXPECT_EQ(roll_back(writer, std::move(request)), "input_output");
  store.fail_reads(std::nullopt);
  EXPECT_EQ(events().size(), 3u);
}

}  // namespace
}  // namespace annals::engine
