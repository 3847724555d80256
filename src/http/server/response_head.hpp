#pragma once
// The head of a reply, as bytes: status line, fields, the empty line. Pure functions; no thread rule.
// Source: RFC 9110 sections 6.4 and 8.6, RFC 9112 section 6.

#include <string>
#include <string_view>

#include "http/response.hpp"

namespace annals::http {

/// How a reply's body is sent.
struct BodyForm {
  enum class Framing : std::uint8_t {
    none,      ///< the status forbids a body
    length,    ///< Content-Length
    chunked,   ///< from a source
    to_close,  ///< from a source, for HTTP/1.0: up to the end of the connection
  };
  Framing framing = Framing::length;
  std::uint64_t length = 0;
  bool sent = true;  ///< false for HEAD: the head says what GET's would, and nothing follows it
};

/// `http_1_0`: what the client speaks.
[[nodiscard]] BodyForm body_form(const Response& response, bool is_head, bool http_1_0);

/// What is said of the connection.
enum class ConnectionSaying : std::uint8_t { nothing, close, keep_alive };

void append_head(std::string& out, const Response& response, const BodyForm& form, ConnectionSaying saying,
                 std::string_view date, std::string_view request_id);

}  // namespace annals::http
