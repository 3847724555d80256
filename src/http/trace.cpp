#include "http/trace.hpp"

#include <vector>

namespace annals::http {
namespace {

void append_hex(std::string& out, std::uint8_t byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += digits[byte >> 4];
  out += digits[byte & 15];
}

}  // namespace

std::string Trace::id_text() const {
  std::string text;
  for (std::uint8_t byte : id.bytes) append_hex(text, byte);
  return text;
}

std::string Trace::span_text() const {
  std::string text;
  for (int shift = 56; shift >= 0; shift -= 8) append_hex(text, static_cast<std::uint8_t>(span >> shift));
  return text;
}

void write_log(Logger& log, LogLevel level, std::string_view message, const Trace& trace, std::string_view request_id,
               std::initializer_list<LogField> more) {
  if (!log.enabled(level)) return;
  const std::string id = trace.id_text();
  const std::string span = trace.span_text();
  std::vector<LogField> fields{
      {"trace_id", std::string_view(id)}, {"span_id", std::string_view(span)}, {"request_id", request_id}};
  fields.insert(fields.end(), more.begin(), more.end());
  log.write(level, message, fields);
}

}  // namespace annals::http
