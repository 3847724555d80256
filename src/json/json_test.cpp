#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "json/reader.hpp"
#include "json/writer.hpp"

namespace annals::json {
namespace {

std::string written(std::string_view text) {
  std::string out;
  append_string(out, text);
  return out;
}

std::string code_of(std::string_view text) {
  Reader reader;
  const auto object = reader.read_object(text);
  return object ? "" : object.error().code;
}

TEST(json_reader, of_no_text_nothing_is_read) {
  for (const std::string_view text : {std::string_view(), std::string_view("")}) {
    EXPECT_FALSE(Reader().read_object(text));
    EXPECT_FALSE(Reader().read_array(text));
  }
}

TEST(json_writer, text_is_escaped_only_where_it_must_be) {
  EXPECT_EQ(written("plain äß€😀 /"), "\"plain äß€😀 /\"");
  EXPECT_EQ(written(std::string_view("a\"b\\c\n\r\t\b\f\x01\0z", 13)), "\"a\\\"b\\\\c\\n\\r\\t\\b\\f\\u0001\\u0000z\"");
}

// The writer looks at sixteen bytes at a time.
TEST(json_writer, what_must_be_escaped_is_found_at_every_place_of_a_text_of_every_length) {
  for (std::size_t length = 1; length <= 50; ++length) {
    const std::string plain(length, '~');
    EXPECT_EQ(written(plain), '"' + plain + '"');
    for (std::size_t place = 0; place < length; ++place) {
      const auto with = [&](std::string_view piece) { return std::string(plain).replace(place, 1, piece); };
      EXPECT_EQ(written(with("\"")), '"' + with("\\\"") + '"');
      EXPECT_EQ(written(with("\\")), '"' + with("\\\\") + '"');
      EXPECT_EQ(written(with("\x1f")), '"' + with("\\u001f") + '"');
      EXPECT_EQ(written(with("\xc3\xa9")), '"' + with("\xc3\xa9") + '"');
      EXPECT_EQ(written(with("\xff")), '"' + with("\xef\xbf\xbd") + '"');
    }
  }
}

TEST(json_writer, bytes_that_are_not_utf_8_become_the_replacement_character) {
  EXPECT_EQ(written("a\xff\"b\xc3"), "\"a\xef\xbf\xbd\\\"b\xef\xbf\xbd\"");
  EXPECT_EQ(written("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

TEST(json_writer, members_are_parted_by_commas) {
  std::string out = "{";
  append_member(out, "a", "x");
  append_member(out, "b", std::uint64_t{7});
  append_null_member(out, "c");
  EXPECT_EQ(out, R"({"a":"x","b":7,"c":null)");
}

TEST(json_reader, what_was_written_is_read_back) {
  std::string every;
  for (int byte = 0; byte < 128; ++byte) every += static_cast<char>(byte);
  every += "äß€😀";
  Reader reader;
  const auto object = reader.read_object("{\"value\":" + written(every) + "}");
  ASSERT_TRUE(object.has_value()) << object.error().message;
  EXPECT_EQ(*object->text("value"), every);
}

TEST(json_reader, every_kind_of_value_is_told_apart) {
  Reader reader;
  const auto object = reader.read_object(R"({"n":null,"b":true,"i":-3,"d":1.5,"s":"x","a":[1, 2],"o":{"k": "v"}})");
  ASSERT_TRUE(object.has_value());
  EXPECT_EQ(kind_of(*object->find("n")), "null");
  EXPECT_EQ(std::get<bool>(*object->find("b")), true);
  EXPECT_EQ(std::get<std::int64_t>(*object->find("i")), -3);
  EXPECT_EQ(std::get<double>(*object->find("d")), 1.5);
  EXPECT_EQ(std::get<Nested>(*object->find("a")).text, "[1,2]");
  EXPECT_EQ(std::get<Nested>(*object->find("o")).text, R"({"k":"v"})");
  EXPECT_EQ(object->find("missing"), nullptr);
  EXPECT_EQ(object->text("i"), nullptr);
}

TEST(json_reader, what_is_not_json_is_refused) {
  for (const char* text : {"", " ", "{", "}", "{\"a\":01}", "{\"a\":1.}", "{\"a\":truex}", "{\"a\":1}{}", "{\"a\":1} x",
                           "{a:1}", "{'a':1}", "{\"a\":1,}", "{\"a\":\"\n\"}", "{\"a\":\"\\x\"}", "{\"a\":\"\xff\"}",
                           "{\"a\":NaN}", "{\"a\":+1}", "\xef\xbb\xbf"}) {
    EXPECT_EQ(code_of(text), "invalid_json") << text;
  }
}

// RFC 8259, section 6: how large a number may be is the reader's business, not the grammar's.
TEST(json_reader, a_number_beyond_every_machine_word_is_a_number) {
  Reader reader;
  const auto object = reader.read_object(
      R"({"i":18446744073709551616,"n":-9223372036854775809,"e":1e400,"m":-1E+400,"z":1e-400,"y":1e-99999999999999999999,"x":0e99999999999999999999,"u":18446744073709551615,)"
      R"("long":1)" +
      std::string(400, '0') + R"(,"small":2.5,"nested":[1e400,{"k":123456789012345678901234567890}],"text":"1e400"})");
  ASSERT_TRUE(object.has_value()) << object.error().message;
  for (const char* name : {"i", "n", "e", "m", "z", "y", "x", "u", "long"}) {
    EXPECT_EQ(kind_of(*object->find(name)), "a number") << name;
    EXPECT_EQ(std::get_if<std::int64_t>(object->find(name)), nullptr) << name;
  }
  EXPECT_EQ(std::get<double>(*object->find("i")), 18446744073709551616.0);
  EXPECT_EQ(std::get<double>(*object->find("n")), -9223372036854775809.0);
  EXPECT_EQ(std::get<double>(*object->find("e")), std::numeric_limits<double>::max());
  EXPECT_EQ(std::get<double>(*object->find("m")), std::numeric_limits<double>::lowest());
  EXPECT_EQ(std::get<double>(*object->find("long")), std::numeric_limits<double>::max());
  EXPECT_EQ(std::get<double>(*object->find("z")), 0);
  EXPECT_EQ(std::get<double>(*object->find("small")), 2.5);
  EXPECT_EQ(std::get<std::uint64_t>(*object->find("u")), 18446744073709551615u);
  EXPECT_EQ(*object->text("text"), "1e400");
}

TEST(json_reader, a_whole_number_of_64_bits_is_kept_to_the_digit) {
  Reader reader;
  for (const std::string number :
       {"18446744073709551615", "9223372036854775808", "9223372036854775807", "-9223372036854775808"}) {
    // Beside one that no word holds as well.
    for (const char* beside : {"", ",18446744073709551616"}) {
      const auto values = reader.read_array("[" + number + ",[" + number + "]" + beside + "]");
      ASSERT_TRUE(values) << values.error().message;
      std::string again;
      append_value(again, values->at(0));
      append_value(again, values->at(1));
      EXPECT_EQ(again, number + "[" + number + "]");
      EXPECT_EQ(kind_of(values->at(0)), "a number");
    }
  }
}

TEST(json_reader, it_says_whether_a_number_was_beyond_the_doubles) {
  Reader reader;
  for (const char* text : {R"({"a":1e999})", R"({"a":[{"b":[-1e999]}]})"}) {
    EXPECT_TRUE(reader.read_object(text)->overflowed) << text;
    EXPECT_TRUE(reader.overflowed()) << text;
  }
  for (const char* text :
       {"{}", R"({"a":1.7976931348623157e308})", R"({"a":18446744073709551616})", R"({"a":1e-999})"}) {
    EXPECT_FALSE(reader.read_object(text)->overflowed) << text;
  }
  ASSERT_TRUE(reader.read_array("[[1e999]]"));
  EXPECT_TRUE(reader.overflowed());
  ASSERT_TRUE(reader.read_array("[1]"));
  EXPECT_FALSE(reader.overflowed());
}

TEST(json_reader, beside_a_large_number_everything_else_is_checked_as_ever) {
  for (const char* rest : {"01",
                           "1.",
                           "-",
                           ".5",
                           "1e",
                           "1e+",
                           "+1",
                           "--1",
                           "0x1",
                           "1.5.5",
                           "1e5e5",
                           "00",
                           "1-1",
                           "tru",
                           "\"\\x\"",
                           "\"",
                           "Infinity",
                           "1e400x",
                           "99999999999999999999x",
                           "0123456789012345678901"}) {
    EXPECT_EQ(code_of("{\"big\":1e400,\"a\":" + std::string(rest) + "}"), "invalid_json") << rest;
    EXPECT_EQ(code_of("{\"a\":" + std::string(rest) + ",\"big\":99999999999999999999}"), "invalid_json") << rest;
  }
  EXPECT_EQ(code_of(R"({"a":1e400,"a":1})"), "duplicate_member");
  EXPECT_EQ(code_of("1e400"), "not_an_object");
  EXPECT_EQ(code_of(R"({"\"":1e400,"\\":"\\","a\\\"b":99999999999999999999})"), "");
}

TEST(json_reader, a_lone_surrogate_is_refused_and_a_pair_is_text) {
  EXPECT_EQ(code_of(R"({"a":"\ud800"})"), "invalid_json");
  EXPECT_EQ(code_of(R"({"a":"\udc00"})"), "invalid_json");
  EXPECT_EQ(code_of(R"({"a":{"b":["\udc00x"]}})"), "invalid_json");
  EXPECT_EQ(code_of(R"({"a":"\ud83d\ude00"})"), "");
}

TEST(json_reader, only_an_object_is_an_object) {
  for (const char* text : {"[]", "1", "\"x\"", "null", "true"}) EXPECT_EQ(code_of(text), "not_an_object") << text;
}

TEST(json_reader, a_name_that_occurs_twice_is_refused_at_every_depth) {
  EXPECT_EQ(code_of(R"({"value":"a","value":"b"})"), "duplicate_member");
  EXPECT_EQ(code_of(R"({"value":"a","v\u0061lue":"b"})"), "duplicate_member");
  EXPECT_EQ(code_of(R"({"x":[{"a":1,"a":1}]})"), "duplicate_member");
  for (const std::size_t others : {7u, 8u, 9u}) {
    std::string text = "{\"a\":1";
    for (std::size_t other = 0; other < others; ++other) text += ",\"b" + std::to_string(other) + "\":1";
    EXPECT_EQ(code_of(text + "}"), "") << text;
    EXPECT_EQ(code_of(text + ",\"a\":1}"), "duplicate_member") << text;
  }
}

TEST(json_reader, nesting_is_limited) {
  EXPECT_EQ(code_of("{\"a\":" + std::string(60, '[') + std::string(60, ']') + "}"), "");
  EXPECT_EQ(code_of("{\"a\":" + std::string(1000, '[') + std::string(1000, ']') + "}"), "invalid_json");
}

}  // namespace
}  // namespace annals::json
