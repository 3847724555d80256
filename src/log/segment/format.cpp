#include "log/segment/format.hpp"

#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "base/bytes.hpp"
#include "base/invariant.hpp"

namespace annals::log {
namespace {

std::uint64_t checksum(const char* at, std::size_t size, std::uint64_t seed) {
  return XXH3_64bits_withSeed(at, size, seed);
}

void put_uuid(std::string& out, const Uuid& uuid) {
  out.append(reinterpret_cast<const char*>(uuid.bytes.data()), uuid.bytes.size());
}

Uuid get_uuid(const char* at) {
  Uuid uuid;
  std::memcpy(uuid.bytes.data(), at, uuid.bytes.size());
  return uuid;
}

Error unknown_version(const std::string& path, std::uint32_t version) {
  return {ErrorKind::unsupported, "format_version",
          "cannot open " + path + ": it is written in format version " + std::to_string(version) +
              ", and this program knows only version " + std::to_string(format_version) +
              "; use the release of Annals that wrote it, or a newer one"};
}

}  // namespace

std::string encode_identity(const Uuid& store) {
  std::string bytes(store_magic);
  put<std::uint32_t>(bytes, format_version);
  put<std::uint32_t>(bytes, 0);
  put_uuid(bytes, store);
  put<std::uint64_t>(bytes, checksum(bytes.data(), bytes.size(), 0));
  INVARIANT(bytes.size() == identity_bytes, "the identity has a fixed size");
  return bytes;
}

Result<Uuid> decode_identity(std::string_view bytes, const std::string& path) {
  if (bytes.size() != identity_bytes) {
    return std::unexpected(damage(path, 0, "it has " + std::to_string(bytes.size()) + " bytes where 40 belong"));
  }
  // The checksum comes first, so that a flipped bit is never taken for another version.
  if (get_at<std::uint64_t>(bytes.data() + 32) != checksum(bytes.data(), 32, 0)) {
    return std::unexpected(damage(path, 0, "its checksum is wrong"));
  }
  if (!bytes.starts_with(store_magic)) return std::unexpected(damage(path, 0, "it is not the identity of a store"));
  const auto version = get_at<std::uint32_t>(bytes.data() + 8);
  if (version != format_version) return std::unexpected(unknown_version(path, version));
  return get_uuid(bytes.data() + 16);
}

std::string encode_segment_header(const SegmentHeader& header) {
  std::string bytes(segment_magic);
  bytes.reserve(segment_header_bytes);
  put<std::uint32_t>(bytes, format_version);
  put<std::uint32_t>(bytes, header.epoch_before);
  put_uuid(bytes, header.store);
  put<std::uint64_t>(bytes, header.bytes);
  put<std::uint64_t>(bytes, header.first.value);
  put<std::uint64_t>(bytes, header.salt);
  put<std::int64_t>(bytes, header.time_before.microseconds);
  bytes.append(reinterpret_cast<const char*>(header.hash_before.data()), header.hash_before.size());
  bytes.resize(segment_header_bytes - 8);
  put<std::uint64_t>(bytes, checksum(bytes.data(), bytes.size(), 0));
  return bytes;
}

Result<SegmentHeader> decode_segment_header(std::string_view bytes, const std::string& path) {
  if (bytes.size() != segment_header_bytes) {
    return std::unexpected(
        damage(path, 0, "it ends within its header, after " + std::to_string(bytes.size()) + " bytes"));
  }
  const std::size_t covered = segment_header_bytes - 8;
  if (get_at<std::uint64_t>(bytes.data() + covered) != checksum(bytes.data(), covered, 0)) {
    return std::unexpected(damage(path, 0, "the checksum of the segment's header is wrong"));
  }
  if (!bytes.starts_with(segment_magic)) return std::unexpected(damage(path, 0, "it is not a segment of a log"));
  const auto version = get_at<std::uint32_t>(bytes.data() + 8);
  if (version != format_version) return std::unexpected(unknown_version(path, version));
  SegmentHeader header;
  header.epoch_before = get_at<std::uint32_t>(bytes.data() + 12);
  header.store = get_uuid(bytes.data() + 16);
  header.bytes = get_at<std::uint64_t>(bytes.data() + 32);
  header.first = Position{get_at<std::uint64_t>(bytes.data() + 40)};
  header.salt = get_at<std::uint64_t>(bytes.data() + 48);
  header.time_before = Instant{get_at<std::int64_t>(bytes.data() + 56)};
  std::memcpy(header.hash_before.data(), bytes.data() + 64, header.hash_before.size());
  if (header.bytes < segment_bytes_min || header.bytes > segment_bytes_max || header.bytes % 8 != 0) {
    return std::unexpected(damage(path, 32, "the header gives the segment " + std::to_string(header.bytes) + " bytes"));
  }
  return header;
}

std::string segment_name(Position first) {
  const std::string digits = std::to_string(first.value);
  return std::string(20 - digits.size(), '0') + digits + ".segment";
}

std::optional<Position> position_of_segment_name(std::string_view name) {
  if (name.size() != 28 || !name.ends_with(".segment")) return std::nullopt;
  std::uint64_t value = 0;
  for (const char digit : name.substr(0, 20)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return segment_name(Position{value}) == name ? std::optional(Position{value}) : std::nullopt;
}

void seal_frame(char* frame, const FrameHeader& header, std::uint64_t seed) {
  INVARIANT(header.length % 8 == 0 && header.length >= frame_header_bytes, "frames are whole multiples of 8 bytes");
  put_at<std::uint32_t>(frame + 16, frame_magic);
  put_at<std::uint32_t>(frame + 20, static_cast<std::uint32_t>(header.kind));
  put_at<std::uint32_t>(frame + 24, header.length);
  put_at<std::uint32_t>(frame + 28, header.count);
  put_at<std::uint64_t>(frame + 32, header.first.value);
  put_at<std::uint64_t>(frame + 40, header.flushed_to);
  put_at<std::uint64_t>(frame + 8, checksum(frame + 16, frame_header_bytes - 16, seed));
  put_at<std::uint64_t>(frame, checksum(frame + 8, header.length - 8, seed));
}

std::optional<FrameHeader> decode_frame_header(const char* at, std::uint64_t seed) {
  if (get_at<std::uint32_t>(at + 16) != frame_magic) return std::nullopt;
  if (get_at<std::uint64_t>(at + 8) != checksum(at + 16, frame_header_bytes - 16, seed)) return std::nullopt;
  FrameHeader header;
  const auto kind = get_at<std::uint32_t>(at + 20);
  header.kind = static_cast<FrameKind>(kind);
  header.length = get_at<std::uint32_t>(at + 24);
  header.count = get_at<std::uint32_t>(at + 28);
  header.first = Position{get_at<std::uint64_t>(at + 32)};
  header.flushed_to = get_at<std::uint64_t>(at + 40);
  const bool sensible = header.length % 8 == 0 && [&] {
    switch (header.kind) {
      case FrameKind::group: return header.length >= frame_header_bytes + record_header_bytes && header.count > 0;
      case FrameKind::opened: return header.length == opened_frame_bytes && header.count == 0;
      case FrameKind::clean_stop:
      case FrameKind::seal: return header.length == end_frame_bytes && header.count == 0;
    }
    return false;
  }();
  return sensible ? std::optional(header) : std::nullopt;
}

bool frame_is_intact(const char* frame, const FrameHeader& header, std::uint64_t seed) {
  return get_at<std::uint64_t>(frame) == checksum(frame + 8, header.length - 8, seed);
}

std::string encode_opened(const Epoch& epoch, Position next, std::uint64_t offset, std::uint64_t salt) {
  std::string frame(opened_frame_bytes, '\0');
  put_at<std::uint32_t>(frame.data() + frame_header_bytes, epoch.number);
  put_at<std::uint64_t>(frame.data() + frame_header_bytes + 8, epoch.before.value);
  const FrameHeader header{
      .kind = FrameKind::opened, .length = opened_frame_bytes, .count = 0, .first = next, .flushed_to = offset};
  seal_frame(frame.data(), header, frame_seed(salt, offset));
  return frame;
}

Epoch decode_opened(const char* frame) {
  return {get_at<std::uint32_t>(frame + frame_header_bytes),
          Position{get_at<std::uint64_t>(frame + frame_header_bytes + 8)}};
}

std::string encode_end(FrameKind kind, Position last, const Hash& last_hash, std::uint64_t offset, std::uint64_t salt) {
  std::string frame(end_frame_bytes, '\0');
  put_at<std::uint64_t>(frame.data() + frame_header_bytes, last.value);
  std::memcpy(frame.data() + frame_header_bytes + 8, last_hash.data(), last_hash.size());
  const FrameHeader header{
      .kind = kind, .length = end_frame_bytes, .count = 0, .first = last.next(), .flushed_to = offset};
  seal_frame(frame.data(), header, frame_seed(salt, offset));
  return frame;
}

EndMark decode_end(const char* frame) {
  EndMark mark;
  mark.last = Position{get_at<std::uint64_t>(frame + frame_header_bytes)};
  std::memcpy(mark.last_hash.data(), frame + frame_header_bytes + 8, mark.last_hash.size());
  return mark;
}

Error damage(const std::string& path, std::uint64_t offset, const std::string& found) {
  return {ErrorKind::corrupt, path + " is damaged at byte " + std::to_string(offset) + ": " + found +
                                  "; restore the directory from a backup"};
}

}  // namespace annals::log
