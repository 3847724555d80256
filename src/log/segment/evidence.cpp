#include "log/segment/evidence.hpp"

#include "log/segment/directory.hpp"
#include "log/segment/summary.hpp"

namespace annals::log {
namespace {

/// The summary, when it is one of this store's that can be believed without its segment.
std::optional<SegmentSummary> believed(const platform::FileSystem& files, const std::string& path, Position first,
                                       const Uuid& store) {
  auto summary = read_summary(files, path);
  if (!summary || summary->store != store || summary->first != first || summary->last < first) return std::nullopt;
  return *std::move(summary);
}

std::unexpected<Error> missing(const std::string& directory, const std::string& summary_path, Position next,
                               const ScannedLog& scanned) {
  const std::string segment = platform::join_path(segments_directory(directory), segment_name(next));
  return fail(ErrorKind::corrupt, "segment_missing",
              segment + " is missing: the log ends at position " + to_string(scanned.last) + " in " +
                  scanned.segments.back().path + ", but " + summary_path +
                  " was written when that segment was durable; put it back from a backup, with all that are missing "
                  "before it. If an older copy of the log was put back on purpose, without what was recorded since, "
                  "delete the directory " +
                  index_directory(directory) + ", which is made anew");
}

}  // namespace

FoundLog found_log(const ScannedLog& scanned) {
  FoundLog found{.store = scanned.store, .last = scanned.last, .epochs = scanned.epochs, .salts = {}};
  for (const ScannedSegment& segment : scanned.segments) found.salts.push_back(segment.header.salt);
  return found;
}

Result<bool> check_end(const platform::FileSystem& files, const std::string& directory, const ScannedLog& scanned,
                       const OnFound& on_found) {
  bool durable = false;
  const SegmentHeader& last = scanned.segments.back().header;
  const ScannedSegment* before = scanned.segments.size() > 1 ? &scanned.segments[scanned.segments.size() - 2] : nullptr;
  const std::string folder = index_directory(directory);
  std::optional<std::pair<std::string, SegmentSummary>> newest;
  if (TRY(files.exists(folder))) {
    for (const std::string& name : TRY(files.list(folder))) {
      const auto first = position_of_summary_name(name);
      const bool is_before = before && first == before->header.first;
      if (!first || (*first < last.first && !is_before)) continue;
      const std::string path = platform::join_path(folder, name);
      auto summary = believed(files, path, *first, scanned.store);
      if (!summary) continue;
      if (is_before) {
        durable = summary->salt == before->header.salt;
      } else if (*first > last.first || summary->salt == last.salt) {
        newest.emplace(path, *std::move(summary));
      }
    }
  }
  if (newest) return missing(directory, newest->first, newest->second.last.next(), scanned);
  if (on_found && TRY(on_found(found_log(scanned)))) durable = true;
  return durable;
}

}  // namespace annals::log
