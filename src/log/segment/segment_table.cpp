#include "log/segment/segment_table.hpp"

#include <algorithm>

#include "base/invariant.hpp"
#include "log/segment/frame_reader.hpp"

namespace annals::log {
namespace {

/// A segment that has to be there.
Result<std::unique_ptr<platform::File>> open_segment(const platform::FileSystem& files, const std::string& path) {
  auto file = files.open_to_read(path);
  if (file) return file;
  const Error& error = file.error();
  if (error.kind == ErrorKind::not_found) return fail(ErrorKind::corrupt, error.message + "; it is a part of the log");
  if (error.code == "no_descriptors") {
    return fail(ErrorKind::unavailable, "no_descriptors",
                "the server has no file descriptors left to read what was recorded; try again soon");
  }
  return file;
}

std::unexpected<Error> does_not_follow(Position found, Position expected) {
  return fail(ErrorKind::corrupt, "the log goes on with position " + to_string(found) + " where " +
                                      to_string(expected) + " should follow; run annals verify");
}

}  // namespace

std::uint32_t SegmentTable::add(const ScannedSegment& segment) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_.emplace_back();
  entry.segment = {segment.path, segment.header.salt, segment.header.first, segment.end};
  entry.summary = segment.summary;
  entry.unread = segment.unread;
  if (segment.unread) {
    entry.first_mark = segment.summary->first_mark;
  } else if (segment.summarised) {
    entry.first_mark = segment.summary->first_mark;
    entry.summary_bytes = summary_bytes(segment.summary->epochs.size(), segment.summary->marks);
  } else {
    entry.marks = std::make_shared<Marks>(segment.marks);
    if (!segment.marks.empty()) entry.first_mark = segment.marks.front();
  }
  bytes_ += segment.end;
  return static_cast<std::uint32_t>(entries_.size() - 1);
}

void SegmentTable::replace_last(const ScannedSegment& segment) {
  std::uint32_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_.back();
    INVARIANT(!entry.first_mark && entry.segment.first == segment.header.first, "only an empty segment is replaced");
    bytes_ += segment.end - entry.segment.end;
    entry.segment = {segment.path, segment.header.salt, segment.header.first, segment.end};
    number = static_cast<std::uint32_t>(entries_.size() - 1);
  }
  const std::lock_guard lock(files_mutex_);
  open_files_.erase(number);
}

void SegmentTable::publish(Place place, std::uint64_t end, Position first, Instant created_at) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_.at(place.segment);
  INVARIANT(place.offset >= entry.segment.end && entry.marks, "groups are published in order");
  Marks& marks = *entry.marks;
  if (marks.empty() || place.offset - marks.back().offset >= mark_distance_bytes) {
    marks.push_back({first, created_at, place.offset});
    if (!entry.first_mark) entry.first_mark = marks.front();
  }
  bytes_ += end - entry.segment.end;
  entry.segment.end = end;
}

void SegmentTable::seal(std::uint32_t number, SegmentSummary summary) {
  const std::lock_guard lock(mutex_);
  entries_.at(number).summary = std::move(summary);
}

std::optional<SegmentTable::Unwritten> SegmentTable::unwritten(std::uint32_t number) const {
  const std::lock_guard lock(mutex_);
  const Entry& entry = entries_.at(number);
  if (!entry.summary || !entry.marks) return std::nullopt;
  return Unwritten{*entry.summary, *entry.marks};
}

void SegmentTable::summary_is_written(std::uint32_t number) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_.at(number);
  keep(number, entry.marks);
  entry.summary_bytes = summary_bytes(entry.summary->epochs.size(), entry.marks->size());
  entry.marks = nullptr;
}

std::vector<SegmentTable::Written> SegmentTable::written() const {
  const std::lock_guard lock(mutex_);
  std::vector<Written> written;
  for (std::uint32_t number = 0; number < entries_.size(); ++number) {
    const Entry& entry = entries_[number];
    if (entry.summary && !entry.marks && !entry.unread) written.push_back({number, summary_name(entry.segment.first)});
  }
  return written;
}

