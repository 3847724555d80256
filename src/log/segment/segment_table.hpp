#pragma once
// What readers know of the segments: where each is, up to where it can be read, and signposts by position and time.
// Files are opened when somebody reads them; the least recently used are closed again. The signposts of the segment
// that is being written are in memory, those of sealed ones in their summaries: some segments' are kept, the least
// recently used go first. Where a summary cannot be read, the signposts are taken from the segment once more.
//
// Thread-safe. What was published never changes, so files are read outside of every lock.

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/log_record.hpp"
#include "base/result.hpp"
#include "log/record.hpp"
#include "log/segment/scan.hpp"
#include "platform/file_system.hpp"

namespace annals::log {

inline constexpr std::size_t open_segments_max = 128;

inline constexpr std::size_t marks_cached_max = 64;  ///< segments whose marks are kept: 6 MiB

class SegmentTable {
 public:
  SegmentTable(const platform::FileSystem& files, Logger& log, const std::string& directory)
      : files_(files), log_(log), index_directory_(index_directory(directory)) {}

  /// Where the marks of a segment are asked for and its summary is not what was written: called with its number, on the
  /// asking thread, under no lock. To be set before anybody asks.
  void on_lost_marks(std::function<void(std::uint32_t number)> tell) { tell_lost_ = std::move(tell); }

  /// The number of the segment.
  std::uint32_t add(const ScannedSegment& segment);

  /// In the place of the last segment, which has no group, another file has come.
  void replace_last(const ScannedSegment& segment);

  /// A group that ends at `end` and can be read from now on; groups come in order.
  void publish(Place place, std::uint64_t end, Position first, Instant created_at);

  /// From now on nothing is published in the segment.
  void seal(std::uint32_t number, SegmentSummary summary);

  /// What a summary file of a sealed segment holds; nullopt when its marks are not in memory, that is, when the file is
  /// thought to be there.
  struct Unwritten {
    SegmentSummary summary;
    Marks marks;
  };
  [[nodiscard]] std::optional<Unwritten> unwritten(std::uint32_t number) const;
  /// The summary file is there: the marks need not be kept.
  void summary_is_written(std::uint32_t number);
  /// The sealed segments whose summary files are thought to be there, and what these are called.
  struct Written {
    std::uint32_t number = 0;
    std::string name;
  };
  [[nodiscard]] std::vector<Written> written() const;
  /// The summary file is not there after all, or never was: the marks are in memory from then on, taken from the
  /// segment unless they are at hand. Errors: corrupt, input_output.
  [[nodiscard]] Result<> take_back(std::uint32_t number);

  struct Segment {
    std::string path;
    std::uint64_t salt = 0;
    Position first;
    std::uint64_t end = 0;  ///< as of the question
  };
  /// nullopt beyond the last one.
  [[nodiscard]] std::optional<Segment> segment(std::uint32_t number) const;
  [[nodiscard]] std::uint32_t count() const;

  struct Signpost {
    Place place;
    Position position;
    Instant created_at;
  };
  /// The last signpost at or before the position; nullopt when the log holds nothing there.
  /// Errors: corrupt, input_output.
  [[nodiscard]] Result<std::optional<Signpost>> before(Position position) const;

  struct Around {
    std::optional<Signpost> lower;  ///< the last one at or before the time; nullopt when everything is later
    std::optional<Signpost> upper;  ///< the one after it; nullopt at the end of the log
  };
  /// Errors: corrupt, input_output.
  [[nodiscard]] Result<Around> around(Instant time) const;

  /// Errors: those of FileSystem::open_to_read.
  [[nodiscard]] Result<std::shared_ptr<const platform::File>> file(std::uint32_t number) const;

  /// False when the last segment has lost its name. Errors: input_output, when that cannot be told.
  [[nodiscard]] Result<bool> last_is_there() const;

  /// Bytes of frames in all segments.
  [[nodiscard]] std::uint64_t bytes() const;
  /// What summaries and signposts take.
  [[nodiscard]] IndexBytes index_bytes() const;
  /// Bytes of frames in all segments, a record: an estimate.
  [[nodiscard]] std::uint64_t record_bytes_average() const;

 private:
  struct Entry {
    Segment segment;
    std::optional<Mark> first_mark;
    std::shared_ptr<Marks> marks;           // null when they are in the summary file only; shared with the cache
    std::optional<SegmentSummary> summary;  // of a sealed segment
    bool unread = false;                    // there is no file of it, and it does not tell the number of groups yet
    std::uint64_t summary_bytes = 0;        // of its file, while the marks are nowhere else
  };
  struct CachedMarks {
    std::shared_ptr<const Marks> marks;  // shared with whoever looks into them just now
    std::uint64_t used = 0;
  };
  using SharedMarks = std::shared_ptr<const Marks>;
  /// The marks of a segment that has some. Errors: corrupt, input_output.
  [[nodiscard]] Result<SharedMarks> marks_of(std::uint32_t number) const;
  [[nodiscard]] SharedMarks marks_at_hand(std::uint32_t number) const;
  void keep(std::uint32_t number, const SharedMarks& marks) const;
  struct ReadBack {
    std::uint32_t number = 0;
    std::shared_ptr<Marks> marks;  // shared with whoever looks into them just now
    std::uint64_t groups = 0;
    bool was_unread = false;
  };
  /// Out of the segment itself. Errors: corrupt, input_output.
  [[nodiscard]] Result<ReadBack> read_back(std::uint32_t number) const;
  void put_back(const ReadBack& found) const;
  struct OpenFile {
    std::shared_ptr<const platform::File> file;  // shared with whoever reads it just now
    std::uint64_t used = 0;
  };
  static Signpost signpost(std::size_t number, const Mark& mark) {
    return {{static_cast<std::uint32_t>(number), mark.offset}, mark.position, mark.created_at};
  }

  const platform::FileSystem& files_;
  Logger& log_;
  const std::string index_directory_;
  std::function<void(std::uint32_t number)> tell_lost_;
  mutable std::mutex mutex_;
  // Guarded by mutex_. Marks of a sealed segment that turned out to be lost are put back, hence mutable.
  mutable std::vector<Entry> entries_;
  std::uint64_t bytes_ = 0;
  mutable std::unordered_map<std::uint32_t, CachedMarks> cached_;
  mutable std::uint64_t marks_uses_ = 0;

  mutable std::mutex finding_mutex_;  // held while marks are taken from a segment, so that one thread does

  mutable std::mutex files_mutex_;
  mutable std::unordered_map<std::uint32_t, OpenFile> open_files_;
  mutable std::uint64_t uses_ = 0;
};

}  // namespace annals::log
