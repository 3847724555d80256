#include "store/embedded/index/sealed_streams.hpp"

#include <algorithm>

#include "base/invariant.hpp"
#include "base/wording.hpp"
#include "store/embedded/index/index_group.hpp"

namespace annals::store {
namespace {

constexpr std::size_t pages_cached_max = 2048;  // 8 MiB
constexpr std::size_t merged_at_once = 8;
constexpr std::size_t bytes_a_step = 1u << 20;
constexpr std::size_t unwritten_max = 8;  // that are kept for questions; some 10 MiB each, with segments of 64 MiB
constexpr int merges_failed_max = 3;      // then it is no accident, and merging rests until the next opening

/// Ranges of one level are merged with one another: 1 to 7 segments, 8 to 63, and so on.
int level_of(SegmentSpan span) {
  int level = 0;
  for (std::uint32_t count = span.count(); count >= merged_at_once; count /= merged_at_once) ++level;
  return level;
}

std::string indexes_in(const std::string& directory) {
  return platform::join_path(directory, "index");
}

}  // namespace

struct SealedStreams::Link {
  std::mutex mutex;
  SealedStreams* streams = nullptr;
};

SealedStreams::SealedStreams(platform::Platform platform, platform::Executor* background, const log::Log& log,
                             const std::string& directory, DamageNotes& damage)
    : platform_(platform),
      background_(background),
      log_(log),
      directory_(indexes_in(directory)),
      seed_(hash_seed(log.summary().store)),
      damage_(damage),
      cache_(pages_cached_max),
      ranges_(std::make_shared<const Ranges>()),
      link_(std::make_shared<Link>()) {
  link_->streams = this;
  adopt_files();
  post_work();
}

SealedStreams::~SealedStreams() {
  const std::lock_guard lock(link_->mutex);
  link_->streams = nullptr;
}

StreamsFooter SealedStreams::footer_for(SegmentSpan span) const {
  std::vector<std::uint64_t> salts;
  for (std::uint32_t segment = span.first; segment <= span.last; ++segment) {
    salts.push_back(log_.segment_salt(segment));
  }
  StreamsFooter footer;
  footer.store = log_.summary().store;
  footer.span = span;
  footer.salts = digest_of_salts(salts);
  return footer;
}

void SealedStreams::adopt_files() {
  const std::uint32_t sealed = log_.segments() - 1;
  std::vector<std::pair<SegmentSpan, std::string>> found;
  std::vector<std::string> useless;
  const auto exists = platform_.files.exists(directory_);
  const auto names = exists && *exists ? platform_.files.list(directory_) : Result<std::vector<std::string>>{};
  if (!names) {
    platform_.log.warning("the directory of indexes cannot be read",
                          {{"directory", directory_}, {"cause", names.error().message}});
  }
  for (const std::string& name : names.value_or(std::vector<std::string>{})) {
    const std::string path = platform::join_path(directory_, name);
    const auto span = span_of_streams_name(name);
    if (span) found.emplace_back(*span, path);
    if (name.ends_with(".streams.new")) useless.push_back(path);
  }
  // Wide ones first: a merged file makes those that went into it superfluous.
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::pair(b.first.count(), a.first.first) < std::pair(a.first.count(), b.first.first);
  });
  std::vector<std::shared_ptr<Range>> covering(sealed);  // by segment
  for (const auto& [span, path] : found) {
    bool fits = span.last < sealed;
    for (std::uint32_t at = span.first; fits && at <= span.last; ++at) fits = covering[at] == nullptr;
    if (fits) {
      auto file = StreamsFile::open(platform_.files, path, cache_, footer_for(span));
      if (file) {
        const auto range = std::make_shared<Range>(span);
        range->file = *std::move(file);
        for (std::uint32_t at = span.first; at <= span.last; ++at) covering[at] = range;
        continue;
      }
      platform_.log.warning("an index of streams is not what was written; it is made anew from the log",
                            {{"file", path}, {"found", file.error().message}});
    }
    useless.push_back(path);
  }
  auto ranges = std::make_shared<Ranges>();
  std::uint64_t missing = 0;
  for (std::uint32_t at = 0; at < sealed; ++at) {
    if (!covering[at]) {
      ++missing;
      ranges->push_back(std::make_shared<Range>(SegmentSpan{at, at}));
    } else if (covering[at]->span.first == at) {
      ranges->push_back(covering[at]);
    }
  }
  if (missing > 0) {
    platform_.log.warning("segments are without an index of streams; it is made anew from the log",
                          {{"segments", missing}, {"directory", directory_}});
    lost_ = missing;
  }
  ranges_ = std::move(ranges);
  if (!background_) return;
  for (const std::string& path : useless) (void)platform_.files.remove(path);  // what stays is not believed either
}