Result<> SegmentTable::take_back(std::uint32_t number) {
  SharedMarks marks = marks_at_hand(number);
  if (!marks) {
    // Not under finding_mutex_: who looks for other marks meanwhile does not wait for it, and reading twice is no harm.
    put_back(TRY(read_back(number)));
    return {};
  }
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[number];
  if (!entry.marks) entry.marks = std::make_shared<Marks>(*marks);
  entry.summary_bytes = 0;
  return {};
}

std::uint32_t SegmentTable::count() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::uint32_t>(entries_.size());
}

std::optional<SegmentTable::Segment> SegmentTable::segment(std::uint32_t number) const {
  const std::lock_guard lock(mutex_);
  if (number >= entries_.size()) return std::nullopt;
  return entries_[number].segment;
}

Result<std::optional<SegmentTable::Signpost>> SegmentTable::before(Position position) const {
  std::optional<std::size_t> number;
  {
    const std::lock_guard lock(mutex_);
    const auto behind = std::partition_point(
        entries_.begin(), entries_.end(), [&](const Entry& candidate) { return candidate.segment.first <= position; });
    for (auto entry = behind; entry != entries_.begin() && !number;) {
      --entry;
      if (entry->first_mark && entry->first_mark->position <= position) {
        number = static_cast<std::size_t>(entry - entries_.begin());
      }
    }
  }
  if (!number) return std::nullopt;
  const SharedMarks marks = TRY(marks_of(static_cast<std::uint32_t>(*number)));
  const std::lock_guard lock(mutex_);  // those of the last segment grow
  const auto mark = std::partition_point(marks->begin(), marks->end(),
                                         [&](const Mark& candidate) { return candidate.position <= position; });
  INVARIANT(mark != marks->begin(), "the first mark is that of the entry");
  return signpost(*number, *(mark - 1));
}

Result<SegmentTable::Around> SegmentTable::around(Instant time) const {
  Around around;
  std::optional<std::size_t> number;
  {
    const std::lock_guard lock(mutex_);
    // A segment without a group is passed over: it says nothing about time.
    const auto is_later = [&](const Entry& entry) { return !entry.first_mark || entry.first_mark->created_at > time; };
    std::size_t low = 0;
    std::size_t high = entries_.size();
    while (low < high) {
      const std::size_t middle = low + (high - low) / 2;
      std::size_t probe = middle;
      while (probe + 1 < high && !entries_[probe].first_mark) ++probe;
      if (is_later(entries_[probe])) {
        high = middle;
      } else {
        low = probe + 1;
      }
    }
    for (std::size_t at = low; at < entries_.size() && !around.upper; ++at) {
      if (entries_[at].first_mark) around.upper = signpost(at, *entries_[at].first_mark);
    }
    for (std::size_t at = low; at > 0 && !number; --at) {
      if (entries_[at - 1].first_mark) number = at - 1;
    }
  }
  if (!number) return around;
  const SharedMarks marks = TRY(marks_of(static_cast<std::uint32_t>(*number)));
  const std::lock_guard lock(mutex_);  // those of the last segment grow
  const auto mark = std::partition_point(marks->begin(), marks->end(),
                                         [&](const Mark& candidate) { return candidate.created_at <= time; });
  INVARIANT(mark != marks->begin(), "the first mark is that of the entry");
  around.lower = signpost(*number, *(mark - 1));
  if (mark != marks->end()) around.upper = signpost(*number, *mark);
  return around;
}

SegmentTable::SharedMarks SegmentTable::marks_at_hand(std::uint32_t number) const {
  const std::lock_guard lock(mutex_);
  if (entries_[number].marks) return entries_[number].marks;
  const auto found = cached_.find(number);
  if (found == cached_.end()) return nullptr;
  found->second.used = ++marks_uses_;
  return found->second.marks;
}

