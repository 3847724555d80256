#include "event/group_check.hpp"

#include <algorithm>

#include "base/utf8.hpp"

namespace annals {
namespace {

std::unexpected<Error> too_large(std::string_view what, std::size_t found, std::size_t limit) {
  return fail(ErrorKind::too_large, std::string(what) + " has " + std::to_string(found) + " bytes; " +
                                        std::to_string(limit) + " is the limit");
}

Result<> check_stream_name(std::string_view name) {
  if (name.empty()) return fail(ErrorKind::invalid, "invalid_stream_name", "a stream's name is empty");
  if (name.size() > stream_name_bytes_max) return too_large("a stream's name", name.size(), stream_name_bytes_max);
  if (!is_utf8_without_controls(name)) {
    return fail(ErrorKind::invalid, "invalid_stream_name",
                "a stream's name is not UTF-8 or has a control character in it");
  }
  return {};
}

Result<> check_event(const NewEvent& event, std::string_view stream) {
  const auto named = [stream](std::string_view part) {
    return std::string(part) + " of an event for stream " + std::string(stream);
  };
  if (event.type.empty()) return fail(ErrorKind::invalid, "invalid_event_type", named("the type") + " is empty");
  if (event.type.size() > event_type_bytes_max) {
    return too_large(named("the type"), event.type.size(), event_type_bytes_max);
  }
  if (!is_utf8_without_controls(event.type)) {
    return fail(ErrorKind::invalid, "invalid_event_type",
                named("the type") + " is not UTF-8 or has a control character in it");
  }
  if (event.data.size() > event_data_bytes_max) {
    return too_large(named("the data"), event.data.size(), event_data_bytes_max);
  }
  if (event.metadata.size() > event_metadata_bytes_max) {
    return too_large(named("the metadata"), event.metadata.size(), event_metadata_bytes_max);
  }
  return {};
}

/// The first name that occurs twice, or null.
const std::string* find_twin(const std::vector<StreamAppend>& appends) {
  std::vector<const std::string*> names;
  names.reserve(appends.size());
  for (const StreamAppend& append : appends) names.push_back(&append.stream);
  std::ranges::sort(names, {}, [](const std::string* name) -> const std::string& { return *name; });
  const auto twin =
      std::ranges::adjacent_find(names, [](const auto* left, const auto* right) { return *left == *right; });
  return twin == names.end() ? nullptr : *twin;
}

}  // namespace

Result<> check_group(const Group& group) {
  if (group.appends.empty()) return fail(ErrorKind::invalid, "invalid_group", "a group has no events");
  std::size_t events = 0;
  std::size_t bytes = 0;
  for (const StreamAppend& append : group.appends) {
    TRY(check_stream_name(append.stream));
    if (append.events.empty()) {
      return fail(ErrorKind::invalid, "invalid_group", "a group has no events for stream " + append.stream);
    }
    events += append.events.size();
    if (events > group_events_max) {
      return fail(ErrorKind::too_large, "a group has more than " + std::to_string(group_events_max) + " events");
    }
    for (const NewEvent& event : append.events) {
      TRY(check_event(event, append.stream));
      bytes += append.stream.size() + event.type.size() + event.data.size() + event.metadata.size();
    }
  }
  if (bytes > group_bytes_max) return too_large("a group", bytes, group_bytes_max);
  if (group.appends.size() > 1) {
    if (const std::string* twin = find_twin(group.appends)) {
      return fail(ErrorKind::invalid, "invalid_group", "a group names stream " + *twin + " twice");
    }
  }
  return {};
}

Result<> check_next(const EventView& event, Position last, StreamVersion version, std::optional<Instant> last_time) {
  const auto not_next = [&event](const std::string& what) {
    return fail(ErrorKind::conflict, "not_next",
                "the event at position " + to_string(event.position) + " of stream " + std::string(event.stream) +
                    " does not go on where the store ends: " + what);
  };
  if (event.position != last.next()) return not_next("the next position is " + to_string(last.next()));
  if (event.version != version.next()) {
    return not_next("it has version " + to_string(event.version) + ", and the stream is at " + to_string(version));
  }
  if (last_time && event.created_at <= *last_time) {
    return not_next("it is of " + event.created_at.to_text() + ", and the last event of " + last_time->to_text());
  }
  return {};
}

Group group_of(const EventView& event) {
  Group group;
  StreamAppend& append = group.appends.emplace_back();
  append.stream = event.stream;
  append.events.push_back({.id = event.id,
                           .type = std::string(event.type),
                           .data = std::string(event.data),
                           .metadata = std::string(event.metadata),
                           .correlation_id = event.correlation_id,
                           .causation_id = event.causation_id});
  return group;
}

Result<> RefusedStreams::check(const Group& group) const {
  if (names_.empty()) return {};
  for (const StreamAppend& append : group.appends) {
    if (!names_.contains(append.stream)) continue;
    return fail(ErrorKind::conflict, "version_conflict",
                "an earlier group of the same call for stream " + append.stream + " was refused");
  }
  return {};
}

void RefusedStreams::add(const Group& group) {
  for (const StreamAppend& append : group.appends) names_.insert(append.stream);
}

}  // namespace annals
