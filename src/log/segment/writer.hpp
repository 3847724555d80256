#pragma once
// Writes the last segment of a log, begins the next one when it is full, and knows when it must not write any more.
// Confined to one thread at a time, `failure`, `is_short_of_room`, `flush_report` and `give_up` excepted, which any
// thread may call.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/guarded.hpp"
#include "log/batch.hpp"
#include "log/log.hpp"
#include "log/segment/hasher.hpp"
#include "log/segment/scan.hpp"
#include "log/segment/segment_maker.hpp"
#include "log/segment/segment_table.hpp"
#include "log/segment/summary_keeper.hpp"

namespace annals::log {

class Writer {
 public:
  /// Goes on where `scanned` ends; its last segment is open in `file`, and all of it is durable.
  Writer(const LogOptions& options, platform::Platform platform, platform::Executor& background, SegmentTable& table,
         SummaryKeeper& summaries, const ScannedLog& scanned, std::unique_ptr<platform::File> file);

  [[nodiscard]] Batch& start_batch();
  [[nodiscard]] Result<> check_size(std::size_t records, std::size_t body_bytes) const {
    return batch_.check_size(records, body_bytes);
  }
  [[nodiscard]] Result<> commit(Batch& batch, bool durable);
  [[nodiscard]] Result<> flush();

  /// Writes and flushes the mark of a new epoch. Errors: input_output.
  [[nodiscard]] Result<> begin_epoch(const Epoch& epoch);
  /// The same with the next commit, so that opening a log that nobody writes to writes nothing.
  void begin_epoch_later(const Epoch& epoch) { epoch_to_begin_ = epoch; }
  /// Leaves the mark of a clean stop behind everything. Once there, another call does nothing. Errors: unavailable.
  [[nodiscard]] Result<> stop();

  [[nodiscard]] Position last() const { return committed_.last; }
  [[nodiscard]] Position flushed() const { return flushed_; }
  [[nodiscard]] Instant last_time() const { return committed_.last_time; }
  [[nodiscard]] std::optional<std::string> failure() const { return *failure_.lock(); }
  /// True from a commit that was refused for want of room on, until the next segment could be made.
  [[nodiscard]] bool is_short_of_room() const { return short_of_room_ && !maker_.is_ready(); }
  [[nodiscard]] FlushReport flush_report() const { return *report_.lock(); }
  [[nodiscard]] HistogramSnapshot flush_durations() const { return flush_durations_.snapshot(); }
  /// Ends all writing, as a failed flush does: for whoever found out elsewhere that it is in vain.
  void give_up(const Error& cause) { (void)fail_for_good(cause); }

 private:
  /// Errors: unavailable ("no_room"): nothing was written, and later commits may succeed.
  [[nodiscard]] Result<> provide_room(const Batch& batch);
  [[nodiscard]] Result<> write_groups(Batch& batch);
  /// Writes the groups from `begin` up to `end`, which fit the segment.
  [[nodiscard]] Result<> write_run(Batch& batch, std::size_t begin, std::size_t end);
  [[nodiscard]] Result<> write(std::string_view bytes);
  [[nodiscard]] Result<> flush_file();
  /// Seals the segment and begins the next.
  [[nodiscard]] Result<> roll();
  /// Instead of that, for a segment without a record: puts another file, with the same marks and room behind them, in
  /// its place.
  [[nodiscard]] Result<> replace_segment();
  [[nodiscard]] Result<> refuse() const;
  [[nodiscard]] std::unexpected<Error> fail_for_good(const Error& cause);
  void prepare_next();
  /// Has the summaries written of the segments that were sealed; all that is in them has been published.
  void keep_summaries();
  /// For frames that leave the reserve alone; none when the mark of a clean stop has taken a part of it.
  [[nodiscard]] std::uint64_t room() const {
    const std::uint64_t used = end_ + segment_reserve_bytes;
    return used < header_.bytes ? header_.bytes - used : 0;
  }

  const LogOptions options_;
  const platform::Platform platform_;
  platform::Executor& background_;
  SegmentTable& table_;
  SummaryKeeper& summaries_;
  const std::string directory_;  // of the segments
  const Uuid store_;
  SegmentMaker maker_;
  Hasher hasher_;
  Batch batch_;

  std::unique_ptr<platform::File> next_;  // taken for the next segment, not begun yet
  std::unique_ptr<platform::File> file_;
  SegmentHeader header_;
  std::uint32_t number_ = 0;
  std::uint64_t end_ = 0;         // where the next frame goes
  std::uint64_t flushed_to_ = 0;  // all before it is durable
  std::string page_;              // the bytes before `end_` of the page that it stands in; empty until they are read
  bool sealed_ = false;
  bool stopped_ = false;  // nothing stands behind the mark of a clean stop
  bool next_asked_ = false;
  std::uint32_t epoch_ = 0;
  std::optional<Epoch> epoch_to_begin_;
  std::uint64_t groups_ = 0;                // of the segment
  std::vector<Epoch> epochs_;               // that began in the segment
  std::vector<std::uint32_t> just_sealed_;  // segments whose last groups may not have been published yet

  Batch::State committed_;  // what can be read
  Batch::State written_;    // runs ahead of committed_ within a commit
  Position flushed_;
  std::atomic<bool> short_of_room_{false};
  Guarded<std::optional<std::string>> failure_;
  Guarded<FlushReport> report_;
  Histogram flush_durations_;
};

}  // namespace annals::log
