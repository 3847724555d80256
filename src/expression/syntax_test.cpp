// What is an expression and what is not, and where the complaint points.

#include "expression/syntax.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace annals::expression {
namespace {

std::string again(std::string_view text) {
  const auto tree = parse(text);
  if (!tree) return std::to_string(tree.error().offset) + ": " + tree.error().what;
  return to_text(*tree);
}

TEST(syntax, operators_bind_as_people_expect) {
  EXPECT_EQ(again("a + b * c"), "a + b * c");
  EXPECT_EQ(again("(a + b) * c"), "(a + b) * c");
  EXPECT_EQ(again("((a)) - (b - c)"), "a - (b - c)");
  EXPECT_EQ(again("(a - b) - c"), "a - b - c");
  EXPECT_EQ(again("-a * -b"), "-a * -b");
  EXPECT_EQ(again("-(a * b)"), "-(a * b)");
  EXPECT_EQ(again("not a = b and c or d"), "not a = b and c or d");
  EXPECT_EQ(again("not (a and (b or c))"), "not (a and (b or c))");
  EXPECT_EQ(again("a = (not b)"), "a = (not b)");
  EXPECT_EQ(again("if(a<1,'it''s',\"b\"\"c\")"), "if(a < 1, 'it''s', 'b\"c')");
  EXPECT_EQ(again(" 7.50\n+ null "), "7.5 + null");
  EXPECT_EQ(again("7.0"), "7.0");
  EXPECT_EQ(again("f()"), "f()");
}

TEST(syntax, a_complaint_says_what_and_where) {
  for (const auto& [text, complaint] : std::vector<std::pair<std::string, std::string>>{
           {"", "0: a value is expected here, and the expression ends"},
           {"a +", "3: a value is expected here, and the expression ends"},
           {"a b", "2: the expression ends before this"},
           {"a )", "2: there is no ( that this one closes"},
           {"(a", "0: the ( here is not closed"},
           {"f(a", "3: expected , or )"},
           {"f(a,)", "4: a value is expected here, not )"},
           {"a == b", "2: \"==\" is not of this language; write ="},
           {"a && b", "2: \"&&\" is not of this language; write and"},
           {"a || b", "2: \"||\" is not of this language; write or, or + to join texts"},
           {"!a", "0: \"!\" is not of this language; write not"},
           {"a ? b : c", "2: \"?\" is not of this language; write if("},
           {"a < b < c", "6: comparisons are not chained"},
           {"a = not b", "4: put what begins with this \"not\" in parentheses"},
           {"and a", "0: a value is expected before \"and\""},
           {"'abc", "0: the text that begins here has no end"},
           {"1e3", "0: a number is digits"},
           {"01", "0: an integer does not begin with 0"},
           {"9223372036854775808", "0: an integer has 64 bits at most; write 9223372036854775808.0 for a decimal"},
           {"1.", "0: a decimal is digits, a point and digits"},
           {"a # b", "2: \"#\" is nothing that an expression has"},
           {"Price", "0: \"P\" is nothing that an expression has; names are in small letters"},
           {"a + \x01", "4: a control character is nothing"},
           {"\xff", "0: an expression is UTF-8"},
       }) {
    EXPECT_THAT(again(text), testing::StartsWith(complaint)) << text;
  }
}

TEST(syntax, expressions_are_bounded) {
  const auto nested = [](std::size_t depth, const std::string& open, const std::string& close) {
    std::string text;
    for (std::size_t level = 0; level < depth; ++level) text += open;
    text += "a";
    for (std::size_t level = 0; level < depth; ++level) text += close;
    return text;
  };
  EXPECT_TRUE(parse(nested(50, "(", ")")));
  for (const auto& [open, close] : std::vector<std::pair<std::string, std::string>>{
           {"(", ")"}, {"-", ""}, {"not ", ""}, {"f(", ")"}, {"a+(", ")"}, {"f(a+", ")"}}) {
    const auto deep = parse(nested(500, open, close));
    ASSERT_FALSE(deep) << open;
    EXPECT_THAT(deep.error().what, testing::HasSubstr("lie deeper in one another than 60")) << open;
  }
  for (const std::string link : {"a + ", "a and ", "a * ", "a - b * "}) {
    const std::string chain = nested(link.size() > 6 ? 100 : 249, link, "");
    const auto tree = parse(chain);
    ASSERT_TRUE(tree) << chain << tree.error().what;
    EXPECT_EQ(to_text(*tree), chain);
  }
  EXPECT_TRUE(parse("(" + nested(100, "a + ", "") + ") * (" + nested(100, "a - ", "") + ")")) << "chains in a chain";
  EXPECT_THAT(parse(nested(250, "a + ", "")).error().what, testing::HasSubstr("more than 500 parts"));
  std::string wide = "f(a";
  for (int part = 0; part < 600; ++part) wide += ",a";
  EXPECT_THAT(parse(wide + ")").error().what, testing::HasSubstr("more than 500 parts"));
  EXPECT_THAT(parse(std::string(5000, 'a')).error().what, testing::HasSubstr("4096 bytes at most"));
}

}  // namespace
}  // namespace annals::expression
