#pragma once
// Records: what the log keeps. A record has a position, a time, the node that made it, the hash of the record before
// it, and a body that the log never looks into. Records come in groups, which are there whole or not at all.
//
// Values and borrowed views; no thread rule. The bytes are described in log/FORMAT.md.

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "base/instant.hpp"
#include "base/number.hpp"

namespace annals::log {

/// SHA-256.
using Hash = std::array<std::uint8_t, 32>;

/// What stands for "the record before" in the first record of a log.
inline constexpr Hash hash_of_nothing{};

/// Where a frame stands: the segment (counted from 0) and the offset of its first byte in that file.
struct Place {
  std::uint32_t segment = 0;
  std::uint32_t offset = 0;
  auto operator<=>(const Place&) const = default;
};

/// The size of a segment, a multiple of 8 bytes; at most so large that every offset in it fits 32 bits.
inline constexpr std::uint64_t segment_bytes_min = 64u << 10;
inline constexpr std::uint64_t segment_bytes_max = std::uint64_t{1} << 31;

/// One record, borrowed from the bytes of its frame.
struct RecordView {
  Position position;
  Instant created_at;
  std::uint32_t node_id = 0;
  std::string_view previous_hash;  ///< 32 bytes
  std::string_view body;
  std::string_view hashed;  ///< the bytes that this record's hash is taken of
};

inline constexpr std::size_t record_header_bytes = 48;

/// The records of one group, borrowed from the bytes of a frame whose checksum is right.
class GroupView {
 public:
  GroupView() = default;
  GroupView(Position first, std::uint32_t count, std::string_view records)
      : first_(first), count_(count), records_(records) {}

  [[nodiscard]] Position first() const { return first_; }
  [[nodiscard]] Position last() const { return Position{first_.value + count_ - 1}; }
  [[nodiscard]] std::uint32_t count() const { return count_; }

  /// Walks the records in order: `for (auto walk = group.walk(); auto record = walk.next();)`. Fewer than count() come
  /// out when the bytes are not what they should be, which only a defect of the program that wrote them can bring
  /// about.
  class Walk {
   public:
    Walk(Position first, std::uint32_t count, std::string_view records)
        : position_(first), left_(count), rest_(records) {}

    std::optional<RecordView> next() {
      if (left_ == 0 || rest_.size() < record_header_bytes) return std::nullopt;
      const auto body_bytes = get_at<std::uint32_t>(rest_.data() + 44);
      if (rest_.size() - record_header_bytes < body_bytes) return std::nullopt;
      RecordView record{.position = position_,
                        .created_at = Instant{get_at<std::int64_t>(rest_.data() + 32)},
                        .node_id = get_at<std::uint32_t>(rest_.data() + 40),
                        .previous_hash = rest_.substr(0, 32),
                        .body = rest_.substr(record_header_bytes, body_bytes),
                        .hashed = rest_.substr(0, record_header_bytes + body_bytes)};
      rest_.remove_prefix(record.hashed.size());
      position_ = position_.next();
      --left_;
      return record;
    }
    [[nodiscard]] std::uint32_t left() const { return left_; }
    [[nodiscard]] std::string_view rest() const { return rest_; }

   private:
    Position position_;
    std::uint32_t left_;
    std::string_view rest_;
  };
  [[nodiscard]] Walk walk() const { return {first_, count_, records_}; }

 private:
  Position first_;
  std::uint32_t count_ = 0;
  std::string_view records_;
};

/// An unbroken run of the log's life, by a number drawn by chance. A new one begins whenever a tail may have been lost.
struct Epoch {
  std::uint32_t number = 0;
  Position before;  ///< the last position that survived of the epoch before this one
  bool operator==(const Epoch&) const = default;
};

/// What indexes take; of memory, more or less.
struct IndexBytes {
  std::uint64_t on_disk = 0;
  std::uint64_t in_memory = 0;
};

}  // namespace annals::log
