// Any text, written and read again. What fails is shrunk and printed with the configuration that repeats it
// (RC_PARAMS).

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "base/utf8.hpp"
#include "json/reader.hpp"
#include "json/writer.hpp"

namespace annals::json {
namespace {

/// Bytes of which many are quotes, backslashes, controls, and beginnings and ends of UTF-8 sequences.
rc::Gen<std::string> any_bytes() {
  return rc::gen::container<std::string>(rc::gen::weightedOneOf<char>(
      {{4, rc::gen::arbitrary<char>()},
       {3, rc::gen::elementOf(std::string("\"\\/\b\f\n\r\t\x01\x1f\x7f\xc2\x85\xed\xa0\x80\xf4\x90\xff"))}}));
}

/// Text, from code points of every length.
rc::Gen<std::string> any_text() {
  return rc::gen::map(rc::gen::container<std::u32string>(rc::gen::oneOf(
                          rc::gen::inRange<char32_t>(0, 0x80), rc::gen::inRange<char32_t>(0x80, 0x800),
                          rc::gen::inRange<char32_t>(0xe000, 0x10000), rc::gen::inRange<char32_t>(0x10000, 0x110000))),
                      [](const std::u32string& code_points) {
                        std::string text;
                        const auto put = [&](char32_t byte) { text += static_cast<char>(byte); };
                        for (const char32_t code : code_points) {
                          if (code < 0x80) {
                            put(code);
                          } else if (code < 0x800) {
                            put(0xc0 | code >> 6);
                            put(0x80 | (code & 0x3f));
                          } else if (code < 0x10000) {
                            put(0xe0 | code >> 12);
                            put(0x80 | (code >> 6 & 0x3f));
                            put(0x80 | (code & 0x3f));
                          } else {
                            put(0xf0 | code >> 18);
                            put(0x80 | (code >> 12 & 0x3f));
                            put(0x80 | (code >> 6 & 0x3f));
                            put(0x80 | (code & 0x3f));
                          }
                        }
                        return text;
                      });
}

std::string object_with(std::string_view text) {
  std::string out = "{";
  append_member(out, "text", text);
  return out + "}";
}

std::string read_back(const std::string& object) {
  Reader reader;
  const auto read = reader.read_object(object);
  RC_ASSERT(read.has_value());
  const std::string_view* text = read->text("text");
  RC_ASSERT(text != nullptr);
  return std::string(*text);
}

RC_GTEST_PROP(JsonProperty, text_comes_back_as_it_was, ()) {
  const std::string text = *any_text();
  RC_ASSERT(is_utf8(text));
  RC_ASSERT(read_back(object_with(text)) == text);
}

RC_GTEST_PROP(JsonProperty, bytes_come_back_as_text_that_stays_the_same, ()) {
  const std::string bytes = *any_bytes();
  const std::string object = object_with(bytes);
  const std::string text = read_back(object);
  RC_ASSERT(is_utf8(text));
  RC_ASSERT((!is_utf8(bytes) || text == bytes));
  RC_ASSERT(object_with(text) == object);
}

/// Every character escaped, as some writers do, and then by ours.
RC_GTEST_PROP(JsonProperty, an_escape_means_the_character_itself, ()) {
  const std::string text = *rc::gen::container<std::string>(rc::gen::inRange<char>(0, 0x7f));
  constexpr std::string_view digits = "0123456789abcdef";
  std::string escaped;
  for (const char character : text)
    escaped += std::string("\\u00") + digits[static_cast<unsigned char>(character) >> 4] + digits[character & 15];
  RC_ASSERT(read_back("{\"text\":\"" + escaped + "\"}") == text);
}

}  // namespace
}  // namespace annals::json
