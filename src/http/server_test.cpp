#include "http/server.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <new>
#include <thread>

#include "http/problem.hpp"
#include "http/server/malformed_requests.hpp"
#include "http/server/test_client.hpp"

namespace annals::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Server, a_request_is_answered_with_the_fields_that_every_reply_has) {
  ServerUnderTest server;
  TestClient client = server.connect();
  client.send("PUT /x?y HTTP/1.1\r\nHost: a\r\nX-Request-Id: me-1\r\nContent-Length: 5\r\n\r\nhello");
  const Reply reply = client.reply();
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "PUT /x?y hello");
  EXPECT_EQ(reply.field("X-Request-Id"), "me-1");
  EXPECT_EQ(reply.field("Content-Length"), "14");
  EXPECT_EQ(reply.field("Content-Type"), "text/plain");
  EXPECT_EQ(reply.field("Date").value_or("").size(), 29u);
  EXPECT_EQ(reply.field("Connection"), std::nullopt);
}

TEST(Server, a_connection_serves_one_request_after_another) {
  ServerUnderTest server;
  TestClient client = server.connect();
  for (int count = 0; count < 100; ++count) {
    client.send(get_request("/" + std::to_string(count)));
    EXPECT_EQ(client.reply().body, "GET /" + std::to_string(count) + " ");
  }
  EXPECT_EQ(server->status().requests, 100u);
  EXPECT_EQ(server->status().connections, 1u);
}

TEST(Server, everything_malformed_gets_one_refusal_and_nothing_behind_it_is_served) {
  ServerUnderTest server;
  for (const MalformedRequest& malformed : malformed_requests()) {
    TestClient client = server.connect();
    client.send(malformed.bytes + get_request("/hidden") + get_request("/hidden"));
    const Reply reply = client.reply();
    EXPECT_EQ(reply.status, malformed.status) << malformed.what;
    EXPECT_EQ(reply.field("Connection"), "close") << malformed.what;
    EXPECT_EQ(reply.field("Content-Type"), "application/problem+json") << malformed.what;
    EXPECT_NE(reply.body.find("\"code\":"), std::string::npos) << malformed.what;
    EXPECT_NE(reply.body.find("\"request_id\":\"" + reply.field("X-Request-Id").value_or("none") + "\""),
              std::string::npos)
        << malformed.what;
    EXPECT_EQ(client.receive_to_end(), "") << malformed.what;
    EXPECT_FALSE(client.was_reset()) << malformed.what;
  }
  EXPECT_EQ(server.targets(), std::vector<std::string>{});
  EXPECT_EQ(server->status().refused_malformed, malformed_requests().size());
}

TEST(Server, a_malformed_request_behind_a_good_one_is_refused_after_the_good_one_is_answered) {
  ServerUnderTest server;
  for (const MalformedRequest& malformed : malformed_requests()) {
    if (malformed.bytes.starts_with("\r\n")) continue;
    TestClient client = server.connect();
    client.send(get_request("/good") + malformed.bytes + get_request("/hidden"));
    EXPECT_EQ(client.reply().body, "GET /good ") << malformed.what;
    EXPECT_EQ(client.reply().status, malformed.status) << malformed.what;
    EXPECT_EQ(client.receive_to_end(), "") << malformed.what;
  }
  for (const std::string& target : server.targets()) EXPECT_EQ(target, "/good");
}

TEST(Server, the_refusal_arrives_although_the_client_keeps_sending) {
  ServerUnderTest server;
  TestClient client = server.connect();
  client.send("PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n" + std::string(1 << 20, 'x'));
  EXPECT_EQ(client.reply().status, 413);
  EXPECT_TRUE(client.ends());
  EXPECT_FALSE(client.was_reset());
}

