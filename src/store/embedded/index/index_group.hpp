#pragma once
// Puts the groups of a segment into its index. A function; no thread rule.

#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "event/event.hpp"
#include "log/record.hpp"
#include "store/embedded/index/segment_streams.hpp"

namespace annals::store {

/// With `only`, the events of that stream alone.
/// Errors: corrupt, saying what is wrong with the group: something that is no event, or versions that do not follow one
/// another within the segment.
[[nodiscard]] Result<> index_group(log::Place place, const log::GroupView& group, SegmentStreams& streams,
                                   std::optional<std::string_view> only = std::nullopt);

/// The event that a record must be. Errors: corrupt.
[[nodiscard]] Result<EventView> event_of(const log::RecordView& record);

}  // namespace annals::store