void SealedStreams::add(std::uint32_t segment, SegmentStreams streams) {
  {
    const std::lock_guard lock(mutex_);
    const std::uint32_t covered = ranges_->empty() ? 0 : ranges_->back()->span.last + 1;
    INVARIANT(segment <= covered, "segments are sealed one after another");
    if (segment == covered) {
      auto grown = std::make_shared<Ranges>(*ranges_);
      grown->push_back(std::make_shared<Range>(SegmentSpan{segment, segment}));
      ranges_ = std::move(grown);
    }
    for (const auto& range : *ranges_) {
      if (range->span == SegmentSpan{segment, segment}) {
        range->memory = std::make_shared<const SegmentStreams>(std::move(streams));
        break;
      }
    }
  }
  post_work();
}

std::shared_ptr<const SealedStreams::Ranges> SealedStreams::ranges() const {
  const std::lock_guard lock(mutex_);
  return ranges_;
}

SealedStreams::Sizes SealedStreams::sizes() const {
  const std::lock_guard lock(mutex_);
  Sizes sizes{.ranges = ranges_->size()};
  for (const auto& range : *ranges_) {
    sizes.in_memory += range->memory != nullptr;
    sizes.missing += !range->memory && !range->file;
  }
  return sizes;
}

log::IndexBytes SealedStreams::bytes() const {
  log::IndexBytes bytes{0, cache_.bytes()};
  std::vector<std::shared_ptr<const StreamsFile>> files;  // asked outside of the lock: somebody may be reading
  {
    const std::lock_guard lock(mutex_);
    for (const auto& range : *ranges_) {
      if (range->memory) bytes.in_memory += range->memory->bytes();
      if (range->file) files.push_back(range->file);
    }
  }
  for (const auto& file : files) {
    bytes.on_disk += file->bytes().on_disk;
    bytes.in_memory += file->bytes().in_memory;
  }
  return bytes;
}

Result<SealedStreams::Found> SealedStreams::find(const Range& range, std::string_view stream, StreamHash hash) const {
  std::shared_ptr<const SegmentStreams> memory;
  std::shared_ptr<const StreamsFile> file;
  {
    const std::lock_guard lock(mutex_);
    memory = range.memory;
    file = range.file;
  }
  if (memory) {
    const StreamStretch* stretch = memory->find(stream);
    return Found{stretch ? std::optional(Piece(*stretch, std::move(memory))) : std::nullopt};
  }
  if (!file) return Found{.piece = std::nullopt, .is_missing = true};
  const auto entry = TRY(file->find(hash));
  return Found{entry ? std::optional(Piece(*entry, std::move(file))) : std::nullopt};
}

