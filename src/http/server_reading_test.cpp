// What comes in while the I/O thread is busy elsewhere, and so is told of once, with all that came meanwhile.

#include <gtest/gtest.h>

#include <algorithm>
#include <semaphore>
#include <string>
#include <utility>
#include <vector>

#include "http/server/test_client.hpp"

namespace annals::http {
namespace {

using std::chrono::seconds;

ServerOptions one_thread() {
  ServerOptions options;
  options.worker_threads = 1;
  return options;
}

/// A server whose only I/O thread can be held.
class HeldServer {
 public:
  HeldServer()
      : server_(one_thread(),
                [this](const Request& request, Responder responder) {
                  if (request.target == "/hold") {
                    held_.release();
                    let_go_.acquire();
                  }
                  responder.send(text_response(std::string(request.target)));
                }),
        holder_(server_.connect()) {}

  [[nodiscard]] ServerUnderTest& server() { return server_; }

  /// A client whose connection the I/O thread knows.
  [[nodiscard]] TestClient connect(int receive_buffer = 0) {
    TestClient client = server_.connect(receive_buffer);
    client.send(get_request("/first"));
    EXPECT_EQ(client.reply().body, "/first");
    return client;
  }
  void hold() {
    holder_.send(get_request("/hold"));
    held_.acquire();
  }
  void let_go() {
    let_go_.release();
    EXPECT_EQ(holder_.reply().body, "/hold");
  }

 private:
  std::binary_semaphore held_{0};
  std::binary_semaphore let_go_{0};
  ServerUnderTest server_;
  TestClient holder_;
};

/// A server that answers all `/late...` together, when it is told to by `/tell`.
class LateServer {
 public:
  LateServer()
      : server_(one_thread(), [this](const Request& request, Responder responder) {
          if (request.target.starts_with("/late")) {
            kept_.emplace_back(request.target, std::move(responder));
            arrived_.release();
            return;
          }
          if (request.target == "/tell") {
            for (auto& [target, late] : std::exchange(kept_, {})) late.send(text_response(body_of(target)));
          }
          responder.send(text_response(std::string(request.target)));
        }) {}

