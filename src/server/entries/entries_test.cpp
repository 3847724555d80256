#include "server/entries/entries.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace annals::server {
namespace {

/// Gives the text in pieces of a few bytes.
TextSource source_of(std::string text, std::size_t piece = 3) {
  return [text = std::move(text), piece, place = std::size_t{0}]() mutable -> Result<std::string> {
    const std::string some = text.substr(std::min(place, text.size()), piece);
    place += some.size();
    return some;
  };
}

/// All entries, as `line:name=value` with a | after each; `!line:` and the message for an error.
std::string read(EntryFormat format, const std::string& text) {
  const auto reader = make_entry_reader(format, source_of(text));
  std::string all;
  while (true) {
    const auto entry = reader->next();
    if (!entry) return all + "!" + std::to_string(reader->line()) + ":" + entry.error().message;
    if (!*entry) return all;
    all += std::to_string((*entry)->line) + ":" + (*entry)->name + "=" + (*entry)->value + "|";
  }
}

std::string env(const std::string& text) {
  return read(EntryFormat::env, text);
}
std::string properties(const std::string& text) {
  return read(EntryFormat::properties, text);
}

TEST(entries, formats_are_known_by_name_and_by_file) {
  EXPECT_EQ(*entry_format("env"), EntryFormat::env);
  EXPECT_EQ(entry_format("yaml").error().kind, ErrorKind::usage);
  EXPECT_EQ(entry_format_of_file("a/.env.local"), EntryFormat::env);
  EXPECT_EQ(entry_format_of_file("prod.env"), EntryFormat::env);
  EXPECT_EQ(entry_format_of_file("a.properties"), EntryFormat::properties);
  EXPECT_EQ(entry_format_of_file("env/a.jsonl"), EntryFormat::jsonl);
  EXPECT_EQ(entry_format_of_file("-"), EntryFormat::jsonl);
}

TEST(entries, what_is_written_is_read_back_to_the_byte) {
  const std::vector<std::string> alphabet{
      "a", "Z", "0", "_", ".", "-",  "/",  " ",  "\t", "\n", "\r",  "\r\n", "'",    "\"", "\\", "$", "`",       "#",
      "!", "=", ":", "ä", "€", "😀", "\f", "\v", "\b", "%n", "\\n", "\\u",  "\x7F", "{",  "}",  ";", "\xC2\x85"};
  std::mt19937 random(20261121);
  for (const EntryFormat format : {EntryFormat::jsonl, EntryFormat::env, EntryFormat::properties}) {
    std::string text;
    std::string expected;
    std::vector<std::pair<std::string, std::string>> entries;
    for (int count = 0; count < 3000; ++count) {
      std::string name = format == EntryFormat::env ? "n" + std::to_string(count) : std::to_string(count);
      std::string value;
      for (auto left = random() % 6; left > 0; --left) {
        if (format != EntryFormat::env) name += alphabet[random() % alphabet.size()];
        value += alphabet[random() % alphabet.size()];
      }
      if (format != EntryFormat::env && count % 10 == 0) value += '\0';
      ASSERT_TRUE(append_entry(format, text, name, value));
      entries.emplace_back(name, value);
    }
    const auto reader = make_entry_reader(format, source_of(text, 1000));
    for (const auto& [name, value] : entries) {
      const auto entry = reader->next();
      ASSERT_TRUE(entry.has_value() && entry->has_value()) << (entry ? "ended" : entry.error().message);
      ASSERT_EQ((*entry)->name, name);
      ASSERT_EQ((*entry)->value, value);
    }
    EXPECT_FALSE(reader->next()->has_value());
  }
}

TEST(entries, json_lines_are_objects_of_name_and_value) {
  EXPECT_EQ(read(EntryFormat::jsonl, "{\"name\":\"a\",\"value\":\"\\u00e4\\n\"}\r\n\n {\"value\":\"\",\"name\":\"b\"}"),
            "1:a=ä\n|3:b=|");
  for (const char* wrong : {"{\"name\":\"a\"}", "{\"name\":\"a\",\"value\":1}", "[]", "{",
                            "{\"name\":\"a\",\"value\":\"b\",\"more\":1}", "{\"name\":\"a\",\"value\":\"\xFF\"}"}) {
    const std::string found = read(EntryFormat::jsonl, "\n" + std::string(wrong));
    EXPECT_TRUE(found.starts_with("!2:")) << found;
  }
}

TEST(entries, env_is_read_as_a_shell_and_dotenv_read_it) {
  EXPECT_EQ(env("A=1\nexport B = two words  # and a comment\r\n\n# only this\n  C=\nD=a#b\nE= # none\nF=#x\n"),
            "1:A=1|2:B=two words|5:C=|6:D=a#b|7:E=|8:F=#x|");
  EXPECT_EQ(env("A='as $it \\n \"is\"' # c\nB=\"\\\"q\\\" \\$x \\\\ \\n\\t\\`\"\nexport\tC=x\nexportD=y\nexport=z"),
            "1:A=as $it \\n \"is\"|2:B=\"q\" $x \\ \n\t`|3:C=x|4:exportD=y|5:export=z|");
  EXPECT_EQ(env("A='one\ntwo\r\n'\nB=\"one\\\ntwo\\\\\nthree\"\nC=1"), "1:A=one\ntwo\r\n|4:B=onetwo\\\nthree|7:C=1|");
  EXPECT_EQ(env("\xEF\xBB\xBF"
                "A=1"),
            "1:A=1|");
}

TEST(entries, what_is_no_env_is_refused_by_its_line) {
  EXPECT_TRUE(env("A=1\nB").starts_with("1:A=1|!2:NAME=value")) << env("A=1\nB");
  for (const char* wrong : {"1A=x", "A/B=x", "=x", "A B=x", "export", "A: x", "A='x'y", "A=\"x\\d\"", "A=\xFF"}) {
    EXPECT_TRUE(env("\n" + std::string(wrong)).starts_with("!2:")) << wrong;
  }
  const std::string open = env("\nA='x\ny\nz");
  EXPECT_TRUE(open.starts_with("!2:") && open.contains("begins in line 2")) << open;
}

TEST(entries, env_refuses_what_it_cannot_hold) {
  std::string out;
  for (const char* name : {"", "a/b", "1a", "ä", "a b", "-a", ".a"}) {
    const auto refused = append_entry(EntryFormat::env, out, name, "x");
    ASSERT_FALSE(refused.has_value()) << name;
    EXPECT_NE(refused.error().message.find("\"" + std::string(name) + "\""), std::string::npos);
  }
  EXPECT_FALSE(append_entry(EntryFormat::env, out, "a", std::string_view("\0", 1)).has_value());
  EXPECT_EQ(out, "");
}

TEST(entries, env_is_written_so_that_a_shell_reads_the_same) {
  std::string out;
  ASSERT_TRUE(append_entry(EntryFormat::env, out, "A", "plain/1:2@x"));
  ASSERT_TRUE(append_entry(EntryFormat::env, out, "B", "$x \"y\"\n"));
  ASSERT_TRUE(append_entry(EntryFormat::env, out, "C", "it's $1 `a` \"\\"));
  ASSERT_TRUE(append_entry(EntryFormat::env, out, "D", ""));
  EXPECT_EQ(out, "A=plain/1:2@x\nB='$x \"y\"\n'\nC=\"it's \\$1 \\`a\\` \\\"\\\\\"\nD=\n");
}

TEST(entries, properties_are_read_as_java_reads_them) {
  EXPECT_EQ(properties("# c\n! c \\\n  a = 1 \nb:2\nc 3\n\n\td\\ e\\=f\\:g = \\ h\ni\nj=\nk = = x"),
            "3:a=1 |4:b=2|5:c=3|7:d e=f:g= h|8:i=|9:j=|10:k== x|");
  EXPECT_EQ(properties("a=one,\\\n   two,\\\r\n  three\nb=x\\\\\nc=\\u00e4\\uD83D\\uDE00\\t\\q\\\\\rd=4\\"),
            "1:a=one,two,three|4:b=x\\|5:c=ä😀\tq\\|6:d=4|");
}

TEST(entries, what_is_no_property_is_refused_by_its_line) {
  for (const char* wrong : {"a=\\u12", "a=\\uD83D", "a=\\uDE00", "a=\\uD83Dx", "a=\\uD83D\\u0041", "a=\xFF"}) {
    EXPECT_TRUE(properties("\n" + std::string(wrong)).starts_with("!2:")) << wrong;
  }
  EXPECT_TRUE(properties("a=\\\n\\uXXXX").starts_with("!1:")) << "where the entry begins";
}

TEST(entries, properties_are_written_in_ascii) {
  std::string out;
  ASSERT_TRUE(append_entry(EntryFormat::properties, out, "a b", " ä = 😀\n"));
  EXPECT_EQ(out, "a\\ b=\\ \\u00E4 \\= \\uD83D\\uDE00\\n\n");
}

TEST(entries, a_line_without_an_end_is_refused_and_not_kept) {
  std::size_t given = 0;
  const auto reader = make_entry_reader(EntryFormat::jsonl, [&]() -> Result<std::string> {
    ++given;
    return std::string(1u << 20, 'x');
  });
  EXPECT_FALSE(reader->next().has_value());
  EXPECT_LE(given, 20u);
}

}  // namespace
}  // namespace annals::server
