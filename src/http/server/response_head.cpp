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

/// Appends pieces, taking memory once for all of them.
template <class... Piece>
void append_all(std::string& out, Piece... pieces) {
  const std::size_t before = out.size();
  const std::size_t after = before + (pieces.size() + ...);
  // The library may tell of more room than was asked for.
  out.resize_and_overwrite(after, [&](char* text, std::size_t) {
    char* at = text + before;
    ((at += pieces.copy(at, pieces.size())), ...);
    return after;
  });
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
  using namespace std::string_view_literals;
  char digits[20];
  std::string_view length_name;
  std::string_view length;
  if (form.framing == BodyForm::Framing::length) {
    length_name = "Content-Length: ";
    length = {digits, std::to_chars(digits, digits + sizeof digits, form.length).ptr};
  } else if (form.framing == BodyForm::Framing::chunked) {
    length_name = "Transfer-Encoding: ";
    length = "chunked";
  }
  const auto end_after = [](std::string_view text) { return text.empty() ? ""sv : "\r\n"sv; };
  const auto type_name = response.content_type.empty() ? ""sv : "Content-Type: "sv;
  const auto connection = saying == ConnectionSaying::close        ? "Connection: close\r\n"sv
                          : saying == ConnectionSaying::keep_alive ? "Connection: keep-alive\r\n"sv
                                                                   : ""sv;
  append_status_line(out, response.status);
  append_all(out, "Date: "sv, date, "\r\n"sv, type_name, response.content_type, end_after(type_name), length_name,
             length, end_after(length_name), "X-Request-Id: "sv, request_id, "\r\n"sv, connection,
             std::string_view(response.fields), "\r\n"sv);
}

}  // namespace annals::http
