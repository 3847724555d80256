#pragma once
// Checkpoint: the cursor that a subscriber has made durable, in a small file of its own (docs/formats/checkpoint.md). A
// checkpoint can be deleted: its subscriber then starts from the beginning. Confined to one thread.

#include <string>

#include "event/event_store.hpp"
#include "platform/file_system.hpp"

namespace annals::projection {

class CheckpointFile {
 public:
  /// An empty path keeps nothing (stores in memory have nothing to come back to).
  CheckpointFile(platform::FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}

  /// The position to go on from; 0 when there is no file. Errors: corrupt, when the file is damaged; gone, when it
  /// points into a lost tail, beyond the end of the store, or belongs to another store; input_output.
  [[nodiscard]] Result<Position> load(const EventStore& store) const;

  [[nodiscard]] Result<> save(const Cursor& cursor);

 private:
  platform::FileSystem& files_;
  const std::string path_;
};

}  // namespace annals::projection
