#include "store/embedded/index/streams_builder.hpp"

#include <algorithm>

#include "base/invariant.hpp"

namespace annals::store {
namespace {

constexpr std::uint64_t pages_at_once = 32;
constexpr std::uint64_t addresses_at_once = 16'384;
/// Flushed piece by piece, so that the flush that somebody waits for never queues behind a whole file.
constexpr std::uint64_t flushed_piece_bytes = 4u << 20;

class MemorySource final : public StreamSource {
 public:
  MemorySource(std::shared_ptr<const SegmentStreams> streams, std::uint64_t seed) : streams_(std::move(streams)) {
    sorted_.reserve(streams_->streams().size());
    for (const auto& [name, stretch] : streams_->streams()) {
      sorted_.push_back({{hash_stream(name, seed), stretch.first, stretch.addresses.size(), 0}, &stretch});
      addresses_ += stretch.addresses.size();
    }
    std::sort(sorted_.begin(), sorted_.end(), [](const auto& a, const auto& b) { return a.entry.hash < b.entry.hash; });
  }
  const StreamEntry* current() const override { return at_ < sorted_.size() ? &sorted_[at_].entry : nullptr; }
  Result<std::uint64_t> next_address() override { return sorted_[at_].stretch->addresses[taken_++].bits(); }
  Result<> advance() override {
    ++at_;
    taken_ = 0;
    return {};
  }
  std::uint64_t addresses() const override { return addresses_; }

 private:
  struct Stream {
    StreamEntry entry;
    const StreamStretch* stretch;
  };
  const std::shared_ptr<const SegmentStreams> streams_;  // shared with readers
  std::vector<Stream> sorted_;
  std::uint64_t addresses_ = 0;
  std::size_t at_ = 0;
  std::size_t taken_ = 0;
};

/// Items of one size out of consecutive pages, forward.
class ItemReader {
 public:
  ItemReader(const StreamsFile& file, std::uint64_t begin, std::uint64_t end, std::size_t item_bytes)
      : file_(file), page_(begin), end_(end), item_bytes_(item_bytes) {}

  /// Borrowed until the next call.
  Result<const char*> next() {
    if (page_content_bytes - within_ < item_bytes_) {
      within_ = 0;
      begin_ += page_content_bytes;
    }
    if (begin_ >= content_.size()) {
      const std::uint64_t count = std::min(pages_at_once, end_ - page_);
      INVARIANT(count > 0, "no more is read than the footer says");
      content_ = TRY(file_.read_pages(page_, count));
      page_ += count;
      begin_ = within_ = 0;
    }
    const char* item = content_.data() + begin_ + within_;
    within_ += item_bytes_;
    return item;
  }

 private:
  const StreamsFile& file_;
  std::uint64_t page_;
  const std::uint64_t end_;
  const std::size_t item_bytes_;
  std::string content_;
  std::size_t begin_ = 0;  // of the page in hand
  std::size_t within_ = 0;
};

class FileSource final : public StreamSource {
 public:
  explicit FileSource(std::shared_ptr<const StreamsFile> file)
      : file_(std::move(file)),
        entries_left_(file_->footer().entries),
        addresses_(*file_, 0, file_->footer().address_pages(), 8),
        entries_(*file_, file_->footer().address_pages(),
                 file_->footer().address_pages() + file_->footer().entry_pages(), entry_bytes) {}

  const StreamEntry* current() const override { return entry_ ? &*entry_ : nullptr; }
  Result<std::uint64_t> next_address() override { return get_at<std::uint64_t>(TRY(addresses_.next())); }
  Result<> advance() override {
    const std::uint64_t begin = entry_ ? entry_->begin + entry_->count : 0;
    const StreamHash before = entry_ ? entry_->hash : StreamHash{};
    const bool is_first = !entry_;
    entry_.reset();
    if (entries_left_-- == 0) return check(begin == file_->footer().addresses);
    entry_ = get_entry(TRY(entries_.next()));
    // What a checksum cannot tell: that the file was made by a program that works.
    return check(entry_->begin == begin && entry_->count > 0 && entry_->first.value > 0 &&
                 entry_->count <= file_->footer().addresses - begin && (is_first || before < entry_->hash));
  }
  std::uint64_t addresses() const override { return file_->footer().addresses; }

 private:
  Result<> check(bool fits) const {
    if (fits) return {};
    return fail(ErrorKind::corrupt, file_->path() + " is not what was written: its entries do not fit one another");
  }

