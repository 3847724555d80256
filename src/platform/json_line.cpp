#include <array>
#include <charconv>
#include <cmath>

#include "base/utf8.hpp"
#include "platform/logging.hpp"

// A writer of JSON of its own, because src/json lies above this folder (it is a page; a line of the log needs no more).

namespace annals::platform {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

void append_escaped(std::string& out, char character) {
  constexpr std::string_view digits = "0123456789abcdef";
  switch (character) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  const auto byte = static_cast<unsigned char>(character);
  if (byte >= 0x20) {
    out += character;
    return;
  }
  out += "\\u00";
  out += digits[byte >> 4];
  out += digits[byte & 15];
}

void append_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t length = utf8_character_bytes(text);
    if (length == 0) {
      out += replacement;
    } else if (length == 1) {
      append_escaped(out, text.front());
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out += '"';
}

void append_value(std::string& out, std::string_view text) {
  append_string(out, text);
}

void append_value(std::string& out, bool flag) {
  out += flag ? "true" : "false";
}

template <class Number>
void append_value(std::string& out, Number number) {
  if constexpr (std::is_floating_point_v<Number>) {
    if (!std::isfinite(number)) {
      out += "null";  // JSON has no word for it
      return;
    }
  }
  std::array<char, 32> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

void append_field(std::string& out, const LogField& field) {
  append_string(out, field.name);
  out += ':';
  std::visit([&out](const auto& value) { append_value(out, value); }, field.value);
}

bool is_lifted(const LogField& field) {
  return field.name == "trace_id" || field.name == "span_id";
}

}  // namespace

void append_json_line(std::string& out, Instant now, LogLevel level, std::string_view message,
                      std::span<const LogField> context) {
  out += "{\"timestamp\":\"";
  now.append_text(out);
  out += "\",\"level\":\"";
  out += to_string(level);
  out += "\",";
  for (const LogField& field : context) {
    if (!is_lifted(field)) continue;
    append_field(out, field);
    out += ',';
  }
  out += "\"message\":";
  append_string(out, message);
  out += ",\"context\":{";
  bool first = true;
  for (const LogField& field : context) {
    if (is_lifted(field)) continue;
    if (!first) out += ',';
    first = false;
    append_field(out, field);
  }
  out += "}}\n";
}

}  // namespace annals::platform
