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
  EXPECT_EQ(read_reply("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n").state, Reply::State::malformed);
  EXPECT_EQ(read_reply("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n").state, Reply::State::malformed);
  EXPECT_EQ(read_reply("nonsense\r\nContent-Length: 0\r\n\r\n").state, Reply::State::malformed);
  EXPECT_EQ(read_reply("HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n").state, Reply::State::malformed);
}

const std::string chunked_head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

TEST(Reply, a_chunked_reply_is_whole_with_its_last_chunk) {
  const std::string text = chunked_head + "3\r\nabc\r\n0B\r\ndefghijklmn\r\n0\r\n\r\n";
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_EQ(read_reply(std::string_view(text).substr(0, size)).state, Reply::State::incomplete) << size;
  }
  const Reply reply = read_reply(text + "HTTP/1.1 500");
  EXPECT_EQ(reply.state, Reply::State::whole);
  EXPECT_EQ(reply.size, text.size());
  EXPECT_TRUE(reply.chunked);
}

TEST(Reply, a_digest_tells_bodies_apart_and_not_how_they_were_cut) {
  const std::string one_text = chunked_head + "6\r\nabcdef\r\n0\r\n\r\n";
  const std::string two_text = chunked_head + "2\r\nab\r\n4\r\ncdef\r\n0\r\n\r\n";
  const std::string whole_text = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef";
  const std::string other_text = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdeF";
  EXPECT_EQ(digest_of_body(read_reply(one_text)), digest_of_body(read_reply(two_text)));
  EXPECT_EQ(digest_of_body(read_reply(one_text)), digest_of_body(read_reply(whole_text)));
  EXPECT_NE(digest_of_body(read_reply(one_text)), digest_of_body(read_reply(other_text)));
}

TEST(Reply, what_stands_where_a_chunk_should_and_is_none_is_malformed) {
  for (const char* body : {"xyz", "3;x\r\nabc", "\r\n", "123456789\r\n", "123456789"}) {
    EXPECT_EQ(read_reply(chunked_head + body).state, Reply::State::malformed) << body;
  }
}

}  // namespace
}  // namespace annals::benchmarks
