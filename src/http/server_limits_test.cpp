#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <map>
#include <thread>

#include "http/server.hpp"
#include "http/server/test_client.hpp"

namespace annals::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

ServerOptions quick_options() {
  ServerOptions options;
  options.header_timeout = milliseconds(200);
  options.idle_timeout = milliseconds(400);
  options.request_timeout = milliseconds(200);
  options.drain_timeout = milliseconds(2000);
  return options;
}

TEST(ServerTime, an_idle_connection_is_closed_without_a_word) {
  ServerOptions options = quick_options();
  options.idle_timeout = milliseconds(1500);
  ServerUnderTest server(options);
  TestClient silent = server.connect();
  TestClient once = server.connect();
  once.send(get_request("/"));
  EXPECT_EQ(once.reply().status, 200);
  const auto begin = steady_clock::now();
  EXPECT_TRUE(silent.ends());
  EXPECT_TRUE(once.ends());
  EXPECT_GE(steady_clock::now() - begin, milliseconds(1400));
}

/// A machine that stands still for a while, or a handler that takes its time, is no reason to cut off those whose
/// requests have come meanwhile. More of them than are told of in one turn.
TEST(ServerTime, what_comes_while_the_thread_is_kept_from_its_work_is_answered) {
  ServerOptions options;
  options.worker_threads = 1;
  options.idle_timeout = std::chrono::seconds(2);
  std::atomic<bool> stalled{false};
  std::atomic<bool> goes_on{false};
  ServerUnderTest server(options, [&](const Request& request, Responder responder) {
    if (request.target == "/stall") {
      stalled = true;
      while (!goes_on) std::this_thread::sleep_for(milliseconds(1));
    }
    responder.send(text_response("answered"));
  });
  std::vector<TestClient> clients;
  for (int count = 0; count < 200; ++count) clients.push_back(server.connect());
  TestClient staller = server.connect();
  staller.send(get_request("/stall"));
  ASSERT_TRUE(server.eventually([&] { return stalled.load(); }));
  for (TestClient& client : clients) client.send(get_request("/"));
  std::this_thread::sleep_for(2 * options.idle_timeout);
  goes_on = true;
  for (TestClient& client : clients) ASSERT_EQ(client.reply().body, "answered");
}

TEST(ServerTime, a_head_that_comes_byte_by_byte_has_one_time_for_all_its_bytes) {
  ServerUnderTest server(quick_options());
  TestClient client = server.connect();
  const auto begin = steady_clock::now();
  std::thread sender([&] {
    for (char character : get_request("/slow") + std::string(500, 'x')) {
      if (!client.send(std::string_view(&character, 1))) return;
      std::this_thread::sleep_for(milliseconds(20));
    }
  });
  EXPECT_EQ(client.reply().status, 408);
  EXPECT_GE(steady_clock::now() - begin, milliseconds(200));
  EXPECT_LT(steady_clock::now() - begin, milliseconds(8000)) << "all of them take ten seconds";
  EXPECT_TRUE(client.ends());
  sender.join();
  EXPECT_EQ(server.targets().size(), 0u);
}

TEST(ServerTime, a_body_that_does_not_come_is_answered_with_408) {
  ServerUnderTest server(quick_options());
  for (std::string_view rest : {"Content-Length: 5\r\n\r\nhell", "Transfer-Encoding: chunked\r\n\r\n5\r\nhell"}) {
    TestClient client = server.connect();
    client.send("PUT /x HTTP/1.1\r\nHost: a\r\n" + std::string(rest));
    EXPECT_EQ(client.reply().status, 408);
    EXPECT_TRUE(client.ends());
  }
  EXPECT_EQ(server.targets().size(), 0u);
}

TEST(ServerTime, every_request_of_a_connection_has_its_own_time) {
  ServerOptions options = quick_options();
  options.header_timeout = options.request_timeout = milliseconds(1000);
  ServerUnderTest server(options);
  TestClient client = server.connect();
  for (int count = 0; count < 15; ++count) {
    // The next head begins in the same piece as the body before it ends.
    client.send(count == 0 ? "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel" : "l");
    std::this_thread::sleep_for(milliseconds(100));
    client.send("loPUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
    EXPECT_EQ(client.reply().status, 200);
  }
}

TEST(ServerTime, a_handler_that_does_not_answer_is_answered_for_and_its_answer_is_nobodys) {
  std::mutex mutex;
  std::vector<Responder> held;
  ServerUnderTest server(quick_options(), [&](const Request&, Responder responder) {
    const std::lock_guard lock(mutex);
    held.push_back(std::move(responder));
  });
  TestClient client = server.connect();
  client.send(get_request("/held") + get_request("/next"));
  const Reply reply = client.reply();
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.field("Connection"), "close");
  EXPECT_EQ(reply.field("Retry-After"), "1");
  EXPECT_TRUE(client.ends());
  EXPECT_EQ(server.targets().size(), 1u) << "nothing may overtake a request whose effect is unknown";
  const std::lock_guard lock(mutex);
  held.front().send(text_response("too late"));
}

