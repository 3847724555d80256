#include "log/segment/segment_ends.hpp"

#include "log/segment/window.hpp"

namespace annals::log {
namespace {

constexpr std::size_t first_piece_bytes = 64u << 10;  // most segments are full, so the seal is near the end
constexpr std::size_t piece_bytes = 1u << 20;

std::unexpected<Error> unfit(const std::string& path, std::uint64_t offset, const char* found) {
  return std::unexpected(damage(path, offset, found));
}

/// Behind the last byte that is not zero, at a multiple of 8; that of the header when there is none.
Result<std::uint64_t> end_of_content(const platform::File& file, const std::string& path, const SegmentHeader& header) {
  std::string bytes;
  std::uint64_t end = header.bytes;
  std::size_t piece = first_piece_bytes;
  while (end > segment_header_bytes) {
    const std::uint64_t begin = end - std::min<std::uint64_t>(piece, end - segment_header_bytes);
    bytes.resize(static_cast<std::size_t>(end - begin));
    if (TRY(file.read_at(begin, bytes.data(), bytes.size())) != bytes.size()) {
      return unfit(path, begin, "the file ends early");
    }
    if (!all_zero(bytes)) return begin + padded(bytes.find_last_not_of('\0') + 1);
    end = begin;
    piece = piece_bytes;
  }
  return end;
}

/// Walks the frames from the front of a segment to its first group, and on to the last epoch that begins in it. Of
/// groups behind the first only the headers are read.
class Front {
 public:
  Front(const platform::File& file, const std::string& path, const SegmentHeader& header, std::uint64_t seal)
      : window_(file, piece_bytes), path_(path), header_(header), seal_(seal), epoch_(header.epoch_before) {}

  /// An epoch's number is drawn anew, unlike those of all epochs before it. So once the epoch is the one in which the
  /// next segment was begun, no other one begins before the seal.
  Result<> walk_to(std::uint32_t last_epoch) {
    while (!first || epoch_ != last_epoch) TRY(step());
    return {};
  }

  std::optional<Mark> first;
  std::vector<Epoch> epochs;

 private:
  Result<> step() {
    const std::uint64_t seed = frame_seed(header_.salt, offset_);
    const std::string_view head = TRY(window_.at(offset_, frame_header_bytes));
    if (offset_ >= seal_ || head.size() < frame_header_bytes) {
      return unfit(path_, offset_, "the log goes on in an epoch that does not begin before the end of the segment");
    }
    const auto frame = decode_frame_header(head.data(), seed);
    if (!frame || frame->length > seal_ - offset_) {
      return unfit(path_, offset_, "the header of a frame is not what was written");
    }
    const bool is_first_group = frame->kind == FrameKind::group && !first;
    if (is_first_group || frame->kind == FrameKind::opened) {
      const std::string_view bytes = TRY(window_.at(offset_, frame->length));
      if (bytes.size() < frame->length || !frame_is_intact(bytes.data(), *frame, seed)) {
        return unfit(path_, offset_, "the checksum of a frame is wrong");
      }
      TRY(is_first_group ? take_group(*frame, bytes) : take_opened(*frame, bytes));
    }
    offset_ += frame->length;
    return {};
  }

  Result<> take_group(const FrameHeader& frame, std::string_view bytes) {
    auto walk = GroupView(frame.first, frame.count, bytes.substr(frame_header_bytes)).walk();
    const auto record = walk.next();
    if (!record || frame.first != header_.first) {
      return unfit(path_, offset_, "the first group of the segment is not the one that belongs there");
    }
    first = Mark{frame.first, record->created_at, static_cast<std::uint32_t>(offset_)};
    return {};
  }

  Result<> take_opened(const FrameHeader& frame, std::string_view bytes) {
    const Epoch& epoch = epochs.emplace_back(decode_opened(bytes.data()));
    if (epoch.number == 0 || epoch.before.next() != frame.first) {
      return unfit(path_, offset_, "the mark of an opening does not match its place");
    }
    epoch_ = epoch.number;
    return {};
  }

  Window window_;
  const std::string& path_;
  const SegmentHeader& header_;
  const std::uint64_t seal_;  // where it stands
  std::uint64_t offset_ = segment_header_bytes;
  std::uint32_t epoch_;
};

}  // namespace

Result<bool> has_seal(const platform::File& file, const SegmentHeader& header, std::uint64_t offset,
                      const EndMark& mark) {
  std::string seal(end_frame_bytes, '\0');
  if (TRY(file.read_at(offset, seal.data(), seal.size())) != seal.size()) return false;
  const std::uint64_t seed = frame_seed(header.salt, offset);
  const auto frame = decode_frame_header(seal.data(), seed);
  return frame && frame->kind == FrameKind::seal && frame->length == seal.size() &&
         frame_is_intact(seal.data(), *frame, seed) && decode_end(seal.data()) == mark;
}

Result<SegmentSummary> read_ends(const platform::File& file, const std::string& path, const SegmentHeader& header,
                                 const SegmentHeader& after) {
  SegmentSummary summary{.store = header.store,
                         .bytes = header.bytes,
                         .first = header.first,
                         .salt = header.salt,
                         .last = Position{after.first.value - 1},
                         .last_time = after.time_before,
                         .last_hash = after.hash_before};
  if (after.first <= header.first) return unfit(path, 0, "the segment behind it does not continue it");
  // Behind the seal there are zeros only. (A hash may end with eight of them; then all of the segment is read.)
  summary.end = TRY(end_of_content(file, path, header));
  const std::uint64_t seal = summary.end - end_frame_bytes;
  if (summary.end < segment_header_bytes + end_frame_bytes ||
      !TRY(has_seal(file, header, seal, {summary.last, summary.last_hash}))) {
    return unfit(path, summary.end, "the seal that fits the segment behind it does not stand before this place");
  }
  Front front(file, path, header, seal);
  TRY(front.walk_to(after.epoch_before));
  summary.first_mark = front.first;
  summary.epochs = std::move(front.epochs);
  return summary;
}

}  // namespace annals::log
