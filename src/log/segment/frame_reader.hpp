#pragma once
// Reads groups back from the segments. The checksum of every frame is verified before anything of it is given out.
// A FrameReader is confined to one thread; read_groups and walk_segment are thread-safe.

#include <memory>
#include <vector>

#include "base/result.hpp"
#include "log/log.hpp"
#include "log/record.hpp"
#include "log/segment/segment_table.hpp"

namespace annals::log {

/// Reads single groups by their place; cheapest when places come in rising order.
class FrameReader {
 public:
  explicit FrameReader(const SegmentTable& table) : table_(table) {}

  /// The group at a place that was published. Borrowed until the next call.
  /// Errors: corrupt, input_output.
  [[nodiscard]] Result<GroupView> at(Place place);

 private:
  Result<> load(Place place, std::size_t size);

  const SegmentTable& table_;
  std::optional<SegmentTable::Segment> segment_;
  std::shared_ptr<const platform::File> file_;
  std::uint32_t segment_number_ = 0;
  std::vector<char> buffer_;
  std::uint64_t begin_ = 0;
  std::size_t filled_ = 0;
  std::size_t piece_bytes_ = 4096;
  Place current_;
  GroupView group_;
  bool has_group_ = false;
};

/// Calls `visit` for each group that has a record after `after` and begins at or before `up_to`, which has been
/// published. What the views borrow is added to `chunks`. Reads about `bytes_wanted` at first, then in large pieces.
/// Errors: corrupt, input_output.
[[nodiscard]] Result<> read_groups(const SegmentTable& table, Position after, Position up_to, std::size_t bytes_wanted,
                                   Chunks& chunks, const GroupVisitor& visit);

/// Calls `visit` for each group of one segment, in order, with its place. Errors: corrupt, input_output; those of
/// `visit`.
[[nodiscard]] Result<> walk_segment(const SegmentTable& table, std::uint32_t number, const OnGroup& visit);

}  // namespace annals::log
