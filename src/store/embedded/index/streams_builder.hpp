#pragma once
// Makes a streams file out of one or several sources, oldest first, in small steps: reading forward, writing forward,
// with memory for some pages of each and for the Bloom filter.
//
// The file gets its name when all of it is durable; until then it is called `<name>.new`, and whoever opens the store
// removes what is left under such a name. Confined to one thread at a time.

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "platform/file_system.hpp"
#include "store/embedded/index/segment_streams.hpp"
#include "store/embedded/index/streams_file.hpp"

namespace annals::store {

/// Streams in rising order of their hashes, each with its addresses.
class StreamSource {
 public:
  virtual ~StreamSource() = default;
  /// Null at the end. Its `begin` means nothing.
  [[nodiscard]] virtual const StreamEntry* current() const = 0;
  /// The next address of the current stream; to be called `count` times before `advance`. Errors: corrupt,
  /// input_output.
  [[nodiscard]] virtual Result<std::uint64_t> next_address() = 0;
  [[nodiscard]] virtual Result<> advance() = 0;
  [[nodiscard]] virtual std::uint64_t addresses() const = 0;
};

[[nodiscard]] std::unique_ptr<StreamSource> source_of(std::shared_ptr<const SegmentStreams> streams,
                                                      std::uint64_t hash_seed);
/// Errors: corrupt, input_output.
[[nodiscard]] Result<std::unique_ptr<StreamSource>> source_of(std::shared_ptr<const StreamsFile> file);

class StreamsBuilder {
 public:
  /// `wanted` says which store and segments the file is for.
  StreamsBuilder(platform::FileSystem& files, std::string directory, const StreamsFooter& wanted,
                 std::vector<std::unique_ptr<StreamSource>> sources);

  /// Works on until about `bytes` have been written. True when the file is there under its name.
  /// Errors: corrupt, of a source; input_output. The builder is of no use afterwards.
  [[nodiscard]] Result<bool> step(std::size_t bytes);

  /// Removes what was made, after an error.
  void clear_away();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] SegmentSpan span() const { return footer_.span; }

 private:
  /// Items one after another into pages.
  class Pages {
   public:
    Pages(std::uint64_t begin, std::uint64_t salts) : next_(begin), salts_(salts) {}
    /// An item does not go across pages.
    [[nodiscard]] Result<> put(platform::File& file, std::string_view item);
    /// Ends the last page and writes what is left.
    [[nodiscard]] Result<> end(platform::File& file);
    /// The number of the page behind the last one that was ended.
    [[nodiscard]] std::uint64_t next() const { return next_; }
    [[nodiscard]] std::uint64_t take_written() { return std::exchange(written_, 0); }

   private:
    [[nodiscard]] Result<> write(platform::File& file);

    std::uint64_t next_;  // page that `content_` will be
    std::uint64_t salts_;
    std::string content_;
    std::string finished_;  // whole pages, up to `next_`
    std::uint64_t written_ = 0;
  };
  enum class Phase { begin, streams, bloom, finished };

  [[nodiscard]] Result<> begin();
  [[nodiscard]] Result<> some_streams();
  [[nodiscard]] Result<> begin_stream();
  [[nodiscard]] Result<> some_bloom();
  [[nodiscard]] Result<> finish();

  platform::FileSystem& files_;
  const std::string directory_;
  const std::string path_;
  StreamsFooter footer_;
  std::vector<std::unique_ptr<StreamSource>> sources_;
  Phase phase_ = Phase::begin;

  std::unique_ptr<platform::File> file_;
  std::unique_ptr<Pages> address_pages_;
  std::unique_ptr<Pages> entry_pages_;
  std::vector<StreamSource*> now_;  // those that have the stream in hand, the next one to be copied last
  std::uint64_t left_ = 0;          // addresses of that one
  std::uint64_t addresses_done_ = 0;
  std::string bloom_;
  std::uint64_t bloom_page_ = 0;  // the next page of entries to be taken into the filter
  std::uint64_t unflushed_ = 0;
};

/// Reads a whole file and compares it with the log: `digest` is the sum of event_digest over the events that it must
/// have. Errors: corrupt, saying what is wrong; not_found, input_output.
[[nodiscard]] Result<> check_streams_file(const platform::FileSystem& files, const std::string& path, PageCache& cache,
                                          const StreamsFooter& expected, std::uint64_t digest);

}  // namespace annals::store
