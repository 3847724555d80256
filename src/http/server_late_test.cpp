// Answers and bodies that come late, and clients that do not wait for them.

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>

#include "http/server.hpp"
#include "http/server/test_client.hpp"

namespace annals::http {
namespace {

using std::chrono::milliseconds;

/// Keeps what a handler or a source was given, for the test's thread.
template <class T>
class Kept {
 public:
  void keep(T one) {
    const std::lock_guard lock(mutex_);
    kept_.emplace(std::move(one));
  }
  [[nodiscard]] bool is_there() {
    const std::lock_guard lock(mutex_);
    return kept_.has_value();
  }
  T take() {
    const std::lock_guard lock(mutex_);
    T one = std::move(*kept_);
    kept_.reset();
    return one;
  }

 private:
  std::mutex mutex_;
  std::optional<T> kept_;
};

Response late(LateBodySource source) {
  return {.status = 200, .content_type = "text/plain", .fields = {}, .body = std::move(source)};
}

TEST(ServerLate, an_answer_is_not_wanted_once_the_client_has_reset_the_connection) {
  Kept<Responder> held;
  ServerUnderTest server({}, [&](const Request&, Responder responder) { held.keep(std::move(responder)); });
  TestClient client = server.connect();
  client.send(get_request("/"));
  ASSERT_TRUE(server.eventually([&] { return held.is_there(); }));
  Responder responder = held.take();
  EXPECT_TRUE(responder.wanted());
  client.reset();
  EXPECT_TRUE(server.eventually([&] { return !responder.wanted(); }));
  EXPECT_TRUE(server.eventually([&] { return server->status().connections == 0; }));
  responder.send(text_response("for nobody"));
}

TEST(ServerLate, a_client_that_has_closed_its_side_alone_is_still_owed_the_answer) {
  Kept<Responder> held;
  std::atomic<bool> left{false};
  ServerUnderTest server({}, [&](const Request&, Responder responder) {
    responder.when_client_leaves([&] { left = true; });
    held.keep(std::move(responder));
  });
  TestClient client = server.connect();
  client.send(get_request("/"));
  client.finish_sending();
  ASSERT_TRUE(server.eventually([&] { return held.is_there() && left.load(); }));
  Responder responder = held.take();
  EXPECT_TRUE(responder.wanted());
  responder.send(text_response("owed"));
  EXPECT_EQ(client.reply().body, "owed");
}

TEST(ServerLate, an_answer_is_not_wanted_once_its_time_is_over) {
  Kept<Responder> held;
  ServerOptions options;
  options.request_timeout = milliseconds(50);
  ServerUnderTest server(options, [&](const Request&, Responder responder) { held.keep(std::move(responder)); });
  TestClient client = server.connect();
  client.send(get_request("/"));
  EXPECT_EQ(client.reply().status, 503);
  EXPECT_FALSE(held.take().wanted());
}

TEST(ServerLate, of_a_read_that_is_not_answered_in_time_nobody_says_that_it_may_have_done_something) {
  ServerOptions options;
  options.request_timeout = milliseconds(50);
  Kept<Responder> held;
  ServerUnderTest server(options, [&](const Request&, Responder responder) { held.keep(std::move(responder)); });
  for (const std::string method : {"GET", "PUT", "DELETE"}) {
    TestClient client = server.connect();
    client.send(method + " / HTTP/1.1\r\nHost: a\r\n\r\n");
    const Reply reply = client.reply();
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(reply.field("Connection"), "close");
    EXPECT_TRUE(reply.field("Retry-After"));
    EXPECT_EQ(reply.body.find("taken effect") == std::string::npos, method == "GET") << method << ": " << reply.body;
  }
}

TEST(ServerLate, an_answer_is_not_wanted_once_the_server_has_broken_it_off) {
  Kept<Responder> held;
  ServerOptions options;
  options.drain_timeout = Duration{0};
  ServerUnderTest server(options, [&](const Request&, Responder responder) { held.keep(std::move(responder)); });
  TestClient client = server.connect();
  client.send(get_request("/"));
  ASSERT_TRUE(server.eventually([&] { return held.is_there(); }));
  EXPECT_FALSE(server->stop());
  EXPECT_FALSE(held.take().wanted());
}

TEST(ServerLate, pieces_may_be_given_at_once_or_later_and_by_any_thread) {
  const auto thread = platform::make_thread_executor("pieces");
  ServerUnderTest server({}, [&](const Request&, Responder responder) {
    responder.send(late([&, number = 0](PieceTaker taker) mutable {
      const int here = number++;
      if (here == 1000) return taker.give(std::nullopt);
      if (here % 3 == 0) return taker.give(std::to_string(here) + ",");
      thread->post([here, taker = std::move(taker)]() mutable { taker.give(std::to_string(here) + ","); });
    }));
  });
  std::string expected;
  for (int number = 0; number < 1000; ++number) expected += std::to_string(number) + ",";
  TestClient client = server.connect();
  client.send(get_request("/") + get_request("/"));
  for (int count = 0; count < 2; ++count) EXPECT_EQ(client.reply().body, expected);
}

TEST(ServerLate, a_body_whose_piece_fails_is_dropped_or_does_not_come_in_time_is_broken_off) {
  Kept<PieceTaker> never;
  ServerOptions options;
  options.request_timeout = milliseconds(100);
  ServerUnderTest server(options, [&](const Request& request, Responder responder) {
    responder.send(late([&, what = std::string(request.target), begun = false](PieceTaker taker) mutable {
      if (!std::exchange(begun, true)) return taker.give("first");
      if (what == "/fails") return taker.give(fail(ErrorKind::input_output, "broken"));
      if (what == "/throws") throw std::runtime_error("broken");
      if (what == "/never") never.keep(std::move(taker));
    }));
  });
  for (const char* target : {"/fails", "/dropped", "/throws", "/never"}) {
    TestClient client = server.connect();
    client.send("GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::string all = client.receive_to_end();
    EXPECT_EQ(all.find("\r\n0\r\n"), std::string::npos) << target;
    EXPECT_TRUE(client.was_reset()) << target << ": the client must not take this for the end";
  }
  PieceTaker taker = never.take();
  EXPECT_FALSE(taker.wanted());
  taker.give("too late");
  EXPECT_TRUE(server.log().has("A reply was broken off"));
}

TEST(ServerLate, a_piece_is_not_wanted_once_the_client_has_reset_the_connection_or_the_server_is_gone) {
  Kept<PieceTaker> held;
  ServerUnderTest server({}, [&](const Request&, Responder responder) {
    responder.send(late([&](PieceTaker taker) { held.keep(std::move(taker)); }));
  });
  TestClient client = server.connect();
  client.send(get_request("/"));
  ASSERT_TRUE(server.eventually([&] { return held.is_there(); }));
  client.reset();
  PieceTaker first = held.take();
  EXPECT_TRUE(server.eventually([&] { return !first.wanted(); }));
  TestClient other = server.connect();
  other.send(get_request("/"));
  ASSERT_TRUE(server.eventually([&] { return held.is_there(); }));
  server.destroy();
  PieceTaker second = held.take();
  EXPECT_FALSE(second.wanted());
  second.give("after the server has gone");
}

TEST(ServerLate, others_are_answered_while_a_piece_is_waited_for) {
  Kept<PieceTaker> held;
  ServerOptions options;
  options.worker_threads = 1;
  ServerUnderTest server(options, [&](const Request& request, Responder responder) {
    if (request.target == "/short") return responder.send(text_response("short"));
    responder.send(late([&, asked = false](PieceTaker taker) mutable {
      if (std::exchange(asked, true)) return taker.give(std::nullopt);
      held.keep(std::move(taker));
    }));
  });
  TestClient waiting = server.connect();
  waiting.send(get_request("/"));
  ASSERT_TRUE(server.eventually([&] { return held.is_there(); }));
  TestClient other = server.connect();
  other.send("GET /short HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(other.reply().body, "short");
  held.take().give("late");
  EXPECT_EQ(waiting.reply().body, "late");
}

}  // namespace
}  // namespace annals::http
