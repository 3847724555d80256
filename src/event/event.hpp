#pragma once
// Events: facts that were recorded, and those about to be.
//
// An event's `data` is a JSON object (what happened, by names that the model chose); its `metadata` is a JSON object
// too (who asked, and what the engine needs to remember of the request). Stores keep both as the bytes they were given.
// Values; no thread rule.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.hpp"
#include "base/number.hpp"
#include "base/uuid.hpp"

namespace annals {

/// Limits that every store keeps, so that what one store took every other can take.
inline constexpr std::size_t stream_name_bytes_max = 1024;
inline constexpr std::size_t event_type_bytes_max = 255;
inline constexpr std::size_t event_data_bytes_max =
    16u << 20;  // an old and a new value of 1 MiB, every byte of them escaped
inline constexpr std::size_t event_metadata_bytes_max = 64u << 10;
inline constexpr std::size_t group_events_max = 10'000;
inline constexpr std::size_t group_bytes_max = 32u << 20;  // sum of stream, type, data and metadata of its events

/// An event that somebody decided on and nobody has recorded.
struct NewEvent {
  Uuid id;                           ///< unique; what finds it again when the outcome of an append is unknown
  std::string type;                  ///< such as "ConfigValueSet"
  std::string data;                  ///< a JSON object
  std::string metadata;              ///< a JSON object
  Uuid correlation_id;               ///< of the request that began it all
  std::optional<Uuid> causation_id;  ///< of the event or command that caused this one
};

/// A recorded event. Text is borrowed from the page (or the group) that it came with.
struct EventView {
  Position position;
  std::string_view stream;  ///< such as "config-database_url"; the category is what stands before the first '-'
  StreamVersion version;
  Uuid id;
  std::string_view type;
  std::string_view data;
  std::string_view metadata;
  Uuid correlation_id;
  std::optional<Uuid> causation_id;
  Instant created_at;         ///< strictly increasing with the position
  std::uint32_t node_id = 0;  ///< the server that recorded it
};

/// What stands before the first '-' of a stream's name; the whole name when there is none.
[[nodiscard]] inline std::string_view category_of(std::string_view stream) {
  return stream.substr(0, stream.find('-'));
}

/// What stands after the first '-': the key of the aggregate; empty when there is none.
[[nodiscard]] inline std::string_view key_of(std::string_view stream) {
  const std::size_t hyphen = stream.find('-');
  return hyphen == std::string_view::npos ? std::string_view{} : stream.substr(hyphen + 1);
}

}  // namespace annals
