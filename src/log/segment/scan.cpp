#include "log/segment/scan.hpp"

#include <algorithm>
#include <limits>

#include "log/segment/hasher.hpp"
#include "log/segment/segment_ends.hpp"
#include "log/segment/window.hpp"

namespace annals::log {
namespace {

using platform::File;
using platform::FileSystem;

/// One pass over one log; the state that goes on from segment to segment.
class Scan {
 public:
  Scan(const FileSystem& files, ScanDepth depth, const OnGroup& on_group, const OnProgress& on_progress)
      : files_(files), depth_(depth), on_group_(on_group), on_progress_(on_progress) {}

  Result<ScannedLog> run(const std::string& directory) {
    TRY(check_holds_store(files_, directory));
    const std::string identity = identity_path(directory);
    const std::string identity_found = TRY(platform::read_own_file(files_, identity, 64u << 10));
    log_.store = TRY(decode_identity(identity_found, identity));
    const auto names = TRY(find_segments(files_, directory));
    if (names.empty()) {
      return std::unexpected(damage(segments_directory(directory), 0, "the directory holds no segment of the log"));
    }
    count_ = names.size();
    directory_ = directory;
    for (std::size_t at = 0; at < names.size(); ++at) {
      TRY(scan_segment(names[at], at + 1 < names.size() ? &names[at + 1] : nullptr));
    }
    return std::move(log_);
  }

 private:
  /// `next` is null for the last one.
  Result<> scan_segment(const NamedSegment& name, const NamedSegment* next) {
    const bool is_last = next == nullptr;
    const auto file = TRY(files_.open_to_read(name.path));
    segment_ = &log_.segments.emplace_back();
    segment_->path = name.path;
    const std::string header = TRY(read_header(*file));
    segment_->header = TRY(decode_segment_header(header, name.path));
    TRY(check_header(name, *file));

    log_.flushed_to = segment_header_bytes;
    log_.clean = log_.sealed = log_.torn = false;
    if (!is_last && depth_ == ScanDepth::what_is_open && TRY(take_unread(*file, *next))) {
      bytes_before_ += segment_->header.bytes;
      return {};
    }
    Window window = TRY(window_over(*file));
    while (!log_.sealed && TRY(scan_frame(window))) {
    }
    if (!is_last && !log_.sealed) {
      return std::unexpected(
          damage(name.path, segment_->end, "no valid frame stands here, although the log goes on in another segment"));
    }
    TRY(check_tail(window));
    if (log_.sealed) summarise();
    report(segment_->header.bytes);
    bytes_before_ += segment_->header.bytes;
    return {};
  }

  static Result<std::string> read_header(const File& file) {
    std::string bytes(segment_header_bytes, '\0');
    bytes.resize(TRY(file.read_at(0, bytes.data(), bytes.size())));
    return bytes;
  }

  /// Takes over what the segment's summary, or its two ends say of it. False when all of it has to be read.
  Result<bool> take_unread(const File& file, const NamedSegment& next) {
    const auto next_file = TRY(files_.open_to_read(next.path));
    const std::string next_header = TRY(read_header(*next_file));
    const auto after = decode_segment_header(next_header, next.path);
    if (!after) return false;  // the next one is refused, once this one has been read
    const auto summarised = take_summary(file, *after);
    if (summarised) return true;
    if (log_.distrusted++ == 0) log_.first_distrust = summarised.error().message;
    auto ends = read_ends(file, segment_->path, segment_->header, *after);
    if (!ends) {
      ++log_.read_whole;
      return false;
    }
    segment_->unread = true;
    take_over(*std::move(ends));
    return true;
  }

  /// Takes over what the segment's summary says, when it fits the segment's header, its seal, and the header of the
  /// next segment. Errors: why it is not believed.
  Result<> take_summary(const File& file, const SegmentHeader& after) {
    const SegmentHeader& header = segment_->header;
    const std::string path = platform::join_path(index_directory(directory_), summary_name(header.first));
    SegmentSummary summary = TRY(read_summary(files_, path));
    const auto wrong = [&](const std::string& found) { return fail(ErrorKind::corrupt, path + found); };
    if (summary.store != header.store || summary.salt != header.salt || summary.first != header.first ||
        summary.bytes != header.bytes) {
      return wrong(" is the summary of another segment");
    }
    if (summary.last.next() != after.first || summary.last_time != after.time_before ||
        summary.last_hash != after.hash_before || summary.last.next() < header.first) {
      return wrong(" does not fit the segment behind it");
    }
    if (summary.end < segment_header_bytes + end_frame_bytes || summary.end > header.bytes || summary.end % 8 != 0) {
      return wrong(" gives the segment an impossible end");
    }
    if (!TRY(has_seal(file, header, summary.end - end_frame_bytes, {summary.last, summary.last_hash}))) {
      return wrong(" does not lead to the seal of its segment");
    }
    segment_->summarised = true;
    take_over(std::move(summary));
    return {};
  }

