#include "http/problem.hpp"

#include <gtest/gtest.h>

namespace annals::http {
namespace {

Request named_request() {
  Request request;
  request.request_id = "id-1";
  return request;
}

const std::string& body_of(const Response& response) {
  return std::get<std::string>(response.body);
}

TEST(Problem, every_kind_has_its_status) {
  const std::pair<ErrorKind, int> expected[] = {{ErrorKind::invalid, 400},
                                                {ErrorKind::unauthenticated, 401},
                                                {ErrorKind::forbidden, 403},
                                                {ErrorKind::not_found, 404},
                                                {ErrorKind::conflict, 409},
                                                {ErrorKind::gone, 410},
                                                {ErrorKind::precondition_failed, 412},
                                                {ErrorKind::too_large, 413},
                                                {ErrorKind::unsupported, 415},
                                                {ErrorKind::unprocessable, 422},
                                                {ErrorKind::overloaded, 503},
                                                {ErrorKind::unavailable, 503},
                                                {ErrorKind::timed_out, 503},
                                                {ErrorKind::corrupt, 500},
                                                {ErrorKind::input_output, 500},
                                                {ErrorKind::usage, 500},
                                                {ErrorKind::internal, 500}};
  for (const auto& [kind, status] : expected) {
    EXPECT_EQ(status_of(kind), status);
    EXPECT_EQ(problem(named_request(), Error(kind, "why")).status, status);
  }
}

TEST(Problem, an_error_is_told_with_its_code_and_its_faults) {
  const Response response = problem(
      named_request(), Error(ErrorKind::unprocessable, "invalid_value", "the \"value\" is wrong",
                             {{"/value", "required", "is missing"}, {"/price", "too_small", "must be 0 or more"}}));
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(
      body_of(response),
      R"({"type":"about:blank","title":"Unprocessable Content","status":422,"detail":"the \"value\" is wrong","code":"invalid_value",)"
      R"("errors":[{"pointer":"/value","code":"required","detail":"is missing"},)"
      R"({"pointer":"/price","code":"too_small","detail":"must be 0 or more"}],"request_id":"id-1"})");
}

TEST(Problem, nothing_internal_is_told) {
  for (ErrorKind kind : {ErrorKind::internal, ErrorKind::corrupt, ErrorKind::input_output, ErrorKind::usage}) {
    const Response response = problem(
        named_request(), Error(kind, "secret_code", "/var/lib/secret is broken", {{"/secret", "secret", "secret"}}));
    EXPECT_EQ(body_of(response).find("secret"), std::string::npos);
    EXPECT_NE(body_of(response).find(R"("code":"internal")"), std::string::npos);
    EXPECT_NE(body_of(response).find(R"("request_id":"id-1")"), std::string::npos);
  }
}

TEST(Problem, who_may_try_again_or_must_say_who_he_is_is_told_so) {
  const auto further_fields = [](ErrorKind kind) {
    std::string fields = problem(named_request(), Error(kind, "why")).fields;
    const std::string_view each = "Cache-Control: no-cache\r\n";
    EXPECT_TRUE(fields.starts_with(each)) << "a cache may keep a 404 or a 410 that does not say so";
    return fields.substr(each.size());
  };
  EXPECT_EQ(further_fields(ErrorKind::overloaded), "Retry-After: 1\r\n");
  EXPECT_EQ(further_fields(ErrorKind::unauthenticated), "WWW-Authenticate: Bearer realm=\"annals\"\r\n");
  EXPECT_EQ(further_fields(ErrorKind::not_found), "");
  EXPECT_EQ(further_fields(ErrorKind::gone), "");
}

TEST(Problem, a_client_of_plain_text_gets_the_title) {
  Request request = named_request();
  request.fields = {{"Accept", "text/plain"}};
  const Response response = problem(request, Error(ErrorKind::not_found, "config x is not there"));
  EXPECT_EQ(response.content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(body_of(response), "Not Found");
  EXPECT_EQ(response.status, 404);
}

TEST(Problem, a_status_without_a_kind_is_told_in_the_same_form) {
  const Response response = problem(named_request(), 405, "method_not_allowed", "use GET");
  EXPECT_EQ(
      body_of(response),
      R"({"type":"about:blank","title":"Method Not Allowed","status":405,"detail":"use GET","code":"method_not_allowed","request_id":"id-1"})");
}

TEST(Response, fields_are_appended_as_they_go_out) {
  Response response;
  response.add("ETag", "\"7\"");
  response.add("Link", "</x>; rel=\"next\"");
  EXPECT_EQ(response.fields, "ETag: \"7\"\r\nLink: </x>; rel=\"next\"\r\n");
}

TEST(ResponseDeathTest, a_value_that_would_break_the_head_stops_the_program) {
  Response response;
  EXPECT_DEATH(response.add("X", "a\r\nSet-Cookie: b"), "control characters");
}

}  // namespace
}  // namespace annals::http