Result<std::optional<Piece>> SealedStreams::read_for(Range& range, std::string_view stream, Search& search) const {
  if (const Duration time = search_time_; time != Duration::max()) {
    const Duration now = platform_.clock.monotonic();
    if (!search.begun) search.begun = now;
    if (now - *search.begun > time) {
      return fail(ErrorKind::unavailable, index_missing,
                  "the index of the log is being made anew, " + counted(sizes().missing, "segment") +
                      " to go, and what this request needs is in none that has one; nothing was done; try again soon");
    }
  }
  std::shared_ptr<const SegmentStreams> streams;
  if (keeps_many_unwritten()) {
    SegmentStreams of_one;
    TRY(log_.read_segment(range.span.first, [&](log::Place place, const log::GroupView& group) -> Result<> {
      return index_group(place, group, of_one, stream);
    }));
    streams = std::make_shared<const SegmentStreams>(std::move(of_one));
  } else {
    streams = TRY(build(range));
  }
  const StreamStretch* stretch = streams->find(stream);
  return stretch ? std::optional(Piece(*stretch, std::move(streams))) : std::nullopt;
}

bool SealedStreams::keeps_many_unwritten() const {
  if (!background_) return false;
  const std::lock_guard lock(mutex_);
  const auto is_unwritten = [](const auto& range) { return range->memory && !range->file; };
  return static_cast<std::size_t>(std::ranges::count_if(*ranges_, is_unwritten)) >= unwritten_max;
}

Result<std::shared_ptr<const SegmentStreams>> SealedStreams::build(Range& range) const {
  INVARIANT(range.span.count() == 1, "what is built is built segment by segment");
  const std::lock_guard building(range.building);
  {
    const std::lock_guard lock(mutex_);
    if (range.memory) return range.memory;  // somebody else was faster
  }
  SegmentStreams streams;
  TRY(log_.read_segment(range.span.first, [&](log::Place place, const log::GroupView& group) -> Result<> {
    return index_group(place, group, streams);
  }));
  auto shared = std::make_shared<const SegmentStreams>(std::move(streams));
  {
    const std::lock_guard lock(mutex_);
    range.memory = shared;
  }
  post_work();
  return shared;
}

bool SealedStreams::lose(const std::shared_ptr<Range>& range, const Error& error) const {
  std::string path;
  {
    const std::lock_guard lock(mutex_);
    if (!range->file || range->memory) return false;
    // Somebody else may have noticed before; or it was merged meanwhile, and the answer lies in another file.
    if (std::find(ranges_->begin(), ranges_->end(), range) == ranges_->end()) return true;
    path = range->file->path();
  }
  Ranges by;
  for (std::uint32_t at = range->span.first; at <= range->span.last; ++at) {
    by.push_back(std::make_shared<Range>(SegmentSpan{at, at}));
  }
  replace(range->span, by);
  {
    const std::lock_guard lock(mutex_);
    lost_ += range->span.count();
  }
  platform_.log.warning("an index of streams is not what was written; it is made anew from the log",
                        {{"file", path}, {"found", error.message}});
  if (background_) (void)platform_.files.remove(path);  // what stays is found to be damaged once more
  post_work();
  return true;
}

void SealedStreams::check_files() {
  // Asked before the directory is read: each has its name by then, and loses it only after it was replaced by another.
  std::vector<std::pair<std::shared_ptr<Range>, std::string>> written;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& range : *ranges_) {
      if (range->file) written.emplace_back(range, streams_name(range->span));
    }
  }
  const auto there = platform_.files.exists(directory_);
  if (written.empty() || !there) return;
  const auto listed = *there ? platform_.files.list(directory_) : Result<std::vector<std::string>>{};
  if (!listed) return;  // what cannot be told just now is asked again
  std::uint64_t lost = 0;
  for (const auto& [range, name] : written) {
    if (std::ranges::find(*listed, name) != listed->end()) continue;
    Ranges by;
    {
      const std::lock_guard lock(mutex_);
      if (std::ranges::find(*ranges_, range) == ranges_->end()) continue;  // merged meanwhile
      lost += range->span.count();
      if (range->memory) {
        range->file = nullptr;  // it is written once more
        continue;
      }
      for (std::uint32_t at = range->span.first; at <= range->span.last; ++at)
        by.push_back(std::make_shared<Range>(SegmentSpan{at, at}));
    }
    replace(range->span, by);
  }
  if (lost == 0) return;
  {
    const std::lock_guard lock(mutex_);
    lost_ += lost;
  }
  platform_.log.warning("indexes of streams were deleted; they are made anew from the log",
                        {{"segments", lost}, {"directory", directory_}});
  post_work();
}