  void take_over(SegmentSummary summary) {
    log_.last = summary.last;
    log_.last_time = summary.last_time;
    log_.last_hash = summary.last_hash;
    log_.groups += summary.groups;
    log_.epochs.insert(log_.epochs.end(), summary.epochs.begin(), summary.epochs.end());
    segment_->end = summary.end;
    segment_->groups = summary.groups;
    segment_->epochs = summary.epochs;
    segment_->summary = std::move(summary);
  }

  /// What the summary of the sealed segment that was just read has to say.
  void summarise() {
    const SegmentHeader& header = segment_->header;
    segment_->summary = SegmentSummary{.store = header.store,
                                       .bytes = header.bytes,
                                       .first = header.first,
                                       .salt = header.salt,
                                       .end = segment_->end,
                                       .last = log_.last,
                                       .last_time = log_.last_time,
                                       .last_hash = log_.last_hash,
                                       .groups = segment_->groups,
                                       .epochs = segment_->epochs};
  }

  Result<> check_header(const NamedSegment& name, const File& file) const {
    const SegmentHeader& header = segment_->header;
    const auto wrong = [&](const std::string& found) { return std::unexpected(damage(name.path, 0, found)); };
    if (header.store != log_.store) return wrong("the segment belongs to another store, " + header.store.to_text());
    if (header.first != name.first) return wrong("its header names position " + to_string(header.first));
    if (header.first != log_.last.next()) {
      return wrong("it begins with position " + to_string(header.first) + " where " + to_string(log_.last.next()) +
                   " should follow; a segment is missing");
    }
    if (header.hash_before != log_.last_hash || header.time_before != log_.last_time) {
      return wrong("its header does not continue the segment before it");
    }
    const std::uint64_t size = TRY(file.size());
    if (size != header.bytes) {
      return std::unexpected(
          damage(name.path, std::min(size, header.bytes),
                 "the file has " + std::to_string(size) + " bytes where " + std::to_string(header.bytes) + " belong"));
    }
    return {};
  }

  /// Takes the frame at the segment's end. False when there is no valid one.
  Result<bool> scan_frame(Window& window) {
    const std::uint64_t offset = segment_->end;
    const std::uint64_t seed = frame_seed(segment_->header.salt, offset);
    std::string_view bytes = TRY(window.at(offset, frame_header_bytes));
    if (bytes.size() < frame_header_bytes) return false;
    const auto header = decode_frame_header(bytes.data(), seed);
    if (!header || header->length > segment_->header.bytes - offset) return false;
    bytes = TRY(window.at(offset, header->length));
    if (bytes.size() < header->length || !frame_is_intact(bytes.data(), *header, seed)) return false;

    // From here on the frame is what some program wrote; what does not fit can only be damage.
    if (header->first != log_.last.next()) {
      return wrong("a frame for position " + to_string(header->first) + " stands where " + to_string(log_.last.next()) +
                   " should");
    }
    if (header->flushed_to > offset || header->flushed_to < log_.flushed_to) {
      return wrong("a frame says that " + std::to_string(header->flushed_to) + " bytes had been flushed");
    }
    log_.clean = false;
    switch (header->kind) {
      case FrameKind::group: TRY(take_group(*header, bytes)); break;
      case FrameKind::opened: TRY(take_opened(bytes)); break;
      case FrameKind::clean_stop:
      case FrameKind::seal:
        if (decode_end(bytes.data()) != EndMark{log_.last, log_.last_hash})
          return wrong("an end mark does not match what stands before it");
        log_.clean = header->kind == FrameKind::clean_stop;
        log_.sealed = header->kind == FrameKind::seal;
        break;
    }
    log_.flushed_to = header->flushed_to;
    segment_->end += header->length;
    if (segment_->end >= report_at_) report(segment_->end);
    return true;
  }

