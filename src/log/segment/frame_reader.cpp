#include "log/segment/frame_reader.hpp"

#include <algorithm>

#include "base/invariant.hpp"
#include "log/segment/window.hpp"

namespace annals::log {
namespace {

constexpr std::size_t piece_bytes_max = 128u << 10;
constexpr std::size_t chunk_bytes_min = 16u << 10;
constexpr std::size_t chunk_bytes_max = 1u << 20;

}  // namespace

Result<> FrameReader::load(Place place, std::size_t size) {
  const std::size_t available = static_cast<std::size_t>(segment_->end - place.offset);
  const std::size_t wanted = std::min(std::max(size, piece_bytes_), available);
  if (buffer_.size() < wanted) buffer_.resize(wanted);
  begin_ = place.offset;
  filled_ = 0;
  filled_ = TRY(file_->read_at(place.offset, buffer_.data(), wanted));
  return {};
}

Result<GroupView> FrameReader::at(Place place) {
  if (has_group_ && place == current_) return group_;
  has_group_ = false;
  if (!segment_ || segment_number_ != place.segment || place.offset >= segment_->end) {
    segment_ = table_.segment(place.segment);
    if (!segment_ || place.offset >= segment_->end) {
      segment_.reset();
      return fail(ErrorKind::corrupt, "an index leads to byte " + std::to_string(place.offset) + " of segment " +
                                          std::to_string(place.segment) + ", where the log has nothing");
    }
    file_ = TRY(table_.file(place.segment));
    segment_number_ = place.segment;
    filled_ = 0;
  }
  const auto holds = [&](std::size_t size) {
    return place.offset >= begin_ && place.offset + size <= begin_ + filled_;
  };
  const auto bad = [&](const char* found) { return std::unexpected(damage(segment_->path, place.offset, found)); };
  if (!holds(frame_header_bytes)) {
    // Neighbours are worth a larger piece, places far apart are not.
    const bool near = filled_ > 0 && place.offset >= begin_ && place.offset < begin_ + 2 * filled_;
    piece_bytes_ = near ? std::min(piece_bytes_ * 2, piece_bytes_max) : 4096;
    TRY(load(place, frame_header_bytes));
    if (!holds(frame_header_bytes)) return bad("the file ends within a frame");
  }
  const std::uint64_t seed = frame_seed(segment_->salt, place.offset);
  const auto header = decode_frame_header(buffer_.data() + (place.offset - begin_), seed);
  if (!header || header->kind != FrameKind::group || header->length > segment_->end - place.offset) {
    return bad("the header of a frame is not what was written");
  }
  if (!holds(header->length)) {
    TRY(load(place, header->length));
    if (!holds(header->length)) return bad("the file ends within a frame");
  }
  const char* frame = buffer_.data() + (place.offset - begin_);
  // The bytes may have been read anew, so both checksums count.
  const auto reread = decode_frame_header(frame, seed);
  if (!reread || reread->length != header->length || !frame_is_intact(frame, *reread, seed)) {
    return bad("the checksum of a frame is wrong");
  }
  current_ = place;
  group_ = GroupView(reread->first, reread->count, {frame + frame_header_bytes, reread->length - frame_header_bytes});
  has_group_ = true;
  return group_;
}

Result<> read_groups(const SegmentTable& table, Position after, Position up_to, std::size_t bytes_wanted,
                     Chunks& chunks, const GroupVisitor& visit) {
  if (after >= up_to) return {};
  const auto start = TRY(table.before(after.next()));
  INVARIANT(start.has_value(), "what was published has a signpost");
  Place place = start->place;
  std::size_t piece = std::clamp(bytes_wanted, chunk_bytes_min, chunk_bytes_max);
  for (;;) {
    const auto segment = table.segment(place.segment);
    if (!segment || segment->first > up_to) return {};
    if (place.offset >= segment->end) {
      place = {place.segment + 1, segment_header_bytes};
      continue;
    }
    const auto bad = [&](std::uint64_t offset, const char* found) {
      return std::unexpected(damage(segment->path, offset, found));
    };
    const auto file = TRY(table.file(place.segment));
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(piece, segment->end - place.offset));
    const char* chunk = chunks.emplace_back(std::make_unique_for_overwrite<char[]>(wanted)).get();
    if (TRY(file->read_at(place.offset, chunks.back().get(), wanted)) < wanted) {
      return bad(place.offset, "the file ends before the log does");
    }
    INVARIANT(wanted >= frame_header_bytes, "a segment can be read up to the end of a frame");
    std::size_t at = 0;
    std::size_t needed = 0;
    while (wanted - at >= frame_header_bytes) {
      const std::uint64_t offset = place.offset + at;
      const std::uint64_t seed = frame_seed(segment->salt, offset);
      const auto header = decode_frame_header(chunk + at, seed);
      if (!header || header->length > segment->end - offset) {
        return bad(offset, "the header of a frame is not what was written");
      }
      if (header->length > wanted - at) {
        needed = header->length;
        break;
      }
      if (header->first > up_to) return {};
      if (header->kind == FrameKind::group && header->first.value + header->count > after.next().value) {
        if (!frame_is_intact(chunk + at, *header, seed)) return bad(offset, "the checksum of a frame is wrong");
        const GroupView group(header->first, header->count,
                              {chunk + at + frame_header_bytes, header->length - frame_header_bytes});
        if (!visit(group)) return {};
      }
      at += header->length;
    }
    if (at == 0) chunks.pop_back();  // nothing whole was in it
    place.offset += static_cast<std::uint32_t>(at);
    piece = std::max(needed, std::min(piece * 2, chunk_bytes_max));
  }
}

Result<> walk_segment(const SegmentTable& table, std::uint32_t number, const OnGroup& visit) {
  const auto segment = table.segment(number);
  INVARIANT(segment.has_value(), "only segments that exist are walked");
  const auto file = TRY(table.file(number));
  Window window = TRY(window_over(*file));
  for (std::uint64_t offset = segment_header_bytes; offset < segment->end;) {
    const auto bad = [&](const char* found) { return std::unexpected(damage(segment->path, offset, found)); };
    const std::uint64_t seed = frame_seed(segment->salt, offset);
    std::string_view bytes = TRY(window.at(offset, frame_header_bytes));
    if (bytes.size() < frame_header_bytes) return bad("the file ends within a frame");
    const auto header = decode_frame_header(bytes.data(), seed);
    if (!header || header->length > segment->end - offset) return bad("the header of a frame is not what was written");
    bytes = TRY(window.at(offset, header->length));
    if (bytes.size() < header->length || !frame_is_intact(bytes.data(), *header, seed)) {
      return bad("the checksum of a frame is wrong");
    }
    if (header->kind == FrameKind::group) {
      const GroupView group(header->first, header->count, bytes.substr(frame_header_bytes));
      TRY(visit({number, static_cast<std::uint32_t>(offset)}, group));
    }
    offset += header->length;
  }
  return {};
}

}  // namespace annals::log
