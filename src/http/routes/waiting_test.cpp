// Requests that wait: for a position, for the next event, for a refresh. On a home executor that is stepped by hand.

#include <gtest/gtest.h>

#include <deque>

#include "http/routes/test_api.hpp"

namespace annals::http {
namespace {

using projection::record;
using projection::set_event;

using WaitingTest = ApiTest;

TEST_F(WaitingTest, a_read_waits_for_the_position_that_it_must_reflect) {
  open(model::Consistency::eventual);
  record(*store, "config-a", set_event("x"));
  EXPECT_EQ(ask(Method::get, "/config/a")->status(), 404);
  const auto waiting = ask(Method::get, "/config/a?min_position=" + cursor(1));
  EXPECT_EQ(waiting->status(), 0);
  run();
  EXPECT_EQ(waiting->status(), 200);
  EXPECT_EQ(waiting->body(), "x");
  EXPECT_NE(waiting->response->fields.find("Annals-Position: " + cursor(1)), std::string::npos);
  EXPECT_EQ(waiting->longer, std::chrono::seconds(5)) << "the server's own time does not cut it";
  const Duration before = world.clock.monotonic();
  while (home.run_next_timer()) continue;
  EXPECT_EQ(waiting->status(), 200) << "its timer finds it answered";
  EXPECT_LE(world.clock.monotonic() - before, std::chrono::seconds(2)) << "and does not outlive it for all of its time";
}

TEST_F(WaitingTest, a_reply_names_no_position_before_the_one_that_was_asked_for) {
  open(model::Consistency::eventual);
  record(*store, "config-a", set_event("x"));
  for (const std::string asked : {"/config/a?version=1&", "/config/a?at=2100-01-01T00:00:00Z&", "/config/a/history?"}) {
    const auto past = ask(Method::get, asked + "min_position=" + cursor(1));
    home.run_ready();
    EXPECT_TRUE(past->has("Annals-Position: " + cursor(1))) << asked << "the store is there, the table not yet";
  }
  store->before_knows([this] { run(); });
  const auto caught_up_meanwhile = ask(Method::get, "/config/a?min_position=" + cursor(1));
  EXPECT_EQ(caught_up_meanwhile->body(), "x");
  EXPECT_TRUE(caught_up_meanwhile->has("Annals-Position: " + cursor(1)));
}

TEST_F(WaitingTest, a_position_that_does_not_come_is_refused_in_time_and_forgotten) {
  open(model::Consistency::restart);
  const Duration before = world.clock.monotonic();
  const auto waiting = ask(Method::get, "/config?min_position=" + cursor(3));
  while (waiting->status() == 0 && home.run_next_timer()) continue;
  EXPECT_EQ(waiting->status(), 503);
  EXPECT_EQ(world.clock.monotonic() - before, std::chrono::seconds(5));
  EXPECT_NE(waiting->body().find("position_not_reached"), std::string::npos);
  EXPECT_EQ(waiting.use_count(), 1) << "nobody holds it any more";
  for (int count = 0; count < 3; ++count) record(*store, "config-a", set_event("x"));
  ASSERT_EQ(ask(Method::post, "/-/projections/config/refresh")->status(), 0);
  run();
  EXPECT_EQ(waiting->status(), 503);
}

TEST_F(WaitingTest, a_position_is_not_waited_for_when_the_client_has_left) {
  open(model::Consistency::eventual);
  const auto waiting = ask(Method::get, "/config?min_position=" + cursor(1));
  ASSERT_TRUE(waiting->client_left);
  waiting->client_left();
  EXPECT_EQ(waiting->status(), 503);
  EXPECT_NE(waiting->body().find("position_not_reached"), std::string::npos);
  record(*store, "config-a", set_event("x"));
  run();
  while (home.run_next_timer()) continue;
  EXPECT_EQ(waiting->status(), 503);
  EXPECT_EQ(waiting.use_count(), 1) << "nobody holds it any more";
}

TEST_F(WaitingTest, a_position_is_not_waited_for_when_the_server_drains) {
  open(model::Consistency::eventual);
  const Duration before = world.clock.monotonic();
  const auto first = ask(Method::get, "/config?min_position=" + cursor(1));
  const auto both = ask(Method::get, "/config/a?wait=5m&min_position=" + cursor(1), {{"If-None-Match", "\"0\""}});
  EXPECT_EQ(first->status() + both->status(), 0);
  EXPECT_EQ(both->longer, std::chrono::minutes(5) + std::chrono::seconds(5)) << "one wait after the other";
  engine->set_draining();
  run();
  const auto late = ask(Method::get, "/config/a?min_position=" + cursor(1));
  for (const auto& asked : {first, both, late}) {
    EXPECT_EQ(asked->status(), 503);
    EXPECT_TRUE(asked->has("Retry-After: "));
    EXPECT_NE(asked->body().find("position_not_reached"), std::string::npos);
  }
  EXPECT_EQ(world.clock.monotonic(), before) << "at once";
  while (home.run_next_timer()) continue;
  EXPECT_EQ(first.use_count() + both.use_count() + late.use_count(), 3) << "nobody holds them any more";
}

TEST_F(WaitingTest, a_position_that_is_reached_is_no_matter_to_a_server_that_drains) {
  open(model::Consistency::eventual);
  const auto waiting = ask(Method::get, "/config?min_position=" + cursor(1));
  record(*store, "config-a", set_event("x"));
  background.run_ready();
  engine->set_draining();
  home.run_ready();
  EXPECT_EQ(waiting->status(), 200);
  EXPECT_EQ(ask(Method::get, "/config?min_position=" + cursor(1))->status(), 200);
}

TEST_F(WaitingTest, a_refresh_answers_once_the_table_shows_what_was_there) {
  open(model::Consistency::restart);
  record(*store, "config-a", set_event("x"));
  const auto refresh = ask(Method::post, "/-/projections/config/refresh");
  EXPECT_EQ(refresh->status(), 0);
  run();
  EXPECT_EQ(refresh->status(), 200);
  EXPECT_EQ(ask(Method::get, "/config/a")->body(), "x");
  EXPECT_EQ(ask(Method::post, "/-/projections/other/refresh")->status(), 404);
}

TEST_F(WaitingTest, events_that_are_there_are_given_at_once_and_none_are_an_empty_body) {
  open();
  record(*store, "config-a", set_event("x"));
  const auto all = ask(Method::get, "/-/events");
  EXPECT_EQ(all->status(), 200);
  EXPECT_NE(all->body().find("\"stream\":\"config-a\""), std::string::npos);
  EXPECT_NE(all->response->fields.find("Annals-Position: " + cursor(1)), std::string::npos);
  const auto none = ask(Method::get, "/-/events?after=" + cursor(1));
  EXPECT_EQ(none->status(), 200);
  EXPECT_EQ(none->body(), "");
}

TEST_F(WaitingTest, a_reader_of_events_may_wait_for_the_next_one) {
  open();
  const auto waiting = ask(Method::get, "/-/events?wait=10s");
  run();
  EXPECT_EQ(waiting->status(), 0);
  record(*store, "config-a", set_event("x"));
  run();
  EXPECT_EQ(waiting->status(), 200);
  EXPECT_NE(waiting->body().find("\"stream\":\"config-a\""), std::string::npos);
  while (home.run_next_timer()) continue;
  EXPECT_EQ(waiting.use_count(), 1) << "nobody holds it any more";
}

TEST_F(WaitingTest, a_reader_of_one_stream_waits_on_while_others_change) {
  open();
  const auto waiting = ask(Method::get, "/-/events?stream=config-b&wait=10s");
  for (int count = 0; count < 5; ++count) {
    record(*store, "config-a", set_event("x"));
    run();
  }
  EXPECT_EQ(waiting->status(), 0);
  record(*store, "config-b", set_event("x"));
  run();
  EXPECT_EQ(waiting->status(), 200);
  EXPECT_NE(waiting->body().find("\"position\":\"6\""), std::string::npos);
}

TEST_F(WaitingTest, a_wait_for_events_ends_at_its_time_with_an_empty_body) {
  open();
  const Duration before = world.clock.monotonic();
  const auto waiting = ask(Method::get, "/-/events?wait=3s");
  while (waiting->status() == 0 && home.run_next_timer()) continue;
  EXPECT_EQ(waiting->status(), 200);
  EXPECT_EQ(waiting->body(), "");
  EXPECT_EQ(world.clock.monotonic() - before, std::chrono::seconds(3));
}

TEST_F(WaitingTest, events_are_not_waited_for_when_the_client_has_left) {
  open();
  const auto waiting = ask(Method::get, "/-/events?wait=20s");
  ASSERT_TRUE(waiting->client_left);
  waiting->client_left();
  EXPECT_EQ(waiting->status(), 200);
  EXPECT_EQ(waiting->body(), "");
  record(*store, "config-a", set_event("x"));
  run();
  while (home.run_next_timer()) continue;
  EXPECT_EQ(waiting.use_count(), 1) << "nobody holds it any more";
}

TEST_F(WaitingTest, a_wait_for_events_does_not_hold_up_a_server_that_drains) {
  open();
  const Duration before = world.clock.monotonic();
  const auto waiting = ask(Method::get, "/-/events?wait=20s");
  engine->set_draining();
  run();
  EXPECT_EQ(waiting->status(), 200);
  EXPECT_EQ(world.clock.monotonic(), before) << "at once";
}

// A client that asked for events and left: its request still lies in the home executor when the server goes down, and
// the executor is the last to go.
TEST_F(WaitingTest, a_wait_for_events_may_outlive_the_engine_and_the_store) {
  open();
  const auto waiting = ask(Method::get, "/-/events?wait=20s");
  const auto position = ask(Method::get, "/config?min_position=" + cursor(9));
  EXPECT_EQ(waiting->status(), 0);
  EXPECT_EQ(position->status(), 0);
  engine.reset();
  store.reset();
  SUCCEED() << "and the home executor, with the timers of both, goes after this";
}

TEST_F(WaitingTest, a_read_waits_for_its_key_to_change_and_for_no_other) {
  open(model::Consistency::eventual);
  record(*store, "config-a", set_event("x"));
  run();
  const auto first = ask(Method::get, "/config/a?wait=30s");
  EXPECT_EQ(first->status(), 200) << "whoever knows nothing is told at once";
  EXPECT_TRUE(first->has("ETag: \"1\""));
  const auto behind = ask(Method::get, "/config/a?wait=30s", {{"If-None-Match", "\"0\""}});
  EXPECT_EQ(behind->status(), 200);
  const auto waiting = ask(Method::get, "/config/a?wait=30s", {{"If-None-Match", "\"1\""}});
  EXPECT_EQ(waiting->longer, std::chrono::seconds(30)) << "the server's own time does not cut it";
  record(*store, "config-b", set_event("x"));
  run();
  EXPECT_EQ(waiting->status(), 0);
  record(*store, "config-a", set_event("y"));
  run();
  EXPECT_EQ(waiting->status(), 200);
  EXPECT_EQ(waiting->body(), "y");
  EXPECT_TRUE(waiting->has("Annals-Position: " + cursor(3)));
  while (home.run_next_timer()) continue;
  EXPECT_EQ(waiting.use_count(), 1) << "nobody holds it any more";
}

TEST_F(WaitingTest, a_wait_sees_a_deletion_and_goes_on_from_there) {
  open(model::Consistency::eventual);
  const auto never = ask(Method::get, "/config/a?wait=30s");
  EXPECT_EQ(never->status(), 404);
  EXPECT_TRUE(never->has("ETag: \"0\""));
  const auto coming = ask(Method::get, "/config/a?wait=30s", {{"If-None-Match", "\"0\""}});
  EXPECT_EQ(coming->status(), 0);
  record(*store, "config-a", set_event("x"));
  run();
  EXPECT_EQ(coming->status(), 200);
  const auto going = ask(Method::get, "/config/a?wait=30s", {{"If-None-Match", "\"1\""}});
  record(*store, "config-a", projection::deleted_event());
  run();
  EXPECT_EQ(going->status(), 404);
  EXPECT_TRUE(going->has("ETag: \"2\""));
  const auto again = ask(Method::get, "/config/a?wait=30s", {{"If-None-Match", "\"2\""}});
  EXPECT_EQ(again->status(), 0);
  record(*store, "config-a", set_event("y"));
  run();
  EXPECT_EQ(again->body(), "y");
}

TEST_F(WaitingTest, a_wait_for_a_change_ends_at_its_time_with_304) {
  record(*store, "config-a", set_event("x"));
  open();
  const Duration before = world.clock.monotonic();
  const auto waiting = ask(Method::get, "/config/a?wait=5m", {{"If-None-Match", "W/\"1\", \"7\""}});
  const auto at_once = ask(Method::get, "/config/a?wait=0s", {{"If-None-Match", "\"1\""}});
  EXPECT_EQ(at_once->status(), 304);
  while (waiting->status() == 0 && home.run_next_timer()) continue;
  EXPECT_EQ(waiting->status(), 304);
  EXPECT_TRUE(waiting->has("ETag: \"1\""));
  EXPECT_EQ(waiting->body(), "");
  EXPECT_EQ(world.clock.monotonic() - before, std::chrono::minutes(5));
}

TEST_F(WaitingTest, a_wait_for_a_change_ends_when_the_client_leaves_or_the_server_drains) {
  open();
  const auto left = ask(Method::get, "/config/a?wait=5m", {{"If-None-Match", "\"0\""}});
  const auto stays = ask(Method::get, "/config/a?wait=5m", {{"If-None-Match", "\"0\""}});
  ASSERT_TRUE(left->client_left);
  left->client_left();
  EXPECT_EQ(left->status(), 304);
  EXPECT_EQ(stays->status(), 0);
  engine->set_draining();
  run();
  EXPECT_EQ(stays->status(), 304);
  EXPECT_EQ(ask(Method::get, "/config/a?wait=5m", {{"If-None-Match", "\"0\""}})->status(), 304);
  while (home.run_next_timer()) continue;
  EXPECT_EQ(left.use_count() + stays.use_count(), 2) << "nobody holds them any more";
}

TEST_F(WaitingTest, no_more_wait_than_may_and_who_has_been_answered_does_not_count) {
  ApiOptions options;
  options.waits_max = 2;
  open(model::Consistency::eventual, options);
  const std::vector<Field> unknown{{"If-None-Match", "\"0\""}};
  const auto first = ask(Method::get, "/config/a?wait=5m", unknown);
  const auto second = ask(Method::get, "/config/b?wait=5m", unknown);
  const auto third = ask(Method::get, "/config/c?wait=5m", unknown);
  EXPECT_EQ(third->status(), 503);
  EXPECT_NE(third->body().find("too_many_waits"), std::string::npos);
  EXPECT_TRUE(third->has("Retry-After"));
  EXPECT_EQ(ask(Method::get, "/config/c?wait=5m")->status(), 404) << "who need not wait is answered";
  record(*store, "config-a", set_event("x"));
  run();
  EXPECT_EQ(first->status(), 200);
  EXPECT_EQ(ask(Method::get, "/config/c?wait=5m", unknown)->status(), 0);
}

TEST_F(WaitingTest, a_wait_may_follow_a_position_and_asks_for_nothing_of_the_past) {
  open(model::Consistency::eventual);
  const auto both = ask(Method::get, "/config/a?wait=5m&min_position=" + cursor(1), {{"If-None-Match", "\"1\""}});
  record(*store, "config-a", set_event("x"));
  run();
  EXPECT_EQ(both->status(), 0);
  record(*store, "config-a", set_event("y"));
  run();
  EXPECT_EQ(both->body(), "y");
  EXPECT_EQ(ask(Method::get, "/config/a?wait=1s&version=1")->status(), 400);
  EXPECT_EQ(ask(Method::get, "/config/a?wait=1s&at=2000-01-01T00:00:00Z")->status(), 400);
  EXPECT_EQ(ask(Method::get, "/config/a?wait=301s")->status(), 400);
  EXPECT_EQ(ask(Method::get, "/config/a?wait=1s", {{"If-None-Match", "*"}})->status(), 400);
  EXPECT_EQ(ask(Method::get, "/config/a?wait=1s", {{"If-Match", "\"1\""}})->status(), 400);
}

TEST_F(WaitingTest, a_wait_for_a_change_may_outlive_the_engine_and_the_store) {
  open();
  const auto waiting = ask(Method::get, "/config/a?wait=5m", {{"If-None-Match", "\"0\""}});
  EXPECT_EQ(waiting->status(), 0);
  engine.reset();
  store.reset();
  SUCCEED() << "and the home executor, with its timer, goes after this";
}

/// A request's fields borrow their text.
std::vector<Field> knows(const std::string& cursor) {
  static std::deque<std::string> kept;
  return {{"If-None-Match", kept.emplace_back("W/\"" + cursor + "\"")}};
}

TEST_F(WaitingTest, a_list_is_waited_for_until_a_name_with_its_prefix_changes) {
  record(*store, "config-a1", set_event("x"));
  record(*store, "config-b1", set_event("x"));
  open(model::Consistency::eventual);
  const auto now = ask(Method::get, "/config?prefix=a&wait=5m");
  EXPECT_EQ(now->body(), R"([{"name":"a1","value":"x"}])") << "who knows nothing is told at once";
  EXPECT_TRUE(now->has("ETag: W/\"" + cursor(2) + "\""));
  const auto whole = ask(Method::get, "/config?wait=5m", knows(cursor(2)));
  const auto prefixed = ask(Method::get, "/config?prefix=a&wait=5m", knows(cursor(2)));
  EXPECT_EQ(prefixed->longer, std::chrono::minutes(5));
  record(*store, "config-b2", set_event("y"));
  run();
  EXPECT_EQ(whole->body(), R"([{"name":"a1","value":"x"},{"name":"b1","value":"x"},{"name":"b2","value":"y"}])");
  EXPECT_TRUE(whole->has("ETag: W/\"" + cursor(3) + "\""));
  EXPECT_EQ(prefixed->status(), 0);
  record(*store, "config-a2", set_event("y"));
  run();
  EXPECT_EQ(prefixed->body(), R"([{"name":"a1","value":"x"},{"name":"a2","value":"y"}])");
  EXPECT_TRUE(prefixed->has("ETag: W/\"" + cursor(4) + "\""));
  EXPECT_TRUE(prefixed->has("Annals-Position: " + cursor(4)));
}

TEST_F(WaitingTest, a_deleted_name_changes_the_list_that_it_was_in) {
  record(*store, "config-a", set_event("x"));
  open(model::Consistency::eventual);
  const auto waiting = ask(Method::get, "/config?prefix=a&wait=5m", knows(cursor(1)));
  record(*store, "config-a", projection::deleted_event());
  run();
  EXPECT_EQ(waiting->body(), "[]");
  EXPECT_EQ(ask(Method::get, "/config?prefix=a", knows(cursor(1)))->status(), 200);
  EXPECT_EQ(ask(Method::get, "/config?prefix=a", knows(cursor(2)))->status(), 304);
}

TEST_F(WaitingTest, the_tag_of_a_position_whose_event_was_removed_tells_of_what_changed_after_it) {
  record(*store, "config-a", set_event("x"));
  record(*store, "config-removed", set_event("x"));
  store->remove(Position{2});
  open(model::Consistency::eventual);
  EXPECT_TRUE(ask(Method::get, "/config?prefix=a")->has("ETag: W/\"" + cursor(2) + "\""));
  EXPECT_EQ(ask(Method::get, "/config?prefix=a&min_position=" + cursor(2), knows(cursor(2)))->status(), 304);
  record(*store, "config-a", set_event("y"));
  run();
  EXPECT_EQ(ask(Method::get, "/config?prefix=a", knows(cursor(2)))->status(), 200);
  EXPECT_EQ(ask(Method::get, "/config?prefix=b", knows(cursor(2)))->status(), 304);
}

TEST_F(WaitingTest, what_others_change_makes_a_list_no_other_and_its_next_tag_is_newer) {
  record(*store, "config-a", set_event("x"));
  record(*store, "config-b", set_event("x"));
  open();
  EXPECT_EQ(ask(Method::get, "/config?prefix=b", knows(cursor(1)))->status(), 200);
  const auto same = ask(Method::get, "/config?prefix=a", knows(cursor(1)));
  EXPECT_EQ(same->status(), 304);
  EXPECT_TRUE(same->has("ETag: W/\"" + cursor(2) + "\""));
  EXPECT_TRUE(same->has("Annals-Position: " + cursor(2)));
  EXPECT_EQ(same->body(), "");
  EXPECT_EQ(ask(Method::get, "/config?prefix=c", knows(cursor(0)))->status(), 304) << "there never was one";
  EXPECT_EQ(ask(Method::get, "/config?prefix=a", knows(cursor(0)))->status(), 200);
  EXPECT_EQ(ask(Method::get, "/config?limit=1", knows(cursor(2)))->status(), 304);
}

TEST_F(WaitingTest, a_tag_that_the_store_has_not_given_says_nothing_of_a_list) {
  record(*store, "config-a", set_event("x"));
  open();
  Cursor lost = store->cursor(Position{1});
  ++lost.epoch;
  for (const std::string& tag : {lost.to_text(), std::string("7"), std::string("no-cursor")}) {
    EXPECT_EQ(ask(Method::get, "/config?wait=5m", knows(tag))->status(), 200) << tag;
  }
  const auto two = ask(Method::get, "/config?wait=0s", {{"If-None-Match", "\"7\", W/\"" + cursor(1) + "\""}});
  EXPECT_EQ(two->status(), 304);
}

TEST_F(WaitingTest, a_wait_for_a_list_ends_at_its_time_with_304_and_a_tag_to_go_on_with) {
  record(*store, "config-a", set_event("x"));
  open(model::Consistency::eventual);
  const auto waiting = ask(Method::get, "/config?prefix=a&wait=3s", knows(cursor(1)));
  record(*store, "config-b", set_event("y"));
  run();
  const Duration before = world.clock.monotonic();
  while (waiting->status() == 0 && home.run_next_timer()) continue;
  EXPECT_EQ(waiting->status(), 304);
  EXPECT_TRUE(waiting->has("ETag: W/\"" + cursor(2) + "\""));
  EXPECT_EQ(world.clock.monotonic() - before, std::chrono::seconds(3));
}

TEST_F(WaitingTest, a_wait_for_a_list_ends_when_the_client_leaves_or_the_server_drains) {
  record(*store, "config-a", set_event("x"));
  open();
  const auto left = ask(Method::get, "/config?wait=5m", knows(cursor(1)));
  const auto stays = ask(Method::get, "/config?prefix=a&wait=5m", knows(cursor(1)));
  ASSERT_TRUE(left->client_left);
  left->client_left();
  EXPECT_EQ(left->status(), 304);
  EXPECT_EQ(stays->status(), 0);
  engine->set_draining();
  run();
  EXPECT_EQ(stays->status(), 304);
  while (home.run_next_timer()) continue;
  EXPECT_EQ(left.use_count() + stays.use_count(), 2) << "nobody holds them any more";
}

// The look at many records lets others run between its pieces; what changes meanwhile is not missed, wherever it is.
TEST_F(WaitingTest, a_list_of_many_names_is_looked_at_in_pieces_and_no_change_is_missed) {
  constexpr int names = 5'000;
  for (int name = 0; name < names; ++name) record(*store, "config-a" + std::to_string(10'000 + name), set_event("x"));
  record(*store, "config-b", set_event("x"));
  open(model::Consistency::eventual);
  for (const std::string changed : {"a10000", "a12500", "a14999", "a15000"}) {
    SCOPED_TRACE(changed);
    const std::uint64_t last = store->status().visible.value;
    const auto waiting = ask(Method::get, "/config?prefix=a&limit=1&wait=5m", knows(cursor(last - 1)));
    EXPECT_EQ(waiting->status(), 0) << "the first piece is looked at, and others have their turn";
    record(*store, "config-" + changed, set_event("y"));
    background.run_ready();
    home.run_ready();
    EXPECT_EQ(waiting->status(), 200);
    record(*store, "config-b", set_event("y"));
    run();
  }
  const std::uint64_t last = store->status().visible.value;
  const auto asked = ask(Method::get, "/config?prefix=a", knows(cursor(last - 1)));
  EXPECT_EQ(asked->status(), 0);
  home.run_ready();
  EXPECT_EQ(asked->status(), 304);
  const auto waiting = ask(Method::get, "/config?prefix=a&wait=1ms", knows(cursor(last - 1)));
  EXPECT_EQ(waiting->status(), 0);
  EXPECT_TRUE(home.run_next_timer()) << "which is over between two pieces";
  EXPECT_FALSE(waiting->was_dropped);
  EXPECT_EQ(waiting->status(), 304);
}

TEST_F(WaitingTest, who_only_asks_whether_a_list_has_changed_is_not_one_of_those_who_wait) {
  record(*store, "config-a", set_event("x"));
  ApiOptions options;
  options.waits_max = 1;
  open(model::Consistency::live, options);
  const auto waiting = ask(Method::get, "/config?wait=5m", knows(cursor(1)));
  EXPECT_EQ(ask(Method::get, "/config", knows(cursor(1)))->status(), 304);
  EXPECT_EQ(ask(Method::get, "/config?wait=1s", knows(cursor(1)))->status(), 503);
  EXPECT_EQ(waiting->status(), 0);
}

TEST_F(WaitingTest, a_wait_for_a_list_asks_for_nothing_of_the_past) {
  open();
  EXPECT_EQ(ask(Method::get, "/config?wait=1s&at=2000-01-01T00:00:00Z")->status(), 400);
  EXPECT_EQ(ask(Method::get, "/config?wait=1s&diff_from=2000-01-01T00:00:00Z")->status(), 400);
  EXPECT_EQ(ask(Method::get, "/config?wait=301s")->status(), 400);
  EXPECT_EQ(ask(Method::get, "/config?wait=1s", {{"If-None-Match", "*"}})->status(), 400);
  EXPECT_EQ(ask(Method::get, "/config", {{"If-None-Match", "x"}})->status(), 400);
}

TEST_F(WaitingTest, a_wait_for_a_list_may_outlive_the_engine_and_the_store) {
  open();
  const auto waiting = ask(Method::get, "/config?prefix=a&wait=5m", knows(cursor(0)));
  EXPECT_EQ(waiting->status(), 0);
  engine.reset();
  store.reset();
  SUCCEED() << "and the home executor, with its timer, goes after this";
}

TEST_F(WaitingTest, while_the_tables_catch_up_a_model_is_not_served) {
  store->fail_reads(Error(ErrorKind::input_output, "bad disk"));
  engine = std::make_unique<engine::Engine>(std::vector{model::Model::kv("config", {"/config"})}, store->inner(),
                                            world.platform(), background, engine::EngineOptions{});
  ASSERT_TRUE(engine->start([] {}));
  api = make_api(*engine, ApiOptions{});
  EXPECT_EQ(ask(Method::get, "/config")->status(), 503);
  EXPECT_EQ(ask(Method::get, "/readyz")->status(), 503);
  EXPECT_EQ(ask(Method::get, "/livez")->status(), 200);
  background.run_ready();
  EXPECT_EQ(ask(Method::get, "/config")->status(), 200);
  EXPECT_EQ(ask(Method::get, "/readyz")->status(), 200);
}

}  // namespace
}  // namespace annals::http
