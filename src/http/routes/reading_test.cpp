// Where reads are made, and that they end when nobody waits for them any more.

#include "http/routes/reading.hpp"

#include "event/read_interest.hpp"
#include "http/routes/test_api.hpp"

namespace annals::http {
namespace {

using projection::record;
using projection::set_event;
using std::chrono::milliseconds;

std::string name_of(std::size_t number) {
  return "n" + std::to_string(1000 + number);
}

/// Over a store whose reads may wait for another machine, with a thread for them that is stepped by hand.
class RemoteReadTest : public ApiTest {
 protected:
  void SetUp() override {
    store->set_remote(1);
    ApiOptions options;
    options.readers = {&reader};
    options.reads_max = 2;  // beside the one that the thread is about to make
    engine_options.probe = &prober;
    open(model::Consistency::live, options);
    for (const char* value : {"v", "w"}) {
      for (std::size_t number = 1; number <= 5; ++number) {
        const Appended appended = record(*store, "config-" + name_of(number), set_event(value));
        if (*value == 'v') middle = appended.created_at.to_text();
      }
    }
    run();
    // The table has been filled by the feed; what is recorded behind its back is taken in by a refresh.
    (void)ask(Method::post, "/-/projections/config/refresh");
    run();
    store->before_each_read([this] {
      ++reads;
      EXPECT_TRUE(may_read) << "a read of " << asked_last << " on an I/O thread";
    });
  }
  void TearDown() override { store->before_each_read({}); }

  /// All but the thread that reads.
  void run_others() {
    background.run_ready();
    home.run_ready();
  }
  void run_reader() {
    may_read = true;
    reader.run_ready();
    prober.run_ready();
    may_read = false;
  }
  void run() override {
    for (int round = 0; round < 4; ++round) {
      may_read = true;  // feeds read on threads of their own
      background.run_ready();
      may_read = false;
      home.run_ready();
      run_reader();
    }
    home.run_ready();
  }
  std::shared_ptr<Asked> ask_for(Method method, const std::string& target, std::string_view body = {},
                                 std::vector<Field> fields = {}) {
    asked_last = target;
    if (!body.empty()) fields.push_back({"content-type", "application/json"});
    return ask(method, target, std::move(fields), body);
  }

