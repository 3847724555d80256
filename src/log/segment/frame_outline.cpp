#include "log/segment/frame_outline.hpp"

#include <xxhash.h>

#include <algorithm>

#include "base/invariant.hpp"
#include "log/segment/format.hpp"

namespace annals::log {

FrameOutline::FrameOutline(const GroupView& group) : first_(group.first()) {
  auto walk = group.walk();
  const char* const records = walk.rest().data();
  const auto offset_of_rest = [&] {
    return static_cast<std::uint32_t>(frame_header_bytes + static_cast<std::size_t>(walk.rest().data() - records));
  };
  end_ = frame_header_bytes;
  const auto seal = [&] {
    if (pieces_.empty()) return;
    Piece& last = pieces_.back();
    last.checksum = XXH3_64bits(records + (last.offset - frame_header_bytes), end_ - last.offset);
  };
  while (const auto record = walk.next()) {
    if (pieces_.empty() || end_ - pieces_.back().offset >= outline_piece_bytes) {
      seal();
      pieces_.push_back({.checksum = 0, .created_at = record->created_at, .offset = end_, .number = count_});
    }
    end_ = offset_of_rest();
    ++count_;
  }
  seal();
  pieces_.shrink_to_fit();
}

FrameOutline::Run FrameOutline::run(std::size_t piece, std::size_t bytes_max) const {
  INVARIANT(piece < pieces_.size(), "an outline is asked for pieces that it has");
  const Piece& begin = pieces_[piece];
  std::size_t end = piece + 1;
  while (end < pieces_.size() && end_of(end) - begin.offset <= bytes_max) ++end;
  const std::uint32_t next_number = end < pieces_.size() ? pieces_[end].number : count_;
  return {.begin = piece,
          .end = end,
          .first = first_.plus(begin.number),
          .number = begin.number,
          .count = next_number - begin.number,
          .offset = begin.offset,
          .bytes = end_of(end - 1) - begin.offset};
}

std::optional<std::size_t> FrameOutline::piece_of(std::size_t number) const {
  if (number >= count_) return std::nullopt;
  const auto after = std::ranges::partition_point(pieces_, [&](const Piece& piece) { return piece.number <= number; });
  return static_cast<std::size_t>(after - pieces_.begin()) - 1;
}

std::size_t FrameOutline::piece_at(Instant time) const {
  const auto after =
      std::ranges::partition_point(pieces_, [&](const Piece& piece) { return piece.created_at <= time; });
  return after == pieces_.begin() ? 0 : static_cast<std::size_t>(after - pieces_.begin()) - 1;
}

bool FrameOutline::is_intact(const Run& run, const char* bytes) const {
  for (std::size_t piece = run.begin; piece < run.end; ++piece) {
    const std::uint32_t offset = pieces_[piece].offset;
    if (XXH3_64bits(bytes + (offset - run.offset), end_of(piece) - offset) != pieces_[piece].checksum) return false;
  }
  return true;
}

OutlinePointer OutlineCache::find(Place place) {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(place);
  if (found == places_.end()) return nullptr;
  uses_.splice(uses_.begin(), uses_, found->second);
  return found->second->second;
}

void OutlineCache::keep(Place place, OutlinePointer outline) {
  const std::lock_guard lock(mutex_);
  if (places_.contains(place)) return;
  bytes_ += outline->bytes();
  uses_.emplace_front(place, std::move(outline));
  places_[place] = uses_.begin();
  while (bytes_ > bytes_max_ && uses_.size() > 1) {
    bytes_ -= uses_.back().second->bytes();
    places_.erase(uses_.back().first);
    uses_.pop_back();
  }
}

}  // namespace annals::log
