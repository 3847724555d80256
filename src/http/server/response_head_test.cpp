#include "http/server/response_head.hpp"

#include <gtest/gtest.h>

namespace annals::http {
namespace {

std::string head_of(const Response& response, bool is_head = false, bool http_1_0 = false,
                    ConnectionSaying saying = ConnectionSaying::nothing) {
  std::string head;
  append_head(head, response, body_form(response, is_head, http_1_0), saying, "DATE", "ID");
  return head;
}

Response with_source(int status = 200) {
  Response response;
  response.status = status;
  response.body = BodySource([]() -> Result<std::optional<std::string>> { return std::nullopt; });
  return response;
}

TEST(ResponseHead, a_text_has_its_length) {
  Response response{.status = 201, .content_type = "text/plain", .fields = {}, .body = std::string("hello")};
  response.add("ETag", "\"1\"");
  EXPECT_EQ(head_of(response),
            "HTTP/1.1 201 Created\r\nDate: DATE\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nX-Request-Id: "
            "ID\r\nETag: \"1\"\r\n\r\n");
}

TEST(ResponseHead, the_reply_to_head_says_what_that_to_get_says) {
  const Response response{.status = 200, .content_type = "text/plain", .fields = {}, .body = SharedText("hello")};
  EXPECT_EQ(head_of(response, true), head_of(response, false));
  EXPECT_FALSE(body_form(response, true, false).sent);
  EXPECT_EQ(head_of(with_source(), true), head_of(with_source(), false));
}

TEST(ResponseHead, a_source_is_chunked_or_ends_with_the_connection) {
  EXPECT_NE(head_of(with_source()).find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_EQ(head_of(with_source()).find("Content-Length"), std::string::npos);
  const std::string old = head_of(with_source(), false, true, ConnectionSaying::close);
  EXPECT_EQ(old.find("Transfer-Encoding"), std::string::npos);
  EXPECT_EQ(old.find("Content-Length"), std::string::npos);
  EXPECT_NE(old.find("Connection: close\r\n"), std::string::npos);
}

TEST(ResponseHead, a_status_that_forbids_a_body_has_neither_body_nor_length) {
  for (int status : {204, 304}) {
    Response response{.status = status, .content_type = {}, .fields = {}, .body = std::string("ignored")};
    EXPECT_EQ(head_of(response).find("Content-Length"), std::string::npos);
    EXPECT_FALSE(body_form(response, false, false).sent);
    EXPECT_EQ(head_of(with_source(status)).find("Transfer-Encoding"), std::string::npos);
    EXPECT_FALSE(body_form(with_source(status), false, false).sent);
  }
}

TEST(ResponseHead, a_head_behind_other_replies_leaves_them_and_adds_nothing_but_itself) {
  const Response response{.status = 200, .content_type = "text/plain", .fields = {}, .body = std::string("hello")};
  const std::string head = head_of(response);
  for (std::size_t before = 0; before < 1000; before += 7) {
    std::string out(before, 'x');
    out.shrink_to_fit();  // so that it has to grow
    append_head(out, response, body_form(response, false, false), ConnectionSaying::nothing, "DATE", "ID");
    ASSERT_EQ(out, std::string(before, 'x') + head) << before;
  }
}

TEST(ResponseHead, an_empty_reply_has_length_0) {
  EXPECT_NE(head_of({}).find("Content-Length: 0\r\n"), std::string::npos);
  EXPECT_EQ(head_of({}).find("Content-Type"), std::string::npos);
}

}  // namespace
}  // namespace annals::http