  platform::SteppedExecutor reader{world.clock};
  platform::SteppedExecutor prober{world.clock};
  std::string middle;
  std::string asked_last;
  std::size_t reads = 0;
  bool may_read = true;
};

TEST_F(RemoteReadTest, whatever_asks_the_store_asks_it_on_a_thread_for_that) {
  const std::string strange = Cursor{12345, Position{3}}.to_text();
  const std::string known = "W/\"" + cursor(3) + "\"";
  struct Case {
    Method method;
    std::string target;
    std::string body;
    int status = 200;
    std::vector<Field> fields = {};
  };
  const std::string name = "/config/" + name_of(1);
  const std::vector<Case> cases{
      {Method::get, name + "/history", ""},
      {Method::get, name + "/history?limit=1", ""},
      {Method::get, name + "?version=1", ""},
      {Method::get, name + "?at=" + middle, ""},
      {Method::get, name + "/at/" + middle, ""},
      {Method::get, name + "/diff?from_version=1", ""},
      {Method::get, "/config?at=" + middle, ""},
      {Method::get, "/config?limit=2&at=" + middle, ""},
      {Method::get, "/config?diff_from=" + middle, ""},
      {Method::get, "/config?limit=2&diff_from=" + middle, ""},
      {Method::get, "/config", "", 200, {{"if-none-match", known}}},
      {Method::get, "/-/events", ""},
      {Method::get, "/-/events?stream=config-" + name_of(1) + "&after=" + cursor(2), ""},
      {Method::get, "/-/events?wait=10s", ""},
      {Method::get, "/-/events?after=" + strange, "", 410},
      {Method::get, name + "?min_position=" + strange, "", 410},
      {Method::get, name + "/history?min_position=" + strange, "", 410},
      {Method::get, "/health", ""},
      {Method::post, name + "/rollback", "{\"version\":1}"},
      {Method::post, name + "/rollback", "{\"at\":\"" + middle + "\"}"},
      {Method::post, "/-/models/config/rollback?dry_run=true", "{\"prefix\":\"\",\"at\":\"" + middle + "\"}"},
      {Method::post, "/-/models/config/rollback", "{\"prefix\":\"\",\"at\":\"" + middle + "\"}"},
  };
  for (const Case& one : cases) {
    const std::size_t before = reads;
    const auto asked = ask_for(one.method, one.target, one.body, one.fields);
    for (int round = 0; round < 5; ++round) run_others();
    EXPECT_EQ(asked->status(), 0) << one.target << " was answered without a look into the store";
    run();
    EXPECT_EQ(asked->status(), one.status) << one.target;
    if (asked->response) (void)asked->body();
    EXPECT_GT(reads, before) << one.target;
  }
}

TEST_F(RemoteReadTest, while_the_store_keeps_its_readers_waiting_the_present_is_told) {
  const auto history = ask_for(Method::get, "/config/" + name_of(1) + "/history");
  const auto past = ask_for(Method::get, "/config?limit=3&at=" + middle);
  run_others();
  const std::string strange = Cursor{12345, Position{3}}.to_text();
  for (const std::string& target :
       {"/config/" + name_of(1), std::string("/config"), std::string("/config?limit=2"), std::string("/livez"),
        std::string("/readyz"), std::string("/metrics"), "/config/" + name_of(1) + "?min_position=" + cursor(5)}) {
    EXPECT_EQ(ask_for(Method::get, target)->status(), 200) << target;
  }
  EXPECT_EQ(ask_for(Method::get, "/config", "", {{"if-none-match", "W/\"" + strange + "\""}})->status(), 200)
      << "a tag of nobody here says nothing";
  EXPECT_EQ(history->status() + past->status(), 0);
  run();
  EXPECT_EQ(history->status(), 200);
  EXPECT_EQ(past->status(), 200);
}

TEST_F(RemoteReadTest, health_is_told_in_time_although_the_store_does_not_answer) {
  const auto first = ask_for(Method::get, "/health");
  run_others();
  EXPECT_EQ(first->status(), 0);
  ASSERT_TRUE(home.run_next_timer());
  EXPECT_EQ(first->status(), 503);
  EXPECT_NE(first->body().find("\"database\":\"error\""), std::string::npos) << first->body();
  EXPECT_EQ(ask_for(Method::get, "/health")->status(), 503) << "who asks while a read is late does not wait for it";
  run();
  const auto later = ask_for(Method::get, "/health");
  run();
  EXPECT_EQ(later->status(), 200);
}

TEST_F(RemoteReadTest, one_read_more_than_may_wait_is_refused_at_once) {
  std::vector<std::shared_ptr<Asked>> waiting;
  for (int number = 0; number < 3; ++number) {
    waiting.push_back(ask_for(Method::get, "/config/" + name_of(1) + "/history"));
    EXPECT_EQ(waiting.back()->status(), 0);
  }
  for (const std::string& target : {"/config/" + name_of(1) + "?version=1", "/config?at=" + middle,
                                    std::string("/-/events"), "/config?limit=2&diff_from=" + middle}) {
    const auto refused = ask_for(Method::get, target);
    EXPECT_EQ(refused->status(), 503) << target;
    EXPECT_NE(refused->body().find("too_many_reads"), std::string::npos) << refused->body();
    EXPECT_TRUE(refused->has("Retry-After: 1"));
  }
  run();
  for (const auto& one : waiting) EXPECT_EQ(one->status(), 200);
  const auto after = ask_for(Method::get, "/config/" + name_of(1) + "?version=1");
  run();
  EXPECT_EQ(after->status(), 200);
}

TEST_F(RemoteReadTest, what_nobody_waits_for_any_more_is_not_begun) {
  const std::string body = "{\"prefix\":\"\",\"at\":\"" + middle + "\"}";
  std::vector<std::shared_ptr<Asked>> asked;
  for (const auto& [method, target] : {std::pair(Method::get, "/config/" + name_of(1) + "?version=1"),
                                       std::pair(Method::get, "/config?limit=2&at=" + middle),
                                       std::pair(Method::post, std::string("/-/models/config/rollback"))}) {
    asked.push_back(ask_for(method, target, method == Method::post ? body : ""));
    asked.back()->is_wanted = false;
  }
  const std::size_t before = reads;
  run();
  for (const auto& one : asked) {
    EXPECT_EQ(one->status(), 0);
    EXPECT_TRUE(one->was_dropped);
  }
  EXPECT_EQ(reads, before);
  EXPECT_EQ(store->status().visible, Position{10}) << "nothing was rolled back";
}

// So that a store that waits for another machine gives up what nobody waits for any more.
TEST_F(RemoteReadTest, a_store_is_told_for_whom_it_is_read) {
  const std::string name = "/config/" + name_of(1);
  for (const std::string& target :
       {name + "/history", name + "?version=1", name + "?at=" + middle, "/config?at=" + middle,
        "/config?limit=2&at=" + middle, "/config?diff_from=" + middle, std::string("/-/events?wait=10s")}) {
    const auto asked = ask_for(Method::get, target);
    run_others();
    std::size_t seen = 0;
    store->before_each_read([&] {
      if (!may_read) return;
      ++seen;
      EXPECT_TRUE(ReadInterest::may_end()) << target;
      EXPECT_FALSE(ReadInterest::has_ended()) << target;
      asked->is_wanted = false;
      EXPECT_TRUE(ReadInterest::has_ended()) << target;
      asked->is_wanted = true;
    });
    for (int round = 0; round < 4; ++round) {
      run_reader();
      run_others();
    }
    store->before_each_read({});
    EXPECT_GT(seen, 0u) << target;
    EXPECT_FALSE(ReadInterest::may_end()) << "the thread reads for others after that";
  }
}

/// With many names, and reads that take their time, so that whatever is asked of all of them takes many turns; on the
/// I/O thread, or on one for reads.
class CancelTest : public ApiTest, public testing::WithParamInterface<bool> {
 protected:
  static constexpr std::size_t names = 60;
  static constexpr std::size_t reads_wanted = 12;
  static constexpr std::size_t reads_a_turn_max = 4;