  /// Of those with "large" in their name it is more than is sent together with others.
  [[nodiscard]] static std::string body_of(const std::string& target) {
    return target.contains("large") ? target + std::string(200'000, 'x') : target;
  }
  [[nodiscard]] TestClient connect() { return server_.connect(); }
  void await_late(int count) {
    while (count-- > 0) arrived_.acquire();
  }

 private:
  std::vector<std::pair<std::string, Responder>> kept_;  // of the I/O thread
  std::counting_semaphore<> arrived_{0};
  ServerUnderTest server_;
};

TEST(ServerReading, an_end_that_comes_together_with_the_last_request_is_seen) {
  HeldServer held;
  TestClient client = held.connect();
  held.hold();
  client.send(get_request("/last"));
  client.finish_sending();
  held.let_go();
  EXPECT_EQ(client.reply().body, "/last");
  EXPECT_FALSE(client.stays_silent(seconds(10)));
  EXPECT_TRUE(client.ends());
}

TEST(ServerReading, an_end_that_comes_together_with_half_a_request_is_seen) {
  HeldServer held;
  TestClient client = held.connect();
  held.hold();
  client.send("GET /half HTTP/1.1\r\nHo");
  client.finish_sending();
  held.let_go();
  ASSERT_FALSE(client.stays_silent(seconds(5)));
  EXPECT_EQ(client.reply().status, 400);
}

TEST(ServerReading, bytes_behind_an_urgent_one_are_read) {
  HeldServer held;
  TestClient client = held.connect();
  held.hold();
  client.send("GET /x HTTP/1.1\r\nHo");
  ASSERT_EQ(::send(client.descriptor(), "!", 1, MSG_OOB | MSG_NOSIGNAL), 1);  // which is no part of the request
  client.send("st: a\r\n\r\n");
  held.let_go();
  ASSERT_FALSE(client.stays_silent(seconds(5)));
  EXPECT_EQ(client.reply().body, "/x");
}

TEST(ServerReading, requests_of_every_length_around_the_room_for_one_are_answered) {
  HeldServer held;
  TestClient client = held.connect();
  for (std::size_t size = 4080; size <= 4112; ++size) {
    const std::string head = "GET /x HTTP/1.1\r\nHost: a\r\nX-Filled: ";
    client.send(head + std::string(size - head.size() - 4, 'x') + "\r\n\r\n");
    ASSERT_EQ(client.reply().body, "/x") << size;
  }
}

TEST(ServerReading, whoever_sends_many_requests_at_once_does_not_keep_others_waiting) {
  constexpr int requests = 2000;  // several times what is read at once
  HeldServer held;
  TestClient many = held.connect();
  TestClient one = held.connect();
  held.hold();
  std::string bytes;
  for (int count = 0; count < requests; ++count) bytes += get_request("/many");
  many.send(bytes);
  one.send(get_request("/one"));
  held.let_go();
  EXPECT_EQ(one.reply().body, "/one");
  for (int count = 0; count < requests; ++count) ASSERT_EQ(many.reply().body, "/many");
  const std::vector<std::string> targets = held.server().targets();
  const auto place = std::ranges::find(targets, "/one") - targets.begin();
  EXPECT_LT(place, requests);
}

TEST(ServerReading, all_whose_requests_came_together_are_answered) {
  HeldServer held;
  std::vector<TestClient> clients;
  for (int count = 0; count < 30; ++count) clients.push_back(held.connect());
  for (int round = 0; round < 3; ++round) {
    held.hold();
    for (TestClient& client : clients) client.send(get_request("/" + std::to_string(client.descriptor())));
    held.let_go();
    for (TestClient& client : clients) ASSERT_EQ(client.reply().body, "/" + std::to_string(client.descriptor()));
  }
}

TEST(ServerReading, whoever_reads_no_replies_gets_them_later_and_others_meanwhile) {
  constexpr int requests = 200;
  const std::string long_target = "/" + std::string(4000, 'x');
  HeldServer held;
  TestClient silent = held.connect(4096);
  TestClient reading = held.connect();
  for (int count = 0; count < requests; ++count) {
    held.hold();
    silent.send(get_request(long_target));
    reading.send(get_request("/short"));
    held.let_go();
    ASSERT_EQ(reading.reply().body, "/short");
  }
  for (int count = 0; count < requests; ++count) ASSERT_EQ(silent.reply().body, long_target);
}

TEST(ServerReading, all_who_are_answered_together_get_their_own_replies_and_go_on) {
  constexpr int count = 30;
  LateServer server;
  TestClient teller = server.connect();
  for (int round = 0; round < 3; ++round) {
    std::vector<TestClient> clients;
    const auto target = [](int number) {
      return "/late/" + std::to_string(number) + (number % 7 == 3 ? "/large" : "");
    };
    for (int number = 0; number < count; ++number) {
      clients.push_back(server.connect());
      clients.back().send(get_request(target(number)));
      // What is answered at once, what waits again, and nothing follows.
      if (number % 3 == 0) clients.back().send(get_request("/next"));
      if (number % 3 == 1) clients.back().send(get_request("/late/again"));
    }
    server.await_late(count);
    clients[5].reset();
    clients[20].finish_sending();
    teller.send(get_request("/tell"));
    EXPECT_EQ(teller.reply().body, "/tell");
    for (int number = 0; number < count; ++number) {
      if (number == 5) continue;
      ASSERT_EQ(clients[static_cast<std::size_t>(number)].reply().body, LateServer::body_of(target(number)));
      if (number % 3 == 0) {
        ASSERT_EQ(clients[static_cast<std::size_t>(number)].reply().body, "/next");
      }
    }
    server.await_late(count / 3);
    teller.send(get_request("/tell"));
    EXPECT_EQ(teller.reply().body, "/tell");
    for (int number = 1; number < count; number += 3) {
      ASSERT_EQ(clients[static_cast<std::size_t>(number)].reply().body, "/late/again");
    }
  }
}

}  // namespace
}  // namespace annals::http
