#include "log/segment/summary_keeper.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <utility>

namespace annals::log {

struct SummaryKeeper::State {
  State(platform::Platform world, platform::Executor& executor, SegmentTable& segments, std::string path)
      : platform(world), background(executor), table(segments), directory(std::move(path)) {}

  const platform::Platform platform;
  platform::Executor& background;
  SegmentTable& table;
  const std::string directory;  // of indexes
  std::atomic<bool> closing = false;
  std::mutex working;  // held while a task runs; the keeper waits for it before it goes
  std::mutex mutex;
  std::set<std::uint32_t> wanted;  // guarded by mutex
  std::set<std::uint32_t> lost;    // guarded by mutex: of those that are wanted, what must be taken from the segment
  std::uint64_t made_anew = 0;     // guarded by mutex: of those, since there were none

  Result<> write(std::uint32_t number, bool deleted) const {
    if (deleted) TRY(table.take_back(number));
    const auto unwritten = table.unwritten(number);
    if (!unwritten) return {};
    const std::string path = platform::join_path(directory, summary_name(unwritten->summary.first));
    TRY(platform::make_directory_again(platform.files, path));
    TRY(platform::replace_file(platform.files, path, encode_summary(unwritten->summary, unwritten->marks)));
    table.summary_is_written(number);
    return {};
  }

  /// Removes what is unfinished, and the summaries of segments that are not known.
  void remove_strays(const std::set<std::string>& known) const {
    const auto there = platform.files.exists(directory);
    if (!there || !*there) return;
    for (const std::string& name : platform.files.list(directory).value_or(std::vector<std::string>{})) {
      const bool unfinished = name.ends_with(".summary.new");
      if (unfinished || (position_of_summary_name(name) && !known.contains(name))) {
        // One that cannot be removed is not believed either.
        (void)platform.files.remove(platform::join_path(directory, name));
      }
    }
  }

  /// Writes one of those that are wanted, the oldest at or after `from`, and posts itself for the next, so that
  /// whatever else waits for the executor gets its turn between two of them.
  static void work(const std::shared_ptr<State>& state, std::uint32_t from) {
    const std::lock_guard running(state->working);
    if (state->closing) return;
    std::optional<std::uint32_t> number;
    bool deleted = false;
    {
      const std::lock_guard lock(state->mutex);
      const auto found = state->wanted.lower_bound(from);
      if (found != state->wanted.end()) number = *found;
      deleted = number && state->lost.contains(*number);
    }
    if (!number) return;
    const auto written = state->write(*number, deleted);
    const bool unreadable = !written && written.error().kind == ErrorKind::corrupt;
    if (!written && !unreadable) {
      state->platform.log.warning("an index of the log could not be written; it is tried again later",
                                  {{"segment", std::uint64_t{*number}}, {"cause", written.error().message}});
      return;  // with the next one that is wanted
    }
    if (unreadable) {
      state->platform.log.error(
          "a segment cannot be read to make its summary",
          {{"segment", std::uint64_t{*number}}, {"cause", std::string_view(written.error().message)}});
    }
    std::uint64_t all_made_anew = 0;
    {
      const std::lock_guard lock(state->mutex);
      state->wanted.erase(*number);
      if (state->lost.erase(*number) > 0 && !unreadable) ++state->made_anew;
      if (state->lost.empty()) all_made_anew = std::exchange(state->made_anew, 0);
    }
    if (all_made_anew > 0) {
      state->platform.log.info("the indexes of the log have been made anew", {{"segments", all_made_anew}});
    }
    post(state, *number + 1);
  }
  static void post(const std::shared_ptr<State>& state, std::uint32_t from) {
    state->background.post([state, from] { work(state, from); });
  }
};

SummaryKeeper::SummaryKeeper(platform::Platform platform, platform::Executor& background, SegmentTable& table,
                             const std::string& directory)
    : state_(std::make_shared<State>(platform, background, table, index_directory(directory))) {
  table.on_lost_marks([this](std::uint32_t number) { keep(number); });
}

SummaryKeeper::~SummaryKeeper() {
  state_->closing = true;
  const std::lock_guard lock(state_->working);
}

void SummaryKeeper::keep(std::uint32_t number) {
  {
    const std::lock_guard lock(state_->mutex);
    state_->wanted.insert(number);
  }
  State::post(state_, 0);
}

void SummaryKeeper::check() {
  // Asked before the directory is read: what was written by then has its name, and keeps it unless somebody takes it
  // away.
  const auto written = state_->table.written();
  if (written.empty()) return;
  const auto there = state_->platform.files.exists(state_->directory);
  if (!there) return;
  std::set<std::string> names;
  if (*there) {
    const auto listed = state_->platform.files.list(state_->directory);
    if (!listed) return;  // what cannot be told just now is asked again
    names.insert(listed->begin(), listed->end());
  }
  std::vector<std::uint32_t> lost;
  {
    const std::lock_guard lock(state_->mutex);
    for (const auto& [number, name] : written) {
      if (names.contains(name) || !state_->lost.insert(number).second) continue;
      state_->wanted.insert(number);
      lost.push_back(number);
    }
  }
  if (lost.empty()) return;
  state_->platform.log.warning(
      "indexes of the log were deleted; they are made anew from the log",
      {{"segments", static_cast<std::uint64_t>(lost.size())}, {"directory", state_->directory}});
  State::post(state_, 0);
}

void SummaryKeeper::begin(const ScannedLog& scanned) {
  std::set<std::string> known;
  std::vector<std::uint32_t> missing;
  for (std::size_t number = 0; number < scanned.segments.size(); ++number) {
    const ScannedSegment& segment = scanned.segments[number];
    // The last one may be sealed already. It gets its summary, which proves that there is a next one, with that.
    if (number + 1 == scanned.segments.size()) break;
    known.insert(summary_name(segment.header.first));
    if (!segment.summary || segment.summarised || (segment.groups == 0 && !segment.unread)) continue;
    missing.push_back(static_cast<std::uint32_t>(number));
  }
  // First, so that nothing is removed that is being written.
  state_->remove_strays(known);
  for (const std::uint32_t number : missing) {
    {
      const std::lock_guard lock(state_->mutex);
      state_->lost.insert(number);
    }
    keep(number);
  }
}

std::size_t SummaryKeeper::missing() const {
  const std::lock_guard lock(state_->mutex);
  return state_->lost.size();
}

Result<std::vector<std::string>> check_summaries(const platform::FileSystem& files, const std::string& directory,
                                                 const ScannedLog& scanned) {
  std::vector<std::string> faults;
  const std::string folder = index_directory(directory);
  if (!TRY(files.exists(folder))) return faults;
  std::map<Position, const ScannedSegment*> sealed;
  for (std::size_t number = 0; number + 1 < scanned.segments.size(); ++number) {
    sealed[scanned.segments[number].header.first] = &scanned.segments[number];
  }
  for (const std::string& name : TRY(files.list(folder))) {
    const auto first = position_of_summary_name(name);
    if (!first) continue;
    const std::string path = platform::join_path(folder, name);
    const auto segment = sealed.find(*first);
    if (segment == sealed.end()) {
      faults.push_back(path + " is the summary of a segment that is not there or not sealed");
      continue;
    }
    const std::string expected = encode_summary(*segment->second->summary, segment->second->marks);
    const auto found = platform::read_own_file(files, path, expected.size());
    if (!found && found.error().kind == ErrorKind::input_output) {
      faults.push_back(found.error().message);
    } else if (!found || *found != expected) {
      faults.push_back(path + " does not say what the segment says");
    }
  }
  return faults;
}

}  // namespace annals::log
