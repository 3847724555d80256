#pragma once
// SealedStreams: where the events of each stream are in the sealed segments. The segments are covered by ranges, each
// of which is a file, or, until its file is written, in memory, or, when its file is missing or damaged, to be built
// from its segment by the first who needs it, or by the background if that comes first. Eight neighbouring ranges of
// about the same size are merged into one, so that there are few of them however long the log is.
//
// In the background: writes what is in memory, builds what is missing, merges; in small pieces, and posts itself for
// the next one, so that other work gets its turn. A store that is only read writes nothing.
//
// Only the log is the truth. A file that is not what was written is dropped with a line in the log, and made anew; the
// answers are right all the while. The two newest segments stay in memory, so that a stream that is appended to often
// is found without a file.
//
// Who needs segments that have no index yet reads them, newest first: that finds the stream, or that it is not there. A
// log is too long to be read while a client waits, so there is a limit of time, after which the question is refused: a
// refusal names what is missing, and is no answer. What was built for one question is there for the next; but only a
// few at a time are kept that are not in a file yet, and others are looked through for the one stream.
//
// Thread-safe.

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "log/log.hpp"
#include "platform/platform.hpp"
#include "store/embedded/damage_notes.hpp"
#include "store/embedded/index/page_cache.hpp"
#include "store/embedded/index/segment_streams.hpp"
#include "store/embedded/index/streams_builder.hpp"
#include "store/embedded/index/streams_file.hpp"

namespace annals::store {

/// What one range, or the open segment, has of a stream: `count` consecutive versions from `first` on.
class Piece {
 public:
  explicit Piece(const StreamStretch& stretch, std::shared_ptr<const SegmentStreams> owner = nullptr)
      : first(stretch.first), count(stretch.addresses.size()), stretch_(&stretch), owner_(std::move(owner)) {}
  Piece(const StreamEntry& entry, std::shared_ptr<const StreamsFile> file)
      : first(entry.first), count(entry.count), entry_(entry), file_(std::move(file)) {}

  StreamVersion first;
  std::uint64_t count = 0;

