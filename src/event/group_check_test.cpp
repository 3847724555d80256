#include "event/group_check.hpp"

#include <gtest/gtest.h>

namespace annals {
namespace {

NewEvent make_event() {
  return {.id = {}, .type = "Said", .data = "{}", .metadata = "{}", .correlation_id = {}, .causation_id = {}};
}

StreamAppend make_append(std::string stream, std::size_t count = 1) {
  return {.stream = std::move(stream), .expected = ExpectedVersion::any(), .events = std::vector(count, make_event())};
}

Group make_group(std::string stream, std::size_t count = 1) {
  return {.appends = {make_append(std::move(stream), count)}, .nothing_after = {}};
}

/// The code of the refusal; "accepted" when there is none.
std::string verdict(const Group& group) {
  const Result<> result = check_group(group);
  return result ? "accepted" : result.error().code;
}

TEST(group_check, groups_without_events_are_refused) {
  EXPECT_EQ(verdict({}), "invalid_group");
  EXPECT_EQ(verdict(make_group("a", 0)), "invalid_group");
  EXPECT_EQ(verdict({.appends = {make_append("a"), make_append("b", 0)}, .nothing_after = {}}), "invalid_group");
  EXPECT_EQ(verdict(make_group("a")), "accepted");
}

TEST(group_check, a_stream_named_twice_is_refused_wherever_it_stands) {
  EXPECT_EQ(verdict({.appends = {make_append("a"), make_append("b"), make_append("a")}, .nothing_after = {}}),
            "invalid_group");
  Group many;
  for (int number = 0; number < 1'000; ++number) many.appends.push_back(make_append("s" + std::to_string(number)));
  EXPECT_EQ(verdict(many), "accepted");
  many.appends.push_back(make_append("s500"));
  const Result<> refused = check_group(many);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("s500"), std::string::npos) << refused.error().message;
}

TEST(group_check, names_of_streams_are_1_to_1024_bytes_of_utf8_without_controls) {
  EXPECT_EQ(verdict(make_group("")), "invalid_stream_name");
  EXPECT_EQ(verdict(make_group(std::string(1'024, 'x'))), "accepted");
  EXPECT_EQ(verdict(make_group(std::string(1'025, 'x'))), "too_large");
  EXPECT_EQ(verdict(make_group("caf\xc3\xa9 / \xf0\x9f\x98\x80")), "accepted");
  EXPECT_EQ(verdict(make_group(std::string("a\0b", 3))), "invalid_stream_name");
  EXPECT_EQ(verdict(make_group("a\x7f")), "invalid_stream_name");
  EXPECT_EQ(verdict(make_group("a\xc2\x9f")), "invalid_stream_name");
  EXPECT_EQ(verdict(make_group("a\xc3")), "invalid_stream_name");
}

TEST(group_check, types_of_events_are_1_to_255_bytes_of_utf8_without_controls) {
  Group group = make_group("a");
  std::string& type = group.appends[0].events[0].type;
  type = "";
  EXPECT_EQ(verdict(group), "invalid_event_type");
  type = "a\tb";
  EXPECT_EQ(verdict(group), "invalid_event_type");
  type = "\xff";
  EXPECT_EQ(verdict(group), "invalid_event_type");
  type = std::string(255, 't');
  EXPECT_EQ(verdict(group), "accepted");
  type = std::string(256, 't');
  EXPECT_EQ(verdict(group), "too_large");
}

TEST(group_check, data_and_metadata_of_events_have_limits) {
  Group group = make_group("a", 2);
  NewEvent& event = group.appends[0].events[1];
  event.data = std::string(event_data_bytes_max, 'd');
  event.metadata = std::string(event_metadata_bytes_max, 'm');
  EXPECT_EQ(verdict(group), "accepted");
  event.data += 'd';
  EXPECT_EQ(verdict(group), "too_large");
  event.data = "{}";
  event.metadata += 'm';
  EXPECT_EQ(verdict(group), "too_large");
}

TEST(group_check, a_group_has_at_most_10000_events_in_all_its_streams) {
  EXPECT_EQ(verdict({.appends = {make_append("a", 5'000), make_append("b", 5'000)}, .nothing_after = {}}), "accepted");
  EXPECT_EQ(verdict({.appends = {make_append("a", 5'000), make_append("b", 5'001)}, .nothing_after = {}}), "too_large");
}

TEST(group_check, a_group_has_at_most_32_mebibytes_its_streams_name_counted_with_each_event) {
  Group group = make_group("ab", 3);
  const std::size_t others = 3 * (2 + 4 + 2) + 2 * 2;  // stream, type and metadata of three; data of two
  auto& events = group.appends[0].events;
  events[0].data = std::string(event_data_bytes_max, 'd');
  events[1].data = std::string(group_bytes_max - event_data_bytes_max - others + 2, 'd');
  EXPECT_EQ(verdict(group), "accepted");
  events[2].data += 'x';
  EXPECT_EQ(verdict(group), "too_large");
}

}  // namespace
}  // namespace annals
