#include "benchmarks/bare_server/request.hpp"

#include <gtest/gtest.h>

#include <string>

namespace annals::benchmarks {
namespace {

using Kind = Request::Kind;

const std::string put_text =
    "PUT /config/key-1 HTTP/1.1\r\nHost: x\r\ncontent-LENGTH: 16\r\n\r\n"
    R"({"value":"abcd"})";

TEST(BareRequest, a_put_is_read_with_its_key_and_value) {
  const std::string text = put_text + "GET /config/next";
  const Request request = read_request(text);
  EXPECT_EQ(request.kind, Kind::put);
  EXPECT_EQ(request.key, "key-1");
  EXPECT_EQ(request.value, "abcd");
  EXPECT_EQ(request.size, put_text.size());
}

TEST(BareRequest, every_beginning_of_a_request_is_incomplete) {
  for (std::size_t size = 0; size < put_text.size(); ++size) {
    EXPECT_EQ(read_request(std::string_view(put_text).substr(0, size)).kind, Kind::incomplete) << size;
  }
}

TEST(BareRequest, a_get_is_read_with_its_key) {
  const std::string text = "GET /config/key-1 HTTP/1.1\r\nHost: x\r\n\r\n";
  const Request request = read_request(text);
  EXPECT_EQ(request.kind, Kind::get);
  EXPECT_EQ(request.key, "key-1");
  EXPECT_EQ(request.size, text.size());
}

TEST(BareRequest, what_the_bare_server_leaves_out_is_unknown_and_never_misread) {
  EXPECT_EQ(read_request("DELETE /config/a HTTP/1.1\r\n\r\n").kind, Kind::unknown);
  EXPECT_EQ(read_request("PUT /config/a HTTP/1.1\r\nHost: x\r\n\r\n").kind, Kind::unknown);
  EXPECT_EQ(read_request("PUT /config/a HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}").kind, Kind::unknown);
  EXPECT_EQ(read_request("PUT /config/a HTTP/1.1\r\nContent-Length: 14\r\n\r\n{\"value\":\"\\n\"}").kind,
            Kind::unknown);
  EXPECT_EQ(read_request("PUT /config/a HTTP/1.1\r\nContent-Length: 11\r\n\r\n{\"value\":\"}").kind, Kind::unknown);
}

}  // namespace
}  // namespace annals::benchmarks
