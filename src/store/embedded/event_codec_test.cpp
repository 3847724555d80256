#include "store/embedded/event_codec.hpp"

#include <gtest/gtest.h>

#include "base/test_page.hpp"

namespace annals::store {
namespace {

NewEvent example_event() {
  return {.id = *Uuid::from_text("019c514b-1100-7000-8000-000000000001"),
          .type = "ConfigValueSet",
          .data = R"({"value":"red"})",
          .metadata = R"({"actor":"anonymous"})",
          .correlation_id = *Uuid::from_text("019c514b-1100-7000-8000-000000000002"),
          .causation_id = *Uuid::from_text("019c514b-1100-7000-8000-000000000003")};
}

log::RecordView record_of(std::string_view body) {
  return {
      .position = Position{9}, .created_at = Instant{8}, .node_id = 7, .previous_hash = {}, .body = body, .hashed = {}};
}

/// Offset, sixteen bytes in hex, the same as text.
std::string hex(std::string_view bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (std::size_t line = 0; line < bytes.size(); line += 16) {
    out += std::string("    00") + digits[line >> 4] + digits[line & 15] + ' ';
    std::string text;
    for (std::size_t at = line; at < line + 16; ++at) {
      if (at % 8 == 0) out += ' ';
      if (at >= bytes.size()) {
        out += "   ";
        continue;
      }
      const auto byte = static_cast<unsigned char>(bytes[at]);
      out += digits[byte >> 4];
      out += digits[byte & 15];
      out += ' ';
      text += byte > 32 && byte < 127 ? static_cast<char>(byte) : '.';
    }
    out += ' ' + text + '\n';
  }
  return out;
}

TEST(EventCodec, the_page_shows_the_bytes_that_are_written) {
  std::string body;
  encode_event(body, "config-color", StreamVersion{1}, example_event());
  const std::string page = written_page("src/store/embedded/FORMAT.md");
  EXPECT_NE(page.find(hex(body)), std::string::npos) << "FORMAT.md should end with:\n\n" << hex(body);
}

TEST(EventCodec, an_event_comes_back_as_it_was) {
  for (const bool caused : {true, false}) {
    NewEvent event = example_event();
    if (!caused) event.causation_id.reset();
    std::string body;
    encode_event(body, "config-color", StreamVersion{3}, event);
    const auto decoded = decode_event(record_of(body));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->position, Position{9});
    EXPECT_EQ(decoded->created_at, Instant{8});
    EXPECT_EQ(decoded->node_id, 7u);
    EXPECT_EQ(decoded->stream, "config-color");
    EXPECT_EQ(decoded->version, StreamVersion{3});
    EXPECT_EQ(decoded->id, event.id);
    EXPECT_EQ(decoded->type, event.type);
    EXPECT_EQ(decoded->data, event.data);
    EXPECT_EQ(decoded->metadata, event.metadata);
    EXPECT_EQ(decoded->correlation_id, event.correlation_id);
    EXPECT_EQ(decoded->causation_id, event.causation_id);
  }
}

TEST(EventCodec, events_at_their_limits_come_back) {
  NewEvent event = example_event();
  event.type.assign(event_type_bytes_max, 't');
  event.metadata.assign(event_metadata_bytes_max, 'm');
  event.data.clear();
  const std::string stream(stream_name_bytes_max, 's');
  std::string body;
  encode_event(body, stream, StreamVersion{UINT64_MAX}, event);
  const auto decoded = decode_event(record_of(body));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->stream, stream);
  EXPECT_EQ(decoded->type, event.type);
  EXPECT_EQ(decoded->metadata, event.metadata);
  EXPECT_EQ(decoded->data, "");
}

TEST(EventCodec, a_body_that_is_cut_short_within_its_names_or_has_unknown_flags_is_no_event) {
  std::string body;
  encode_event(body, "config-color", StreamVersion{1}, example_event());
  const std::size_t data_begin = body.size() - example_event().data.size();
  for (std::size_t size = 0; size < data_begin; ++size) {
    EXPECT_FALSE(decode_event(record_of(std::string_view(body).substr(0, size)))) << size;
  }
  body[63] = 2;
  EXPECT_FALSE(decode_event(record_of(body)));
}

}  // namespace
}  // namespace annals::store
