#pragma once
// What every store refuses whatever it holds: groups that no store could take, and those that rest on a refused one.
// Pure; no thread rule but where one is named.

#include <string_view>

#include "base/result.hpp"
#include "base/text_hash.hpp"
#include "event/event_store.hpp"

namespace annals {

/// Succeeds when `group` keeps the rules of StreamAppend and the limits of event.hpp: it has at least one append, each
/// with at least one event, no stream twice, and names (of streams and of event types) of UTF-8 without control
/// characters.
///
/// Errors: invalid, with code "invalid_group", "invalid_stream_name" or "invalid_event_type"; too_large. The message
/// names the stream.
[[nodiscard]] Result<> check_group(const Group& group);

/// Succeeds when `event` goes on where a store ends: `last` is its last position, `version` that of the event's stream,
/// and `last_time` the stamp of its last event, if it has one. Errors: conflict ("not_next").
[[nodiscard]] Result<> check_next(const EventView& event, Position last, StreamVersion version,
                                  std::optional<Instant> last_time);

/// The group that records this event alone.
[[nodiscard]] Group group_of(const EventView& event);

/// The streams of those groups of one call to append that were refused. A later group of the call that names one of
/// them was decided on what did not come to be. Borrows the names from the groups. Confined to one thread.
class RefusedStreams {
 public:
  /// Errors: conflict ("version_conflict"), naming the stream.
  [[nodiscard]] Result<> check(const Group& group) const;
  void add(const Group& group);

 private:
  TextSet<std::string_view> names_;
};

}  // namespace annals
