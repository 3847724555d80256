#pragma once
// Checkpoint: the cursor that a subscriber has made durable, in a small file of its own (docs/formats/checkpoint.md). A
// checkpoint can be deleted: its subscriber then starts from the beginning. Confined to one thread.

#include <optional>
#include <string>
#include <vector>

#include "event/event_store.hpp"
#include "platform/file_system.hpp"

namespace annals::projection {

class CheckpointFile {
 public:
  /// An empty path keeps nothing (stores in memory have nothing to come back to).
  CheckpointFile(platform::FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}

  /// The position to go on from; 0 when there is no file. Errors: corrupt, when the file is damaged; gone, as
  /// locate_checkpoint; input_output.
  [[nodiscard]] Result<Position> load(const EventStore& store) const;

  [[nodiscard]] Result<> save(const Cursor& cursor);

 private:
  platform::FileSystem& files_;
  const std::string path_;
};

/// The cursor of a checkpoint, whichever of the two formats its file has (projection/state_file.hpp is the other).
struct FoundCheckpoint {
  std::string path;
  Cursor cursor;
  std::optional<Uuid> event{};  ///< the id of the event at the cursor; where the file names none, nothing
};

/// All checkpoints of a directory that were written whole, in order of their names; others are left out, as is what
/// cannot be read. They are of events that had been flushed. None when there is no such directory.
[[nodiscard]] std::vector<FoundCheckpoint> find_checkpoints(const platform::FileSystem& files,
                                                            const std::string& directory);

/// Whether the checkpoint at `path`, of either format, is what was written, to the last byte. Errors: corrupt;
/// not_found; unsupported ("format_version"); input_output.
[[nodiscard]] Result<> check_checkpoint(const platform::FileSystem& files, const std::string& path);

/// The position of a cursor that stands in a checkpoint. Errors: gone, saying so of the file at `path`, when it is not
/// of the store as it is now: an unclean stop is no reason for that, because what is in a checkpoint had been flushed.
[[nodiscard]] Result<Position> locate_checkpoint(const EventStore& store, const Cursor& cursor,
                                                 const std::string& path);

}  // namespace annals::projection
