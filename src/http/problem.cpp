#include "http/problem.hpp"

#include "http/fields.hpp"
#include "json/writer.hpp"

namespace annals::http {
namespace {

/// What is told instead of an error that is nobody's business outside.
constexpr std::string_view hidden_detail =
    "The server could not answer this request. What happened is in its log, under this request_id.";

Response make_problem(const Asker& asker, int status, std::string_view code, std::string_view detail,
                      const std::vector<Fault>& faults) {
  Response response;
  response.status = status;
  response.problem_code = code;
  response.fields = "Cache-Control: no-cache\r\n";  // a cache might keep some of them for a while (RFC 9110, 15.1)
  if (status == 503) response.add("Retry-After", "1");
  if (status == 401) response.add("WWW-Authenticate", "Bearer realm=\"annals\"");
  if (asker.plain_text_only) {
    response.content_type = "text/plain; charset=utf-8";
    response.body = std::string(reason_phrase(status));
    return response;
  }
  std::string body = "{";
  json::append_member(body, "type", "about:blank");
  json::append_member(body, "title", reason_phrase(status));
  json::append_member(body, "status", static_cast<std::uint64_t>(status));
  json::append_member(body, "detail", detail);
  json::append_member(body, "code", code);
  if (!faults.empty()) {
    json::append_member(body, "errors");
    body += '[';
    for (const Fault& fault : faults) {
      body += &fault == &faults.front() ? "{" : ",{";
      json::append_member(body, "pointer", fault.pointer);
      json::append_member(body, "code", fault.code);
      json::append_member(body, "detail", fault.detail);
      body += '}';
    }
    body += ']';
  }
  json::append_member(body, "request_id", asker.request_id);
  body += '}';
  response.content_type = "application/problem+json";
  response.body = std::move(body);
  return response;
}

}  // namespace

Asker Asker::of(const Request& request) {
  return {request.request_id, request.trace, asks_only_for_plain_text(request)};
}

int status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid: return 400;
    case ErrorKind::unauthenticated: return 401;
    case ErrorKind::forbidden: return 403;
    case ErrorKind::not_found: return 404;
    case ErrorKind::conflict: return 409;
    case ErrorKind::gone: return 410;
    case ErrorKind::precondition_failed: return 412;
    case ErrorKind::too_large: return 413;
    case ErrorKind::unsupported: return 415;
    case ErrorKind::unprocessable: return 422;
    case ErrorKind::overloaded: return 503;
    case ErrorKind::unavailable: return 503;
    case ErrorKind::timed_out: return 503;
    case ErrorKind::corrupt: return 500;
    case ErrorKind::input_output: return 500;
    case ErrorKind::usage: return 500;
    case ErrorKind::internal: return 500;
  }
  return 500;
}

Response problem(const Asker& asker, const Error& error) {
  const int status = status_of(error.kind);
  if (status == 500) return make_problem(asker, status, to_string(ErrorKind::internal), hidden_detail, {});
  return make_problem(asker, status, error.code, error.message, error.faults);
}

Response problem(const Asker& asker, int status, std::string_view code, std::string_view detail) {
  return make_problem(asker, status, code, detail, {});
}

Response problem(const Request& request, const Error& error) {
  return problem(Asker::of(request), error);
}

Response problem(const Request& request, int status, std::string_view code, std::string_view detail) {
  return problem(Asker::of(request), status, code, detail);
}

}  // namespace annals::http
