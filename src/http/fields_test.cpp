#include "http/fields.hpp"

#include <gtest/gtest.h>

namespace annals::http {
namespace {

Request asking(std::initializer_list<Field> fields) {
  Request request;
  request.fields = fields;
  return request;
}

Request accepting(std::string_view accept) {
  return asking({{"Accept", accept}});
}

TEST(Accept, without_it_everything_is_accepted) {
  EXPECT_TRUE(accepts(asking({}), "application/json"));
  EXPECT_EQ(quality_of(asking({}), "text/plain"), 1000);
  EXPECT_FALSE(asks_only_for_plain_text(asking({})));
}

TEST(Accept, the_most_specific_range_decides) {
  const Request request = accepting("text/*;q=0.3, text/plain;q=0.7, application/json;q=0, */*;q=0.5");
  EXPECT_EQ(quality_of(request, "text/plain"), 700);
  EXPECT_EQ(quality_of(request, "TEXT/HTML"), 300);
  EXPECT_EQ(quality_of(request, "image/png"), 500);
  EXPECT_FALSE(accepts(request, "application/json"));
}

TEST(Accept, several_fields_are_one_list) {
  const Request request = asking({{"accept", "text/plain;q=0.2"}, {"ACCEPT", "application/json"}});
  EXPECT_EQ(quality_of(request, "text/plain"), 200);
  EXPECT_EQ(quality_of(request, "application/json"), 1000);
}

TEST(Accept, parameters_other_than_q_are_not_looked_at) {
  EXPECT_TRUE(accepts(accepting("text/plain; charset=utf-8; q=1.000"), "text/plain"));
  EXPECT_TRUE(accepts(accepting("text/plain; a=\"x,y;q=0\""), "text/plain"));
}

TEST(Accept, a_malformed_range_counts_for_nothing) {
  for (std::string_view text : {"text", "text/", "/plain", "*/plain", "text/plain;q=2", "text/plain;q=0.1234",
                                "text/plain;q=x", "te xt/plain"}) {
    EXPECT_FALSE(accepts(accepting(text), "text/plain")) << text;
    EXPECT_TRUE(accepts(accepting(std::string(text) + ", application/json"), "application/json")) << text;
  }
}

TEST(Accept, only_plain_text_is_asked_for_when_no_json_would_do) {
  EXPECT_TRUE(asks_only_for_plain_text(accepting("text/plain")));
  EXPECT_TRUE(asks_only_for_plain_text(accepting("text/*")));
  EXPECT_FALSE(asks_only_for_plain_text(accepting("text/plain, */*;q=0.1")));
  EXPECT_FALSE(asks_only_for_plain_text(accepting("text/plain, application/json")));
  EXPECT_FALSE(asks_only_for_plain_text(accepting("text/html, application/*")));
  EXPECT_FALSE(asks_only_for_plain_text(accepting("image/png")));
}

TEST(Accept, the_best_offer_is_preferred_and_the_first_of_equals) {
  const std::string_view offers[] = {"text/plain", "application/json"};
  EXPECT_EQ(preferred(accepting("application/json"), offers), 1u);
  EXPECT_EQ(preferred(accepting("*/*"), offers), 0u);
  EXPECT_EQ(preferred(accepting("application/json, text/plain;q=0.9"), offers), 1u);
  EXPECT_EQ(preferred(accepting("image/png"), offers), std::nullopt);
}

TEST(Accept, a_wildcard_does_not_name_a_type) {
  EXPECT_TRUE(names_in_accept(accepting("text/event-stream"), "text/event-stream"));
  EXPECT_FALSE(names_in_accept(accepting("*/*, text/*"), "text/event-stream"));
  EXPECT_FALSE(names_in_accept(accepting("text/event-stream;q=0"), "text/event-stream"));
}

TEST(ContentType, json_has_any_parameters_and_none_at_all_will_do) {
  EXPECT_TRUE(content_type_is_json(asking({})));
  EXPECT_TRUE(content_type_is_json(asking({{"Content-Type", "application/json"}})));
  EXPECT_TRUE(content_type_is_json(asking({{"content-type", "Application/JSON ; charset=\"utf-8\""}})));
  EXPECT_FALSE(content_type_is_json(asking({{"Content-Type", "application/x-www-form-urlencoded"}})));
  EXPECT_FALSE(content_type_is_json(asking({{"Content-Type", "application/jsonx"}})));
  EXPECT_FALSE(content_type_is_json(asking({{"Content-Type", ""}})));
  EXPECT_FALSE(content_type_is_json(asking({{"Content-Type", "application/json"}, {"Content-Type", "text/plain"}})));
  EXPECT_TRUE(
      content_type_is(asking({{"Content-Type", "application/merge-patch+json"}}), "application/merge-patch+json"));
  EXPECT_FALSE(content_type_is(asking({}), "application/json"));
}

TEST(EntityTags, absent_is_not_empty) {
  const auto none = entity_tags(asking({}), "if-match");
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
}

TEST(EntityTags, a_list_may_have_strong_and_weak_tags_in_several_fields) {
  const auto list = entity_tags(asking({{"If-Match", "\"1\", W/\"2\""}, {"if-match", " ,\"a,b\",, "}}), "if-match");
  ASSERT_TRUE(list && *list);
  ASSERT_EQ((*list)->tags.size(), 3u);
  EXPECT_TRUE((*list)->matches_strongly("1"));
  EXPECT_FALSE((*list)->matches_strongly("2"));
  EXPECT_TRUE((*list)->matches_weakly("2"));
  EXPECT_TRUE((*list)->matches_strongly("a,b"));
  EXPECT_FALSE((*list)->matches_weakly("3"));
}

TEST(EntityTags, an_asterisk_is_any) {
  const auto list = entity_tags(asking({{"If-None-Match", "*"}}), "if-none-match");
  ASSERT_TRUE(list && *list);
  EXPECT_TRUE((*list)->any);
  EXPECT_TRUE((*list)->matches_weakly("whatever"));
}

TEST(EntityTags, what_is_neither_is_an_error) {
  for (std::string_view text :
       {"", "7", "\"7", "7\"", "w/\"7\"", "W/7", "*, \"7\"", "\"7\", *", "\"7\"\"8\"", "\"7\" \"8\"", "\"a b\"", ","}) {
    const auto list = entity_tags(asking({{"If-Match", text}}), "if-match");
    ASSERT_FALSE(list) << text;
    EXPECT_EQ(list.error().kind, ErrorKind::invalid);
    EXPECT_EQ(list.error().code, "invalid_entity_tag");
  }
  EXPECT_FALSE(entity_tags(asking({{"If-Match", "*"}, {"If-Match", "\"7\""}}), "if-match"));
  EXPECT_FALSE(entity_tags(asking({{"If-Match", "\"7\""}, {"If-Match", "*"}}), "if-match"));
}

TEST(Fields, a_record_has_a_tag_for_each_form_and_all_name_its_version) {
  EXPECT_EQ(tag_of(StreamVersion{7}, false), "7");
  EXPECT_EQ(tag_of(StreamVersion{7}, true), "7-json");
  EXPECT_EQ(marked_tag_of(StreamVersion{7}, ""), "7");
  EXPECT_EQ(marked_tag_of(StreamVersion{7}, "1f00b4c2"), "7-1f00b4c2");
  EXPECT_EQ(declaration_mark_of_tag("7-1f00b4c2"), "1f00b4c2");
  for (const std::string_view tag : {"7", "7-json", "7-1f00b4c", "7-1F00B4C2", "71f00b4c2", ""})
    EXPECT_EQ(declaration_mark_of_tag(tag), "") << tag;
  for (const std::string_view tag : {"7", "7-json", "7-1f00b4c2"})
    EXPECT_EQ(version_of_tag(tag), StreamVersion{7}) << tag;
  EXPECT_EQ(version_of_tag("0"), StreamVersion{0});
  EXPECT_EQ(version_of_tag("9223372036854775807"), StreamVersion{9223372036854775807u});
  for (const std::string_view tag :
       {"", "-json", "07", "7-", "7-xml", "7-json-json", "x", "-7", "7 ", "7-JSON", "10000000000000000000000",
        "-1f00b4c2", "7-1f00b4c2-1f00b4c2", "7-json-1f00b4c2", "7-1f00b4c"}) {
    EXPECT_EQ(version_of_tag(tag), std::nullopt) << tag;
  }
}

}  // namespace
}  // namespace annals::http
