#pragma once
// What every store refuses before it looks at its own state: groups that no store could take. Pure; no thread rule.

#include "base/result.hpp"
#include "event/event_store.hpp"

namespace annals {

/// Succeeds when `group` keeps the rules of StreamAppend and the limits of event.hpp: it has at least one append, each
/// with at least one event, no stream twice, and names (of streams and of event types) of UTF-8 without control
/// characters.
///
/// Errors: invalid, with code "invalid_group", "invalid_stream_name" or "invalid_event_type"; too_large. The message
/// names the stream.
[[nodiscard]] Result<> check_group(const Group& group);

}  // namespace annals
