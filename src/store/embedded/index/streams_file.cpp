#include "store/embedded/index/streams_file.hpp"

#include <algorithm>

namespace annals::store {
namespace {

__extension__ using wide = unsigned __int128;

}  // namespace

std::unexpected<Error> StreamsFile::bad(std::uint64_t page, const std::string& found) const {
  return fail(ErrorKind::corrupt, path_ + " is damaged in page " + std::to_string(page) + ": " + found);
}

Result<std::shared_ptr<const StreamsFile>> StreamsFile::open(const platform::FileSystem& files, const std::string& path,
                                                             PageCache& cache, const StreamsFooter& expected) {
  auto opened = TRY(files.open_to_read(path));
  const std::uint64_t size = TRY(opened->size());
  std::shared_ptr<StreamsFile> file(new StreamsFile(std::move(opened), path, cache));
  if (size < page_bytes || size % page_bytes != 0) return file->bad(0, "the file has an impossible size");
  const std::uint64_t last = size / page_bytes - 1;
  file->footer_.salts = expected.salts;
  const std::string content = TRY(file->read_pages(last, 1));
  const auto footer = decode_footer(content);
  if (!footer) return file->bad(last, "it is no footer that this program knows");
  if (footer->store != expected.store || footer->span != expected.span || footer->salts != expected.salts) {
    return file->bad(last, "it is the index of other segments");
  }
  // First the counts, each by itself: what is reckoned from those that no file holds would overflow.
  const bool fits = footer->addresses <= last * addresses_a_page && footer->entries <= footer->addresses &&
                    footer->bloom_blocks == bloom_blocks_for(footer->entries);
  if (!fits || footer->page_count() != last + 1) return file->bad(last, "the file has the wrong size");
  file->footer_ = *footer;
  return file;
}

Result<StreamsFooter> read_streams_footer(const platform::FileSystem& files, const std::string& path) {
  const auto file = TRY(files.open_to_read(path));
  const std::uint64_t size = TRY(file->size());
  const auto bad = [&](const char* found) { return fail(ErrorKind::corrupt, path + " is damaged: " + found); };
  if (size < page_bytes || size % page_bytes != 0) return bad("the file has an impossible size");
  const std::uint64_t last = size / page_bytes - 1;
  std::string page(page_bytes, '\0');
  if (TRY(file->read_at(last * page_bytes, page.data(), page.size())) != page.size()) return bad("it ends early");
  const auto footer = decode_footer(std::string_view(page).substr(0, page_content_bytes));
  if (!footer) return bad("it has no footer that this program knows");
  if (!page_is_intact(page.data(), page_seed(footer->salts, last))) return bad("the checksum of its footer is wrong");
  if (footer->page_count() != last + 1) return bad("the file has the wrong size");
  return *footer;
}

Result<std::string> StreamsFile::read_pages(std::uint64_t first, std::uint64_t count) const {
  std::string bytes(static_cast<std::size_t>(count) * page_bytes, '\0');
  if (TRY(file_->read_at(first * page_bytes, bytes.data(), bytes.size())) != bytes.size()) {
    return bad(first, "the file ends early");
  }
  for (std::uint64_t at = 0; at < count; ++at) {
    char* page = bytes.data() + at * page_bytes;
    if (!page_is_intact(page, page_seed(footer_.salts, first + at))) return bad(first + at, "its checksum is wrong");
    std::copy(page, page + page_content_bytes, bytes.data() + at * page_content_bytes);
  }
  bytes.resize(static_cast<std::size_t>(count) * page_content_bytes);
  return bytes;
}

log::IndexBytes StreamsFile::bytes() const {
  const std::lock_guard lock(bloom_mutex_);
  return {footer_.page_count() * page_bytes, bloom_ ? bloom_->size() : 0};
}

Result<PagePointer> StreamsFile::page(std::uint64_t number) const {
  if (auto found = cache_.find(number_, number)) return found;
  auto page = std::make_shared<Page>();
  if (TRY(file_->read_at(number * page_bytes, page->data(), page_bytes)) != page_bytes) {
    return bad(number, "the file ends early");
  }
  if (!page_is_intact(page->data(), page_seed(footer_.salts, number))) return bad(number, "its checksum is wrong");
  cache_.keep(number_, number, page);
  return page;
}

Result<std::shared_ptr<const std::string>> StreamsFile::bloom() const {
  const std::lock_guard lock(bloom_mutex_);
  if (!bloom_) {
    std::string bytes = TRY(read_pages(footer_.address_pages() + footer_.entry_pages(), footer_.bloom_pages()));
    bytes.resize(static_cast<std::size_t>(footer_.bloom_blocks * bloom_block_bytes));
    bloom_ = std::make_shared<const std::string>(std::move(bytes));
  }
  return bloom_;
}

Result<std::optional<StreamEntry>> StreamsFile::find(StreamHash hash) const {
  if (!bloom_may_have(*TRY(bloom()), hash)) return std::nullopt;
  // Hashes are spread evenly, so the page is guessed; every second step halves instead, so that the worst is a
  // logarithm.
  std::uint64_t low = 0;
  std::uint64_t high = footer_.entry_pages();
  std::uint64_t low_hash = 0;
  std::uint64_t high_hash = UINT64_MAX;
  for (std::uint64_t turn = 0; low < high; ++turn) {
    std::uint64_t guess = low + (high - low) / 2;
    if (turn % 2 == 0 && hash.high >= low_hash && high_hash > low_hash) {
      const auto part = static_cast<wide>(hash.high - low_hash) * (high - low) / (high_hash - low_hash);
      guess = std::min(low + static_cast<std::uint64_t>(part), high - 1);
    }
    const std::uint64_t number = footer_.address_pages() + guess;
    const PagePointer content = TRY(page(number));
    const std::uint64_t count = std::min<std::uint64_t>(entries_a_page, footer_.entries - guess * entries_a_page);
    const auto entry = [&](std::uint64_t at) { return get_entry(content->data() + at * entry_bytes); };
    const StreamHash first = entry(0).hash;
    const StreamHash last = entry(count - 1).hash;
    if (hash < first) {
      high = guess;
      high_hash = first.high;
      continue;
    }
    if (hash > last) {
      low = guess + 1;
      low_hash = last.high;
      continue;
    }
    std::uint64_t begin = 0;
    std::uint64_t end = count;
    while (begin < end) {
      const std::uint64_t middle = begin + (end - begin) / 2;
      if (entry(middle).hash < hash) {
        begin = middle + 1;
      } else {
        end = middle;
      }
    }
    const StreamEntry found = entry(begin);
    if (found.hash != hash) return std::nullopt;
    if (found.count == 0 || found.begin > footer_.addresses || found.count > footer_.addresses - found.begin) {
      return bad(number, "an entry leads beyond the addresses");
    }
    if (found.first.value == 0 || found.first.value > UINT64_MAX - found.count) {
      return bad(number, "an entry has versions that no stream has");
    }
    return found;
  }
  return std::nullopt;
}

Result<Address> StreamsFile::address(const StreamEntry& entry, std::uint64_t index) const {
  const std::uint64_t at = entry.begin + index;
  const PagePointer content = TRY(page(at / addresses_a_page));
  const auto bits = get_at<std::uint64_t>(content->data() + at % addresses_a_page * 8);
  const Address address = Address::from_bits(bits);
  const std::uint32_t segment = address.place().segment;
  if (segment < footer_.span.first || segment > footer_.span.last) {
    return bad(at / addresses_a_page, "an address leads to another segment");
  }
  return address;
}

}  // namespace annals::store
