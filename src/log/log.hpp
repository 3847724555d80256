#pragma once
// Log: an append-only sequence of records in groups, in one directory, that survives a crash.
//
// What it promises: a group that was committed and flushed is there after any crash, whole, at its position; a group
// that was not is there whole or not at all; nothing is ever changed. Bytes that are not what was written are reported,
// never given out. After a failed write or flush nothing more is written until the log is opened again, because nobody
// knows what the disk then holds.
//
// Threads: start_batch, commit and flush belong to one thread at a time (the caller sees to that); everything const may
// be called from any thread at any time, and never waits for a flush. Only positions that were committed may be read.
//
// Sources: log/FORMAT.md. The handling of failed flushes follows "Can Applications Recover from fsync Failures?"
// (Rebello and others, USENIX ATC 2020).

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/histogram.hpp"
#include "base/result.hpp"
#include "log/batch.hpp"
#include "log/record.hpp"
#include "platform/platform.hpp"

namespace annals::log {

struct LogOptions {
  std::string directory;
  std::uint64_t segment_bytes =
      64u << 20;                  ///< of new segments; a multiple of 8 from segment_bytes_min to segment_bytes_max
  std::uint32_t node_id = 1;      ///< of this server, in every record that it makes
  bool flush_each_commit = true;  ///< else it is the caller who calls flush, or says so with each commit
};

/// Called at opening for every group of the segments that are read then, in order: of the last one, and of those before
/// it that have no good summary and whose ends do not fit one another. By verify_log, for every group that the log
/// holds. An error of kind corrupt says what is wrong with the group.
using OnGroup = std::function<Result<>(Place place, const GroupView& group)>;
/// A log that was looked at and not changed yet.
struct FoundLog {
  Uuid store;
  Position last;
  std::vector<Epoch> epochs;
  std::vector<std::uint64_t> salts;  ///< of the segments, in order
};
/// Called once the whole log has been looked at, and before anything is changed: by who keeps something beside the log
/// that knows of its end. True when it proves that the last segment was durable. An error of kind corrupt says that it
/// proves more than the log has; the log is refused then.
using OnFound = std::function<Result<bool>(const FoundLog& found)>;
/// False ends the reading.
using GroupVisitor = std::function<bool(const GroupView& group)>;
/// Called now and then with how many of the log's bytes have been looked at.
using OnProgress = std::function<void(std::uint64_t bytes_done, std::uint64_t bytes_total)>;
/// Pieces of segments that were read; they keep the bytes that views borrow.
using Chunks = std::vector<std::unique_ptr<char[]>>;

struct FlushReport {
  std::optional<bool> ok;  ///< of the last flush; nullopt before the first
  Duration duration{0};
};

/// Where the log is, for those who only look.
struct LogSummary {
  Uuid store;
  Position last;
  Instant last_time{};
  std::vector<Epoch> epochs;
  bool clean = false;  ///< it had been stopped cleanly before it was opened
};

class OutlineCache;
class SegmentTable;
class SummaryKeeper;
class Writer;

/// Reads single records by their place; cheapest when they come in rising order. A record of a large group costs about
/// what one of a small group costs, but for the first that is read of it. Confined to one thread.
class RecordReader {
 public:
  RecordReader(RecordReader&&) noexcept;
  ~RecordReader();
  /// The record with a number (from 0) in the group at a place that was committed. Borrowed until the next call.
  /// Errors: corrupt, also when the group has no such record; input_output.
  [[nodiscard]] Result<RecordView> at(Place place, std::size_t number);

 private:
  friend class Log;
  RecordReader(const SegmentTable& table, OutlineCache& outlines);
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

class Log {
 public:
  /// As `close`, for whom its outcome does not matter.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// The batch, empty; there is one only, and it is started anew by this call.
  [[nodiscard]] Batch& start_batch();

  /// As Batch::check_size; a log that is only read takes any. Any thread.
  [[nodiscard]] Result<> check_size(std::size_t records, std::size_t body_bytes) const;

  /// Writes the groups of the batch after all others, and flushes if so opened, or if `durable`. Then they can be read,
  /// and their places are known. Errors: unavailable ("no_room"), when the next segment cannot be made: nothing of the
  /// batch was recorded, and it may be tried again; unavailable with any other code, when it is unknown what was
  /// recorded; nothing of the batch can be read then, and every later call fails too. (A batch of several segments can
  /// meet a full disk in its middle; that is of the second sort.)
  [[nodiscard]] Result<> commit(Batch& batch, bool durable = false);

  /// Makes durable what was committed. Errors: unavailable, as commit.
  [[nodiscard]] Result<> flush();

  [[nodiscard]] Position last() const;      ///< committed; for the committing thread only
  [[nodiscard]] Position flushed() const;   ///< durable; for the committing thread only
  [[nodiscard]] Instant last_time() const;  ///< for the committing thread only

  /// Flushes, and leaves the mark of a clean stop unless something failed before; nothing may be committed afterwards.
  /// Errors: unavailable, when writing had failed before or fails now; the next opening then repairs.
  [[nodiscard]] Result<> close();

  /// Why nothing can be written any more: one sentence; nullopt while all is well.
  [[nodiscard]] std::optional<std::string> failure() const;
  /// True while commits are refused for want of room. It ends by itself, once the next segment can be made.
  [[nodiscard]] bool is_short_of_room() const;
  [[nodiscard]] FlushReport flush_report() const;
  [[nodiscard]] HistogramSnapshot flush_durations() const;  ///< microseconds, failed flushes included
  [[nodiscard]] std::uint64_t bytes() const;                ///< of frames, in all segments
  [[nodiscard]] IndexBytes index_bytes() const;             ///< of summaries and signposts

