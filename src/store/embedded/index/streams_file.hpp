#pragma once
// StreamsFile: the immutable index file of one run of sealed segments, read by pages. No page is believed before its
// checksum has been verified; never mapped into memory, so that a disk that fails is an error and not a signal.
//
// Thread-safe. Source: "Streams files" in store/embedded/FORMAT.md.

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "log/record.hpp"
#include "platform/file_system.hpp"
#include "store/embedded/index/address.hpp"
#include "store/embedded/index/page_cache.hpp"
#include "store/embedded/index/streams_format.hpp"

namespace annals::store {

class StreamsFile {
 public:
  /// Looks at the footer only. `expected` says which store and segments the file must be of; its counts are not looked
  /// at. The cache outlives the file. Errors: not_found; corrupt, when the file is not what was written, or of others;
  /// input_output.
  [[nodiscard]] static Result<std::shared_ptr<const StreamsFile>> open(const platform::FileSystem& files,
                                                                       const std::string& path, PageCache& cache,
                                                                       const StreamsFooter& expected);

  /// What the file has of a stream. Errors: corrupt, input_output.
  [[nodiscard]] Result<std::optional<StreamEntry>> find(StreamHash hash) const;

  /// The `index`-th address of an entry. Errors: corrupt, input_output.
  [[nodiscard]] Result<Address> address(const StreamEntry& entry, std::uint64_t index) const;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const StreamsFooter& footer() const { return footer_; }
  /// On the disk, and of memory beside the pages in the cache.
  [[nodiscard]] log::IndexBytes bytes() const;

  /// Reads `count` pages from `page` on, past the cache. Their contents, without the checksums.
  /// Errors: corrupt, input_output.
  [[nodiscard]] Result<std::string> read_pages(std::uint64_t page, std::uint64_t count) const;

 private:
  StreamsFile(std::unique_ptr<platform::File> file, std::string path, PageCache& cache)
      : file_(std::move(file)), path_(std::move(path)), cache_(cache), number_(cache.next_file()) {}

  [[nodiscard]] Result<PagePointer> page(std::uint64_t number) const;
  [[nodiscard]] Result<std::shared_ptr<const std::string>> bloom() const;
  [[nodiscard]] std::unexpected<Error> bad(std::uint64_t page, const std::string& found) const;

  const std::unique_ptr<platform::File> file_;
  const std::string path_;
  PageCache& cache_;
  const std::uint64_t number_;  // in the cache
  StreamsFooter footer_;

  mutable std::mutex bloom_mutex_;
  mutable std::shared_ptr<const std::string> bloom_;  // null until somebody asks; shared with whoever looks into it
};

/// The footer of a file that nobody says what to expect of; only that and the file's size are looked at.
/// Errors: not_found; corrupt, when it is not what was written; input_output.
[[nodiscard]] Result<StreamsFooter> read_streams_footer(const platform::FileSystem& files, const std::string& path);

}  // namespace annals::store
