#pragma once
// Walks a log without changing it, tells a torn tail from damage, and says where the log ends.
//
// Torn or damaged: a flush begins only after the one before has returned, and every frame says up to where its segment
// had been flushed when it was written. So bytes that are no valid frame can be what a crash left of the last,
// unfinished flush only if they stand in the last segment and no later frame knows them as flushed. Everything else is
// damage.
//
// Confined to one thread.

#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/uuid.hpp"
#include "log/log.hpp"
#include "log/record.hpp"
#include "log/segment/blemish.hpp"
#include "log/segment/directory.hpp"
#include "log/segment/format.hpp"
#include "log/segment/summary.hpp"
#include "platform/file_system.hpp"

namespace annals::log {

struct ScannedSegment {
  std::string path;
  SegmentHeader header;
  std::uint64_t end = segment_header_bytes;  ///< offset after the last valid frame
  std::uint64_t groups = 0;
  std::vector<Epoch> epochs;              ///< that began in it
  Marks marks;                            ///< none when they are in its summary
  std::optional<SegmentSummary> summary;  ///< of a segment that is sealed
  bool summarised = false;                ///< the summary is that of the file, which was believed
  bool unread = false;                    ///< the summary is that of the segment's two ends: but the first mark it has
                                          ///< none, and no number of groups
};

struct ScannedLog {
  Uuid store;
  std::vector<ScannedSegment> segments;  ///< at least one
  std::vector<Epoch> epochs;             ///< in order; empty only when the very first opening was cut short
  Position last;                         ///< of the last record; 0 when there is none
  Hash last_hash = hash_of_nothing;
  Instant last_time{};  ///< created_at of the last record; 0 when there is none
  std::uint64_t groups = 0;

  /// What is wrong with the first summary that was not believed; how many were not; of how many of these segments the
  /// two ends did not do, so that all had to be read.
  std::string first_distrust;
  std::size_t distrusted = 0;
  std::size_t read_whole = 0;

  // Of the last segment:
  std::uint64_t flushed_to = segment_header_bytes;  ///< what its last valid frame says had been flushed
  bool clean = false;                               ///< it ends with the mark of a clean stop, then zeros
  bool sealed = false;
  bool torn = false;               ///< something that is no frame stands behind the last valid one
  std::optional<Blemish> blemish;  ///< when torn: it is none that a crash leaves, but harmless as those are
};

enum class ScanDepth : std::uint8_t {
  everything,    ///< every frame of every segment
  what_is_open,  ///< the last segment, and those before it whose ends do not fit one another
};

/// Looks at the log as deep as `depth` says; of a segment that has a good summary, at its header and its seal only; of
/// one that has none, at its two ends. `on_group` hears of none of their groups.
///
/// Errors: not_found, when the directory holds no store; corrupt, naming the file and the byte of the first damage;
/// unsupported (format_version); input_output.
[[nodiscard]] Result<ScannedLog> scan_log(const platform::FileSystem& files, const std::string& directory,
                                          ScanDepth depth, const OnGroup& on_group, const OnProgress& on_progress = {});

}  // namespace annals::log