  /// Ends all writing, as a failed flush does, when the path of the directory no longer leads to the files that are
  /// written. Thread-safe.
  void check_place();

  /// Looks whether the summaries of sealed segments are still there; those that were deleted are made anew in the
  /// background, with a line in the log. Thread-safe.
  void check_indexes();

  /// How many segments are still without the summary that was missing, damaged or deleted. Thread-safe.
  [[nodiscard]] std::size_t missing_indexes() const;

  /// False for a log that was opened to read where nobody could be kept from changing it meanwhile.
  [[nodiscard]] bool locked() const { return lock_ != nullptr; }

  /// As it was opened, the epoch that then began included.
  [[nodiscard]] const LogSummary& summary() const { return summary_; }

  [[nodiscard]] RecordReader reader() const;

  /// Calls `visit` for each group that has a record after `after` and begins at or before `up_to`, in order; a large
  /// group may come in parts, those before the first wanted record left out. What the views borrow is added to
  /// `chunks`. Reads about `bytes_wanted` at first, then in large pieces. Errors: corrupt,
  /// input_output.
  [[nodiscard]] Result<> read(Position after, Position up_to, std::size_t bytes_wanted, Chunks& chunks,
                              const GroupVisitor& visit) const;

  /// A stretch of the log, some KiB long, that holds the boundary between records at or before a time and those after
  /// it: every group before `begin` is at or before the time, every group from `end` on is later.
  struct Stretch {
    Place begin;
    Place end;
    Position before;    ///< the last position before `begin`
    bool empty = true;  ///< every record is later than the time
  };
  /// Errors: corrupt, input_output.
  [[nodiscard]] Result<Stretch> stretch_at(Instant time) const;

  /// The last position up to `up_to` whose record is at or before the time; 0 when there is none.
  /// Errors: corrupt, input_output.
  [[nodiscard]] Result<Position> position_at(Instant time, Position up_to) const;

  /// Segments are numbered from 0; those before the last one are sealed and never change.
  [[nodiscard]] std::uint32_t segments() const;
  /// The chance number of a segment's header, which no two segments share.
  [[nodiscard]] std::uint64_t segment_salt(std::uint32_t number) const;
  /// The position that the segment's first record has, or will have.
  [[nodiscard]] Position first_of_segment(std::uint32_t number) const;
  /// Calls `visit` for each group of a sealed segment, in order. Errors: corrupt, input_output; those of `visit`.
  [[nodiscard]] Result<> read_segment(std::uint32_t number, const OnGroup& visit) const;

  /// How many bytes of the segments a record takes on average.
  [[nodiscard]] std::size_t record_bytes_average() const;

 private:
  friend struct LogOpener;
  Log();

  std::unique_ptr<platform::DirectoryLock> lock_;
  std::unique_ptr<SegmentTable> table_;
  std::unique_ptr<OutlineCache> outlines_;
  std::unique_ptr<SummaryKeeper> summaries_;  // null when opened to read
  std::unique_ptr<Writer> writer_;            // null when opened to read
  LogSummary summary_;
};

/// Opens the log of a directory, which is made when it is not there, repairs what an unclean stop left, and begins a
/// new epoch after one. `background` prepares segments; it and the platform outlive the log.
///
/// Errors: usage, for options out of range; conflict, when another process has the directory open; corrupt, naming the
/// file and byte of the first damage, or the segment that is missing at the end ("segment_missing"); unsupported
/// ("format_version"); input_output; those of `on_found`.
[[nodiscard]] Result<std::unique_ptr<Log>> open_log(LogOptions options, platform::Platform platform,
                                                    platform::Executor& background, const OnGroup& on_group,
                                                    const OnFound& on_found = {});

/// Opens an existing log without changing anything, under the lock of those who look (which a directory without LOCK
/// that cannot be written to does not have): commit and flush must not be called.
/// Errors: not_found; otherwise those of open_log.
[[nodiscard]] Result<std::unique_ptr<Log>> open_log_to_read(const std::string& directory, platform::Platform platform,
                                                            const OnGroup& on_group, const OnFound& on_found = {});

struct VerifyReport {
  Uuid store;
  std::uint64_t segments = 0;
  std::uint64_t groups = 0;
  Position last;  ///< the number of records, too
  Instant last_time{};
  Hash last_hash = hash_of_nothing;
  std::size_t epochs = 0;
  bool clean = false;  ///< ends with the mark of a clean stop
  /// After an unclean stop: where the valid part ends, and whether bytes of an unfinished flush stand behind it, which
  /// the next opening will cut off.
  std::string last_segment;
  std::uint64_t end = 0;
  bool torn = false;
  /// When torn: damage where no event lies and that no crash leaves; the next opening would mend it. Of kind corrupt.
  std::optional<Error> blemish;
  bool locked = false;                 ///< false when nobody could be kept from changing the log meanwhile
  std::vector<std::uint64_t> salts{};  ///< of the segments, in order
  /// Files of indexes that are not what the log says; one sentence each. No event is touched by that.
  std::vector<std::string> index_faults{};
};

/// Which store the directory holds. Errors: not_found, corrupt, unsupported, input_output.
[[nodiscard]] Result<Uuid> identity_of_log(const platform::FileSystem& files, const std::string& directory);

/// Walks a whole log and checks all there is to check: checksums, headers, positions, times, the chain of hashes, and
/// what `on_group` checks. Takes the lock of the directory as open_log_to_read does, and changes nothing. Errors: as
/// open_log_to_read.
[[nodiscard]] Result<VerifyReport> verify_log(platform::FileSystem& files, const std::string& directory,
                                              const OnGroup& on_group, const OnProgress& on_progress = {},
                                              const OnFound& on_found = {});

}  // namespace annals::log
