#pragma once
// Problems: every refusal as `application/problem+json` (RFC 9457), with a stable `code` and the request's id. One
// table turns an ErrorKind into a status. A client whose Accept asks only for text/plain gets the title. Nothing
// internal leaves: an `internal`, `corrupt` or `input_output` error is told in general words only, and logged by
// whoever met it.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "http/response.hpp"

namespace annals::http {

/// What a reply needs to know of its request, for replies that are made after the request may be gone.
struct Asker {
  std::string request_id;
  Trace trace;  ///< for records of the log
  bool plain_text_only = false;

  [[nodiscard]] static Asker of(const Request& request);
};

[[nodiscard]] int status_of(ErrorKind kind);

/// 503 comes with Retry-After, 401 with WWW-Authenticate.
[[nodiscard]] Response problem(const Asker& asker, const Error& error);
[[nodiscard]] Response problem(const Request& request, const Error& error);

/// For a status that no ErrorKind has (405, 431, ...); `code` is snake_case.
[[nodiscard]] Response problem(const Asker& asker, int status, std::string_view code, std::string_view detail);
[[nodiscard]] Response problem(const Request& request, int status, std::string_view code, std::string_view detail);

}  // namespace annals::http
