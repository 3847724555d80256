#pragma once
// Waiting for a position, or for a change, within a limit. Confined to the I/O thread of the call.

#include <functional>
#include <optional>
#include <string>

#include "event/cursor.hpp"
#include "http/routes/call.hpp"

namespace annals::http {

/// How long `wait` for a change may be.
inline constexpr Duration change_wait_max = std::chrono::minutes(5);

/// Goes on with `then(call)` once the call's read table reflects `position` (at once when none is given), or refuses:
/// gone, when the cursor points into a lost tail; timed_out after options.min_position_timeout, when the client has
/// left, and when the server drains.
void after_position(Call call, const std::optional<Cursor>& position, std::move_only_function<void(Call)> then);

/// As after_position, for what is read from the store and not from the read table, which may be behind on purpose.
void after_stored_position(Call call, const std::optional<Cursor>& position, std::move_only_function<void(Call)> then);

/// Goes on with `then(call, record)` as soon as `is_news(record)` is true of the record of the call's key: at once, or
/// after a change; or with the record that is no news, when `time` is over, the client has left, or the server drains.
/// Refuses: overloaded ("too_many_waits"), when options.waits_max wait already.
void after_change(Call call, std::function<bool(const model::Record&)> is_news, Duration time,
                  std::move_only_function<void(Call, const model::Record&)> then);

/// What somebody knows of a list: the records whose keys begin with `prefix`, all that was recorded up to `position`
/// taken in.
struct ListState {
  std::string prefix;
  Position position;
  Instant time;  ///< of the event at `position`; before all others when there is none
};

/// Goes on with `then(call, changed)`: with true as soon as a record of the list, be it deleted, has changed since;
/// with false when `time` is over (at once when it is nothing), the client has left, or the server drains, and none
/// has. The call's position is then one that this holds for. The look costs a step for each record of the list, in
/// pieces between which others have their turn, unless nothing at all has changed since. Refuses: as after_change.
void after_list_change(Call call, ListState since, Duration time, std::move_only_function<void(Call, bool)> then);

}  // namespace annals::http
