#pragma once
// The bytes of the log: what log/FORMAT.md describes, as functions between values and bytes.
// Pure functions; no thread rule.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/uuid.hpp"
#include "log/record.hpp"

namespace annals::log {

inline constexpr std::uint32_t format_version = 1;
inline constexpr std::string_view store_magic = "AnnalsSt";
inline constexpr std::string_view segment_magic = "AnnalsSg";
inline constexpr std::uint32_t frame_magic = 0x4D52'4641;  // "AFRM"

inline constexpr std::size_t identity_bytes = 40;
inline constexpr std::size_t segment_header_bytes = 4096;
inline constexpr std::size_t frame_header_bytes = 48;
inline constexpr std::size_t opened_frame_bytes = frame_header_bytes + 16;
inline constexpr std::size_t end_frame_bytes = frame_header_bytes + 40;  // of a clean stop, of a seal

/// What every frame leaves free at the end of a segment, so that a stop and the seal always find room. (A clean stop
/// leaves room for the seal only.)
inline constexpr std::size_t segment_reserve_bytes = 2 * end_frame_bytes;

/// The file STORE: which store this directory is. Errors: corrupt; unsupported ("format_version").
[[nodiscard]] std::string encode_identity(const Uuid& store);
[[nodiscard]] Result<Uuid> decode_identity(std::string_view bytes, const std::string& path);

struct SegmentHeader {
  Uuid store;
  std::uint64_t bytes = 0;  ///< size of the file
  Position first;           ///< the position that the segment's first record has, or will have
  std::uint64_t salt = 0;   ///< nobody outside can know it, so nobody can write a valid frame into a body
  Hash hash_before = hash_of_nothing;
  Instant time_before{};           ///< created_at of the record before; 0 when there is none
  std::uint32_t epoch_before = 0;  ///< the epoch in which the segment was begun; 0 in the very first one
  bool operator==(const SegmentHeader&) const = default;
};
[[nodiscard]] std::string encode_segment_header(const SegmentHeader& header);
/// Errors: corrupt; unsupported ("format_version").
[[nodiscard]] Result<SegmentHeader> decode_segment_header(std::string_view bytes, const std::string& path);

/// `00000000000000000001.segment`
[[nodiscard]] std::string segment_name(Position first);
[[nodiscard]] std::optional<Position> position_of_segment_name(std::string_view name);
inline constexpr std::string_view next_segment_name = "next.segment";

enum class FrameKind : std::uint32_t { group = 1, opened = 2, clean_stop = 3, seal = 4 };

struct FrameHeader {
  FrameKind kind = FrameKind::group;
  std::uint32_t length = 0;      ///< of the whole frame; a multiple of 8
  std::uint32_t count = 0;       ///< of records; 0 but for groups
  Position first;                ///< of the first record; for other kinds, the next record's
  std::uint64_t flushed_to = 0;  ///< all of the segment before this offset had been flushed when the frame was written
};

/// What a frame's checksums are seeded with: a frame is valid in its segment and at its offset only.
[[nodiscard]] inline std::uint64_t frame_seed(std::uint64_t salt, std::uint64_t offset) {
  return salt + offset;
}

[[nodiscard]] constexpr std::size_t padded(std::size_t bytes) {
  return (bytes + 7) & ~std::size_t{7};
}

/// Fills in the first 48 bytes of a frame whose other bytes are complete (padding included), with both checksums.
void seal_frame(char* frame, const FrameHeader& header, std::uint64_t seed);

/// The header of the frame at `at` (48 bytes), when its magic, its own checksum and its fields make sense.
[[nodiscard]] std::optional<FrameHeader> decode_frame_header(const char* at, std::uint64_t seed);

/// True when the checksum over the whole frame is right.
[[nodiscard]] bool frame_is_intact(const char* frame, const FrameHeader& header, std::uint64_t seed);

[[nodiscard]] std::string encode_opened(const Epoch& epoch, Position next, std::uint64_t offset, std::uint64_t salt);
[[nodiscard]] Epoch decode_opened(const char* frame);

/// A clean stop or a seal: what stands after everything before it had been flushed.
[[nodiscard]] std::string encode_end(FrameKind kind, Position last, const Hash& last_hash, std::uint64_t offset,
                                     std::uint64_t salt);
struct EndMark {
  Position last;
  Hash last_hash;
  bool operator==(const EndMark&) const = default;
};
[[nodiscard]] EndMark decode_end(const char* frame);

/// `<path> is damaged at byte <offset>: <found>; ...`
[[nodiscard]] Error damage(const std::string& path, std::uint64_t offset, const std::string& found);

}  // namespace annals::log
