#pragma once
// StateFile: a checkpoint that holds, beside the place from which to go on, the state that was kept there: the rows of
// a read table, receipts. One file, written from front to back and named only when it is whole
// (docs/formats/state_file.md). It can be deleted: whoever keeps the state then makes it anew from the log.
//
// It speaks of two positions. Everything recorded at or before `begin` is in it; of what came after, up to `end`, some
// may be, because the state is written down while it goes on changing. Nothing after `end` is in it.
//
// A file is believed only while the store backs it: the very event at `end` must be in the store. Confined to one
// thread at a time.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "event/event_store.hpp"
#include "platform/file_system.hpp"
#include "projection/witness.hpp"

namespace annals::projection {

class StateFileWriter {
 public:
  /// Begins `<path>.new`, in place of one that was left there. `name` says whose state it is.
  [[nodiscard]] static Result<std::unique_ptr<StateFileWriter>> create(platform::FileSystem& files, std::string path,
                                                                       std::string_view name, Position begin);

  /// Writes a block of `records` records; what was written is flushed now and then, so that no flush is a long one.
  /// Errors: too_large, of more than 64 MiB; nothing was written then.
  [[nodiscard]] Result<> add(std::string_view contents, std::uint64_t records);

  /// Writes the ending and flushes. `end` is an event of the store, which is asked for no more than its cursor: a store
  /// that is away can be written of. `note` is for the reader who knows the name.
  [[nodiscard]] Result<> finish(const EventStore& store, const Witness& end, std::string_view note);

  /// Gives the finished file its name. To be called once the store has flushed up to `end`: what stands behind the name
  /// until then is of more use after a loss of power.
  [[nodiscard]] Result<> publish();

  [[nodiscard]] std::uint64_t bytes() const { return offset_; }

 private:
  StateFileWriter(platform::FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}
  [[nodiscard]] Result<> write_block(std::string bytes_before, std::uint32_t kind, std::string_view contents);

  platform::FileSystem& files_;
  const std::string path_;
  std::unique_ptr<platform::File> file_;
  std::uint64_t offset_ = 0;
  std::uint64_t flushed_to_ = 0;
  std::uint64_t checksum_ = 0;  // of the last block; seeds that of the next
  std::uint64_t records_ = 0;
};

/// False for a time that no text can name, before the year 0000 or after 9999: what holds one was not written by a
/// program that works, whatever its checksum.
[[nodiscard]] bool is_time(Instant time);

struct StateFileSummary {
  Position begin;
  Witness end;
  std::uint64_t records = 0;
  std::string note;
};

/// Who says that the store has the event at `end`.
enum class Backing : std::uint8_t {
  event,       ///< a look at the event
  remembered,  ///< the store, which is away: its epochs as they were known, and a look of its own before it is there
               ///< again
};

/// Calls `on_records` for each block of records, in order; it answers with how many there were. What it was given
/// counts only when the whole reading succeeds: forget it otherwise. Errors: not_found; corrupt; unsupported
/// ("format_version"); gone, when the store does not back it; those of `on_records`; input_output.
[[nodiscard]] Result<StateFileSummary> read_state_file(
    const platform::FileSystem& files, const std::string& path, std::string_view name, const EventStore& store,
    Backing backing, const std::function<Result<std::uint64_t>(std::string_view contents)>& on_records);

/// Whether the file is what was written, to the last byte; whose state it is, and whether a store backs it, is not
/// asked. Errors: not_found; corrupt; unsupported ("format_version"); input_output.
[[nodiscard]] Result<> check_state_file(const platform::FileSystem& files, const std::string& path);

struct StateFileEnd {
  Cursor cursor;  ///< of `end`
  Uuid event;     ///< the id of the event there; zeros when there is none
  bool operator==(const StateFileEnd&) const = default;
};

/// From the ending alone: its checksum is looked at, what stands before it is not. Errors: not_found; corrupt;
/// unsupported; input_output.
[[nodiscard]] Result<StateFileEnd> read_state_file_end(const platform::FileSystem& files, const std::string& path);

}  // namespace annals::projection
