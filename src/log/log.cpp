#include "log/log.hpp"

#include <algorithm>

#include "base/invariant.hpp"
#include "log/segment/evidence.hpp"
#include "log/segment/frame_reader.hpp"
#include "log/segment/recovery.hpp"
#include "log/segment/scan.hpp"
#include "log/segment/segment_table.hpp"
#include "log/segment/summary_keeper.hpp"
#include "log/segment/writer.hpp"

namespace annals::log {
namespace {

std::uint32_t draw_epoch(platform::Random& random, const std::vector<Epoch>& taken) {
  for (;;) {
    const auto number = static_cast<std::uint32_t>(random.next());
    bool fresh = number != 0;
    for (const Epoch& epoch : taken) fresh = fresh && epoch.number != number;
    if (fresh) return number;
  }
}

std::optional<Error> blemish_of(const ScannedLog& scanned) {
  if (!scanned.blemish) return std::nullopt;
  return Error(ErrorKind::corrupt, scanned.segments.back().path + " is damaged at byte " +
                                       std::to_string(scanned.blemish->offset) + ": " + scanned.blemish->found +
                                       "; no event is touched and the next start mends it, but look after the disk");
}

void tell_of_distrust(const ScannedLog& scanned, Logger& log) {
  if (scanned.distrusted == 0) return;
  log.warning(
      "indexes of the log are missing or are not what was written; they are made anew from the log in the background",
      {{"segments", scanned.distrusted}, {"read_whole", scanned.read_whole}, {"first", scanned.first_distrust}});
}

}  // namespace

class RecordReader::Implementation {
 public:
  Implementation(const SegmentTable& table, OutlineCache& outlines) : frames(table, outlines) {}
  FrameReader frames;
};

RecordReader::RecordReader(const SegmentTable& table, OutlineCache& outlines)
    : implementation_(std::make_unique<Implementation>(table, outlines)) {}
RecordReader::RecordReader(RecordReader&&) noexcept = default;
RecordReader::~RecordReader() = default;
Result<RecordView> RecordReader::at(Place place, std::size_t number) {
  return implementation_->frames.at(place, number);
}

Log::Log() = default;

Log::~Log() {
  (void)close();
}

Result<> Log::close() {
  if (!writer_) return {};
  return writer_->stop();
}

Batch& Log::start_batch() {
  return writer_->start_batch();
}
Result<> Log::check_size(std::size_t records, std::size_t body_bytes) const {
  return writer_ ? writer_->check_size(records, body_bytes) : Result<>{};
}
Result<> Log::commit(Batch& batch, bool durable) {
  return writer_->commit(batch, durable);
}
Result<> Log::flush() {
  return writer_->flush();
}
Position Log::last() const {
  return writer_ ? writer_->last() : summary_.last;
}
Position Log::flushed() const {
  return writer_ ? writer_->flushed() : summary_.last;
}
Instant Log::last_time() const {
  return writer_ ? writer_->last_time() : summary_.last_time;
}
std::optional<std::string> Log::failure() const {
  return writer_ ? writer_->failure() : std::nullopt;
}
bool Log::is_short_of_room() const {
  return writer_ && writer_->is_short_of_room();
}
FlushReport Log::flush_report() const {
  return writer_ ? writer_->flush_report() : FlushReport{};
}
HistogramSnapshot Log::flush_durations() const {
  return writer_ ? writer_->flush_durations() : HistogramSnapshot{};
}
std::uint64_t Log::bytes() const {
  return table_->bytes();
}
IndexBytes Log::index_bytes() const {
  return table_->index_bytes();
}
void Log::check_place() {
  if (!writer_ || writer_->failure()) return;
  const auto is_in_place = lock_->is_in_place();
  const auto has_segment = table_->last_is_there();
  // What cannot be told just now is no reason to give up: if the disk is gone, the next write says so.
  if (is_in_place.value_or(true) && has_segment.value_or(true)) return;
  writer_->give_up(Error(ErrorKind::input_output, "directory_gone",
                         "the directory of the log was removed, moved or replaced while it was in use"));
}
void Log::check_indexes() {
  if (summaries_) summaries_->check();
}
std::size_t Log::missing_indexes() const {
  return summaries_ ? summaries_->missing() : 0;
}
RecordReader Log::reader() const {
  return {*table_, *outlines_};
}

Result<> Log::read(Position after, Position up_to, std::size_t bytes_wanted, Chunks& chunks,
                   const GroupVisitor& visit) const {
  return read_groups(*table_, *outlines_, {.after = after, .up_to = up_to, .bytes = bytes_wanted}, chunks, visit);
}

Result<Log::Stretch> Log::stretch_at(Instant time) const {
  const SegmentTable::Around around = TRY(table_->around(time));
  if (!around.lower) return Stretch{};
  constexpr Place beyond_all{UINT32_MAX, UINT32_MAX};
  return Stretch{.begin = around.lower->place,
                 .end = around.upper ? around.upper->place : beyond_all,
                 .before = Position{around.lower->position.value - 1},
                 .empty = false};
}

Result<Position> Log::position_at(Instant time, Position up_to) const {
  const Stretch stretch = TRY(stretch_at(time));
  if (stretch.empty) return Position{};
  Position found = std::min(stretch.before, up_to);
  Chunks chunks;  // not many: a stretch is some KiB long, and of a large group only the end that matters is read
  const auto take = [&](const GroupView& group) {
    auto walk = group.walk();
    while (const auto record = walk.next()) {
      if (record->position > up_to || record->created_at > time) return false;
      found = record->position;
    }
    return true;
  };
  TRY(read_groups(*table_, *outlines_, {.after = stretch.before, .up_to = up_to, .newest_before = time}, chunks, take));
  return found;
}

std::uint32_t Log::segments() const {
  return table_->count();
}

std::uint64_t Log::segment_salt(std::uint32_t number) const {
  const auto segment = table_->segment(number);
  INVARIANT(segment.has_value(), "only segments that exist are asked for");
  return segment->salt;
}

Position Log::first_of_segment(std::uint32_t number) const {
  const auto segment = table_->segment(number);
  INVARIANT(segment.has_value(), "only segments that exist are asked for");
  return segment->first;
}

Result<> Log::read_segment(std::uint32_t number, const OnGroup& visit) const {
  return walk_segment(*table_, number, visit);
}

std::size_t Log::record_bytes_average() const {
  return static_cast<std::size_t>(table_->record_bytes_average());
}

struct LogOpener {
  static std::unique_ptr<Log> make(std::unique_ptr<platform::DirectoryLock> lock, platform::Platform platform,
                                   const std::string& directory, const ScannedLog& scanned) {
    std::unique_ptr<Log> log(new Log);
    log->lock_ = std::move(lock);
    log->table_ = std::make_unique<SegmentTable>(platform.files, platform.log, directory);
    log->outlines_ = std::make_unique<OutlineCache>();
    for (const ScannedSegment& segment : scanned.segments) log->table_->add(segment);
    log->summary_ = {scanned.store, scanned.last, scanned.last_time, scanned.epochs, scanned.clean};
    return log;
  }