TEST(ServerTime, an_answer_that_races_with_the_time_makes_one_reply) {
  ServerOptions options = quick_options();
  options.request_timeout = milliseconds(20);
  const auto late = platform::make_thread_executor("late");
  std::atomic<unsigned> calls{0};
  ServerUnderTest server(options, [&](const Request&, Responder responder) {
    const auto delay = milliseconds(18 + calls.fetch_add(1) % 20);
    late->post_after(delay, [responder = std::move(responder)]() mutable { responder.send(text_response("in time")); });
  });
  std::atomic<int> answered{0};
  std::atomic<int> given_up{0};
  std::vector<std::thread> clients;
  for (int number = 0; number < 8; ++number) {
    clients.emplace_back([&] {
      for (int count = 0; count < 15; ++count) {
        TestClient client = server.connect();
        client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        const Reply reply = client.reply();
        if (reply.status == 200 && reply.body == "in time") ++answered;
        if (reply.status == 503) ++given_up;
        EXPECT_TRUE(client.ends());
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(answered + given_up, 8 * 15);
}

TEST(ServerTime, a_client_that_does_not_read_its_reply_is_cut_off) {
  ServerUnderTest server(quick_options(), [](const Request&, Responder responder) {
    responder.send(text_response(std::string(50'000'000, 'x')));
  });
  TestClient client = server.connect(4096);
  client.send(get_request("/"));
  ASSERT_TRUE(server.eventually([&] { return server->status().requests == 1; }));
  EXPECT_TRUE(server.eventually([&] { return server->status().connections == 0; }));
}

TEST(ServerTime, what_the_socket_takes_in_part_only_follows_once_the_client_reads) {
  ServerUnderTest server({}, [](const Request& request, Responder responder) {
    responder.send(text_response(std::string(request.target) + std::string(8'000, '.')));
  });
  TestClient client = server.connect(4'096);
  // One by one, so that each reply goes out by itself, until one no longer fits.
  std::uint64_t sent = 0;
  for (bool fits = true; fits && sent < 3'000;) {
    client.send(get_request("/" + std::to_string(sent++)));
    const auto end = steady_clock::now() + milliseconds(200);
    do {
      fits = server->status().requests == sent;
      if (!fits) std::this_thread::yield();
    } while (!fits && steady_clock::now() < end);
  }
  for (int more = 0; more < 20; ++more) client.send(get_request("/" + std::to_string(sent++)));
  for (std::uint64_t count = 0; count < sent; ++count)
    ASSERT_EQ(client.reply().body, "/" + std::to_string(count) + std::string(8'000, '.'));
}

TEST(ServerTime, a_client_that_reads_slowly_but_steadily_gets_all) {
  ServerOptions options = quick_options();
  options.request_timeout = milliseconds(1500);
  ServerUnderTest server(options, [](const Request&, Responder responder) {
    responder.send(text_response(std::string(10'000'000, 'x')));
  });
  TestClient client = server.connect(32 << 10);
  client.send(get_request("/"));
  const auto begin = steady_clock::now();
  std::size_t received = 0;
  unsigned reads = 0;
  while (received < 10'000'000 && client.receive()) {
    received += client.take_received().size();
    if (++reads % 16 == 0) std::this_thread::sleep_for(milliseconds(60));
  }
  EXPECT_GE(received, 10'000'000u);
  EXPECT_GT(steady_clock::now() - begin, options.request_timeout) << "it took longer than one piece may take";
}

/// Keeps the requests for /held, and answers all others.
class HoldingHandler {
 public:
  void operator()(const Request& request, Responder responder) {
    if (request.target != "/held") return responder.send(text_response("at once"));
    const std::lock_guard lock(mutex_);
    held_.push_back(std::move(responder));
  }
  [[nodiscard]] std::size_t held() {
    const std::lock_guard lock(mutex_);
    return held_.size();
  }
  void release() {
    const std::lock_guard lock(mutex_);
    for (Responder& responder : held_) responder.send(text_response("held"));
    held_.clear();
  }

 private:
  std::mutex mutex_;
  std::vector<Responder> held_;
};

TEST(ServerLimits, one_connection_too_many_takes_the_place_of_the_one_that_was_idle_for_longest) {
  ServerOptions options;
  options.connections_max = 3;
  options.worker_threads = 1;
  ServerUnderTest server(options);
  std::vector<TestClient> clients;
  for (int count = 0; count < 3; ++count) {
    clients.push_back(server.connect());
    clients.back().send(get_request("/"));
    EXPECT_EQ(clients.back().reply().status, 200);
  }
  clients[0].send(get_request("/again"));
  EXPECT_EQ(clients[0].reply().status, 200);
  TestClient newcomer = server.connect();
  newcomer.send(get_request("/new"));
  EXPECT_EQ(newcomer.reply().status, 200);
  EXPECT_TRUE(clients[1].ends());
  EXPECT_TRUE(server.eventually([&] { return server->status().connections == 3; }));
  for (TestClient* left : {&clients[0], &clients[2], &newcomer}) {
    left->send(get_request("/"));
    EXPECT_EQ(left->reply().status, 200);
  }
  EXPECT_EQ(server->status().displaced_connections, 1u);
  EXPECT_EQ(server->status().refused_connections, 0u);
}

TEST(ServerLimits, clients_that_send_no_whole_header_keep_nobody_out) {
  for (const std::size_t threads : {1u, 3u}) {
    ServerOptions options;
    options.connections_max = 20;
    options.worker_threads = threads;
    ServerUnderTest server(options);
    std::vector<TestClient> slow;
    for (int count = 0; count < 20; ++count) {
      slow.push_back(server.connect());
      slow.back().send(count % 2 == 0 ? "G" : "GET / HTTP/1.1\r\nX-Slow: ");
    }
    ASSERT_TRUE(server.eventually([&] { return server->status().connections == 20; }));
    std::vector<TestClient> ordinary;
    for (int count = 0; count < 20; ++count) {
      ordinary.push_back(server.connect());
      ordinary.back().send(get_request("/"));
      ASSERT_EQ(ordinary.back().reply().status, 200);
    }
    EXPECT_EQ(server->status().refused_connections, 0u);
    EXPECT_EQ(server->status().displaced_connections, 20u);
  }
}

TEST(ServerLimits, whoever_is_found_on_another_thread_gives_way_too) {
  ServerOptions options;
  options.connections_max = 1;
  options.worker_threads = 4;
  ServerUnderTest server(options);
  std::vector<TestClient> clients;
  clients.push_back(server.connect());
  for (std::size_t count = 0; count < 20; ++count) {
    clients.push_back(server.connect());
    clients.back().send(get_request("/"));
    ASSERT_EQ(clients.back().reply().status, 200);
    ASSERT_TRUE(clients[count].ends());
  }
  EXPECT_EQ(server->status().displaced_connections, 20u);
}

TEST(ServerLimits, a_stop_waits_for_newcomers_that_look_for_a_place) {
  for (int round = 0; round < 20; ++round) {
    ServerOptions options;
    options.connections_max = 2;
    options.worker_threads = 3;
    ServerUnderTest server(options);
    std::vector<TestClient> clients;
    for (int count = 0; count < 30; ++count) clients.push_back(server.connect());
    EXPECT_TRUE(server->stop());
    EXPECT_EQ(server->status().connections, 0u);
  }
}

TEST(ServerLimits, where_all_are_busy_one_connection_too_many_is_told_so) {
  ServerOptions options;
  options.connections_max = 3;
  HoldingHandler handler;
  ServerUnderTest server(options, [&](const Request& request, Responder responder) {
    if (request.target == "/large") return responder.send(text_response(std::string(50'000'000, 'x')));
    handler(request, std::move(responder));
  });
  std::vector<TestClient> clients;
  clients.push_back(server.connect());
  clients.back().send(get_request("/held"));
  clients.push_back(server.connect(4096));
  clients.back().send(get_request("/large"));
  clients.push_back(server.connect());
  clients.back().send("PUT /half HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  ASSERT_EQ(clients.back().reply().status, 100);  // the server waits for the body
  ASSERT_TRUE(server.eventually([&] { return handler.held() == 1 && server->status().requests == 2; }));
  for (int count = 0; count < 100; ++count) {
    TestClient refused = server.connect();
    refused.send(get_request("/hidden"));
    const Reply reply = refused.reply();
    ASSERT_EQ(reply.status, 503);
    EXPECT_EQ(reply.field("Retry-After"), "1");
    EXPECT_NE(reply.body.find("too_many_connections"), std::string::npos);
    EXPECT_TRUE(reply.field("X-Request-Id"));
    if (count < 10) {
      EXPECT_TRUE(refused.ends());
    }
  }
  EXPECT_EQ(server->status().refused_connections, 100u);
  EXPECT_EQ(server->status().displaced_connections, 0u);
  clients[2].send("hello");
  EXPECT_EQ(clients[2].reply().status, 200);
  TestClient again = server.connect();
  again.send(get_request("/"));
  EXPECT_EQ(again.reply().status, 200);
  handler.release();
  EXPECT_EQ(clients[0].reply().body, "held");
}

TEST(ServerLimits, a_thousand_idle_connections_do_not_hinder_one_that_works) {
  ServerOptions options;
  options.connections_max = 2000;
  ServerUnderTest server(options);
  std::vector<TestClient> idle;
  for (int count = 0; count < 1000; ++count) {
    idle.push_back(server.connect());
    if (count % 2 == 0) idle.back().send("GET / HT");  // half of them in the midst of a head
  }
  ASSERT_TRUE(server.eventually([&] { return server->status().connections == 1000; }));
  TestClient client = server.connect();
  for (int count = 0; count < 1000; ++count) {
    client.send(get_request("/"));
    ASSERT_EQ(client.reply().status, 200);
  }
  idle[998].send("TP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(idle[998].reply().status, 200);
}

TEST(ServerLimits, connections_are_spread_over_the_threads) {
  ServerOptions options;
  options.worker_threads = 4;
  std::mutex mutex;
  std::map<std::thread::id, int> seen;
  ServerUnderTest server(options, [&](const Request&, Responder responder) {
    {
      const std::lock_guard lock(mutex);
      ++seen[std::this_thread::get_id()];
    }
    responder.send(text_response("x"));
  });
  std::vector<TestClient> clients;
  for (int count = 0; count < 40; ++count) clients.push_back(server.connect());
  for (TestClient& client : clients) {
    client.send(get_request("/"));
    EXPECT_EQ(client.reply().status, 200);
  }
  ASSERT_EQ(seen.size(), 4u);
  for (const auto& [thread, count] : seen) EXPECT_EQ(count, 10);
}

TEST(ServerLimits, a_server_without_descriptors_says_so_and_serves_again_when_it_has_some) {
  ServerUnderTest server;
  TestClient before = server.connect();
  before.send(get_request("/"));
  EXPECT_EQ(before.reply().status, 200);
  TestClient waiting;  // has its descriptor already
  rlimit saved{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &saved), 0);
  const int next = ::dup(0);
  ::close(next);
  rlimit tight = saved;
  tight.rlim_cur = static_cast<rlim_t>(next);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  ASSERT_TRUE(waiting.connect(server->port()));
  const Reply refused = waiting.reply();
  EXPECT_TRUE(server.eventually([&] { return server.log().has("Raise the limit of open files"); }));
  before.send(get_request("/"));
  const Reply served = before.reply();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &saved), 0);
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(served.status, 200);
  TestClient after = server.connect();
  after.send(get_request("/"));
  EXPECT_EQ(after.reply().status, 200);
}

TEST(ServerStop, what_has_begun_is_finished_and_what_is_idle_is_closed) {
  std::mutex mutex;
  std::optional<Responder> held;
  ServerOptions options;
  ServerUnderTest server(options, [&](const Request& request, Responder responder) {
    if (request.target != "/held") return responder.send(text_response("at once"));
    const std::lock_guard lock(mutex);
    held = std::move(responder);
  });
  TestClient idle = server.connect();
  idle.send(get_request("/"));
  EXPECT_EQ(idle.reply().status, 200);
  TestClient pending = server.connect();
  pending.send(get_request("/held"));
  TestClient half = server.connect();
  half.send("PUT /half HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel");
  ASSERT_TRUE(server.eventually([&] {
    const std::lock_guard lock(mutex);
    return held.has_value();
  }));
  std::this_thread::sleep_for(milliseconds(50));
  std::atomic<bool> stopped{false};
  std::thread stopper([&] {
    EXPECT_TRUE(server->stop());
    stopped = true;
  });
  EXPECT_TRUE(idle.ends());
  TestClient late;
  EXPECT_FALSE(late.connect(server->port()) && late.send(get_request("/")) && late.reply().status != 0);
  EXPECT_TRUE(server->status().draining);
  half.send("lo");
  const Reply half_reply = half.reply();
  EXPECT_EQ(half_reply.body, "at once");
  EXPECT_EQ(half_reply.field("Connection"), "close");
  EXPECT_TRUE(half.ends());
  EXPECT_FALSE(stopped);
  held->send(text_response("held"));
  const Reply reply = pending.reply();
  EXPECT_EQ(reply.body, "held");
  EXPECT_EQ(reply.field("Connection"), "close");
  pending.close();
  half.close();
  stopper.join();
}

TEST(ServerStop, what_does_not_finish_in_time_is_cut_off_and_reported) {
  ServerOptions options;
  options.drain_timeout = milliseconds(100);
  std::mutex mutex;
  std::optional<Responder> held;
  ServerUnderTest server(options, [&](const Request&, Responder responder) {
    const std::lock_guard lock(mutex);
    held = std::move(responder);
  });
  TestClient pending = server.connect();
  pending.send(get_request("/held"));
  TestClient half = server.connect();
  half.send("GET / HT");
  ASSERT_TRUE(server.eventually([&] {
    const std::lock_guard lock(mutex);
    return held.has_value() && server->status().connections == 2;
  }));
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_FALSE(server->stop());
  EXPECT_EQ(pending.reply().status, 0);
  EXPECT_EQ(half.reply().status, 0);
  server.destroy();
  held->send(text_response("after the server has gone"));
}

TEST(ServerStop, a_stream_that_waits_for_more_ends_and_is_not_taken_for_whole) {
  ServerUnderTest server({}, [](const Request&, Responder responder) {
    Response response;
    response.body = BodySource([said = false]() mutable -> Result<std::optional<std::string>> {
      return std::exchange(said, true) ? "" : "event";
    });
    responder.send(std::move(response));
  });
  TestClient client = server.connect();
  client.send(get_request("/"));
  TestClient old_client = server.connect();
  old_client.send("GET / HTTP/1.0\r\n\r\n");
  for (TestClient* waiting : {&client, &old_client}) {
    std::string received;
    while (received.find("event") == std::string::npos) {
      ASSERT_TRUE(waiting->receive());
      received += waiting->take_received();
    }
  }
  EXPECT_TRUE(server->stop());
  EXPECT_EQ(client.receive_to_end().find("0\r\n\r\n"), std::string::npos);
  (void)old_client.receive_to_end();
  EXPECT_TRUE(old_client.was_reset());
}

TEST(ServerStop, a_server_may_go_without_being_stopped) {
  std::mutex mutex;
  std::vector<Responder> held;
  ServerUnderTest server({}, [&](const Request& request, Responder responder) {
    const std::lock_guard lock(mutex);
    request.home->post_after(std::chrono::hours(1), [] {});
    held.push_back(std::move(responder));
  });
  std::vector<TestClient> clients;
  for (int count = 0; count < 10; ++count) {
    clients.push_back(server.connect());
    clients.back().send(get_request("/held"));
  }
  ASSERT_TRUE(server.eventually([&] {
    const std::lock_guard lock(mutex);
    return held.size() == 10;
  }));
  server.destroy();
  for (Responder& responder : held) responder.send(text_response("too late"));
  for (TestClient& client : clients) EXPECT_EQ(client.reply().status, 0);
}

TEST(ServerStop, requests_that_are_on_their_way_are_answered_or_not_begun) {
  // Clients that keep asking while the server stops: each request was either answered, or its handler never saw it.
  for (int round = 0; round < 10; ++round) {
    std::atomic<int> handled{0};
    std::atomic<int> answered{0};
    ServerUnderTest server({}, [&](const Request&, Responder responder) {
      ++handled;
      responder.send(text_response("x"));
    });
    std::vector<std::thread> clients;
    for (int number = 0; number < 4; ++number) {
      clients.emplace_back([&] {
        TestClient client = server.connect();
        while (client.send(get_request("/"))) {
          if (client.reply().status != 200) return;
          ++answered;
        }
      });
    }
    std::this_thread::sleep_for(milliseconds(5));
    EXPECT_TRUE(server->stop());
    for (std::thread& client : clients) client.join();
    EXPECT_EQ(handled, answered);
  }
}

}  // namespace
}  // namespace annals::http
