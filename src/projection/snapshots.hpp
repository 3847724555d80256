#pragma once
// Snapshots: records of one model as they were right after every `snapshot_every`-th event of theirs, so that whoever
// wants to know a record as it was folds no more events than that.
//
// They are made by whoever comes by: the read table as it takes in such an event, and a reader who has folded over one.
// Both hand them in without waiting; they are written on an executor, into a file of two generations: when the young
// one is full it becomes the old one, and the one before is gone. What is used from the old one is handed in again, so
// what is wanted stays. Everything may be lost at any time, and is then made anew by those who miss it.
//
// Nothing here is believed by itself: the file is not flushed with the log, and may be of another one, or of a tail
// that was lost. Each snapshot names the event that it was made after by its id, and whoever uses it looks whether the
// store has that very event at that version of the stream (engine::fold). Why that is enough: an event's id is drawn
// anew for each decision, a stream only grows at its end, and what is lost of a store is lost from some event on; so
// the store that has this event has the same events before it.
//
// Thread-safe.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "model/model.hpp"
#include "platform/platform.hpp"
#include "projection/snapshot_file.hpp"

namespace annals::projection {

struct SnapshotLimits {
  std::uint64_t file_bytes_max = 128u << 20;  ///< of each of the two generations
  std::size_t file_entries_max = 250'000;     ///< likewise; one takes some 30 bytes of memory
  std::size_t waiting_bytes_max = 16u << 20;  ///< handed in and not written yet; what comes beyond that is dropped
};

struct SnapshotStatus {
  std::uint64_t written = 0;
  std::uint64_t used = 0;
  std::uint64_t bytes = 0;  ///< of both generations
};

class Snapshots {
 public:
  /// `path` is that of the file; empty: they are kept in memory. `executor` and what `platform` names outlive it.
  /// INVARIANT: the model has snapshots.
  Snapshots(const model::Model& model, std::string path, platform::Platform platform, platform::Executor& executor,
            SnapshotLimits limits = {});
  ~Snapshots();

  /// Begins to read what is in the file, on the executor; until it has, there are none.
  void start();

  /// Writes what was handed in, on this thread, and takes no more. Idempotent; not from the executor itself.
  void stop();

  /// After how many events there is one.
  [[nodiscard]] std::uint64_t every() const;
  [[nodiscard]] bool is_due(StreamVersion version) const { return version.value % every() == 0; }

  /// The last snapshot of the record at or before a version. To be believed only with its event, as said above.
  [[nodiscard]] std::optional<Snapshot> nearest(std::string_view key, StreamVersion last);

  /// The snapshots of the record from this version on are not of this store: forgets them.
  void forget(std::string_view key, StreamVersion from);

  /// Hands one in. It is kept, unless it is there already or too much waits to be written.
  void offer(std::string_view key, Snapshot snapshot);

  [[nodiscard]] SnapshotStatus status() const;

 private:
  struct Core;
  std::shared_ptr<Core> core_;  // shared with the tasks that wait in the executor
};

}  // namespace annals::projection
