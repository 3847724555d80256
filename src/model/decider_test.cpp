#include "model/decider.hpp"

#include <gtest/gtest.h>

#include "json/reader.hpp"

namespace annals::model {
namespace {

const Model config = Model::kv("config", {"/config"});
constexpr Instant now{1'770'890'400'000'000};

SharedText shared(std::string_view text) {
  return SharedText(text);
}

Record at_version(std::uint64_t version, SharedText value) {
  return {StreamVersion{version}, std::move(value), now};
}

Command set(std::string value, Precondition precondition = {}) {
  return {Operation::set, "key", shared(std::move(value)), std::move(precondition)};
}
Command remove(Precondition precondition = {}) {
  return {Operation::remove, "key", nullptr, std::move(precondition)};
}

ErrorKind kind_of_refusal(const Record& record, const Command& command) {
  const auto decisions = decide(config, record, command, now);
  EXPECT_FALSE(decisions.has_value());
  return decisions ? ErrorKind::internal : decisions.error().kind;
}

Record after(const Record& record, const Command& command) {
  const auto decisions = decide(config, record, command, now);
  EXPECT_TRUE(decisions.has_value());
  Record state = record;
  for (const Decision& decision : *decisions) {
    auto next = evolve(config, state, decision.type, decision.data, state.version.next(), now);
    EXPECT_TRUE(next.has_value());
    state = *next;
  }
  return state;
}

TEST(decider, a_set_records_the_new_and_the_old_value) {
  const auto decisions = decide(config, at_version(3, shared("o\"ld")), set("new"), now);
  ASSERT_TRUE(decisions.has_value());
  ASSERT_EQ(decisions->size(), 1u);
  EXPECT_EQ(decisions->front().type, "ConfigValueSet");
  EXPECT_EQ(decisions->front().data,
            R"({"config_name":"key","value":"new","old_value":"o\"ld","timestamp":"2026-02-12T10:00:00.000000Z"})");
}

TEST(decider, an_unchanged_value_is_recorded_too) {
  EXPECT_EQ(after(at_version(3, shared("same")), set("same")).version, StreamVersion{4});
}

TEST(decider, the_old_value_is_null_after_a_deletion) {
  const auto decisions = decide(config, at_version(2, nullptr), set("new"), now);
  EXPECT_NE(decisions->front().data.find("\"old_value\":null"), std::string::npos);
}

TEST(decider, a_remove_tells_what_was_deleted) {
  const auto decisions = decide(config, at_version(1, shared("x")), remove(), now);
  EXPECT_EQ(decisions->front().type, "ConfigValueDeleted");
  EXPECT_EQ(decisions->front().data,
            R"({"config_name":"key","old_value":"x","deleted_value":"x","timestamp":"2026-02-12T10:00:00.000000Z"})");
}

TEST(decider, what_never_was_is_not_found_and_what_was_deleted_is_gone) {
  EXPECT_EQ(kind_of_refusal(Record{}, remove()), ErrorKind::not_found);
  EXPECT_EQ(kind_of_refusal(at_version(2, nullptr), remove()), ErrorKind::gone);
}

TEST(decider, if_match_admits_only_the_versions_named) {
  const Precondition three_or_four{Precondition::Rule::version_is_one_of, {StreamVersion{3}, StreamVersion{4}}};
  EXPECT_EQ(after(at_version(3, shared("x")), set("y", three_or_four)).version, StreamVersion{4});
  EXPECT_EQ(after(at_version(4, nullptr), set("y", three_or_four)).version, StreamVersion{5});
  EXPECT_EQ(kind_of_refusal(at_version(5, shared("x")), set("y", three_or_four)), ErrorKind::precondition_failed);
  EXPECT_EQ(kind_of_refusal(Record{}, set("y", three_or_four)), ErrorKind::precondition_failed);
  EXPECT_EQ(kind_of_refusal(at_version(5, shared("x")), remove(three_or_four)), ErrorKind::precondition_failed);
}

TEST(decider, if_match_star_needs_a_value_and_if_none_match_star_needs_none) {
  const Precondition exists{Precondition::Rule::exists, {}};
  const Precondition absent{Precondition::Rule::does_not_exist, {}};
  EXPECT_EQ(kind_of_refusal(Record{}, set("y", exists)), ErrorKind::precondition_failed);
  EXPECT_EQ(kind_of_refusal(at_version(2, nullptr), set("y", exists)), ErrorKind::precondition_failed);
  EXPECT_EQ(*after(at_version(2, shared("x")), set("y", exists)).value, "y");
  EXPECT_EQ(kind_of_refusal(at_version(2, shared("x")), set("y", absent)), ErrorKind::precondition_failed);
  EXPECT_EQ(*after(Record{}, set("y", absent)).value, "y");
  EXPECT_EQ(*after(at_version(2, nullptr), set("y", absent)).value, "y");
}

TEST(decider, evolve_reads_back_whatever_decide_wrote) {
  for (const std::string& value :
       {std::string{}, std::string{"plain"}, std::string{"quote \" backslash \\ end"}, std::string{"\0\n\x1f", 3},
        std::string{"\",\"value\":\"forged"}, std::string{"äß😀"}, std::string(100'000, '"')}) {
    for (const char* key : {"key", "quo\"te", "back\\slash"}) {
      Command command = set(value);
      command.key = key;
      EXPECT_EQ(*after(at_version(1, shared("\"old\"")), command).value, value) << key;
    }
  }
}

TEST(decider, evolve_reads_data_of_the_same_meaning_in_another_form) {
  const auto next = evolve(config, Record{}, "ConfigValueSet",
                           R"({ "timestamp":"x", "value" : "a\u0062c", "config_name":"key" })", StreamVersion{1}, now);
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(*next->value, "abc");
}

TEST(decider, evolve_refuses_data_without_a_value) {
  for (const char* data : {"", "{}", "[]", R"({"config_name":"k"})", R"({"config_name":"k","value":"x)"}) {
    const auto next = evolve(config, Record{}, "ConfigValueSet", data, StreamVersion{1}, now);
    ASSERT_FALSE(next.has_value()) << data;
    EXPECT_EQ(next.error().kind, ErrorKind::corrupt);
  }
}

TEST(decider, a_value_of_another_program_that_is_no_string_is_shown_as_json) {
  for (const auto& [json, shown] :
       std::vector<std::pair<std::string, std::string>>{{"12", "12"},
                                                        {"1.5", "1.5"},
                                                        {"true", "true"},
                                                        {"null", "null"},
                                                        {R"({ "a" : [1, "x"] })", R"({"a":[1,"x"]})"},
                                                        {"[]", "[]"},
                                                        {R"("")", ""}}) {
    const auto next = evolve(config, at_version(1, shared("before")), "ConfigValueSet",
                             R"({"config_name":"key","value":)" + json + "}", StreamVersion{2}, now);
    ASSERT_TRUE(next.has_value()) << json;
    EXPECT_EQ(*next->value, shown);
  }
}

TEST(decider, an_event_of_an_unknown_type_counts_but_changes_no_value) {
  const auto next = evolve(config, at_version(1, shared("x")), "SomethingElse", "{}", StreamVersion{2}, now);
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(*next->value, "x");
  EXPECT_EQ(next->version, StreamVersion{2});
}

TEST(model, names_of_events_follow_from_the_name_of_the_model) {
  const Model model = Model::kv("feature_flag2", {"/flags"});
  EXPECT_EQ(model.set_type, "FeatureFlag2ValueSet");
  EXPECT_EQ(model.deleted_type, "FeatureFlag2ValueDeleted");
  EXPECT_EQ(model.key_member, "feature_flag2_name");
  EXPECT_EQ(model.stream("a-b"), "feature_flag2-a-b");
  EXPECT_TRUE(model.owns_stream("feature_flag2-a-b"));
  EXPECT_FALSE(model.owns_stream("feature_flag2"));
  EXPECT_FALSE(model.owns_stream("feature_flag2-"));
  EXPECT_FALSE(model.owns_stream("feature_flag-x"));
}

TEST(model, a_key_is_1_to_512_bytes_of_utf_8_without_control_characters) {
  for (const char* key : {"a", "a/b c", "äß😀", "-", ".."}) EXPECT_TRUE(check_key(key).has_value()) << key;
  EXPECT_TRUE(check_key(std::string(512, 'x')).has_value());
  for (const std::string& key :
       {std::string{}, std::string(513, 'x'), std::string{"a\nb"}, std::string{"a\0b", 3}, std::string{"\x7f"},
        std::string{"\xc2\x85"}, std::string{"\xff"}, std::string{"\xed\xa0\x80"}}) {
    EXPECT_FALSE(check_key(key).has_value()) << key;
  }
}

TEST(model, a_prefix_is_what_a_key_can_begin_with) {
  for (const std::string& prefix : {std::string{}, std::string{"a/"}, std::string{"ä"}, std::string(512, 'x')}) {
    EXPECT_TRUE(check_key_prefix(prefix).has_value()) << prefix;
  }
  for (const std::string& prefix :
       {std::string(513, 'x'), std::string{"a\n"}, std::string{"\xff"}, std::string{"a\xc3"}, std::string{"\0", 1}}) {
    const auto checked = check_key_prefix(prefix);
    ASSERT_FALSE(checked.has_value()) << prefix;
    EXPECT_EQ(checked.error().code, "invalid_prefix");
  }
}

}  // namespace
}  // namespace annals::model
