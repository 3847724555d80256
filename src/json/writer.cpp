#include "json/writer.hpp"

#include <simdjson.h>

#include <array>
#include <charconv>
#include <cstring>

#include "base/byte_words.hpp"
#include "json/plain_text.hpp"

namespace annals::json {
namespace {

/// True for the bytes that cannot stand in a JSON string as they are.
constexpr std::array<bool, 256> make_escaped() {
  std::array<bool, 256> escaped{};
  for (std::size_t byte = 0; byte < 0x20; ++byte) escaped[byte] = true;
  escaped['"'] = true;
  escaped['\\'] = true;
  return escaped;
}
constexpr auto escaped = make_escaped();

void append_escape(std::string& out, unsigned char byte) {
  switch (byte) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  constexpr char digits[] = "0123456789abcdef";
  out += "\\u00";
  out += digits[byte >> 4];
  out += digits[byte & 15];
}

void append_valid(std::string& out, std::string_view text) {
  std::size_t begin = 0;
  for (std::size_t place = 0; place < text.size(); ++place) {
    while (place + 8 <= text.size() && stands_as_it_is(load_word(text.data() + place))) place += 8;
    if (place == text.size()) break;
    const auto byte = static_cast<unsigned char>(text[place]);
    if (!escaped[byte]) [[likely]]
      continue;
    out.append(text, begin, place - begin);
    append_escape(out, byte);
    begin = place + 1;
  }
  out.append(text, begin, text.size() - begin);
}

/// Appends so many bytes, which `write(at)` writes. What the library says is the size is not looked at: that of g++ 12
/// tells the capacity when the text has to grow.
template <class Write>
void append_written(std::string& out, std::size_t count, Write write) {
  const std::size_t before = out.size();
  out.resize_and_overwrite(before + count, [&](char* bytes, std::size_t) {
    write(bytes + before);
    return before + count;
  });
}

void append_quoted(std::string& out, std::string_view text) {
  append_written(out, text.size() + 2, [text](char* at) {
    at[0] = '"';
    text.copy(at + 1, text.size());
    at[1 + text.size()] = '"';
  });
}

/// The length of the UTF-8 sequence at the front of `text`, or 0 when there is no valid one.
std::size_t sequence_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (length > text.size() || !simdjson::validate_utf8(text.data(), length)) return 0;
  return length;
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
  if (is_plain(text)) [[likely]]
    return append_quoted(out, text);
  out += '"';
  if (simdjson::validate_utf8(text.data(), text.size())) {
    append_valid(out, text);
  } else {
    while (!text.empty()) {
      const std::size_t length = sequence_length(text);
      if (length == 0) {
        out += "\xef\xbf\xbd";
        text.remove_prefix(1);
      } else {
        append_valid(out, text.substr(0, length));
        text.remove_prefix(length);
      }
    }
  }
  out += '"';
}

void append_number(std::string& out, double number) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void append_member(std::string& out, std::string_view name) {
  const bool follows = !out.empty() && out.back() != '{';
  append_written(out, name.size() + (follows ? 4 : 3), [=](char* at) {
    if (follows) *at++ = ',';
    *at++ = '"';
    at += name.copy(at, name.size());
    *at++ = '"';
    *at = ':';
  });
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  append_member(out, name);
  append_string(out, text);
}

void append_member(std::string& out, std::string_view name, std::uint64_t number) {
  append_member(out, name);
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void append_null_member(std::string& out, std::string_view name) {
  append_member(out, name);
  out += "null";
}

}  // namespace annals::json
