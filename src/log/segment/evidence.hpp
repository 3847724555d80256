#pragma once
// What the files beside a log prove of its end. A summary is written only once the segment behind it is durable, with
// its name; so where there is a summary, that segment was there, and nothing but a hand or a broken disk has taken it
// away. Without this, a log that lost its last segments would be a shorter log, and sound.
//
// Functions over a file system; no thread rule. Source: "Torn or damaged" in log/FORMAT.md.

#include <string>

#include "base/result.hpp"
#include "log/log.hpp"
#include "log/segment/scan.hpp"

namespace annals::log {

/// The log as `OnFound` is told of it.
[[nodiscard]] FoundLog found_log(const ScannedLog& scanned);

/// Looks at the summaries of a log that was scanned, and asks `on_found`. True when it is proven that the last segment
/// was durable. Errors: corrupt ("segment_missing"), when it is proven that there were more; input_output; those of
/// `on_found`.
[[nodiscard]] Result<bool> check_end(const platform::FileSystem& files, const std::string& directory,
                                     const ScannedLog& scanned, const OnFound& on_found);

}  // namespace annals::log
