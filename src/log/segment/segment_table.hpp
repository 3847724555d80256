#pragma once
// What readers know of the segments: where each is, up to where it can be read, and signposts by position and time.
// Files are opened when somebody reads them; the least recently used are closed again.
//
// Thread-safe. What was published never changes, so files are read outside of every lock.

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "log/record.hpp"
#include "log/segment/scan.hpp"
#include "platform/file_system.hpp"

namespace annals::log {

inline constexpr std::size_t open_segments_max = 128;

class SegmentTable {
 public:
  explicit SegmentTable(const platform::FileSystem& files) : files_(files) {}

  /// The number of the segment.
  std::uint32_t add(const ScannedSegment& segment);

  /// A group that ends at `end` and can be read from now on; groups come in order.
  void publish(Place place, std::uint64_t end, Position first, Instant created_at);

  struct Segment {
    std::string path;
    std::uint64_t salt = 0;
    Position first;
    std::uint64_t end = 0;  ///< as of the question
  };
  /// nullopt beyond the last one.
  [[nodiscard]] std::optional<Segment> segment(std::uint32_t number) const;

  struct Signpost {
    Place place;
    Position position;
    Instant created_at;
  };
  /// The last signpost at or before the position; nullopt when the log holds nothing there.
  [[nodiscard]] std::optional<Signpost> before(Position position) const;

  struct Around {
    std::optional<Signpost> lower;  ///< the last one at or before the time; nullopt when everything is later
    std::optional<Signpost> upper;  ///< the one after it; nullopt at the end of the log
  };
  [[nodiscard]] Around around(Instant time) const;

  /// Errors: those of FileSystem::open_to_read.
  [[nodiscard]] Result<std::shared_ptr<const platform::File>> file(std::uint32_t number) const;

  /// False when the last segment has lost its name. Errors: input_output, when that cannot be told.
  [[nodiscard]] Result<bool> last_is_there() const;

  /// Bytes of frames in all segments: for estimates.
  [[nodiscard]] std::uint64_t bytes() const;
  [[nodiscard]] std::uint64_t segments() const;

 private:
  struct Entry {
    Segment segment;
    std::vector<Mark> marks;
  };
  struct OpenFile {
    std::shared_ptr<const platform::File> file;  // shared with whoever reads it just now
    std::uint64_t used = 0;
  };
  static Signpost signpost(std::size_t number, const Mark& mark) {
    return {{static_cast<std::uint32_t>(number), mark.offset}, mark.position, mark.created_at};
  }

  const platform::FileSystem& files_;
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
  std::uint64_t bytes_ = 0;

  mutable std::mutex files_mutex_;
  mutable std::unordered_map<std::uint32_t, OpenFile> open_files_;
  mutable std::uint64_t uses_ = 0;
};

}  // namespace annals::log
