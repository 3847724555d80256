#pragma once
// Walks a whole log without changing it, tells a torn tail from damage, and says where the log ends.
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
#include "platform/file_system.hpp"

namespace annals::log {

/// A signpost in a segment: the frame at `offset` begins with the record at `position`. One every
/// `mark_distance_bytes`.
struct Mark {
  Position position;
  Instant created_at;
  std::uint32_t offset = 0;
};
inline constexpr std::uint32_t mark_distance_bytes = 16u << 10;

struct ScannedSegment {
  std::string path;
  SegmentHeader header;
  std::uint64_t end = segment_header_bytes;  ///< offset after the last valid frame
  std::vector<Mark> marks;
};

struct ScannedLog {
  Uuid store;
  std::vector<ScannedSegment> segments;  ///< at least one
  std::vector<Epoch> epochs;             ///< in order; empty only when the very first opening was cut short
  Position last;                         ///< of the last record; 0 when there is none
  Hash last_hash = hash_of_nothing;
  Instant last_time{};  ///< created_at of the last record; 0 when there is none
  std::uint64_t groups = 0;

  // Of the last segment:
  std::uint64_t flushed_to = segment_header_bytes;  ///< what its last valid frame says had been flushed
  bool clean = false;                               ///< it ends with the mark of a clean stop, then zeros
  bool sealed = false;
  bool torn = false;               ///< something that is no frame stands behind the last valid one
  std::optional<Blemish> blemish;  ///< when torn: it is none that a crash leaves, but harmless as those are
};

/// Errors: not_found, when the directory holds no store; corrupt, naming the file and the byte of the first damage;
/// unsupported (format_version); input_output.
[[nodiscard]] Result<ScannedLog> scan_log(const platform::FileSystem& files, const std::string& directory,
                                          const OnGroup& on_group, const OnProgress& on_progress = {});

}  // namespace annals::log