  void SetUp() override {
    ApiOptions options;
    if (GetParam()) {
      store->set_remote(1);
      options.readers = {&reader};
    }
    open(model::Consistency::live, options);
    for (const char* value : {"v", "w"}) {
      for (std::size_t number = 1; number <= names; ++number) {
        const Appended appended = record(*store, "config-" + name_of(number), set_event(value));
        if (*value == 'v') middle = appended.created_at.to_text();
      }
    }
    (void)ask(Method::post, "/-/projections/config/refresh");
    run();
    store->before_each_stream_read([this] {
      world.clock.advance(milliseconds{1});
      if (++reads >= reads_wanted && asked) asked->is_wanted = false;
    });
  }
  void run() override {
    for (int round = 0; round < 4; ++round) {
      background.run_ready();
      home.run_ready();
      reader.run_ready();
    }
  }

  platform::SteppedExecutor reader{world.clock};
  std::string middle;
  std::shared_ptr<Asked> asked;
  std::size_t reads = 0;
};

INSTANTIATE_TEST_SUITE_P(Where, CancelTest, testing::Bool(), [](const testing::TestParamInfo<bool>& where) {
  return where.param ? "on_a_reader" : "on_an_io_thread";
});

TEST_P(CancelTest, a_long_read_ends_with_the_turn_in_which_nobody_waits_any_more) {
  const std::string body = "{\"prefix\":\"\",\"at\":\"" + middle + "\"}";
  struct Case {
    Method method;
    std::string target;
  };
  for (const auto& [method, target] : {
           Case{Method::get, "/config?limit=10000&at=" + middle},
           Case{Method::get, "/config?limit=10000&diff_from=" + middle},
           Case{Method::post, "/-/models/config/rollback?dry_run=true"},
           Case{Method::post, "/-/models/config/rollback"},
       }) {
    reads = 0;
    asked = nullptr;
    asked = ask(method, target, {{"content-type", "application/json"}}, method == Method::post ? body : "");
    run();
    EXPECT_EQ(asked->status(), 0) << target;
    EXPECT_TRUE(asked->was_dropped) << target;
    EXPECT_GE(reads, reads_wanted) << target;
    EXPECT_LE(reads, reads_wanted + reads_a_turn_max) << target;
  }
  EXPECT_EQ(store->status().visible, Position{2 * names}) << "nothing was rolled back";
}

TEST_P(CancelTest, a_body_that_nobody_takes_is_not_read_on) {
  for (const std::string& target : {"/config?at=" + middle, "/config?diff_from=" + middle}) {
    asked = nullptr;
    const auto streamed = ask(Method::get, target);
    run();
    ASSERT_EQ(streamed->status(), 200) << target;
    ASSERT_TRUE(streamed->next_piece().has_value()) << "what was read before the answer began";
    const auto piece = streamed->ask_for_piece();
    piece->is_wanted = false;
    const std::size_t before = reads;
    run();
    EXPECT_EQ(reads, before) << target;
    EXPECT_TRUE(piece->was_dropped) << target;
  }
}

TEST_P(CancelTest, a_wait_for_events_of_a_client_that_is_gone_ends) {
  const auto waiting = ask(Method::get, "/-/events?wait=20s&stream=config-x&after=" + cursor(2 * names));
  run();
  ASSERT_EQ(waiting->status(), 0);
  waiting->is_wanted = false;
  ASSERT_TRUE(home.run_next_timer());
  run();
  const std::size_t before = store->stream_reads();
  record(*store, "config-x", set_event("v"));
  run();
  while (home.run_next_timer()) run();
  EXPECT_EQ(waiting->status(), 0);
  EXPECT_EQ(store->stream_reads(), before) << "nobody looks for it any more";
}

/// Says something now and then.
class Sparse final : public PieceSource {
 public:
  explicit Sparse(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}
  [[nodiscard]] Result<std::string> next(const engine::Turn&) override { return pieces_[next_++]; }
  [[nodiscard]] bool ended() const override { return next_ == pieces_.size(); }

 private:
  const std::vector<std::string> pieces_;
  std::size_t next_ = 0;
};

TEST_P(CancelTest, turns_that_bring_nothing_are_no_pieces) {
  ApiOptions options;
  if (GetParam()) options.readers = {&reader};
  CallsShared shared(options, world.log);
  struct Case {
    std::vector<std::string> pieces;
    std::vector<std::string> sent;
  };
  for (const auto& [pieces, sent] : {Case{{"", "", "a", "", "b", "", ""}, {"a", "b"}}, Case{{"", ""}, {}}}) {
    const auto answered = std::make_shared<Asked>();
    answered->run = [this] { run(); };
    send_in_pieces(Call{*engine, options, shared, 0, {}, {}, Asker{}, &home, Responder(answered), false, 0, {}}, {},
                   std::make_unique<Sparse>(pieces), From::store);
    run();
    ASSERT_EQ(answered->status(), 200);
    std::vector<std::string> found;
    if (!std::holds_alternative<std::string>(answered->response->body)) {
      while (const auto piece = answered->next_piece()) found.push_back(*piece);
    }
    EXPECT_EQ(found, sent);
  }
}

}  // namespace
}  // namespace annals::http
