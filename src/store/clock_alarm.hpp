#pragma once
// When a store says that the clock runs behind its log. Constants.

#include <chrono>

#include "base/instant.hpp"

namespace annals::store {

/// A clock this far behind the log is somebody's mistake; less is what stamps of one microsecond an event add up to.
inline constexpr Duration clock_behind_tolerated = std::chrono::milliseconds{100};
/// Between two lines about it.
inline constexpr Duration clock_alarm_interval = std::chrono::minutes{1};

}  // namespace annals::store
