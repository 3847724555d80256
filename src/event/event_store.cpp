#include "event/event_store.hpp"

#include "event/group_check.hpp"

namespace annals {

std::string ExpectedVersion::to_text() const {
  switch (rule_) {
    case Rule::any: return "any version";
    case Rule::none: return "no events";
    case Rule::exists: return "at least one event";
    case Rule::exact: return version_.value == 0 ? "no events" : "version " + to_string(version_);
  }
  return "any version";
}

std::string_view to_string(Durability durability) {
  switch (durability) {
    case Durability::memory: return "memory";
    case Durability::periodic: return "periodic";
    case Durability::local: return "local";
    case Durability::quorum: return "quorum";
  }
  return "memory";
}

std::string_view to_string(AskedDurability asked) {
  switch (asked) {
    case AskedDurability::memory: return "memory";
    case AskedDurability::store: return "store";
    case AskedDurability::local: return "local";
  }
  return "store";
}

Result<> EventStore::admits(const Group& group) const {
  return check_group(group);
}

Result<EventPage> EventStore::read_at(std::string_view stream, Instant time) const {
  const StreamVersion version = TRY(version_at(stream, time));
  if (version.value == 0) return EventPage{};
  return read_stream(stream, version, Direction::forward, PageLimit{1, 1});
}

}  // namespace annals