void SealedStreams::replace(SegmentSpan span, const Ranges& by) const {
  const std::lock_guard lock(mutex_);
  auto changed = std::make_shared<Ranges>();
  bool put = false;
  for (const auto& range : *ranges_) {
    const bool inside = range->span.first >= span.first && range->span.last <= span.last;
    if (!inside) {
      changed->push_back(range);
    } else if (!std::exchange(put, true)) {
      changed->insert(changed->end(), by.begin(), by.end());
    }
  }
  ranges_ = std::move(changed);
}

void SealedStreams::post_work() const {
  if (!background_) return;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(posted_, true)) return;
  }
  background_->post([link = link_] {
    const std::lock_guard lock(link->mutex);
    SealedStreams* streams = link->streams;
    if (!streams) return;
    {
      const std::lock_guard posted(streams->mutex_);
      streams->posted_ = false;
    }
    if (streams->work()) streams->post_work();
  });
}

bool SealedStreams::work() {
  if (job_) return continue_job();
  std::shared_ptr<Range> missing;
  std::vector<std::shared_ptr<const SegmentStreams>> freed;  // outside of the lock: there is much to free
  {
    const std::lock_guard lock(mutex_);
    for (const auto& range : *ranges_) {
      // The newest one stays in memory, too.
      if (range->file && range->memory && range != ranges_->back()) freed.push_back(std::move(range->memory));
      if (!missing && !range->file && !range->memory && !range->unreadable) missing = range;
    }
  }
  freed.clear();
  // What is in memory is written before more is built, so that memory holds little at a time. Files are merged when
  // none is missing, oldest first: else who asks for the newest of many that are missing would have those merged with
  // their neighbours, and leave others between that have too few.
  if (begin_job(Job::write)) return true;
  if (!missing) {
    tell_when_whole();
    return begin_job(Job::merge);
  }
  if (const auto built = build(*missing); !built) {
    damage_.note(built.error());
    platform_.log.error("a segment cannot be read to make its index",
                        {{"segment", std::uint64_t{missing->span.first}}, {"cause", built.error().message}});
    const std::lock_guard lock(mutex_);
    missing->unreadable = true;
  }
  return true;
}

/// Once there is nothing left to be built and written of what was lost.
void SealedStreams::tell_when_whole() {
  std::uint64_t lost = 0;
  std::uint64_t unreadable = 0;
  {
    const std::lock_guard lock(mutex_);
    lost = std::exchange(lost_, 0);
    unreadable = static_cast<std::uint64_t>(
        std::ranges::count_if(*ranges_, [](const auto& range) { return range->unreadable; }));
  }
  if (lost == 0) return;
  platform_.log.info("the indexes of streams have been made anew",
                     {{"segments", lost}, {"unreadable", unreadable}, {"directory", directory_}});
}

std::optional<SealedStreams::Ranges> SealedStreams::to_merge() const {
  if (merges_failed_ >= merges_failed_max) return std::nullopt;
  Ranges run;
  for (const auto& range : *ranges_) {
    if (range == ranges_->back()) break;  // the newest one is in memory, too, and stays so until there is a newer one
    if (!range->file || (!run.empty() && level_of(run.back()->span) != level_of(range->span))) run.clear();
    if (range->file) run.push_back(range);
    if (run.size() == merged_at_once) return run;
  }
  return std::nullopt;
}