  [[nodiscard]] StreamVersion last() const { return StreamVersion{first.value + count - 1}; }
  /// The address of version `first` + `index`. Errors: corrupt, input_output; of a file only.
  [[nodiscard]] Result<Address> at(std::uint64_t index) const {
    if (stretch_) return stretch_->addresses[static_cast<std::size_t>(index)];
    return file_->address(entry_, index);
  }
  /// The number of addresses for which `is_before` holds, which are the first ones. It is known to hold for the first
  /// `low`, and if it does for no more than a few others, few are looked at.
  template <class IsBefore>
  [[nodiscard]] Result<std::uint64_t> partition(IsBefore is_before, std::uint64_t low = 0) const {
    std::uint64_t high = count;
    for (std::uint64_t step = 1; low > 0 && low + step < count; step *= 2) {
      if (!is_before(TRY(at(low + step - 1)))) {
        high = low + step - 1;
        break;
      }
      low += step;
    }
    while (low < high) {
      const std::uint64_t middle = low + (high - low) / 2;
      if (is_before(TRY(at(middle)))) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
  [[nodiscard]] bool is_of_a_file() const { return file_ != nullptr; }

 private:
  const StreamStretch* stretch_ = nullptr;
  std::shared_ptr<const SegmentStreams> owner_;  // of `stretch_`; shared with the range
  StreamEntry entry_;
  std::shared_ptr<const StreamsFile> file_;  // shared with the range
};

class SealedStreams {
 public:
  /// The files of the directory are looked at: those that fit are used. `background` is null for a store that is only
  /// read. All arguments outlive the object.
  SealedStreams(platform::Platform platform, platform::Executor* background, const log::Log& log,
                const std::string& directory, DamageNotes& damage);
  /// Work in the background ends, or does nothing, from then on.
  ~SealedStreams();
  SealedStreams(const SealedStreams&) = delete;
  SealedStreams& operator=(const SealedStreams&) = delete;

  /// A segment that has been sealed, the one after the last that is covered; or, of those that are covered, one that
  /// was just read anyway.
  void add(std::uint32_t segment, SegmentStreams streams);

  /// Looks whether the files are still there; those that were deleted meanwhile are made anew in the background.
  void check_files();

  /// As EventStore::limit_searches. Thread-safe.
  void limit_searches(Duration time) { search_time_ = time; }

  /// The code of a refusal: what would have to be read to answer takes too long.
  static constexpr std::string_view index_missing = "index_missing";

  /// Some segments, and how to find streams in them.
  struct Range {
    explicit Range(SegmentSpan covered) : span(covered) {}
    const SegmentSpan span;
    std::mutex building;  // held while it is built from its segment, so that one thread does
    // Guarded by the mutex of SealedStreams.
    std::shared_ptr<const SegmentStreams> memory;
    std::shared_ptr<const StreamsFile> file;
    bool unreadable = false;  // its segment is damaged; the background does not try again
  };
  using Ranges = std::vector<std::shared_ptr<Range>>;  // shared by the snapshots of readers

  /// All there are, oldest first. What is added or merged later does not change it.
  [[nodiscard]] std::shared_ptr<const Ranges> ranges() const;

  /// Gives `visitor.take(piece)` what the ranges have of a stream, newest first, until it says that it needs no more.
  /// Ranges of which `visitor.passes_over(segments)` says so are not looked at. Where it has a function `knows`, that
  /// is asked before a segment without an index is read: true when it needs nothing of this and older ones. False when
  /// a file was lost meanwhile: everything has to be asked again, of new ranges. Errors: corrupt, input_output; of
  /// segments. Unavailable (index_missing), when it took too long.
  template <class Visitor>
  [[nodiscard]] Result<bool> visit(const Ranges& ranges, std::string_view stream, Visitor& visitor) const {
    const StreamHash hash = hash_stream(stream, seed_);
    Search search;
    for (auto range = ranges.rbegin(); range != ranges.rend(); ++range) {
      if (visitor.passes_over((*range)->span)) continue;
      auto found = find(**range, stream, hash);
      if (!found && lose(*range, found.error())) return false;
      if (!found) return std::unexpected(found.error());
      if (found->is_missing) {
        if constexpr (requires { visitor.knows((*range)->span); }) {
          if (visitor.knows((*range)->span)) return true;
        }
        found->piece = TRY(read_for(**range, stream, search));
      }
      if (!found->piece) continue;
      const Result<bool> more = visitor.take(*found->piece);
      if (!more && lose(*range, more.error())) return false;
      if (!TRY(more)) return true;
    }
    return true;
  }

  struct Sizes {
    std::size_t ranges = 0;
    std::size_t in_memory = 0;
    std::size_t missing = 0;  ///< neither a file nor in memory
  };
  [[nodiscard]] Sizes sizes() const;
  [[nodiscard]] log::IndexBytes bytes() const;

 private:
  struct Link;  // between the object and tasks on the executor

  void adopt_files();
  struct Found {
    std::optional<Piece> piece;
    bool is_missing = false;  // nothing is known of the segment
  };
  [[nodiscard]] Result<Found> find(const Range& range, std::string_view stream, StreamHash hash) const;
  /// One question that makes it necessary to read segments.
  struct Search {
    std::optional<Duration> begun;
  };
  /// Of a range that is missing. Errors: corrupt, input_output; unavailable (index_missing).
  [[nodiscard]] Result<std::optional<Piece>> read_for(Range& range, std::string_view stream, Search& search) const;
  [[nodiscard]] bool keeps_many_unwritten() const;
  /// Errors: corrupt, input_output; of the segment.
  [[nodiscard]] Result<std::shared_ptr<const SegmentStreams>> build(Range& range) const;
  /// Drops a range whose file turned out not to be what was written. False when it has no file: the error is another's.
  bool lose(const std::shared_ptr<Range>& range, const Error& error) const;
  void replace(SegmentSpan span, const Ranges& by) const;
  [[nodiscard]] StreamsFooter footer_for(SegmentSpan span) const;

  void post_work() const;
  /// One piece of work. True when there is more to be done.
  [[nodiscard]] bool work();
  void tell_when_whole();
  enum class Job : std::uint8_t { write, merge };
  [[nodiscard]] bool begin_job(Job kind);
  [[nodiscard]] bool continue_job();
  [[nodiscard]] std::optional<Ranges> to_merge() const;

  const platform::Platform platform_;
  platform::Executor* const background_;
  const log::Log& log_;
  const std::string directory_;  // of indexes
  const std::uint64_t seed_;
  DamageNotes& damage_;  // of segments that are read in the background; errors of the others are their callers'
  mutable PageCache cache_;

  mutable std::mutex mutex_;
  mutable std::shared_ptr<const Ranges> ranges_;  // guarded by mutex_, as are the ranges' contents
  mutable bool posted_ = false;                   // guarded by mutex_
  // Guarded by mutex_: segments whose index is being made anew, as was told in the log.
  mutable std::uint64_t lost_ = 0;

  std::atomic<Duration> search_time_ = Duration::max();

  std::unique_ptr<StreamsBuilder> job_;  // of the background alone
  Ranges job_ranges_;                    // what goes into it
  int merges_failed_ = 0;
  std::shared_ptr<Link> link_;  // shared with the tasks that were posted
};

/// What is wrong with the streams files of a store, one sentence each; `digests` are the sums of event_digest over the
/// events of each segment, `salts` those of the segments, the last one included. Errors: input_output.
[[nodiscard]] Result<std::vector<std::string>> check_streams_files(const platform::FileSystem& files,
                                                                   const std::string& directory, const Uuid& store,
                                                                   const std::vector<std::uint64_t>& salts,
                                                                   const std::vector<std::uint64_t>& digests);

}  // namespace annals::store