TEST(Server, pipelined_requests_are_answered_in_their_order) {
  ServerUnderTest server;
  TestClient client = server.connect();
  std::string requests;
  for (int count = 0; count < 3000; ++count) {
    requests += count % 3 == 0
                    ? get_request("/" + std::to_string(count))
                    : "PUT /" + std::to_string(count) + " HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
  }
  std::thread sender([&] { client.send(requests); });
  for (int count = 0; count < 3000; ++count) {
    const std::string target = "/" + std::to_string(count);
    ASSERT_EQ(client.reply().body, count % 3 == 0 ? "GET " + target + " " : "PUT " + target + " abc");
  }
  sender.join();
}

TEST(Server, pipelined_requests_are_answered_in_their_order_when_some_answers_come_later) {
  std::vector<std::thread> threads;
  std::mutex mutex;
  ServerUnderTest server({}, [&](const Request& request, Responder responder) {
    const std::string target(request.target);
    if (target.back() % 2 == 0) return responder.send(text_response(target));
    const std::lock_guard lock(mutex);
    threads.emplace_back([target, responder = std::move(responder)]() mutable {
      std::this_thread::sleep_for(milliseconds(1));
      responder.send(text_response(target));
    });
  });
  TestClient client = server.connect();
  std::string requests;
  for (int count = 0; count < 50; ++count) requests += get_request("/" + std::to_string(count));
  client.send(requests);
  for (int count = 0; count < 50; ++count) ASSERT_EQ(client.reply().body, "/" + std::to_string(count));
  for (std::thread& thread : threads) thread.join();
}

TEST(Server, the_next_request_is_not_begun_before_the_answer_to_the_one_before) {
  std::mutex mutex;
  std::optional<Responder> held;
  ServerUnderTest server({}, [&](const Request& request, Responder responder) {
    if (request.target != "/held") return responder.send(text_response("other"));
    const std::lock_guard lock(mutex);
    held = std::move(responder);
  });
  TestClient client = server.connect();
  client.send(get_request("/held") + get_request("/next"));
  EXPECT_TRUE(client.stays_silent(milliseconds(100)));
  EXPECT_EQ(server.targets(), std::vector<std::string>{"/held"});
  {
    const std::lock_guard lock(mutex);
    held->send(text_response("held"));
  }
  EXPECT_EQ(client.reply().body, "held");
  EXPECT_EQ(client.reply().body, "other");
}