  static Result<> serve(Log& log, const LogOptions& options, platform::Platform platform,
                        platform::Executor& background, const ScannedLog& scanned, bool last_was_durable) {
    auto file = TRY(repair(scanned, options.directory, platform, last_was_durable));
    log.summaries_ = std::make_unique<SummaryKeeper>(platform, background, *log.table_, options.directory);
    log.writer_ =
        std::make_unique<Writer>(options, platform, background, *log.table_, *log.summaries_, scanned, std::move(file));
    log.summaries_->begin(scanned);
    const Epoch epoch{draw_epoch(platform.random, scanned.epochs), scanned.last};
    log.summary_.epochs.push_back(epoch);
    if (scanned.clean) {
      log.writer_->begin_epoch_later(epoch);
      return {};
    }
    auto begun = log.writer_->begin_epoch(epoch);
    if (!begun) log.writer_.reset();  // without the mark of a clean stop
    return begun;
  }
};

Result<std::unique_ptr<Log>> open_log(LogOptions options, platform::Platform platform, platform::Executor& background,
                                      const OnGroup& on_group, const OnFound& on_found) {
  if (options.segment_bytes < segment_bytes_min || options.segment_bytes > segment_bytes_max ||
      options.segment_bytes % 8 != 0) {
    return fail(ErrorKind::usage, "a segment of " + std::to_string(options.segment_bytes) +
                                      " bytes is not possible; choose a multiple of 8 from " +
                                      std::to_string(segment_bytes_min) + " to " + std::to_string(segment_bytes_max));
  }
  TRY(platform.files.create_directories(options.directory));
  TRY(check_nothing_foreign(platform.files, options.directory));
  auto lock = TRY(platform.files.lock_directory(options.directory));
  const bool is_new = TRY(is_unborn(platform.files, options.directory));
  if (is_new) TRY(create_log(options, platform));
  const ScannedLog scanned = TRY(scan_log(platform.files, options.directory, ScanDepth::what_is_open, on_group));
  const bool last_was_durable = TRY(check_end(platform.files, options.directory, scanned, on_found));
  tell_of_distrust(scanned, platform.log);
  if (!scanned.clean && !is_new) {
    const std::string& path = scanned.segments.back().path;
    platform.log.warning("the log was not closed cleanly; it has been checked and goes on behind the last whole group",
                         {{"segment", path},
                          {"end", scanned.segments.back().end},
                          {"position", scanned.last.value},
                          {"torn", scanned.torn}});
    if (scanned.blemish) {
      platform.log.warning(
          "where no event lies, the log is not what was written; it is mended now, but look after the disk",
          {{"segment", path}, {"byte", scanned.blemish->offset}, {"found", scanned.blemish->found}});
    }
  }
  auto log = LogOpener::make(std::move(lock), platform, options.directory, scanned);
  TRY(LogOpener::serve(*log, options, platform, background, scanned, last_was_durable));
  return log;
}

Result<std::unique_ptr<Log>> open_log_to_read(const std::string& directory, platform::Platform platform,
                                              const OnGroup& on_group, const OnFound& on_found) {
  TRY(check_holds_store(platform.files, directory));
  auto lock = TRY(platform.files.lock_directory_to_read(directory));
  const ScannedLog scanned = TRY(scan_log(platform.files, directory, ScanDepth::what_is_open, on_group));
  (void)TRY(check_end(platform.files, directory, scanned, on_found));
  return LogOpener::make(std::move(lock), platform, directory, scanned);
}

Result<VerifyReport> verify_log(platform::FileSystem& files, const std::string& directory, const OnGroup& on_group,
                                const OnProgress& on_progress, const OnFound& on_found) {
  TRY(check_holds_store(files, directory));
  const auto lock = TRY(files.lock_directory_to_read(directory));
  const ScannedLog scanned = TRY(scan_log(files, directory, ScanDepth::everything, on_group, on_progress));
  (void)TRY(check_end(files, directory, scanned, on_found));
  VerifyReport report{.store = scanned.store,
                      .segments = scanned.segments.size(),
                      .groups = scanned.groups,
                      .last = scanned.last,
                      .last_time = scanned.last_time,
                      .last_hash = scanned.last_hash,
                      .epochs = scanned.epochs.size(),
                      .clean = scanned.clean,
                      .last_segment = scanned.segments.back().path,
                      .end = scanned.segments.back().end,
                      .torn = scanned.torn,
                      .blemish = blemish_of(scanned),
                      .locked = lock != nullptr};
  for (const ScannedSegment& segment : scanned.segments) report.salts.push_back(segment.header.salt);
  report.index_faults = TRY(check_summaries(files, directory, scanned));
  return report;
}

Result<Uuid> identity_of_log(const platform::FileSystem& files, const std::string& directory) {
  const std::string path = identity_path(directory);
  return decode_identity(TRY(platform::read_own_file(files, path, 64u << 10)), path);
}

}  // namespace annals::log
