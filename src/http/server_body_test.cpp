#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "http/server.hpp"
#include "http/server/test_client.hpp"

namespace annals::http {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t longest = 20'000'000;

/// A text in which every place is another.
std::string long_text(std::size_t size) {
  static const std::string text = [] {
    std::string all;
    for (int number = 0; all.size() < longest; ++number) all += std::to_string(number) + ",";
    return all;
  }();
  EXPECT_LE(size, longest);
  return text.substr(0, size);
}

Response streamed(BodySource source) {
  return {.status = 200, .content_type = "text/plain", .fields = {}, .body = std::move(source)};
}

/// Yields "0,", "1,", ... `count` pieces.
BodySource numbers(int count) {
  return [number = 0, count]() mutable -> Result<std::optional<std::string>> {
    if (number == count) return std::nullopt;
    return std::to_string(number++) + ",";
  };
}

TEST(ServerBody, texts_of_every_size_arrive_whole_owned_or_shared) {
  ServerUnderTest server({}, [](const Request& request, Responder responder) {
    Response response;
    const auto size = std::stoul(std::string(request.path.substr(2)));
    if (request.path[1] == 's') {
      response.body = SharedText(long_text(size));
    } else {
      response.body = long_text(size);
    }
    responder.send(std::move(response));
  });
  TestClient client = server.connect();
  for (const std::size_t size : std::initializer_list<std::size_t>{0, 1, 8191, 8192, 8193, 100'000, longest}) {
    for (char kind : {'s', 'o'}) {
      client.send(get_request("/" + std::string(1, kind) + std::to_string(size)));
      const Reply reply = client.reply();
      EXPECT_EQ(reply.field("Content-Length"), std::to_string(size));
      EXPECT_TRUE(reply.body == long_text(size)) << kind << size;
    }
  }
}

TEST(ServerBody, a_shared_text_that_is_not_there_is_empty) {
  ServerUnderTest server({}, [](const Request&, Responder responder) {
    Response response;
    response.body = SharedText();
    responder.send(std::move(response));
  });
  TestClient client = server.connect();
  client.send(get_request("/"));
  EXPECT_EQ(client.reply().field("Content-Length"), "0");
}

TEST(ServerBody, a_source_is_sent_in_chunks_and_the_connection_goes_on) {
  ServerUnderTest server({}, [](const Request&, Responder responder) { responder.send(streamed(numbers(1000))); });
  std::string expected;
  for (int number = 0; number < 1000; ++number) expected += std::to_string(number) + ",";
  TestClient client = server.connect();
  client.send(get_request("/") + get_request("/"));
  for (int count = 0; count < 2; ++count) {
    const Reply reply = client.reply();
    EXPECT_EQ(reply.field("Transfer-Encoding"), "chunked");
    EXPECT_EQ(reply.body, expected);
  }
}

TEST(ServerBody, a_source_is_not_asked_for_head) {
  std::atomic<int> asked{0};
  ServerUnderTest server({}, [&](const Request&, Responder responder) {
    responder.send(streamed([&]() -> Result<std::optional<std::string>> {
      ++asked;
      return std::nullopt;
    }));
  });
  TestClient client = server.connect();
  client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.reply(true).field("Transfer-Encoding"), "chunked");
  EXPECT_EQ(asked, 0);
  client.send(get_request("/"));
  EXPECT_EQ(client.reply().status, 200);
}

TEST(ServerBody, for_http_1_0_a_source_ends_with_the_connection) {
  ServerUnderTest server({}, [](const Request&, Responder responder) { responder.send(streamed(numbers(3))); });
  TestClient client = server.connect();
  client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const Reply reply = client.reply();
  EXPECT_EQ(reply.field("Transfer-Encoding"), std::nullopt);
  EXPECT_EQ(reply.field("Connection"), "close");
  EXPECT_EQ(reply.body, "0,1,2,");
}

TEST(ServerBody, a_source_that_fails_breaks_the_connection_off) {
  ServerUnderTest server({}, [](const Request& request, Responder responder) {
    const bool throws = request.target == "/throws";
    responder.send(streamed([throws, count = 0]() mutable -> Result<std::optional<std::string>> {
      if (count++ < 3) return "piece";
      if (throws) throw std::runtime_error("broken");
      return fail(ErrorKind::input_output, "broken");
    }));
  });
  for (const std::string& request :
       {get_request("/fails"), get_request("/throws"), std::string("GET /fails HTTP/1.0\r\n\r\n")}) {
    TestClient client = server.connect();
    client.send(request);
    const std::string all = client.receive_to_end();
    EXPECT_EQ(all.find("\r\n0\r\n"), std::string::npos);
    EXPECT_TRUE(client.was_reset()) << "the client must not take this for the end";
  }
  EXPECT_TRUE(server.log().has("A reply was broken off"));
}

TEST(ServerBody, a_source_is_asked_for_a_piece_only_when_the_one_before_is_on_its_way) {
  std::atomic<int> asked{0};
  ServerUnderTest server({}, [&](const Request&, Responder responder) {
    responder.send(streamed([&]() -> Result<std::optional<std::string>> {
      if (++asked > 1000) return std::nullopt;
      return std::string(100'000, 'x');
    }));
  });
  TestClient client = server.connect(64 << 10);
  client.send(get_request("/"));
  ASSERT_TRUE(server.eventually([&] { return asked > 0; }));
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_LT(asked, 200) << "a reader that does not read holds the source back";
  EXPECT_EQ(client.reply().body.size(), 100'000'000u);
}

TEST(ServerBody, a_long_reply_does_not_keep_others_waiting) {
  ServerOptions options;
  options.worker_threads = 1;
  std::atomic<bool> stop{false};
  ServerUnderTest server(options, [&](const Request& request, Responder responder) {
    if (request.target == "/short")
      return responder.send({.status = 204, .content_type = {}, .fields = {}, .body = {}});
    responder.send(streamed([&]() -> Result<std::optional<std::string>> {
      if (stop) return std::nullopt;
      return std::string(1000, 'x');
    }));
  });
  TestClient endless = server.connect();
  endless.send(get_request("/endless"));
  std::thread reader([&] { endless.reply(); });
  TestClient client = server.connect();
  for (int count = 0; count < 20; ++count) {
    client.send(get_request("/short"));
    EXPECT_EQ(client.reply().status, 204);
  }
  stop = true;
  reader.join();
}

TEST(ServerBody, an_empty_piece_means_not_yet) {
  std::atomic<bool> more{false};
  ServerUnderTest server({}, [&](const Request&, Responder responder) {
    responder.send(streamed([&, said = false]() mutable -> Result<std::optional<std::string>> {
      if (!said) {
        said = true;
        return "first";
      }
      if (!more) return "";
      if (more.exchange(false)) return "second";
      return "";
    }));
  });
  TestClient client = server.connect();
  client.send(get_request("/"));
  std::string received;
  while (received.find("first") == std::string::npos) {
    ASSERT_TRUE(client.receive());
    received += client.take_received();
  }
  EXPECT_TRUE(client.stays_silent(milliseconds(150)));
  more = true;
  while (received.find("second") == std::string::npos) {
    ASSERT_TRUE(client.receive());
    received += client.take_received();
  }
  client.close();
  EXPECT_TRUE(server.eventually([&] { return server->status().connections == 0; }))
      << "a listener that has left is noticed";
}

}  // namespace
}  // namespace annals::http
