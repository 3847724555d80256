#pragma once
// SnapshotFile: records as they were right after some of their events, one behind the other in a file that only grows
// (docs/formats/snapshots.md). It is never flushed, and may be deleted, torn or damaged: what cannot be read is not
// there.
//
// Threads: `read` from any, while one thread appends.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/uuid.hpp"
#include "model/decider.hpp"
#include "platform/file_system.hpp"

namespace annals::projection {

/// A record as an event left it.
struct Snapshot {
  model::Record record;  ///< its version and time are the event's
  Position position;     ///< of the event
  Uuid event;            ///< its id
};

class SnapshotFile {
 public:
  /// Where a snapshot is.
  struct Place {
    std::uint64_t key_hash = 0;
    StreamVersion version;
    std::uint64_t offset = 0;
  };

  /// Opens the file and calls `on_entry` for what is in it, up to the first that is damaged or not whole: from there on
  /// it is written over. `form` says how its model writes records down. Errors: not_found; corrupt; unsupported
  /// ("format_version"); gone, when it is of another form; input_output.
  [[nodiscard]] static Result<std::unique_ptr<SnapshotFile>> open(platform::FileSystem& files, const std::string& path,
                                                                  std::string_view form,
                                                                  const std::function<void(const Place&)>& on_entry);

  /// Begins the file, in place of one that is there. Errors: input_output.
  [[nodiscard]] static Result<std::unique_ptr<SnapshotFile>> create(platform::FileSystem& files,
                                                                    const std::string& path, std::string_view form);

  /// One that is kept in memory alone.
  [[nodiscard]] static std::unique_ptr<SnapshotFile> in_memory();

  [[nodiscard]] static std::uint64_t hash_of(std::string_view key);
  /// What an entry takes.
  [[nodiscard]] static std::uint64_t bytes_of(std::string_view key, const Snapshot& snapshot);
  /// An entry of this file, or of another of the same form.
  void append_entry(std::string& out, std::string_view key, const Snapshot& snapshot) const;

  /// Writes entries, made with append_entry, at the end. After an error nothing was added. Errors: input_output.
  [[nodiscard]] Result<> append(std::string_view entries);

  /// Errors: corrupt, when what is there is not what was written, or of another key or version; input_output.
  [[nodiscard]] Result<Snapshot> read(const Place& place, std::string_view key) const;

  /// Where the next entry will be.
  [[nodiscard]] std::uint64_t end() const { return end_; }

 private:
  SnapshotFile(std::unique_ptr<platform::File> file, std::uint64_t seed, std::uint64_t end)
      : file_(std::move(file)), seed_(seed), end_(end) {}

  const std::unique_ptr<platform::File> file_;
  const std::uint64_t seed_;  // of its entries' checksums: what is of another form is no entry of it
  std::uint64_t end_;
};

}  // namespace annals::projection
