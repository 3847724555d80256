#pragma once
// Events as bodies of log records. The layout is in store/embedded/FORMAT.md; position, time and node are the record's.
// Pure functions; no thread rule.

#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "event/event.hpp"
#include "log/record.hpp"

namespace annals::store {

inline constexpr std::size_t event_header_bytes = 64;

/// Appends the body of an event; its parts keep the limits of event.hpp.
void encode_event(std::string& out, std::string_view stream, StreamVersion version, const NewEvent& event);

/// The event, its text borrowed from the record; nullopt when the body is not one.
[[nodiscard]] inline std::optional<EventView> decode_event(const log::RecordView& record) {
  const std::string_view body = record.body;
  if (body.size() < event_header_bytes) return std::nullopt;
  const char* at = body.data();
  const std::size_t metadata_bytes = get_at<std::uint32_t>(at + 56);
  const std::size_t stream_bytes = get_at<std::uint16_t>(at + 60);
  const std::size_t type_bytes = get_at<std::uint8_t>(at + 62);
  const auto flags = get_at<std::uint8_t>(at + 63);
  if (flags > 1 || body.size() - event_header_bytes < stream_bytes + type_bytes + metadata_bytes) return std::nullopt;
  EventView event;
  event.position = record.position;
  event.created_at = record.created_at;
  event.node_id = record.node_id;
  std::memcpy(event.id.bytes.data(), at, 16);
  std::memcpy(event.correlation_id.bytes.data(), at + 16, 16);
  if (flags == 1) std::memcpy(event.causation_id.emplace().bytes.data(), at + 32, 16);
  event.version = StreamVersion{get_at<std::uint64_t>(at + 48)};
  std::string_view rest = body.substr(event_header_bytes);
  const auto take = [&](std::size_t size) {
    const std::string_view taken = rest.substr(0, size);
    rest.remove_prefix(size);
    return taken;
  };
  event.stream = take(stream_bytes);
  event.type = take(type_bytes);
  event.metadata = take(metadata_bytes);
  event.data = rest;
  return event;
}

/// What an event counts for in the limits of pages: its text.
[[nodiscard]] inline std::size_t text_bytes(const EventView& event) {
  return event.stream.size() + event.type.size() + event.data.size() + event.metadata.size();
}

}  // namespace annals::store
