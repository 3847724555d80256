#include "http/server/response_head.hpp"

#include <charconv>

namespace annals::http {
namespace {

void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  const auto written = std::to_chars(digits, digits + sizeof digits, number);
  out.append(digits, written.ptr);
}

void append_status_line(std::string& out, int status) {
  if (status == 200) {
    out += "HTTP/1.1 200 OK\r\n";
    return;
  }
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::uint64_t>(status));
  out += ' ';
  out += reason_phrase(status);
  out += "\r\n";
}

bool status_forbids_body(int status) {
  return status < 200 || status == 204 || status == 304;
}

}  // namespace

BodyForm body_form(const Response& response, bool is_head, bool http_1_0) {
  BodyForm form;
  form.sent = !is_head;
  if (status_forbids_body(response.status)) {
    form.framing = BodyForm::Framing::none;
    form.sent = false;
  } else if (const auto* text = std::get_if<std::string>(&response.body)) {
    form.length = text->size();
  } else if (const auto* shared = std::get_if<SharedText>(&response.body)) {
    form.length = (*shared)->size();
  } else {
    form.framing = http_1_0 ? BodyForm::Framing::to_close : BodyForm::Framing::chunked;
  }
  return form;
}

void append_head(std::string& out, const Response& response, const BodyForm& form, ConnectionSaying saying,
                 std::string_view date, std::string_view request_id) {
  append_status_line(out, response.status);
  out.append("Date: ").append(date).append("\r\n");
  if (!response.content_type.empty()) out.append("Content-Type: ").append(response.content_type).append("\r\n");
  if (form.framing == BodyForm::Framing::length) {
    out += "Content-Length: ";
    append_number(out, form.length);
    out += "\r\n";
  } else if (form.framing == BodyForm::Framing::chunked) {
    out += "Transfer-Encoding: chunked\r\n";
  }
  out.append("X-Request-Id: ").append(request_id).append("\r\n");
  if (saying == ConnectionSaying::close) out += "Connection: close\r\n";
  if (saying == ConnectionSaying::keep_alive) out += "Connection: keep-alive\r\n";
  out.append(response.fields).append("\r\n");
}

}  // namespace annals::http
