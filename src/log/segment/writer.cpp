#include "log/segment/writer.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/invariant.hpp"

namespace annals::log {
namespace {

/// The log is written in whole pages of the system's cache: the zeros that were made ahead are not in the cache, and to
/// write a part of a page the system would first read the rest of it from the disk.
constexpr std::uint64_t page_bytes = 4096;
constexpr std::size_t kept_page_capacity_max = 8u << 20;

/// Microseconds: from a fast disk's flush to one that is a case for alarm.
constexpr std::array<std::uint64_t, 15> flush_duration_bounds{
    50, 100, 250, 500, 1'000, 2'500, 5'000, 10'000, 25'000, 50'000, 100'000, 250'000, 1'000'000, 5'000'000, 30'000'000};

}  // namespace

Writer::Writer(const LogOptions& options, platform::Platform platform, platform::Executor& background,
               SegmentTable& table, SummaryKeeper& summaries, const ScannedLog& scanned,
               std::unique_ptr<platform::File> file)
    : options_(options),
      platform_(platform),
      background_(background),
      table_(table),
      summaries_(summaries),
      directory_(segments_directory(options.directory)),
      store_(scanned.store),
      maker_(platform.files, platform.log, directory_, options.segment_bytes),
      batch_(hasher_, options.node_id,
             static_cast<std::size_t>(options.segment_bytes - segment_header_bytes - segment_reserve_bytes)),
      file_(std::move(file)),
      header_(scanned.segments.back().header),
      number_(static_cast<std::uint32_t>(scanned.segments.size() - 1)),
      end_(scanned.segments.back().end),
      flushed_to_(end_),
      sealed_(scanned.sealed),
      stopped_(scanned.clean),
      epoch_(scanned.epochs.empty() ? 0 : scanned.epochs.back().number),
      groups_(scanned.segments.back().groups),
      epochs_(scanned.segments.back().epochs),
      committed_{scanned.last, scanned.last_hash, scanned.last_time},
      written_(committed_),
      flushed_(committed_.last),
      flush_durations_(flush_duration_bounds) {
  prepare_next();
}

Batch& Writer::start_batch() {
  batch_.start(committed_);
  return batch_;
}

Result<> Writer::commit(Batch& batch, bool durable) {
  TRY(refuse());
  if (batch.groups_.empty()) return {};
  INVARIANT(batch.groups_.front().stamp.first == committed_.last.next(), "a batch goes on where the log ends");
  TRY(provide_room(batch));
  auto done = write_groups(batch);
  if (done && (durable || options_.flush_each_commit)) done = flush_file();
  if (!done) return fail_for_good(done.error());
  INVARIANT(written_.last == batch.state_.last, "all groups of the batch were written");
  committed_ = batch.state_;
  for (const Batch::Staged& group : batch.groups_) {
    table_.publish(group.place, group.place.offset + (group.end - group.begin), group.stamp.first,
                   group.stamp.created_at);
  }
  keep_summaries();
  prepare_next();
  return {};
}

void Writer::keep_summaries() {
  for (const std::uint32_t number : just_sealed_) summaries_.keep(number);
  just_sealed_.clear();
}

Result<> Writer::flush() {
  TRY(refuse());
  if (flushed_to_ == end_) return {};
  if (auto done = flush_file(); !done) return fail_for_good(done.error());
  return {};
}

/// When the segment will not do, the next one must be there before anything is written. So a full disk is found out
/// while nothing is in doubt, and is no reason to give up.
Result<> Writer::provide_room(const Batch& batch) {
  const std::size_t bytes = batch.bytes_.size() + (epoch_to_begin_ ? opened_frame_bytes : 0);
  if (bytes <= room() || next_) return {};
  if (!is_short_of_room()) {
    auto made = maker_.take();
    if (made) {
      next_ = *std::move(made);
      short_of_room_ = false;
      return {};
    }
    platform_.log.error(
        "there is no room in the log for what is to be recorded; it is refused until there is",
        {{"cause", std::string_view(made.error().message)}, {"code", std::string_view(made.error().code)}});
    short_of_room_ = true;
    maker_.make_in(background_);
  }
  return fail(ErrorKind::unavailable, "no_room",
              "there is no room on the disk of the server for what is to be recorded; nothing was recorded; try again "
              "later");
}

Result<> Writer::write_groups(Batch& batch) {
  const auto& groups = batch.groups_;
  if (epoch_to_begin_) {
    TRY(begin_epoch(*epoch_to_begin_));
    epoch_to_begin_.reset();
  }
  for (std::size_t begin = 0; begin < groups.size();) {
    std::size_t end = begin;
    while (end < groups.size() && groups[end].end - groups[begin].begin <= room()) ++end;
    if (end > begin) TRY(write_run(batch, begin, end));
    if (end < groups.size()) TRY(roll());
    begin = end;
  }
  return {};
}

Result<> Writer::write_run(Batch& batch, std::size_t begin, std::size_t end) {
  auto& groups = batch.groups_;
  const std::size_t run_begin = groups[begin].begin;
  for (std::size_t at = begin; at < end; ++at) {
    Batch::Staged& group = groups[at];
    const std::uint64_t offset = end_ + (group.begin - run_begin);
    INVARIANT(group.stamp.first == written_.last.next(), "groups follow one another without a gap");
    group.place = {number_, static_cast<std::uint32_t>(offset)};
    const FrameHeader header{.kind = FrameKind::group,
                             .length = static_cast<std::uint32_t>(group.end - group.begin),
                             .count = static_cast<std::uint32_t>(group.stamp.last.value - group.stamp.first.value + 1),
                             .first = group.stamp.first,
                             .flushed_to = flushed_to_};
    seal_frame(batch.bytes_.data() + group.begin, header, frame_seed(header_.salt, offset));
    written_.last = group.stamp.last;
    written_.last_time = group.stamp.created_at.plus(Duration{header.count - 1});
  }
  groups_ += end - begin;
  if (end == groups.size()) {
    written_.last_hash = batch.state_.last_hash;
  } else {
    // The next group's first record begins with the hash of this run's last one.
    std::memcpy(written_.last_hash.data(), batch.bytes_.data() + groups[end].begin + frame_header_bytes,
                written_.last_hash.size());
  }
  return write(std::string_view(batch.bytes_).substr(run_begin, groups[end - 1].end - run_begin));
}

Result<> Writer::write(std::string_view bytes) {
  INVARIANT(!sealed_ && end_ % 8 == 0 && bytes.size() <= header_.bytes - end_, "frames stay within their segment");
  stopped_ = false;
  // What has been written of the page that `end_` stands in goes along, the same bytes once more, and zeros over zeros
  // up to the end of the last page.
  const std::uint64_t begin = end_ / page_bytes * page_bytes;
  if (page_.size() != end_ - begin) {
    page_.resize(static_cast<std::size_t>(end_ - begin));
    if (TRY(file_->read_at(begin, page_.data(), page_.size())) != page_.size()) {
      return fail(ErrorKind::input_output, "the end of the segment cannot be read back");
    }
  }
  page_.append(bytes);
  end_ += bytes.size();
  const std::uint64_t page_end = (end_ + page_bytes - 1) / page_bytes * page_bytes;
  page_.resize(static_cast<std::size_t>(std::min(page_end, header_.bytes) - begin));
  const auto written = file_->write_at(begin, page_);
  page_.erase(0, static_cast<std::size_t>(end_ / page_bytes * page_bytes - begin));
  page_.resize(static_cast<std::size_t>(end_ % page_bytes));
  if (page_.capacity() > kept_page_capacity_max) page_.shrink_to_fit();
  return written;
}

Result<> Writer::flush_file() {
  const Duration begun = platform_.clock.monotonic();
  auto flushed = file_->flush();
  const Duration took = platform_.clock.monotonic() - begun;
  *report_.lock() = {flushed.has_value(), took};
  flush_durations_.observe(static_cast<std::uint64_t>(took.count()));
  TRY(std::move(flushed));
  flushed_to_ = end_;
  flushed_ = written_.last;
  return {};
}

/// The next segment would begin with the same position, and a position names one segment.
Result<> Writer::replace_segment() {
  SegmentHeader header = header_;
  header.salt = platform_.random.next();
  std::string marks;
  for (const Epoch& epoch : epochs_) {
    marks += encode_opened(epoch, header.first, segment_header_bytes + marks.size(), header.salt);
  }
  header.bytes = options_.segment_bytes + marks.size();
  if (header.bytes > segment_bytes_max) {
    return fail(ErrorKind::input_output, "the marks of openings without an event fill a segment of the largest size");
  }
  TRY(next_->write_zeros(options_.segment_bytes, marks.size()));
  TRY(next_->write_at(segment_header_bytes, marks));
  TRY(begin_segment(platform_.files, directory_, *next_, maker_.path(), header));
  file_ = std::move(next_);
  header_ = header;
  end_ = flushed_to_ = segment_header_bytes + marks.size();
  ScannedSegment replaced;
  replaced.header = header_;
  replaced.path = platform::join_path(directory_, segment_name(header_.first));
  replaced.end = end_;
  table_.replace_last(replaced);
  page_.clear();
  sealed_ = stopped_ = next_asked_ = false;
  return {};
}

Result<> Writer::roll() {
  if (!next_) next_ = TRY(maker_.take());
  if (header_.first == written_.last.next()) return replace_segment();
  if (!sealed_) {
    // The seal says that everything before it had been flushed, so it needs a flush of its own.
    if (flushed_to_ < end_) TRY(flush_file());
    TRY(write(encode_end(FrameKind::seal, written_.last, written_.last_hash, end_, header_.salt)));
    TRY(flush_file());
    sealed_ = true;
  }
  ScannedSegment next;
  next.header = {.store = store_,
                 .bytes = options_.segment_bytes,
                 .first = written_.last.next(),
                 .salt = platform_.random.next(),
                 .hash_before = written_.last_hash,
                 .time_before = written_.last_time,
                 .epoch_before = epoch_};
  next.path = platform::join_path(directory_, segment_name(next.header.first));
  TRY(begin_segment(platform_.files, directory_, *next_, maker_.path(), next.header));
  if (groups_ > 0) {
    table_.seal(number_, {.store = store_,
                          .bytes = header_.bytes,
                          .first = header_.first,
                          .salt = header_.salt,
                          .end = end_,
                          .last = written_.last,
                          .last_time = written_.last_time,
                          .last_hash = written_.last_hash,
                          .groups = groups_,
                          .epochs = std::move(epochs_)});
    just_sealed_.push_back(number_);
  }
  groups_ = 0;
  epochs_.clear();
  file_ = std::move(next_);
  header_ = next.header;
  number_ = table_.add(next);
  end_ = flushed_to_ = segment_header_bytes;
  page_.clear();
  sealed_ = false;
  next_asked_ = false;
  return {};
}

Result<> Writer::begin_epoch(const Epoch& epoch) {
  if (sealed_ || opened_frame_bytes > room()) TRY(roll());
  TRY(write(encode_opened(epoch, written_.last.next(), end_, header_.salt)));
  TRY(flush_file());
  epoch_ = epoch.number;
  epochs_.push_back(epoch);
  keep_summaries();
  return {};
}

Result<> Writer::stop() {
  TRY(refuse());
  if (stopped_) return {};
  const auto mark = [this]() -> Result<> {
    if (flushed_to_ < end_) TRY(flush_file());
    TRY(write(encode_end(FrameKind::clean_stop, committed_.last, committed_.last_hash, end_, header_.salt)));
    return flush_file();
  };
  if (auto marked = mark(); !marked) return fail_for_good(marked.error());
  stopped_ = true;
  return {};
}

void Writer::prepare_next() {
  if (next_asked_ || next_ || end_ <= header_.bytes / 2) return;
  next_asked_ = true;
  maker_.make_in(background_);
}

Result<> Writer::refuse() const {
  if (auto why = failure()) return fail(ErrorKind::unavailable, *std::move(why));
  return {};
}

std::unexpected<Error> Writer::fail_for_good(const Error& cause) {
  const std::string why = "the log cannot be written any more: " + cause.message +
                          "; what the disk now holds is uncertain, so nothing is recorded until Annals is restarted";
  platform_.log.error("the log cannot be written any more", {{"cause", cause.message}, {"code", cause.code}});
  *failure_.lock() = why;
  return fail(ErrorKind::unavailable, why);
}

}  // namespace annals::log
