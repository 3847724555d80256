#include <gtest/gtest.h>
#include <openssl/err.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <thread>

#include "http/server.hpp"
#include "http/server/test_tls.hpp"

namespace annals::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::string_view root_answer = "GET / ";  // what ServerUnderTest answers to GET /

const TlsPair& pair_of_tests() {
  static const TlsPair pair = make_pair("first");
  return pair;
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

class ServerTls : public ::testing::Test {
 protected:
  // OpenSSL's own way to a socket, which the client of the tests takes, knows no MSG_NOSIGNAL.
  void SetUp() override { std::signal(SIGPIPE, SIG_IGN); }
  void TearDown() override { ERR_clear_error(); }
};

TEST_F(ServerTls, requests_are_answered_over_tls_1_2_and_1_3) {
  ServerUnderTest server(tls_options(pair_of_tests()));
  for (const auto& [version, name] : {std::pair{TLS1_2_VERSION, "TLSv1.2"}, {TLS1_3_VERSION, "TLSv1.3"}}) {
    TlsClient client(server->port(), {.version_max = version});
    ASSERT_TRUE(client.shake_hands());
    EXPECT_EQ(client.version(), name);
    EXPECT_EQ(client.server_name(), "first");
    for (int count = 0; count < 3; ++count) {
      EXPECT_TRUE(client.get("/", root_answer).starts_with("HTTP/1.1 200 OK\r\n"));
    }
  }
  EXPECT_EQ(server->status().requests, 6u);
}

TEST_F(ServerTls, older_versions_are_refused) {
  ServerUnderTest server(tls_options(pair_of_tests()));
  TlsClient client(server->port(), {.version_max = TLS1_1_VERSION});
  EXPECT_FALSE(client.shake_hands());
  EXPECT_TRUE(server.eventually([&] { return server->status().failed_handshakes == 1; }));
  EXPECT_TRUE(server.eventually([&] { return server->status().connections == 0; }));
}

TEST_F(ServerTls, http_1_1_is_chosen_and_who_cannot_speak_it_is_refused) {
  ServerUnderTest server(tls_options(pair_of_tests()));
  TlsClient both(server->port(), {.protocols = "\x02h2\x08http/1.1"});
  ASSERT_TRUE(both.shake_hands());
  EXPECT_EQ(both.protocol(), "http/1.1");
  TlsClient neither(server->port(), {.protocols = "\x02h2"});
  EXPECT_FALSE(neither.shake_hands());
}

TEST_F(ServerTls, a_request_in_the_open_gets_one_refusal_in_the_open) {
  ServerUnderTest server(tls_options(pair_of_tests()));
  for (const std::string& bytes :
       {std::string("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"), std::string("\r\n"),
        std::string("\0\0\0", 3), std::string("\x80\x2e\x01\x00\x02", 5)}) {
    TestClient client = server.connect();
    client.send(bytes);
    const Reply reply = client.reply();
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(reply.field("Connection"), "close");
    EXPECT_NE(reply.body.find("tls_required"), std::string::npos);
    EXPECT_TRUE(client.ends());
  }
  EXPECT_EQ(server.targets().size(), 0u);
  EXPECT_EQ(server->status().refused_malformed, 4u);
}

TEST_F(ServerTls, handshakes_that_are_broken_off_leave_nothing_behind) {
  ServerUnderTest server(tls_options(pair_of_tests()));
  TlsClient before(server->port());
  ASSERT_TRUE(before.shake_hands());
  const std::size_t descriptors = open_descriptors();
  for (int count = 0; count < 40; ++count) {
    TestClient client = server.connect();
    if (count % 4 == 1) client.send("\x16\x03\x01\x02");
    if (count % 4 == 2) client.send("\x16\x03\x01\x7f\xff" + std::string(300, 'x'));
    if (count % 4 == 3) client.send("\x16\x03\x03\x00\x02\x01\x00" + std::string(40, '\0'));
    if (count % 8 < 4) client.finish_sending();
    if (count % 8 == 1) (void)client.receive_to_end();
  }
  {
    // Connections are accepted in their order: once this one is served, none of those before is still to come.
    TlsClient last(server->port());
    ASSERT_TRUE(last.shake_hands());
  }
  EXPECT_TRUE(server.eventually([&] { return server->status().connections == 1; }));
  EXPECT_EQ(open_descriptors(), descriptors);
  EXPECT_TRUE(before.get("/", root_answer).starts_with("HTTP/1.1 200"));
}

TEST_F(ServerTls, a_handshake_has_the_time_of_a_header) {
  ServerOptions options = tls_options(pair_of_tests());
  options.header_timeout = milliseconds(200);
  ServerUnderTest server(options);
  const auto begin = steady_clock::now();
  TestClient silent = server.connect();
  TestClient begun = server.connect();
  begun.send("\x16\x03\x01\x02\x00\x01");
  EXPECT_TRUE(silent.ends());
  EXPECT_TRUE(begun.ends());
  EXPECT_GE(steady_clock::now() - begin, milliseconds(200));
  EXPECT_TRUE(server.eventually([&] { return server->status().failed_handshakes == 2; }));
}

TEST_F(ServerTls, the_times_of_requests_hold_under_tls_too) {
  ServerOptions options = tls_options(pair_of_tests());
  options.header_timeout = options.idle_timeout = options.request_timeout = milliseconds(200);
  ServerUnderTest server(options);
  TlsClient idle(server->port());
  ASSERT_TRUE(idle.shake_hands());
  TlsClient slow(server->port());
  ASSERT_TRUE(slow.shake_hands());
  slow.send("GET / HT");
  EXPECT_TRUE(slow.receive_to_end().starts_with("HTTP/1.1 408 "));
  EXPECT_TRUE(slow.said_goodbye());
  EXPECT_EQ(idle.receive_to_end(), "");
  EXPECT_TRUE(idle.said_goodbye());
}

TEST_F(ServerTls, long_bodies_go_both_ways) {
  const std::string large(3'000'000, 'x');
  ServerUnderTest server(tls_options(pair_of_tests()), [&](const Request& request, Responder responder) {
    Response response;
    response.content_type = "text/plain";
    response.body = std::string(request.body) + "end";
    responder.send(std::move(response));
  });
  TlsClient client(server->port(), {.receive_buffer = 4096});
  ASSERT_TRUE(client.shake_hands());
  ASSERT_TRUE(client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n" + large));
  std::string received;
  ASSERT_TRUE(client.receive(received, large.size() + 3));
  EXPECT_TRUE(received.ends_with("\r\n\r\n" + large + "end"));
}

TEST_F(ServerTls, a_stream_comes_as_it_is_made) {
  ServerUnderTest server(tls_options(pair_of_tests()), [](const Request&, Responder responder) {
    Response response;
    response.content_type = "text/plain";
    response.body = BodySource([pieces = 0]() mutable -> Result<std::optional<std::string>> {
      if (++pieces > 50) return std::nullopt;
      return std::string(20'000, '#');
    });
    responder.send(std::move(response));
  });
  TlsClient client(server->port(), {.receive_buffer = 4096});
  ASSERT_TRUE(client.shake_hands());
  const std::string reply = client.get("/", "0\r\n\r\n");
  EXPECT_EQ(std::ranges::count(reply, '#'), 1'000'000);
}

TEST_F(ServerTls, pipelined_requests_are_answered_in_order) {
  ServerUnderTest server(tls_options(pair_of_tests()));
  TlsClient client(server->port());
  ASSERT_TRUE(client.shake_hands());
  std::string requests;
  for (int count = 0; count < 500; ++count)
    requests += "GET /" + std::to_string(count) + " HTTP/1.1\r\nHost: a\r\n\r\n";
  ASSERT_TRUE(client.send(requests + "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  const std::string replies = client.receive_to_end();
  EXPECT_TRUE(client.said_goodbye());
  std::size_t place = 0;
  for (int count = 0; count < 500; ++count) {
    place = replies.find("GET /" + std::to_string(count) + " ", place);
    ASSERT_NE(place, std::string::npos) << count;
  }
  EXPECT_TRUE(replies.ends_with("GET /last "));
}

TEST_F(ServerTls, a_client_that_says_goodbye_in_the_middle_of_a_request_is_answered) {
  ServerUnderTest server(tls_options(pair_of_tests()));
  TlsClient client(server->port());
  ASSERT_TRUE(client.shake_hands());
  client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel");
  client.say_goodbye();
  const std::string reply = client.receive_to_end();
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 400 ")) << reply;
  EXPECT_NE(reply.find("incomplete_request"), std::string::npos);
}

TEST_F(ServerTls, malformed_requests_are_refused_under_tls_too) {
  ServerUnderTest server(tls_options(pair_of_tests()));
  TlsClient client(server->port());
  ASSERT_TRUE(client.shake_hands());
  client.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string reply = client.receive_to_end();
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 400 "));
  EXPECT_EQ(reply.find("HTTP/1.1", 8), std::string::npos);
  EXPECT_EQ(server.targets().size(), 0u);
}

TEST_F(ServerTls, a_renewed_certificate_is_for_new_connections) {
  ServerUnderTest server(tls_options(pair_of_tests()));
  TlsClient old_client(server->port());
  ASSERT_TRUE(old_client.shake_hands());
  ASSERT_TRUE(server->renew_tls(make_pair("second")));
  TlsClient new_client(server->port());
  ASSERT_TRUE(new_client.shake_hands());
  EXPECT_EQ(new_client.server_name(), "second");
  EXPECT_TRUE(new_client.get("/", root_answer).starts_with("HTTP/1.1 200"));
  EXPECT_TRUE(old_client.get("/", root_answer).starts_with("HTTP/1.1 200"));
  EXPECT_EQ(old_client.server_name(), "first");
}

TEST_F(ServerTls, certificates_are_renewed_while_clients_come_and_go) {
  ServerUnderTest server(tls_options(pair_of_tests()));
  const TlsPair second = make_pair("second");
  std::atomic<bool> done{false};
  std::thread renewing([&] {
    for (int count = 0; !done; ++count) EXPECT_TRUE(server->renew_tls(count % 2 == 0 ? second : pair_of_tests()));
  });
  std::vector<std::thread> clients;
  for (int number = 0; number < 3; ++number) {
    clients.emplace_back([&] {
      for (int count = 0; count < 20; ++count) {
        TlsClient client(server->port());
        ASSERT_TRUE(client.shake_hands());
        EXPECT_TRUE(client.get("/", root_answer).starts_with("HTTP/1.1 200"));
      }
    });
  }
  for (std::thread& client : clients) client.join();
  done = true;
  renewing.join();
}

TEST_F(ServerTls, a_bad_pair_is_refused_and_the_old_one_stays) {
  const TlsPair other = make_pair("other");
  const TlsPair good = pair_of_tests();
  const TlsPair locked = make_pair("locked", "secret");
  struct Bad {
    TlsPair pair;
    std::string_view message;
  };
  const std::vector<Bad> bad{{{"", good.key}, "certificate cannot be read"},
                             {{good.key, good.key}, "certificate cannot be read"},
                             {{good.certificate + "-----BEGIN CERTIFICATE-----\nx\n", good.key}, "further certificate"},
                             {{good.certificate, ""}, "key cannot be read"},
                             {{good.certificate, good.certificate}, "key cannot be read"},
                             {{locked.certificate, locked.key}, "without a password"},
                             {{good.certificate, other.key}, "not the one of the certificate"}};
  ServerUnderTest server(tls_options(good));
  for (const Bad& each : bad) {
    const auto renewed = server->renew_tls(each.pair);
    ASSERT_FALSE(renewed) << each.message;
    EXPECT_EQ(renewed.error().kind, ErrorKind::usage);
    EXPECT_NE(renewed.error().message.find(each.message), std::string::npos) << renewed.error().message;
    EXPECT_FALSE(check_tls(each.pair));
  }
  TlsClient client(server->port());
  ASSERT_TRUE(client.shake_hands());
  EXPECT_EQ(client.server_name(), "first");
}

TEST_F(ServerTls, a_server_does_not_open_with_a_bad_pair) {
  KeepingLogger log;
  const auto opened = Server::open(tls_options({"x", "y"}), [](const Request&, Responder) {},
                                   {platform::system_clock(), platform::system_random(), platform::posix_files(), log});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::usage);
}

TEST_F(ServerTls, the_end_of_a_certificates_validity_is_known) {
  const auto expires = check_tls(pair_of_tests());
  ASSERT_TRUE(expires);
  const Duration left = expires->since(platform::system_clock().now());
  EXPECT_GT(left, std::chrono::minutes(50));
  EXPECT_LT(left, std::chrono::minutes(61));
}

TEST_F(ServerTls, one_connection_too_many_gets_an_alert) {
  ServerOptions options = tls_options(pair_of_tests());
  options.connections_max = 1;
  ServerUnderTest server(options);
  TlsClient first(server->port());
  ASSERT_TRUE(first.shake_hands());
  // The server waits for a body, so this one does not give way.
  ASSERT_TRUE(first.send("PUT /half HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"));
  std::string received;
  ASSERT_TRUE(first.receive(received, 25));
  ASSERT_EQ(received, "HTTP/1.1 100 Continue\r\n\r\n");
  TlsClient second(server->port());
  EXPECT_FALSE(second.shake_hands());
  EXPECT_EQ(ERR_GET_REASON(ERR_peek_last_error()), SSL_R_TLSV1_ALERT_INTERNAL_ERROR);
  EXPECT_EQ(server->status().refused_connections, 1u);
}

TEST_F(ServerTls, a_stop_waits_for_no_handshake_and_ends_connections_with_a_goodbye) {
  ServerUnderTest server(tls_options(pair_of_tests()));
  TestClient half = server.connect();
  half.send("\x16\x03\x01\x02");
  TlsClient idle(server->port());
  ASSERT_TRUE(idle.shake_hands());
  ASSERT_TRUE(idle.get("/", root_answer).starts_with("HTTP/1.1 200"));
  ASSERT_TRUE(server.eventually([&] { return server->status().connections == 2; }));
  std::thread stopping([&] { EXPECT_TRUE(server->stop()); });
  EXPECT_TRUE(half.ends());
  EXPECT_EQ(idle.receive_to_end(), "");
  EXPECT_TRUE(idle.said_goodbye());
  idle.socket().close();
  stopping.join();
}

}  // namespace
}  // namespace annals::http