TEST(Server, replies_may_come_from_any_thread_at_any_time) {
  // Some answers come before the handler returns, some just after, some later: whatever the race, each request gets its
  // own.
  std::vector<std::unique_ptr<platform::Executor>> executors;
  for (int count = 0; count < 2; ++count) executors.push_back(platform::make_thread_executor("answers"));
  std::atomic<unsigned> calls{0};
  ServerUnderTest server({}, [&](const Request& request, Responder responder) {
    const unsigned call = calls.fetch_add(1);
    executors[call % 2]->post([body = std::string(request.body), responder = std::move(responder)]() mutable {
      responder.send(text_response(body));
    });
    if (call % 3 == 0) std::this_thread::yield();
  });
  std::vector<std::thread> clients;
  std::atomic<int> wrong{0};
  for (int number = 0; number < 8; ++number) {
    clients.emplace_back([&, number] {
      TestClient client = server.connect();
      for (int count = 0; count < 300; ++count) {
        const std::string body = std::to_string(number) + "/" + std::to_string(count);
        client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
        if (client.reply().body != body) ++wrong;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Server, an_answer_from_the_connections_own_thread_arrives) {
  ServerUnderTest server({}, [](const Request& request, Responder responder) {
    request.home->post_after(milliseconds(5), [home = request.home, responder = std::move(responder)]() mutable {
      home->post([responder = std::move(responder)]() mutable { responder.send(text_response("later")); });
    });
  });
  TestClient client = server.connect();
  for (int count = 0; count < 10; ++count) {
    client.send(get_request("/"));
    EXPECT_EQ(client.reply().body, "later");
  }
}

TEST(Server, what_is_posted_to_a_connections_thread_runs_there_in_order) {
  std::mutex mutex;
  std::vector<int> order;
  std::vector<std::thread::id> threads;
  ServerUnderTest server({}, [&](const Request& request, Responder responder) {
    threads.push_back(std::this_thread::get_id());
    for (int number = 0; number < 5; ++number) {
      request.home->post([&, number] {
        const std::lock_guard lock(mutex);
        order.push_back(number);
        threads.push_back(std::this_thread::get_id());
      });
    }
    request.home->post([] { throw std::runtime_error("a task's own trouble"); });
    request.home->post([responder = std::move(responder)]() mutable { responder.send(text_response("done")); });
    const std::lock_guard lock(mutex);
    EXPECT_TRUE(order.empty()) << "a task never runs inside post";
  });
  TestClient client = server.connect();
  client.send(get_request("/"));
  EXPECT_EQ(client.reply().body, "done");
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
  for (std::thread::id thread : threads) EXPECT_EQ(thread, threads.front());
  EXPECT_TRUE(server.log().has("A task of an I/O thread threw"));
}

TEST(Server, a_dropped_responder_is_answered_with_500) {
  ServerUnderTest server({}, [](const Request& request, Responder responder) {
    if (request.target == "/later") request.home->post([responder = std::move(responder)] {});
  });
  for (std::string_view target : {"/now", "/later"}) {
    TestClient client = server.connect();
    client.send(get_request(target));
    const Reply reply = client.reply();
    EXPECT_EQ(reply.status, 500);
    EXPECT_NE(reply.body.find("\"code\":\"internal\""), std::string::npos);
  }
  EXPECT_TRUE(server.log().has("dropped without an answer"));
}

TEST(Server, a_handler_that_throws_is_answered_with_500_and_the_server_goes_on) {
  std::mutex mutex;
  std::optional<Responder> kept;
  ServerUnderTest server({}, [&](const Request& request, Responder responder) {
    if (request.target == "/good") return responder.send(text_response("good"));
    const std::lock_guard lock(mutex);
    if (request.target == "/keeps") kept = std::move(responder);
    throw std::runtime_error("the path /var/secret");
  });
  for (std::string_view target : {"/throws", "/keeps"}) {
    TestClient client = server.connect();
    client.send(get_request(target) + get_request("/good"));
    const Reply reply = client.reply();
    EXPECT_EQ(reply.status, 500);
    EXPECT_EQ(reply.body.find("secret"), std::string::npos);
    EXPECT_TRUE(client.ends());
  }
  {
    const std::lock_guard lock(mutex);
    kept->send(text_response("too late"));
  }
  TestClient client = server.connect();
  client.send(get_request("/good"));
  EXPECT_EQ(client.reply().body, "good");
  EXPECT_TRUE(server.log().has("A handler threw an exception"));
}

TEST(Server, head_is_answered_like_get_without_the_body) {
  ServerUnderTest server(
      {}, [](const Request&, Responder responder) { responder.send(text_response(std::string(20000, 'x'))); });
  TestClient client = server.connect();
  client.send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.reply(true).field("Content-Length"), "20000");
  client.send(get_request("/x"));
  EXPECT_EQ(client.reply().body.size(), 20000u);
}

TEST(Server, a_body_in_chunks_arrives_whole) {
  ServerUnderTest server;
  TestClient client = server.connect();
  client.send("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;x=\"y\"\r\n \r\n");
  EXPECT_TRUE(client.stays_silent(milliseconds(20)));
  client.send("5\r\nworld\r\n0\r\nX-Trailer: ignored\r\n\r\n" + get_request("/next"));
  EXPECT_EQ(client.reply().body, "POST /x hello world");
  EXPECT_EQ(client.reply().body, "GET /next ");
}

TEST(Server, a_client_that_waits_for_100_continue_gets_it) {
  ServerUnderTest server;
  TestClient client = server.connect();
  const std::string head = "PUT /x HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n";
  for (int count = 0; count < 2; ++count) {
    client.send(head);
    EXPECT_EQ(client.reply().status, 100);
    client.send("hello");
    EXPECT_EQ(client.reply().body, "PUT /x hello");
  }
  client.send(head + "hello");
  EXPECT_EQ(client.reply().status, 200) << "who has sent the body needs no 100";
}

TEST(Server, a_body_that_is_too_large_is_refused_instead_of_continued) {
  ServerOptions options;
  options.body_bytes_max = 10;
  ServerUnderTest server(options);
  TestClient client = server.connect();
  client.send("PUT /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n");
  EXPECT_EQ(client.reply().status, 413);
  EXPECT_TRUE(client.ends());
}

TEST(Server, a_client_of_plain_text_is_refused_in_plain_text) {
  ServerOptions options;
  options.body_bytes_max = 10;
  ServerUnderTest server(options);
  TestClient client = server.connect();
  client.send("PUT /x HTTP/1.1\r\nHost: a\r\nAccept: text/plain\r\nContent-Length: 11\r\n\r\n");
  EXPECT_EQ(client.reply().body, "Content Too Large");
}

TEST(Server, http_1_0_ends_with_the_reply_unless_it_asks_to_keep_alive) {
  ServerUnderTest server;
  TestClient closing = server.connect();
  closing.send("GET /x HTTP/1.0\r\n\r\n");
  EXPECT_EQ(closing.reply().field("Connection"), "close");
  EXPECT_TRUE(closing.ends());
  TestClient keeping = server.connect();
  for (int count = 0; count < 2; ++count) {
    keeping.send("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(keeping.reply().field("Connection"), "keep-alive");
  }
}

TEST(Server, connection_close_ends_the_connection_after_the_reply) {
  ServerUnderTest server;
  TestClient client = server.connect();
  client.send("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + get_request("/not_served"));
  const Reply reply = client.reply();
  EXPECT_EQ(reply.body, "GET /x ");
  EXPECT_EQ(reply.field("Connection"), "close");
  EXPECT_TRUE(client.ends());
  EXPECT_EQ(server.targets().size(), 1u);
}

TEST(Server, a_method_nobody_knows_is_the_handlers_business) {
  ServerUnderTest server;
  TestClient client = server.connect();
  client.send("FOO /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" + get_request("/y"));
  EXPECT_EQ(client.reply().body, "FOO /x hello");
  EXPECT_EQ(client.reply().body, "GET /y ");
}

TEST(Server, a_tunnel_is_refused_and_nothing_behind_it_is_read) {
  ServerUnderTest server;
  TestClient client = server.connect();
  client.send("CONNECT other:80 HTTP/1.1\r\nHost: other:80\r\n\r\n" + get_request("/hidden"));
  const Reply reply = client.reply();
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(reply.field("Allow"), "");
  EXPECT_EQ(reply.field("Connection"), "close");
  EXPECT_TRUE(client.ends());
  EXPECT_EQ(server.targets().size(), 0u);
}

TEST(Server, empty_lines_before_a_request_are_forgiven_up_to_two) {
  ServerUnderTest server;
  TestClient client = server.connect();
  for (std::string_view lines : {"\r\n", "\r\n\r\n", ""}) {
    client.send(std::string(lines) + get_request("/x"));
    EXPECT_EQ(client.reply().status, 200);
  }
  client.send("\r\n");
  EXPECT_TRUE(client.stays_silent(milliseconds(50)));
  client.send("\r\n" + get_request("/y"));
  EXPECT_EQ(client.reply().body, "GET /y ");
}

TEST(Server, a_request_that_ends_before_it_is_whole_is_answered_with_400) {
  ServerUnderTest server;
  const std::string put = "PUT /x HTTP/1.1\r\nHost: a\r\n";
  for (const std::string& part :
       {put + "Content-Length: 5\r\n\r\nhell", put + "Content-Length: 5\r\n\r\n",
        put + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", put + "Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
        put + "Transfer-Encoding: chunked\r\n\r\n0\r\n", put, std::string("PU")}) {
    TestClient client = server.connect();
    client.send(get_request("/good") + part);
    client.finish_sending();
    EXPECT_EQ(client.reply().body, "GET /good ") << part;
    const Reply reply = client.reply();
    EXPECT_EQ(reply.status, 400) << part;
    EXPECT_NE(reply.body.find("\"code\":\"incomplete_request\""), std::string::npos) << part;
    EXPECT_EQ(reply.field("Connection"), "close") << part;
    EXPECT_TRUE(client.ends()) << part;
  }
  for (const std::string& target : server.targets()) EXPECT_EQ(target, "/good");
  TestClient client = server.connect();
  client.send(get_request("/good") + "\r\n");
  client.finish_sending();
  EXPECT_EQ(client.reply().status, 200);
  EXPECT_TRUE(client.ends()) << "an empty line is no request";
}

TEST(Server, a_reply_in_the_handlers_place_is_marked_by_the_handler_when_the_head_was_good) {
  ServerOptions options;
  options.body_bytes_max = 10;
  options.request_timeout = milliseconds(200);
  std::mutex mutex;
  std::optional<Responder> held;
  Handler handler(
      [&](const Request& request, Responder responder) {
        if (request.target == "/throws") throw std::runtime_error("why");
        if (request.target == "/dropped") return;
        if (request.target == "/good") return responder.send(text_response("good"));
        const std::lock_guard lock(mutex);
        held = std::move(responder);
      },
      [](const Request& request, Response& reply) {
        reply.add("X-Mark", std::string(request.method_text) + " " + std::string(request.path));
      });
  ServerUnderTest server(options, handler);
  const auto ask = [&](const std::string& bytes) {
    TestClient client = server.connect();
    client.send(bytes);
    client.finish_sending();
    const Reply reply = client.reply();
    return std::to_string(reply.status) + " " + reply.field("X-Mark").value_or("(none)");
  };
  const std::string put = "PUT /x?y HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(ask(put + "Content-Length: 11\r\n\r\n"), "413 PUT /x");
  EXPECT_EQ(ask(put + "Transfer-Encoding: chunked\r\n\r\nb\r\n"), "413 PUT /x");
  EXPECT_EQ(ask(put + "Transfer-Encoding: chunked\r\n\r\nz\r\n"), "400 PUT /x");
  EXPECT_EQ(ask(put + "Content-Length: 5\r\n\r\nhell"), "400 PUT /x");
  EXPECT_EQ(ask(put + "Expect: 200-ok\r\nContent-Length: 5\r\n\r\nhello"), "417 PUT /x");
  EXPECT_EQ(ask(get_request("/throws")), "500 GET /throws");
  EXPECT_EQ(ask(get_request("/dropped")), "500 GET /dropped");
  EXPECT_EQ(ask(get_request("/held")), "503 GET /held");
  EXPECT_EQ(ask(get_request("/good")), "200 (none)");
  EXPECT_EQ(ask("PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n"), "400 (none)");
  EXPECT_EQ(ask("PUT /x HTTP/1.1\r\nHost: a\r\n"), "400 (none)");
  TestClient late = server.connect();
  late.send(put + "Content-Length: 5\r\n\r\nhell");
  const Reply reply = late.reply();
  EXPECT_EQ(reply.status, 408);
  EXPECT_EQ(reply.field("X-Mark"), "PUT /x");
}

TEST(Server, options_of_everything_is_answered_by_the_server) {
  ServerUnderTest server;
  TestClient client = server.connect();
  client.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.reply().status, 204);
  client.send("OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.reply().status, 204) << "an empty path is the asterisk there";
  EXPECT_EQ(server.targets().size(), 0u);
}

TEST(Server, a_client_that_closes_its_side_still_gets_its_reply) {
  ServerUnderTest server;
  TestClient client = server.connect();
  client.send(get_request("/x"));
  client.finish_sending();
  EXPECT_EQ(client.reply().status, 200);
  EXPECT_TRUE(client.ends());
}

TEST(Server, a_client_that_leaves_while_the_handler_is_pending_harms_nobody) {
  std::mutex mutex;
  std::vector<Responder> held;
  ServerUnderTest server({}, [&](const Request& request, Responder responder) {
    if (request.target == "/other") return responder.send(text_response("other"));
    const std::lock_guard lock(mutex);
    held.push_back(std::move(responder));
  });
  for (int count = 0; count < 20; ++count) {
    TestClient client = server.connect();
    client.send(get_request("/held") + get_request("/held"));
  }
  ASSERT_TRUE(server.eventually([&] {
    const std::lock_guard lock(mutex);
    return held.size() == 20;
  }));
  for (int round = 0; round < 3; ++round) {
    std::vector<Responder> now;
    {
      const std::lock_guard lock(mutex);
      now = std::exchange(held, {});
    }
    for (Responder& responder : now) responder.send(text_response(std::string(100000, 'x')));
    std::this_thread::sleep_for(milliseconds(20));
  }
  EXPECT_TRUE(server.eventually([&] { return server->status().connections == 0; }));
  TestClient client = server.connect();
  client.send(get_request("/other"));
  EXPECT_EQ(client.reply().body, "other");
}

TEST(Server, a_handler_that_waits_may_hear_that_the_client_has_left) {
  std::mutex mutex;
  std::vector<std::string> left;
  std::map<std::string, Responder> held;
  ServerUnderTest server({}, [&](const Request& request, Responder responder) {
    const std::string target(request.target);
    if (target == "/now") return responder.send(text_response("now"));
    responder.when_client_leaves([&, target, worker = std::this_thread::get_id()] {
      const std::lock_guard lock(mutex);
      EXPECT_EQ(std::this_thread::get_id(), worker);
      left.push_back(target);
      const auto found = held.find(target);
      if (target == "/half") found->second.send(text_response("half"));
      held.erase(found);
    });
    const std::lock_guard lock(mutex);
    held.emplace(target, std::move(responder));
  });
  const auto has_left = [&](std::string_view target) {
    return server.eventually([&] {
      const std::lock_guard lock(mutex);
      return std::ranges::find(left, target) != left.end();
    });
  };
  {
    TestClient closed = server.connect();
    closed.send(get_request("/now") + get_request("/closed"));
    EXPECT_EQ(closed.reply().body, "now");
  }
  EXPECT_TRUE(has_left("/closed"));
  {
    TestClient pipelining = server.connect();
    pipelining.send(get_request("/pipelining") + get_request("/unread"));
  }
  EXPECT_TRUE(has_left("/pipelining"));
  TestClient half = server.connect();
  half.send(get_request("/half"));
  half.finish_sending();
  EXPECT_EQ(half.reply().body, "half") << "who has closed one side still gets an answer";
  TestClient staying = server.connect();
  staying.send(get_request("/staying"));
  EXPECT_TRUE(staying.stays_silent(milliseconds(600)));
  {
    const std::lock_guard lock(mutex);
    held.at("/staying").send(text_response("staying"));
  }
  EXPECT_EQ(staying.reply().body, "staying");
  staying.send(get_request("/now"));
  EXPECT_EQ(staying.reply().body, "now");
  staying.close();
  EXPECT_TRUE(server.eventually([&] { return server->status().connections == 0; }));
  const std::lock_guard lock(mutex);
  EXPECT_EQ(left, (std::vector<std::string>{"/closed", "/pipelining", "/half"}));
}

TEST(Server, a_port_that_is_taken_is_an_error_that_says_so) {
  ServerUnderTest server;
  KeepingLogger log;
  ServerOptions options;
  options.port = server->port();
  const auto second = Server::open(options, [](const Request&, Responder) {},
                                   {platform::system_clock(), platform::system_random(), platform::posix_files(), log});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::input_output);
  EXPECT_EQ(second.error().code, "address_in_use");
  EXPECT_NE(second.error().message.find(std::to_string(server->port())), std::string::npos);
}

/// Fails once when it is told to, as everything does that there is no memory for.
class FailingClock final : public platform::Clock {
 public:
  [[nodiscard]] Instant now() const override { return platform::system_clock().now(); }
  [[nodiscard]] Duration monotonic() const override {
    if (fails_.exchange(false)) throw std::bad_alloc();
    return platform::system_clock().monotonic();
  }
  void fail_next() { fails_ = true; }
  [[nodiscard]] bool has_failed() const { return !fails_; }

 private:
  mutable std::atomic<bool> fails_{false};
};

TEST(Server, a_connection_that_cannot_be_taken_is_closed_and_others_are_accepted) {
  KeepingLogger log;
  FailingClock clock;
  ServerOptions options;
  options.port = 0;
  options.worker_threads = 1;
  const auto answer = [](const Request&, Responder responder) { responder.send(text_response("here")); };
  auto server = Server::open(options, answer, {clock, platform::system_random(), platform::posix_files(), log}).value();
  clock.fail_next();  // nobody but who takes the first connection asks for the time
  TestClient lost(server->port());
  EXPECT_TRUE(lost.ends());
  EXPECT_TRUE(clock.has_failed());
  TestClient next(server->port());
  next.send(get_request("/"));
  EXPECT_EQ(next.reply().body, "here");
  EXPECT_TRUE(log.has("A connection could not be taken."));
  EXPECT_EQ(server->status().connections, 1u) << "the one that was lost counts no more";
  EXPECT_TRUE(server->stop());
}

TEST(Server, a_host_that_does_not_exist_is_wrong_usage) {
  KeepingLogger log;
  for (const char* host : {"no-such-host.invalid", "192.0.2.1", "256.1.1.1", ""}) {
    ServerOptions options;
    options.host = host;
    options.port = 0;
    const auto server =
        Server::open(options, [](const Request&, Responder) {},
                     {platform::system_clock(), platform::system_random(), platform::posix_files(), log});
    ASSERT_FALSE(server) << host;
    EXPECT_EQ(server.error().kind, ErrorKind::usage) << host << server.error().message;
  }
}

TEST(Server, a_name_is_listened_on_at_its_addresses) {
  ServerOptions options;
  options.host = "localhost";
  ServerUnderTest server(options);
  TestClient client = server.connect();
  client.send(get_request("/x"));
  EXPECT_EQ(client.reply().status, 200);
}

TEST(Server, a_handler_refuses_for_the_head_who_waits_for_leave_to_send_the_body) {
  std::atomic<int> looks = 0;
  const Handler handler(
      [](const Request& request, Responder responder) {
        responder.send(
            {.status = 200, .content_type = "text/plain", .fields = {}, .body = "took " + std::string(request.body)});
      },
      {},
      [&](const Request& request) -> std::optional<Response> {
        EXPECT_TRUE(request.body_is_to_come && request.body.empty());
        ++looks;
        if (request.field("content-type") == "text/json") return std::nullopt;
        return Response{.status = 415, .content_type = "text/plain", .fields = {}, .body = std::string("no")};
      });
  ServerUnderTest server({}, handler);
  const std::string head = "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\nContent-Type: ";
  TestClient taken = server.connect();
  taken.send(head + "text/json\r\n\r\n");
  EXPECT_EQ(taken.reply().status, 100);
  taken.send("abc");
  EXPECT_EQ(taken.reply().body, "took abc");
  EXPECT_EQ(looks, 1);
  // Who does not wait is not asked about.
  taken.send(head + "text/xml\r\n\r\nabc");
  EXPECT_EQ(taken.reply().body, "took abc");
  EXPECT_EQ(looks, 1);

  TestClient refused = server.connect();
  refused.send(head + "text/xml\r\n\r\n");
  const Reply reply = refused.reply();
  EXPECT_EQ(reply.status, 415);
  EXPECT_EQ(reply.field("Connection"), "close");
  refused.send("GET /behind HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(refused.ends());
  EXPECT_EQ(looks, 2);
  EXPECT_EQ(server.targets(), (std::vector<std::string>{"/", "/"}));
}

}  // namespace
}  // namespace annals::http