/// With mutex_ held.
void SegmentTable::keep(std::uint32_t number, const SharedMarks& marks) const {
  if (cached_.size() >= marks_cached_max) {
    cached_.erase(std::min_element(cached_.begin(), cached_.end(),
                                   [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
  }
  cached_[number] = {marks, ++marks_uses_};
}

Result<SegmentTable::SharedMarks> SegmentTable::marks_of(std::uint32_t number) const {
  if (auto found = marks_at_hand(number)) return found;
  std::unique_lock finding(finding_mutex_);
  if (auto found = marks_at_hand(number)) return found;  // somebody else was faster
  Segment wanted;
  std::optional<Mark> first_mark;
  bool unread = false;
  {
    const std::lock_guard lock(mutex_);
    wanted = entries_[number].segment;
    first_mark = entries_[number].first_mark;
    unread = entries_[number].unread;
  }
  const std::string path = platform::join_path(index_directory_, summary_name(wanted.first));
  auto marks = unread ? Result<Marks>{} : read_marks(files_, path, wanted.salt, first_mark);
  if (marks && !unread) {
    auto shared = std::make_shared<const Marks>(*std::move(marks));
    const std::lock_guard lock(mutex_);
    keep(number, shared);
    return shared;
  }
  const ReadBack found = TRY(read_back(number));
  put_back(found);
  if (unread) return found.marks;  // its summary is wanted already
  log_.warning("an index of the log is not what was written; it is made anew from the log",
               {{"file", path}, {"found", marks.error().message}});
  finding.unlock();
  if (tell_lost_) tell_lost_(number);
  return found.marks;
}

Result<SegmentTable::ReadBack> SegmentTable::read_back(std::uint32_t number) const {
  ReadBack found{.number = number, .marks = std::make_shared<Marks>()};
  Position next;
  Position last;
  {
    const std::lock_guard lock(mutex_);
    const Entry& entry = entries_[number];
    INVARIANT(entry.summary.has_value(), "only of sealed segments the marks are not at hand");
    next = entry.segment.first;
    last = entry.summary->last;
    found.was_unread = entry.unread;
  }
  Marks& marks = *found.marks;
  TRY(walk_segment(*this, number, [&](Place place, const GroupView& group) -> Result<> {
    if (group.first() != next) return does_not_follow(group.first(), next);
    next = next.plus(group.count());
    ++found.groups;
    if (marks.empty() || place.offset - marks.back().offset >= mark_distance_bytes) {
      auto walk = group.walk();
      const auto first = walk.next();
      marks.push_back({group.first(), first ? first->created_at : Instant{}, place.offset});
    }
    return {};
  }));
  if (next != last.next()) return does_not_follow(last.next(), next);
  return found;
}

void SegmentTable::put_back(const ReadBack& found) const {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[found.number];
  if (found.was_unread && !entry.unread) return;  // somebody else was faster, and the summary may be written by now
  if (entry.unread) entry.summary->groups = found.groups;
  entry.unread = false;
  if (!entry.marks) entry.marks = found.marks;
  entry.summary_bytes = 0;
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
  std::shared_ptr<const platform::File> file = TRY(open_segment(files_, known->path));
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

std::uint64_t SegmentTable::record_bytes_average() const {
  const std::lock_guard lock(mutex_);
  // The number of records is near enough to the last known mark's position.
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if (!entry->first_mark) continue;
    const Mark& last = entry->marks && !entry->marks->empty() ? entry->marks->back() : *entry->first_mark;
    return bytes_ / last.position.value;
  }
  return 0;
}

IndexBytes SegmentTable::index_bytes() const {
  const std::lock_guard lock(mutex_);
  IndexBytes bytes{0, entries_.capacity() * sizeof(Entry)};
  for (const Entry& entry : entries_) {
    bytes.on_disk += entry.summary_bytes;
    bytes.in_memory += entry.segment.path.capacity() + (entry.marks ? entry.marks->capacity() * sizeof(Mark) : 0);
  }
  for (const auto& [number, cached] : cached_) bytes.in_memory += cached.marks->capacity() * sizeof(Mark);
  return bytes;
}

std::uint64_t SegmentTable::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace annals::log
