#pragma once
// What a sealed segment says of itself at its two ends, so that an opening that finds no summary of it need not read
// all of it. Source: "Summaries" in log/FORMAT.md.
//
// Functions over a file; no thread rule.

#include "base/result.hpp"
#include "log/segment/format.hpp"
#include "log/segment/summary.hpp"
#include "platform/file_system.hpp"

namespace annals::log {

/// Whether the segment's seal, intact and with this mark, stands at the offset. Errors: input_output.
[[nodiscard]] Result<bool> has_seal(const platform::File& file, const SegmentHeader& header, std::uint64_t offset,
                                    const EndMark& mark);

/// The summary of the segment with that header, followed by the one with the header `after`; but of its groups and
/// marks it says only what the first of them is. Errors: corrupt, when the ends do not fit one another: then all of the
/// segment has to be looked at; input_output.
[[nodiscard]] Result<SegmentSummary> read_ends(const platform::File& file, const std::string& path,
                                               const SegmentHeader& header, const SegmentHeader& after);

}  // namespace annals::log
