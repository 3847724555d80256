#include "log/segment/segment_table.hpp"

#include <algorithm>

#include "base/invariant.hpp"

namespace annals::log {

std::uint32_t SegmentTable::add(const ScannedSegment& segment) {
  const std::lock_guard lock(mutex_);
  entries_.push_back({{segment.path, segment.header.salt, segment.header.first, segment.end}, segment.marks});
  bytes_ += segment.end;
  return static_cast<std::uint32_t>(entries_.size() - 1);
}

void SegmentTable::publish(Place place, std::uint64_t end, Position first, Instant created_at) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_.at(place.segment);
  INVARIANT(place.offset >= entry.segment.end, "groups are published in order");
  auto& marks = entry.marks;
  if (marks.empty() || place.offset - marks.back().offset >= mark_distance_bytes) {
    marks.push_back({first, created_at, place.offset});
  }
  bytes_ += end - entry.segment.end;
  entry.segment.end = end;
}

std::optional<SegmentTable::Segment> SegmentTable::segment(std::uint32_t number) const {
  const std::lock_guard lock(mutex_);
  if (number >= entries_.size()) return std::nullopt;
  return entries_[number].segment;
}

std::optional<SegmentTable::Signpost> SegmentTable::before(Position position) const {
  const std::lock_guard lock(mutex_);
  auto entry = std::partition_point(entries_.begin(), entries_.end(),
                                    [&](const Entry& candidate) { return candidate.segment.first <= position; });
  while (entry != entries_.begin()) {
    --entry;
    const auto mark = std::partition_point(entry->marks.begin(), entry->marks.end(),
                                           [&](const Mark& candidate) { return candidate.position <= position; });
    if (mark != entry->marks.begin()) return signpost(static_cast<std::size_t>(entry - entries_.begin()), *(mark - 1));
  }
  return std::nullopt;
}

SegmentTable::Around SegmentTable::around(Instant time) const {
  const std::lock_guard lock(mutex_);
  Around around;
  auto entry = std::partition_point(entries_.begin(), entries_.end(), [&](const Entry& candidate) {
    return !candidate.marks.empty() && candidate.marks.front().created_at <= time;
  });
  // Only the last segment can be without a mark, so the entries are partitioned.
  if (entry != entries_.end() && !entry->marks.empty()) {
    around.upper = signpost(static_cast<std::size_t>(entry - entries_.begin()), entry->marks.front());
  }
  if (entry == entries_.begin()) return around;
  --entry;
  const auto number = static_cast<std::size_t>(entry - entries_.begin());
  const auto mark = std::partition_point(entry->marks.begin(), entry->marks.end(),
                                         [&](const Mark& candidate) { return candidate.created_at <= time; });
  around.lower = signpost(number, *(mark - 1));
  if (mark != entry->marks.end()) around.upper = signpost(number, *mark);
  return around;
}

Result<std::shared_ptr<const platform::File>> SegmentTable::file(std::uint32_t number) const {
  {
    const std::lock_guard lock(files_mutex_);
    if (const auto found = open_files_.find(number); found != open_files_.end()) {
      found->second.used = ++uses_;
      return found->second.file;
    }
  }
  const auto known = segment(number);
  INVARIANT(known.has_value(), "places name segments that exist");
  std::shared_ptr<const platform::File> file = TRY(files_.open_to_read(known->path));
  const std::lock_guard lock(files_mutex_);
  if (open_files_.size() >= open_segments_max) {
    open_files_.erase(std::min_element(open_files_.begin(), open_files_.end(),
                                       [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
  }
  open_files_[number] = {file, ++uses_};
  return file;
}

Result<bool> SegmentTable::last_is_there() const {
  std::string path;
  {
    const std::lock_guard lock(mutex_);
    if (entries_.empty()) return true;
    path = entries_.back().segment.path;
  }
  return files_.exists(path);
}

std::uint64_t SegmentTable::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

std::uint64_t SegmentTable::segments() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace annals::log
