#pragma once
// Makes a store with a long history, as fast as the store takes it: the events that a server would have recorded for
// one PUT after another, each in a group of its own, a thousand groups to a flush. What is not made is what a server
// keeps beside its log: read tables' checkpoints. The audit log's is, so that a server does not write it all out.
//
// Values are those of the load generator: that of version v of key k is ValueMaker::value(k, v).

#include <cstdint>
#include <string>
#include <vector>

#include "base/instant.hpp"
#include "base/result.hpp"

namespace annals::benchmarks {

struct HistoryOptions {
  std::string directory;     ///< where there is no store yet
  std::uint64_t events = 0;  ///< a multiple of events_unit
  std::uint64_t keys = 0;    ///< at least 3
  std::size_t value_bytes = 256;
  std::uint64_t seed = 1;
};

/// When a version of a key came to be.
struct VersionTime {
  std::uint64_t version = 0;
  Instant created_at;
};

struct HistoryMade {
  double seconds = 0;
  std::uint64_t keys = 0;  ///< that have events
  std::uint64_t log_bytes = 0;
  /// Of the key with a long history, some versions drawn at random; of the one with a short history, all of them.
  std::vector<VersionTime> long_times;
  std::vector<VersionTime> short_times;
};

/// Errors: conflict, when the directory has a store; those of the store.
[[nodiscard]] Result<HistoryMade> make_history(const HistoryOptions& options);

struct Rebuilt {
  std::uint64_t events = 0;
  std::uint64_t keys = 0;
  double seconds = 0;
  double cpu_seconds = 0;  ///< of all threads
};

/// Makes a read table from the log of a store alone, as a server does at a start without a checkpoint, on one thread.
/// Errors: those of the store.
[[nodiscard]] Result<Rebuilt> rebuild_table(const std::string& directory);

}  // namespace annals::benchmarks
