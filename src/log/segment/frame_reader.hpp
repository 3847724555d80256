#pragma once
// Reads records back from the segments. A checksum over every byte is verified before anything of it is given out: that
// of the frame, or, where a large frame has an outline, those of the pieces that were read.
// A FrameReader is confined to one thread; the functions are thread-safe.

#include <memory>
#include <vector>

#include "base/result.hpp"
#include "log/log.hpp"
#include "log/record.hpp"
#include "log/segment/frame_outline.hpp"
#include "log/segment/segment_table.hpp"

namespace annals::log {

/// Reads single records by their place; cheapest when they come in rising order.
class FrameReader {
 public:
  FrameReader(const SegmentTable& table, OutlineCache& outlines) : table_(table), outlines_(outlines) {}

  /// The record with a number (from 0) in the group at a place that was published. Borrowed until the next call.
  /// Errors: corrupt, also when the group has no such record; input_output.
  [[nodiscard]] Result<RecordView> at(Place place, std::size_t number);

 private:
  [[nodiscard]] Result<> enter(Place place);
  [[nodiscard]] Result<> load(Place place, std::size_t size);
  [[nodiscard]] Result<> load_frame();
  [[nodiscard]] Result<> load_run(std::size_t number);
  void give_out(std::uint32_t first_number, const GroupView& records);
  [[nodiscard]] std::unexpected<Error> bad(std::uint64_t offset, const char* found) const;

  const SegmentTable& table_;
  OutlineCache& outlines_;
  std::optional<SegmentTable::Segment> segment_;
  std::shared_ptr<const platform::File> file_;
  std::uint32_t segment_number_ = 0;
  std::vector<char> buffer_;
  std::uint64_t begin_ = 0;
  std::size_t filled_ = 0;
  std::size_t piece_bytes_ = 4096;

  Place place_;             // of the frame in hand
  OutlinePointer outline_;  // when it is large
  // What can be given out of it: all of it, or a run of its pieces.
  bool has_records_ = false;
  std::uint32_t first_number_ = 0;
  GroupView records_;
  GroupView::Walk walk_{Position{}, 0, {}};
  std::size_t next_number_ = 0;  // which the walk gives next
};

/// What is wanted of the log.
struct Wanted {
  Position after;                             ///< records after this one
  Position up_to;                             ///< which has been published
  std::size_t bytes = 0;                      ///< about as many, if that is known
  std::optional<Instant> newest_before = {};  ///< records that are followed by one at or before this may be left out
};

/// Calls `visit` with records of one group after another: for each group that has a wanted record, with all of the
/// group or, of a large one, with parts of it in order, of which the first has the first wanted record. What the views
/// borrow is added to `chunks`. Reads about `wanted.bytes` at first, then in large pieces.
/// Errors: corrupt, input_output.
[[nodiscard]] Result<> read_groups(const SegmentTable& table, OutlineCache& outlines, const Wanted& wanted,
                                   Chunks& chunks, const GroupVisitor& visit);

/// Calls `visit` for each group of one segment, in order, with its place. Errors: corrupt, input_output; those of
/// `visit`.
[[nodiscard]] Result<> walk_segment(const SegmentTable& table, std::uint32_t number, const OnGroup& visit);

}  // namespace annals::log
