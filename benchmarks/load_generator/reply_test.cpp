#include "benchmarks/load_generator/reply.hpp"

#include <gtest/gtest.h>

#include <string>

namespace annals::benchmarks {
namespace {

const std::string ok_text = "HTTP/1.1 200 OK\r\nETag: \"1\"\r\ncontent-length: 2\r\nX: y\r\n\r\nOK";

TEST(Reply, a_whole_reply_has_its_status_and_body) {
  const std::string text = ok_text + "HTTP/1.1 500";
  const Reply reply = read_reply(text);
  EXPECT_EQ(reply.state, Reply::State::whole);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "OK");
  EXPECT_EQ(reply.size, ok_text.size());
}

TEST(Reply, every_beginning_of_a_reply_is_incomplete) {
  for (std::size_t size = 0; size < ok_text.size(); ++size) {
    EXPECT_EQ(read_reply(std::string_view(ok_text).substr(0, size)).state, Reply::State::incomplete) << size;
  }
}

TEST(Reply, a_refusal_is_whole_with_its_own_status) {
  const Reply reply = read_reply("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(reply.state, Reply::State::whole);
  EXPECT_EQ(reply.status, 503);
}

TEST(Reply, what_has_no_length_or_no_status_is_malformed) {
  EXPECT_EQ(read_reply("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").state, Reply::State::malformed);
  EXPECT_EQ(read_reply("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n").state, Reply::State::malformed);
  EXPECT_EQ(read_reply("nonsense\r\nContent-Length: 0\r\n\r\n").state, Reply::State::malformed);
  EXPECT_EQ(read_reply("HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n").state, Reply::State::malformed);
}

}  // namespace
}  // namespace annals::benchmarks
