#include "model/declaration.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/utf8.hpp"

namespace annals::model {
namespace {

Declared read(std::string text) {
  auto declared = read_declarations(std::move(text), "a.toml");
  EXPECT_TRUE(declared) << (declared ? "" : declared.error().message);
  return declared.value_or(Declared{});
}

TEST(declaration, values_come_with_their_types_and_places) {
  const Declared root = read("a = 1\nb = 'x'\n[t]\nc = [true, 2.5]\nd = 2026-02-12\n");
  EXPECT_EQ(*root.find("a")->as<std::int64_t>(), 1);
  EXPECT_EQ(root.find("a")->place.to_text(), "a.toml:1:5");
  EXPECT_EQ(*root.find("b")->as<std::string>(), "x");
  const Declared* list = root.find("t")->find("c");
  ASSERT_NE(list, nullptr);
  ASSERT_EQ(list->as<Declared::List>()->size(), 2u);
  EXPECT_TRUE(*list->as<Declared::List>()->front().as<bool>());
  EXPECT_EQ(*list->as<Declared::List>()->back().as<double>(), 2.5);
  EXPECT_EQ(root.find("t")->find("d")->as<Declared::Moment>()->text, "2026-02-12");
  EXPECT_EQ(root.find("x"), nullptr);
  EXPECT_EQ(root.find("a")->find("x"), nullptr);
}

TEST(declaration, members_are_in_the_order_of_the_file) {
  const Declared root = read("z = 1\n[b]\n[a]\nq = 1\nc = 2\n");
  std::string names;
  for (const DeclaredMember& member : *root.as<Declared::Table>()) names += member.name;
  for (const DeclaredMember& member : *root.find("a")->as<Declared::Table>()) names += member.name;
  EXPECT_EQ(names, "zbaqc");
}

TEST(declaration, a_refusal_shows_the_line_with_a_caret) {
  const Declared root = read("a = 1\n  bad = 2\n");
  const DeclaredMember& member = root.as<Declared::Table>()->back();
  EXPECT_EQ(refuse(member.place, "\"bad\" is bad").error().message,
            "a.toml:2:3: \"bad\" is bad\n  2 |   bad = ****\n    |   ^");
  EXPECT_EQ(refuse(member.value.place, "so").error().message, "a.toml:2:9: so\n  2 |   bad = ****\n    |         ^");
  EXPECT_EQ(refuse_harmless(member.value.place, "so").error().message,
            "a.toml:2:9: so\n  2 |   bad = 2\n    |         ^");
}

TEST(declaration, tabs_are_shown_as_they_are_and_repeated_below) {
  const Declared root = read("a = {\tb\t= 1 }\n");
  const DeclaredMember& member = root.find("a")->as<Declared::Table>()->front();
  EXPECT_EQ(refuse(member.value.place, "so").error().message,
            "a.toml:1:11: so\n  1 | a = {\tb\t= **** }\n    |      \t \t  ^");
}

TEST(declaration, of_a_long_line_that_around_the_place_is_shown) {
  const std::string key(300, 'k');
  const Declared one = read(key + " = 1");
  EXPECT_EQ(refuse(one.as<Declared::Table>()->front().place, "so").error().message,
            "a.toml:1:1: so\n  1 | " + std::string(200, 'k') + "...\n    | ^");
  std::string last = "a = { ";
  for (int number = 100; number < 200; ++number) last += "k" + std::to_string(number) + " = true, ";
  last += "end = 1 }";
  const Declared root = read(last);
  const auto shown = [&](std::string_view name) {
    const Declared::Table& table = *root.find("a")->as<Declared::Table>();
    const std::string message =
        refuse(std::ranges::find(table, name, &DeclaredMember::name)->place, "so").error().message;
    const std::size_t line = message.find('\n') + 1;
    const std::size_t below = message.find('\n', line) + 1;
    EXPECT_LE(below - line, 220u);
    return message.substr(line + message.size() - below - 1, 4);
  };
  EXPECT_EQ(shown("k100"), "k100");
  EXPECT_EQ(shown("k150"), "k150");
  EXPECT_EQ(shown("end"), "end ");
}

TEST(declaration, a_long_line_is_cut_between_characters) {
  std::string text = "a = { ";
  for (int number = 100; number < 200; ++number) text += "\"\u00e4" + std::to_string(number) + "\" = true, ";
  const Declared root = read(text + "end = 1 }");
  for (const DeclaredMember& member : *root.find("a")->as<Declared::Table>()) {
    const std::string message = refuse(member.place, "so").error().message;
    EXPECT_TRUE(is_utf8(message));
    EXPECT_TRUE(message.ends_with('^')) << member.name;
  }
}

TEST(declaration, what_is_not_toml_is_refused_at_its_place) {
  const auto declared = read_declarations("a = \n", "a.toml");
  ASSERT_FALSE(declared);
  EXPECT_EQ(declared.error().kind, ErrorKind::usage);
  EXPECT_TRUE(declared.error().message.starts_with("a.toml:1:5: not TOML: ")) << declared.error().message;
}

TEST(declaration, what_the_reader_of_toml_saw_is_not_told_where_it_is_not_shown) {
  const auto said_of = [](const std::string& text) {
    const auto declared = read_declarations(text, "a.toml");
    return declared ? std::string("(taken)") : declared.error().message;
  };
  EXPECT_EQ(said_of("a = thunter2"),
            "a.toml:1:6: not TOML: Error while parsing boolean: expected 'true'\n  1 | a = ****\n    |     ^");
  EXPECT_EQ(said_of("a = 99999999999999999999"),
            "a.toml:1:25: not TOML: Error while parsing decimal integer: **** is not representable in 64 bits\n"
            "  1 | a = ****\n    |     ^");
  EXPECT_EQ(said_of("a = \"\\q\""),
            "a.toml:1:7: not TOML: Error while parsing string: unknown escape sequence ****\n"
            "  1 | a = ****\n    |     ^");
  EXPECT_EQ(said_of("a = 'x'\na = 'y'"),
            "a.toml:2:5: not TOML: Error while parsing key-value pair: cannot redefine existing string 'a'\n"
            "  2 | a = ****\n    |     ^");
  EXPECT_EQ(said_of("[model.a]\nmethods = [\"GET\" \"PUT\"]"),
            "a.toml:2:18: not TOML: Error while parsing array: expected comma or closing ']'\n"
            "  2 | methods = [\"GET\" ****\n    |                  ^");
}

}  // namespace
}  // namespace annals::model