  const std::shared_ptr<const StreamsFile> file_;  // shared with readers
  std::uint64_t entries_left_;
  ItemReader addresses_;
  ItemReader entries_;
  std::optional<StreamEntry> entry_;
};

}  // namespace

std::unique_ptr<StreamSource> source_of(std::shared_ptr<const SegmentStreams> streams, std::uint64_t hash_seed) {
  return std::make_unique<MemorySource>(std::move(streams), hash_seed);
}

Result<std::unique_ptr<StreamSource>> source_of(std::shared_ptr<const StreamsFile> file) {
  auto source = std::make_unique<FileSource>(std::move(file));
  TRY(source->advance());
  return source;
}

Result<> StreamsBuilder::Pages::put(platform::File& file, std::string_view item) {
  if (content_.size() + item.size() > page_content_bytes) {
    finish_page(content_, page_seed(salts_, next_++));
    finished_ += content_;
    content_.clear();
    if (finished_.size() >= pages_at_once * page_bytes) TRY(write(file));
  }
  content_ += item;
  return {};
}

Result<> StreamsBuilder::Pages::write(platform::File& file) {
  TRY(file.write_at(next_ * page_bytes - finished_.size(), finished_));
  written_ += finished_.size();
  finished_.clear();
  return {};
}

Result<> StreamsBuilder::Pages::end(platform::File& file) {
  if (!content_.empty()) {
    finish_page(content_, page_seed(salts_, next_++));
    finished_ += content_;
    content_.clear();
  }
  return finished_.empty() ? Result<>{} : write(file);
}

StreamsBuilder::StreamsBuilder(platform::FileSystem& files, std::string directory, const StreamsFooter& wanted,
                               std::vector<std::unique_ptr<StreamSource>> sources)
    : files_(files),
      directory_(std::move(directory)),
      path_(platform::join_path(directory_, streams_name(wanted.span))),
      footer_(wanted),
      sources_(std::move(sources)) {
  footer_.addresses = footer_.entries = footer_.bloom_blocks = 0;
  for (const auto& source : sources_) footer_.addresses += source->addresses();
}

Result<bool> StreamsBuilder::step(std::size_t bytes) {
  std::uint64_t done = 0;
  while (phase_ != Phase::finished && done < bytes) {
    switch (phase_) {
      case Phase::begin: TRY(begin()); break;
      case Phase::streams: TRY(some_streams()); break;
      case Phase::bloom: TRY(some_bloom()); break;
      case Phase::finished: break;
    }
    const std::uint64_t written = address_pages_->take_written() + entry_pages_->take_written();
    // Reading and comparing take their time, too, also when nothing is written yet.
    done += std::max<std::uint64_t>(written, addresses_at_once);
    unflushed_ += written;
    if (unflushed_ >= flushed_piece_bytes && phase_ != Phase::finished) {
      TRY(file_->flush());
      unflushed_ = 0;
    }
  }
  return phase_ == Phase::finished;
}

Result<> StreamsBuilder::begin() {
  TRY(platform::make_directory_again(files_, path_));
  const std::string fresh = path_ + ".new";
  if (TRY(files_.exists(fresh))) TRY(files_.remove(fresh));
  file_ = TRY(files_.create(fresh));
  address_pages_ = std::make_unique<Pages>(0, footer_.salts);
  entry_pages_ = std::make_unique<Pages>(footer_.address_pages(), footer_.salts);
  phase_ = Phase::streams;
  return {};
}

Result<> StreamsBuilder::some_streams() {
  for (std::uint64_t budget = addresses_at_once; budget > 0;) {
    if (left_ == 0) {
      if (!now_.empty()) {
        TRY(now_.back()->advance());
        now_.pop_back();
      }
      if (now_.empty()) TRY(begin_stream());
      if (now_.empty()) {
        INVARIANT(addresses_done_ == footer_.addresses, "every address of every source is copied");
        TRY(address_pages_->end(*file_));
        TRY(entry_pages_->end(*file_));
        footer_.bloom_blocks = bloom_blocks_for(footer_.entries);
        bloom_.assign(static_cast<std::size_t>(footer_.bloom_blocks * bloom_block_bytes), '\0');
        phase_ = Phase::bloom;
        return {};
      }
      left_ = now_.back()->current()->count;
    }
    const std::uint64_t some = std::min(left_, budget);
    for (std::uint64_t copied = 0; copied < some; ++copied) {
      const std::uint64_t address = TRY(now_.back()->next_address());
      TRY(address_pages_->put(*file_, {reinterpret_cast<const char*>(&address), sizeof address}));
    }
    left_ -= some;
    addresses_done_ += some;
    budget -= some;
  }
  return {};
}

Result<> StreamsBuilder::begin_stream() {
  const StreamEntry* least = nullptr;
  for (const auto& source : sources_) {
    const StreamEntry* entry = source->current();
    if (entry && (!least || entry->hash < least->hash)) least = entry;
  }
  if (!least) return {};
  StreamEntry merged{.hash = least->hash, .first = {}, .count = 0, .begin = addresses_done_};
  for (const auto& source : sources_) {
    const StreamEntry* entry = source->current();
    if (!entry || entry->hash != merged.hash) continue;
    if (now_.empty()) {
      merged.first = entry->first;
    } else if (entry->first != merged.last().next()) {
      return fail(ErrorKind::corrupt,
                  "the indexes that go into " + path_ + " do not fit one another: the versions of a stream have a gap");
    }
    merged.count += entry->count;
    now_.push_back(source.get());
  }
  std::reverse(now_.begin(), now_.end());
  std::string item;
  put_entry(item, merged);
  ++footer_.entries;
  return entry_pages_->put(*file_, item);
}

Result<> StreamsBuilder::some_bloom() {
  // The entries are read back: what is in the filter is what is on the pages, and the pages have been looked at once.
  const std::uint64_t count = std::min(pages_at_once, footer_.entry_pages() - bloom_page_);
  if (count == 0) return finish();
  std::string bytes(static_cast<std::size_t>(count) * page_bytes, '\0');
  const std::uint64_t first = footer_.address_pages() + bloom_page_;
  if (TRY(file_->read_at(first * page_bytes, bytes.data(), bytes.size())) != bytes.size()) {
    return fail(ErrorKind::input_output, path_ + ".new became shorter while it was written");
  }
  for (std::uint64_t at = 0; at < count; ++at) {
    const char* page = bytes.data() + at * page_bytes;
    if (!page_is_intact(page, page_seed(footer_.salts, first + at))) {
      return fail(ErrorKind::input_output, path_ + ".new does not give back what was written to it");
    }
    const std::uint64_t begin = (bloom_page_ + at) * entries_a_page;
    const std::uint64_t entries = std::min<std::uint64_t>(entries_a_page, footer_.entries - begin);
    for (std::uint64_t entry = 0; entry < entries; ++entry)
      bloom_add(bloom_, get_entry(page + entry * entry_bytes).hash);
  }
  bloom_page_ += count;
  return {};
}

Result<> StreamsBuilder::finish() {
  Pages rest(footer_.address_pages() + footer_.entry_pages(), footer_.salts);
  for (std::size_t at = 0; at < bloom_.size(); at += page_content_bytes) {
    TRY(rest.put(*file_, std::string_view(bloom_).substr(at, page_content_bytes)));
  }
  TRY(rest.end(*file_));
  INVARIANT(rest.next() + 1 == footer_.page_count(), "the pages are those that the footer tells of");
  Pages last(rest.next(), footer_.salts);
  TRY(last.put(*file_, encode_footer(footer_)));
  TRY(last.end(*file_));
  TRY(file_->flush());
  file_.reset();
  TRY(files_.rename(path_ + ".new", path_));
  TRY(files_.flush_directory(directory_));
  phase_ = Phase::finished;
  return {};
}

void StreamsBuilder::clear_away() {
  file_.reset();
  (void)files_.remove(path_ + ".new");  // else the next opening does
}

Result<> check_streams_file(const platform::FileSystem& files, const std::string& path, PageCache& cache,
                            const StreamsFooter& expected, std::uint64_t digest) {
  const auto file = TRY(StreamsFile::open(files, path, cache, expected));
  const auto source = TRY(source_of(file));
  std::string bloom = TRY(
      file->read_pages(file->footer().address_pages() + file->footer().entry_pages(), file->footer().bloom_pages()));
  bloom.resize(static_cast<std::size_t>(file->footer().bloom_blocks * bloom_block_bytes));
  std::uint64_t found = 0;
  bool known = true;
  while (const StreamEntry* entry = source->current()) {
    known = known && bloom_may_have(bloom, entry->hash);
    for (std::uint64_t at = 0; at < entry->count; ++at) {
      found += event_digest(entry->hash, StreamVersion{entry->first.value + at}, TRY(source->next_address()));
    }
    TRY(source->advance());
  }
  if (found != digest) return fail(ErrorKind::corrupt, path + " does not say what the log says");
  if (!known) return fail(ErrorKind::corrupt, path + " has a filter that denies its own streams");
  return {};
}

}  // namespace annals::store
