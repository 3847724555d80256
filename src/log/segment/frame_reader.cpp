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

std::unexpected<Error> FrameReader::bad(std::uint64_t offset, const char* found) const {
  return std::unexpected(damage(segment_->path, offset, found));
}

Result<> FrameReader::enter(Place place) {
  if (segment_ && segment_number_ == place.segment && place.offset < segment_->end) return {};
  segment_ = table_.segment(place.segment);
  if (!segment_ || place.offset >= segment_->end) {
    segment_.reset();
    return fail(ErrorKind::corrupt, "an index leads to byte " + std::to_string(place.offset) + " of segment " +
                                        std::to_string(place.segment) + ", where the log has nothing");
  }
  file_ = TRY(table_.file(place.segment));
  segment_number_ = place.segment;
  filled_ = 0;
  return {};
}

void FrameReader::give_out(std::uint32_t first_number, const GroupView& records) {
  first_number_ = first_number;
  records_ = records;
  walk_ = records.walk();
  next_number_ = first_number;
  has_records_ = true;
}

/// The frame as a whole. One that is large gets an outline.
Result<> FrameReader::load_frame() {
  const Place place = place_;
  const auto holds = [&](std::size_t size) {
    return place.offset >= begin_ && place.offset + size <= begin_ + filled_;
  };
  if (!holds(frame_header_bytes)) {
    // Neighbours are worth a larger piece, places far apart are not.
    const bool near = filled_ > 0 && place.offset >= begin_ && place.offset < begin_ + 2 * filled_;
    piece_bytes_ = near ? std::min(piece_bytes_ * 2, piece_bytes_max) : 4096;
    TRY(load(place, frame_header_bytes));
    if (!holds(frame_header_bytes)) return bad(place.offset, "the file ends within a frame");
  }
  const std::uint64_t seed = frame_seed(segment_->salt, place.offset);
  const auto header = decode_frame_header(buffer_.data() + (place.offset - begin_), seed);
  if (!header || header->kind != FrameKind::group || header->length > segment_->end - place.offset) {
    return bad(place.offset, "the header of a frame is not what was written");
  }
  if (!holds(header->length)) {
    TRY(load(place, header->length));
    if (!holds(header->length)) return bad(place.offset, "the file ends within a frame");
  }
  const char* frame = buffer_.data() + (place.offset - begin_);
  // The bytes may have been read anew, so both checksums count.
  const auto reread = decode_frame_header(frame, seed);
  if (!reread || reread->length != header->length || !frame_is_intact(frame, *reread, seed)) {
    return bad(place.offset, "the checksum of a frame is wrong");
  }
  const GroupView group(reread->first, reread->count,
                        {frame + frame_header_bytes, reread->length - frame_header_bytes});
  if (reread->length > large_frame_bytes) {
    outline_ = std::make_shared<const FrameOutline>(group);
    outlines_.keep(place, outline_);
  }
  give_out(0, group);
  return {};
}

/// Those pieces of the large frame that have the record.
Result<> FrameReader::load_run(std::size_t number) {
  const auto piece = outline_->piece_of(number);
  if (!piece) return {};
  const bool near = has_records_ && number == first_number_ + records_.count();
  piece_bytes_ = near ? std::min(piece_bytes_ * 2, piece_bytes_max) : outline_piece_bytes;
  const FrameOutline::Run run = outline_->run(*piece, piece_bytes_);
  const std::uint64_t offset = place_.offset + std::uint64_t{run.offset};
  has_records_ = false;
  if (buffer_.size() < run.bytes) buffer_.resize(run.bytes);
  filled_ = 0;  // none of it is to be taken for the beginning of a frame
  if (TRY(file_->read_at(offset, buffer_.data(), run.bytes)) < run.bytes) {
    return bad(offset, "the file ends within a frame");
  }
  if (!outline_->is_intact(run, buffer_.data())) return bad(offset, "records of a frame are not what was written");
  give_out(run.number, {run.first, run.count, {buffer_.data(), run.bytes}});
  return {};
}

Result<RecordView> FrameReader::at(Place place, std::size_t number) {
  const auto has_it = [&] {
    return has_records_ && place == place_ && number >= first_number_ && number < first_number_ + records_.count();
  };
  if (!has_it()) {
    TRY(enter(place));
    if (!outline_ || place != place_) {
      has_records_ = false;
      place_ = place;
      outline_ = outlines_.find(place);
    }
    TRY(outline_ ? load_run(number) : load_frame());
  }
  if (has_it()) {
    if (number < next_number_) give_out(first_number_, records_);
    while (const auto record = walk_.next()) {
      if (next_number_++ == number) return *record;
    }
    has_records_ = false;
  }
  return bad(place.offset, "an index leads to a record that its group does not have");
}

namespace {

/// Reads the wanted records of the groups from a place on. Confined to one call.
class GroupsRead {
 public:
  GroupsRead(const SegmentTable& table, OutlineCache& outlines, const Wanted& wanted, Chunks& chunks,
             const GroupVisitor& visit)
      : table_(table),
        outlines_(outlines),
        wanted_(wanted),
        chunks_(chunks),
        visit_(visit),
        piece_(std::clamp(wanted.bytes, chunk_bytes_min, chunk_bytes_max)) {}