bool SealedStreams::begin_job(Job kind) {
  Ranges inputs;
  std::vector<std::shared_ptr<const StreamsFile>> files;
  std::shared_ptr<const SegmentStreams> memory;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& range : *ranges_) {
      if (kind == Job::merge || range->file || !range->memory) continue;
      inputs = {range};
      memory = range->memory;
      break;
    }
    if (kind == Job::write && !memory) return false;
    if (kind == Job::merge) {
      auto merged = to_merge();
      if (!merged) return false;
      inputs = *std::move(merged);
      for (const auto& range : inputs) files.push_back(range->file);
    }
  }
  std::vector<std::unique_ptr<StreamSource>> sources;
  if (memory) sources.push_back(source_of(std::move(memory), seed_));
  for (std::size_t at = 0; at < files.size(); ++at) {
    auto source = source_of(files[at]);
    if (!source) return lose(inputs[at], source.error());
    sources.push_back(*std::move(source));
  }
  const SegmentSpan span{inputs.front()->span.first, inputs.back()->span.last};
  job_ = std::make_unique<StreamsBuilder>(platform_.files, directory_, footer_for(span), std::move(sources));
  job_ranges_ = std::move(inputs);
  return true;
}

bool SealedStreams::continue_job() {
  const auto done = job_->step(bytes_a_step);
  if (done && !*done) return true;
  const auto file = done ? StreamsFile::open(platform_.files, job_->path(), cache_, footer_for(job_->span()))
                         : std::unexpected(done.error());
  const std::unique_ptr<StreamsBuilder> job = std::move(job_);
  const Ranges inputs = std::exchange(job_ranges_, {});
  const bool is_merge = inputs.size() > 1;
  if (!file) {
    job->clear_away();
    platform_.log.warning("an index of streams could not be written; it is tried again later",
                          {{"file", job->path()}, {"cause", file.error().message}});
    if (is_merge) ++merges_failed_;
    if (!is_merge || file.error().kind != ErrorKind::corrupt) return false;  // until something else is to be done
    for (const auto& range : inputs) (void)lose(range, file.error());
    return true;
  }
  if (!is_merge) {
    const std::lock_guard lock(mutex_);
    inputs.front()->file = *file;
    return true;
  }
  auto merged = std::make_shared<Range>(job->span());
  merged->file = *file;
  replace(job->span(), {merged});
  // Readers that are still in one of them have it open, and read on.
  for (const auto& range : inputs) {
    const std::string path = platform::join_path(directory_, streams_name(range->span));
    if (const auto removed = platform_.files.remove(path); !removed && removed.error().kind != ErrorKind::not_found) {
      platform_.log.warning("an index that has been merged could not be removed",
                            {{"file", path}, {"cause", removed.error().message}});
    }
  }
  return true;
}

Result<std::vector<std::string>> check_streams_files(const platform::FileSystem& files, const std::string& directory,
                                                     const Uuid& store, const std::vector<std::uint64_t>& salts,
                                                     const std::vector<std::uint64_t>& digests) {
  std::vector<std::string> faults;
  const std::string folder = indexes_in(directory);
  if (!TRY(files.exists(folder))) return faults;
  PageCache cache(1);
  for (const std::string& name : TRY(files.list(folder))) {
    const auto span = span_of_streams_name(name);
    if (!span) continue;
    const std::string path = platform::join_path(folder, name);
    if (span->last + 1 >= salts.size()) {
      faults.push_back(path + " is the index of segments that are not there or not sealed");
      continue;
    }
    StreamsFooter expected;
    expected.store = store;
    expected.span = *span;
    expected.salts = digest_of_salts({salts.begin() + span->first, salts.begin() + span->last + 1});
    std::uint64_t digest = 0;
    for (std::uint32_t at = span->first; at <= span->last; ++at) digest += digests[at];
    if (const auto checked = check_streams_file(files, path, cache, expected, digest); !checked) {
      faults.push_back(checked.error().message);
    }
  }
  return faults;
}

}  // namespace annals::store
