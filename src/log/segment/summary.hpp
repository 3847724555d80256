#pragma once
// Summaries of sealed segments: what opening needs to know of a segment without reading it, and its signposts.
// Only the segments are the truth: a summary is believed when it is intact and fits the segment, and made anew from the
// segment when it is not. Source: "Summaries" in log/FORMAT.md.
//
// Values, and functions over a file system; no thread rule.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/uuid.hpp"
#include "log/record.hpp"
#include "platform/file_system.hpp"

namespace annals::log {

/// A signpost in a segment: the frame at `offset` begins with the record at `position`. One every
/// `mark_distance_bytes`.
struct Mark {
  Position position;
  Instant created_at;
  std::uint32_t offset = 0;
  bool operator==(const Mark&) const = default;
};
inline constexpr std::uint32_t mark_distance_bytes = 16u << 10;
using Marks = std::vector<Mark>;

struct SegmentSummary {
  Uuid store{};
  std::uint64_t bytes = 0;  ///< size of the segment
  Position first;
  std::uint64_t salt = 0;
  std::uint64_t end = 0;  ///< offset after the seal
  Position last;          ///< these three as of the seal
  Instant last_time{};
  Hash last_hash = hash_of_nothing;
  std::uint64_t groups = 0;
  std::vector<Epoch> epochs{};  ///< that began in the segment
  std::uint32_t marks = 0;      ///< how many there are
  std::optional<Mark> first_mark{};
  std::uint64_t marks_checksum = 0;
  bool operator==(const SegmentSummary&) const = default;
};

/// `<data>/index`, where all is that can be made anew from the log.
[[nodiscard]] std::string index_directory(const std::string& directory);
/// `00000000000000000001.summary`
[[nodiscard]] std::string summary_name(Position first);
[[nodiscard]] std::optional<Position> position_of_summary_name(std::string_view name);

/// The whole file. Of `summary`, what says something about the marks is filled in from them.
[[nodiscard]] std::string encode_summary(SegmentSummary summary, const Marks& marks);

/// The size of a whole file.
[[nodiscard]] std::uint64_t summary_bytes(std::size_t epochs, std::size_t marks);

/// The head alone; the marks are not looked at. Errors: corrupt, not_found, input_output.
[[nodiscard]] Result<SegmentSummary> read_summary(const platform::FileSystem& files, const std::string& path);

/// The marks of the segment with that salt and first mark, rising in position, time and offset. Errors: corrupt,
/// not_found, input_output.
[[nodiscard]] Result<Marks> read_marks(const platform::FileSystem& files, const std::string& path, std::uint64_t salt,
                                       const std::optional<Mark>& first_mark);

}  // namespace annals::log