  Result<> from(Place place) {
    for (;;) {
      segment_ = table_.segment(place.segment);
      if (!segment_ || segment_->first > wanted_.up_to) return {};
      if (place.offset >= segment_->end) {
        place = {place.segment + 1, segment_header_bytes};
        continue;
      }
      file_ = TRY(table_.file(place.segment));
      const std::uint32_t read = TRY(read_chunk(place));
      if (ended_) return {};
      place.offset += read;
    }
  }

 private:
  [[nodiscard]] std::unexpected<Error> bad(std::uint64_t offset, const char* found) const {
    return std::unexpected(damage(segment_->path, offset, found));
  }

  Result<std::unique_ptr<char[]>> read(std::uint64_t offset, std::size_t size) const {
    auto bytes = std::make_unique_for_overwrite<char[]>(size);
    if (TRY(file_->read_at(offset, bytes.get(), size)) < size) return bad(offset, "the file ends before the log does");
    return bytes;
  }

  /// `owner`, when it is not null, owns what the records borrow.
  void visit(std::unique_ptr<char[]>& owner, const GroupView& records) {
    if (owner) chunks_.push_back(std::move(owner));
    ended_ = !visit_(records);
  }

  /// True for a group with a record that is wanted; later ones end the reading.
  bool is_wanted(const FrameHeader& header) {
    ended_ = header.first > wanted_.up_to;
    return !ended_ && header.kind == FrameKind::group && header.first.value + header.count > wanted_.after.next().value;
  }

  /// Visits the frames that are whole in the chunk at a place; the bytes that need not be looked at again.
  Result<std::uint32_t> read_chunk(Place place) {
    const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(piece_, segment_->end - place.offset));
    INVARIANT(size >= frame_header_bytes, "a segment can be read up to the end of a frame");
    auto owner = TRY(read(place.offset, size));
    const char* const chunk = owner.get();
    std::size_t at = 0;
    std::size_t needed = 0;
    while (size - at >= frame_header_bytes) {
      const std::uint64_t offset = place.offset + at;
      const std::uint64_t seed = frame_seed(segment_->salt, offset);
      const auto header = decode_frame_header(chunk + at, seed);
      if (!header || header->length > segment_->end - offset) {
        return bad(offset, "the header of a frame is not what was written");
      }
      const bool wanted = is_wanted(*header);
      if (ended_) break;
      if (header->length > size - at) {
        const Place frame{place.segment, static_cast<std::uint32_t>(offset)};
        const OutlinePointer outline = header->length > large_frame_bytes ? outlines_.find(frame) : nullptr;
        if (wanted && !outline) {
          needed = header->length;
          break;
        }
        if (wanted) TRY(read_parts(offset, *outline));
        at += header->length;
        break;
      }
      if (wanted) {
        if (!frame_is_intact(chunk + at, *header, seed)) return bad(offset, "the checksum of a frame is wrong");
        const GroupView group(header->first, header->count,
                              {chunk + at + frame_header_bytes, header->length - frame_header_bytes});
        if (header->length > large_frame_bytes) {
          outlines_.keep({place.segment, static_cast<std::uint32_t>(offset)},
                         std::make_shared<const FrameOutline>(group));
        }
        visit(owner, group);
        if (ended_) break;
      }
      at += header->length;
    }
    piece_ = std::max(needed, std::min(piece_ * 2, chunk_bytes_max));
    return static_cast<std::uint32_t>(at);
  }

  /// Visits the wanted parts of a large frame.
  Result<> read_parts(std::uint64_t offset, const FrameOutline& outline) {
    std::size_t piece = wanted_.newest_before ? outline.piece_at(*wanted_.newest_before) : 0;
    if (wanted_.after >= outline.first()) {
      const auto first = outline.piece_of(static_cast<std::size_t>(wanted_.after.next().value - outline.first().value));
      piece = std::max(piece, first.value_or(outline.pieces()));
    }
    std::size_t bytes = std::min(piece_, chunk_bytes_max);
    while (piece < outline.pieces() && !ended_) {
      const FrameOutline::Run run = outline.run(piece, bytes);
      ended_ = run.first > wanted_.up_to;
      if (ended_) break;
      auto owner = TRY(read(offset + run.offset, run.bytes));
      const char* const records = owner.get();
      if (!outline.is_intact(run, records)) {
        return bad(offset + run.offset, "records of a frame are not what was written");
      }
      visit(owner, {run.first, run.count, {records, run.bytes}});
      piece = run.end;
      bytes = std::min(bytes * 2, chunk_bytes_max);
    }
    return {};
  }

  const SegmentTable& table_;
  OutlineCache& outlines_;
  const Wanted& wanted_;
  Chunks& chunks_;
  const GroupVisitor& visit_;
  std::size_t piece_;  // bytes of the next chunk
  std::optional<SegmentTable::Segment> segment_;
  std::shared_ptr<const platform::File> file_;
  bool ended_ = false;
};

}  // namespace

Result<> read_groups(const SegmentTable& table, OutlineCache& outlines, const Wanted& wanted, Chunks& chunks,
                     const GroupVisitor& visit) {
  if (wanted.after >= wanted.up_to) return {};
  const auto start = TRY(table.before(wanted.after.next()));
  INVARIANT(start.has_value(), "what was published has a signpost");
  return GroupsRead(table, outlines, wanted, chunks, visit).from(start->place);
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
