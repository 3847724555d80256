#pragma once
// FrameOutline: a large frame in pieces, each of whole records and with a checksum of its own, so that one record of
// ten thousand costs what a record of a small group costs. It is made from a frame whose checksum was right, and every
// piece that is read later must be what it then was. OutlineCache keeps the outlines that were used last; whoever finds
// none reads the frame as a whole once more.
//
// What was published never changes, so an outline is right for as long as the log is open.

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "log/record.hpp"

namespace annals::log {

/// A frame of more bytes than this is read in pieces.
inline constexpr std::size_t large_frame_bytes = 32u << 10;
/// A piece ends with the record that reaches this.
inline constexpr std::size_t outline_piece_bytes = 4u << 10;
/// What all outlines take of memory: enough for some 1.3 GiB of large frames.
inline constexpr std::size_t outlines_bytes_max = 8u << 20;

/// A value, immutable once it is made.
class FrameOutline {
 public:
  /// Of a frame whose checksum is right; `group` borrows its bytes.
  explicit FrameOutline(const GroupView& group);

  /// Consecutive records of the frame.
  struct Run {
    std::size_t begin = 0;  ///< pieces
    std::size_t end = 0;
    Position first;
    std::uint32_t number = 0;  ///< of the first record in its group, from 0
    std::uint32_t count = 0;
    std::uint32_t offset = 0;  ///< of its first byte, from the frame's first
    std::uint32_t bytes = 0;
  };
  /// The records from the piece with number `piece` on: at least that piece, and further ones while they have no more
  /// than `bytes_max` together.
  [[nodiscard]] Run run(std::size_t piece, std::size_t bytes_max) const;
  [[nodiscard]] std::size_t pieces() const { return pieces_.size(); }

  /// The piece that has the record; nullopt when the group has no such record.
  [[nodiscard]] std::optional<std::size_t> piece_of(std::size_t number) const;
  /// The last piece whose first record is at or before the time, or the first of all.
  [[nodiscard]] std::size_t piece_at(Instant time) const;

  /// True when the bytes of a run are those that the outline was made of.
  [[nodiscard]] bool is_intact(const Run& run, const char* bytes) const;

  [[nodiscard]] Position first() const { return first_; }
  [[nodiscard]] std::uint32_t count() const { return count_; }
  /// What it takes of memory.
  [[nodiscard]] std::size_t bytes() const { return sizeof *this + pieces_.capacity() * sizeof(Piece); }

 private:
  struct Piece {
    std::uint64_t checksum = 0;
    Instant created_at;  // of its first record
    std::uint32_t offset = 0;
    std::uint32_t number = 0;  // of its first record
  };
  [[nodiscard]] std::uint32_t end_of(std::size_t piece) const {
    return piece + 1 < pieces_.size() ? pieces_[piece + 1].offset : end_;
  }

  Position first_;
  std::uint32_t count_ = 0;
  std::uint32_t end_ = 0;  // of the last record, from the frame's first byte
  std::vector<Piece> pieces_;
};

using OutlinePointer = std::shared_ptr<const FrameOutline>;  // shared by the cache and whoever reads the frame just now

/// The least recently used go first. Thread-safe.
class OutlineCache {
 public:
  explicit OutlineCache(std::size_t bytes_max = outlines_bytes_max) : bytes_max_(bytes_max) {}

  /// Null when it is not there.
  [[nodiscard]] OutlinePointer find(Place place);
  void keep(Place place, OutlinePointer outline);

 private:
  struct PlaceHash {
    std::size_t operator()(Place place) const {
      return std::hash<std::uint64_t>{}((std::uint64_t{place.segment} << 32 | place.offset) * 0x9e37'79b9'7f4a'7c15u);
    }
  };
  using Uses = std::list<std::pair<Place, OutlinePointer>>;

  const std::size_t bytes_max_;
  std::mutex mutex_;
  // Guarded by mutex_.
  Uses uses_;  // the most recent first
  std::unordered_map<Place, Uses::iterator, PlaceHash> places_;
  std::size_t bytes_ = 0;
};

}  // namespace annals::log
