#include "json/merge_patch.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <memory>
#include <optional>

#include "json/reader.hpp"
#include "json/writer.hpp"

namespace annals::json {
namespace {

// RFC 7396, appendix A.
TEST(merge_patch, the_examples_of_its_specification_hold) {
  struct Example {
    const char* target;
    const char* patch;
    const char* result;
  };
  for (const Example& example : {Example{R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
                                 {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
                                 {R"({"a":"b"})", R"({"a":null})", "{}"},
                                 {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
                                 {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
                                 {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
                                 {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
                                 {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
                                 {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
                                 {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
                                 {R"({"a":"foo"})", "null", "null"},
                                 {R"({"a":"foo"})", "\"bar\"", "\"bar\""},
                                 {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
                                 {"[1,2]", R"({"a":"b","c":null})", R"({"a":"b"})"},
                                 {"{}", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"}}) {
    EXPECT_EQ(merge_patch(example.target, example.patch), example.result) << example.target << example.patch;
  }
}

TEST(merge_patch, what_stays_stays_where_it_was) {
  EXPECT_EQ(merge_patch(R"({"z":1,"\"}":"],{","a":[{"a":null}],"n":{"x":{"y":-1.5e3}},"t":true})",
                        R"({"new":{"a":null},"n":{"x":{"w":"\\"}},"a":null,"t":false,"gone":null})"),
            R"({"z":1,"\"}":"],{","n":{"x":{"y":-1.5e3,"w":"\\"}},"t":false,"new":{}})");
}

/// JSON as a tree, and the merge as the specification writes it down.
struct Tree {
  std::optional<std::map<std::string, Tree>> members;
  std::string text;
};

Tree tree_of(std::string_view json) {
  Reader reader;
  const std::string wrapped = "[" + std::string(json) + "]";
  const Value value = reader.read_array(wrapped).value().front();
  Tree tree;
  append_value(tree.text, value);
  const auto* nested = std::get_if<Nested>(&value);
  if (nested == nullptr || nested->is_array) return tree;
  tree.members.emplace();
  const std::string text_of_object = nested->text;
  const Object object = reader.read_object(text_of_object).value();
  for (const Member& member : object.members) {
    std::string text;
    append_value(text, member.value);
    (*tree.members)[std::string(member.name)].text = text;
  }
  for (auto& [name, member] : *tree.members) member = tree_of(member.text);
  return tree;
}

Tree merged(Tree target, const Tree& patch) {
  if (!patch.members) return patch;
  if (!target.members) target.members.emplace();
  for (const auto& [name, value] : *patch.members) {
    if (value.text == "null") {
      target.members->erase(name);
    } else {
      (*target.members)[name] = merged((*target.members)[name], value);
    }
  }
  return target;
}

std::string written(const Tree& tree) {
  if (!tree.members) return tree.text;
  std::string out = "{";
  for (const auto& [name, member] : *tree.members) {
    append_member(out, name);
    out += written(member);
  }
  return out + "}";
}

std::string arbitrary_json(int depth) {
  const int kind = *rc::gen::inRange(0, depth > 0 ? 8 : 5);
  if (kind == 0) return "null";
  if (kind == 1) return std::to_string(*rc::gen::inRange(-5, 5));
  if (kind == 2) return "true";
  if (kind == 3) return *rc::gen::element<std::string>("\"\"", "\"a\"", R"("\\")", R"("\"")", R"("},{")", R"("]")");
  if (kind == 4) return *rc::gen::element<std::string>("[]", "{}", "[null]", R"([{"a":null},{"b":[1]}])");
  std::string out = "{";
  for (const char* name : {"a", "b", "c", R"(\")", "{}"}) {
    if (*rc::gen::inRange(0, 2) == 0) continue;
    out.append(out.size() > 1 ? "," : "").append(1, '"').append(name).append("\":").append(arbitrary_json(depth - 1));
  }
  return out + "}";
}

RC_GTEST_PROP(merge_patch, merges_as_the_specification_does, ()) {
  const std::string target = arbitrary_json(4);
  const std::string patch = arbitrary_json(4);
  const std::string result = merge_patch(target, patch);
  RC_ASSERT(written(tree_of(result)) == written(merged(tree_of(target), tree_of(patch))));
}

}  // namespace
}  // namespace annals::json