  Result<> take_group(const FrameHeader& header, std::string_view bytes) {
    const GroupView group(header.first, header.count, bytes.substr(frame_header_bytes));
    auto walk = group.walk();
    while (const auto record = walk.next()) {
      if (!is_hash(record->previous_hash, log_.last_hash)) {
        return wrong("the record at position " + to_string(record->position) +
                     " does not carry the hash of the one before it");
      }
      if (log_.last.value > 0 && record->created_at <= log_.last_time) {
        return wrong("the record at position " + to_string(record->position) + " is not later than the one before it");
      }
      if (record->position == header.first) mark(record->created_at);
      log_.last = record->position;
      log_.last_time = record->created_at;
      log_.last_hash = hasher_.hash(record->hashed);
    }
    if (walk.left() != 0 || walk.rest().size() >= 8 || !all_zero(walk.rest()))
      return wrong("the records of a frame do not fill it");
    ++log_.groups;
    ++segment_->groups;
    if (!on_group_) return {};
    const Place place{static_cast<std::uint32_t>(log_.segments.size() - 1), static_cast<std::uint32_t>(segment_->end)};
    const auto taken = on_group_(place, group);
    if (!taken && taken.error().kind == ErrorKind::corrupt) return wrong(taken.error().message);
    return taken;
  }

  Result<> take_opened(std::string_view bytes) {
    const Epoch epoch = decode_opened(bytes.data());
    if (epoch.number == 0 || epoch.before != log_.last)
      return wrong("the mark of an opening does not match what stands before it");
    log_.epochs.push_back(epoch);
    segment_->epochs.push_back(epoch);
    return {};
  }

  void mark(Instant created_at) {
    auto& marks = segment_->marks;
    const auto offset = static_cast<std::uint32_t>(segment_->end);
    if (marks.empty() || offset - marks.back().offset >= mark_distance_bytes) {
      marks.push_back({log_.last.next(), created_at, offset});
    }
  }

  /// What stands behind the last valid frame: zeros, a torn flush, or the proof that something valid was damaged.
  Result<> check_tail(Window& window) {
    const std::uint64_t begin = segment_->end;
    const std::uint64_t size = segment_->header.bytes;
    for (std::uint64_t offset = begin; offset < size;) {
      const std::string_view bytes = TRY(window.at(offset, std::min<std::uint64_t>(size - offset, 1u << 20)));
      if (bytes.empty()) return wrong("the file ends early");
      if (!all_zero(bytes)) {
        log_.torn = true;
        if (log_.sealed) return wrong("something stands behind the end mark of the segment");
        TRY(look_for_proof(bytes, offset, begin));
      }
      if (bytes.size() == size - offset) break;
      offset +=
          bytes.size() - frame_header_bytes;  // a header may stand across two pieces; both sizes are multiples of 8
    }
    if (!log_.torn) return {};
    log_.clean = false;
    const std::string stop_mark =
        encode_end(FrameKind::clean_stop, log_.last, log_.last_hash, begin, segment_->header.salt);
    log_.blemish = TRY(find_blemish(window, begin, size, stop_mark));
    return {};
  }

  /// Looks for the header of a frame that was written after `begin` had been flushed.
  Result<> look_for_proof(std::string_view bytes, std::uint64_t offset, std::uint64_t begin) const {
    for (std::size_t at = 0; at + frame_header_bytes <= bytes.size(); at += 8) {
      if (get_at<std::uint32_t>(bytes.data() + at + 16) != frame_magic) continue;
      const auto header = decode_frame_header(bytes.data() + at, frame_seed(segment_->header.salt, offset + at));
      if (header && header->flushed_to > begin) {
        return wrong("no valid frame stands here, although the one at byte " + std::to_string(offset + at) +
                     " was written after this place had been flushed");
      }
    }
    return {};
  }

  std::unexpected<Error> wrong(const std::string& found) const {
    return std::unexpected(damage(segment_->path, segment_->end, found));
  }

  void report(std::uint64_t done_here) {
    report_at_ = done_here + (8u << 20);
    if (done_here == segment_->header.bytes) report_at_ = 0;
    if (on_progress_) on_progress_(bytes_before_ + done_here, segment_->header.bytes * count_);
  }

  const FileSystem& files_;
  const ScanDepth depth_;
  const OnGroup& on_group_;
  const OnProgress& on_progress_;
  Hasher hasher_;
  ScannedLog log_;
  ScannedSegment* segment_ = nullptr;
  std::size_t count_ = 0;
  std::string directory_;
  std::uint64_t bytes_before_ = 0;
  std::uint64_t report_at_ = 0;
};

}  // namespace

Result<ScannedLog> scan_log(const FileSystem& files, const std::string& directory, ScanDepth depth,
                            const OnGroup& on_group, const OnProgress& on_progress) {
  return Scan(files, depth, on_group, on_progress).run(directory);
}

}  // namespace annals::log
