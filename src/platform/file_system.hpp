#pragma once
// Files, as the log needs them: positioned reads and writes, explicit flushes, and nothing that hides when bytes become
// durable. Implementations: posix (platform/posix), and a simulated one (platform/simulated) that can lose, tear,
// shorten and reorder whatever was not flushed, and fail on demand.
//
// Threads: FileSystem is thread-safe. A File may be read from any thread while one thread writes and flushes it.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace annals::platform {

/// An open file. Closing is the destructor's work and reports nothing: what matters has been flushed before.
class File {
 public:
  virtual ~File() = default;

  /// Reads up to `size` bytes at `offset` into `into`; fewer only at the end of the file. The count read.
  /// Errors: input_output.
  [[nodiscard]] virtual Result<std::size_t> read_at(std::uint64_t offset, char* into, std::size_t size) const = 0;

  /// Writes all of `bytes` at `offset`, growing the file if it must; durable only after `flush`. After an error any
  /// part of `bytes` may have been written. Errors: input_output (code "disk_full" when there is no room).
  [[nodiscard]] virtual Result<> write_at(std::uint64_t offset, std::string_view bytes) = 0;

  /// Writes `size` zeros at `offset`, as write_at would, but past the system's cache where that is possible: for what
  /// is made ahead of its use and read by nobody. Errors: those of write_at.
  [[nodiscard]] virtual Result<> write_zeros(std::uint64_t offset, std::uint64_t size);

  /// Returns once everything written before the call survives the loss of power (fdatasync).
  /// Errors: input_output; then it is unknown what of the unflushed writes is durable, and a later success of flush
  /// says nothing about them (Linux marks the failed pages clean).
  [[nodiscard]] virtual Result<> flush() = 0;

  /// The size in bytes.
  [[nodiscard]] virtual Result<std::uint64_t> size() const = 0;
};

/// What can be read once, from its beginning to its end, whatever it is: a file, a pipe, a terminal. Closing is the
/// destructor's work. Confined to one thread at a time.
class Input {
 public:
  virtual ~Input() = default;

  /// Reads up to `size` bytes, those after what was read before, into `into`; fewer only at the end. Waits for them
  /// where they are not there yet. The count read. Errors: input_output.
  [[nodiscard]] virtual Result<std::size_t> read(char* into, std::size_t size) = 0;
};

/// A lock on a directory, held until destroyed or until the process ends, however it ends.
class DirectoryLock {
 public:
  virtual ~DirectoryLock() = default;

  /// False when the path of the directory no longer leads to what was locked: it was removed, moved or replaced, and
  /// what is written into its open files would not be found there again. Thread-safe.
  /// Errors: input_output, when that cannot be told.
  [[nodiscard]] virtual Result<bool> is_in_place() const = 0;
};

/// What a name stands for.
enum class EntryKind : std::uint8_t { none, file, directory, link, other };

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  /// Makes the directory and its missing parents (mode 0700). Being there already is success.
  [[nodiscard]] virtual Result<> create_directories(const std::string& path) = 0;

  /// Names of the entries of a directory, sorted, without `.` and `..`. Errors: not_found; corrupt ("not_a_directory"),
  /// when what has the name is no directory, nor a link to one; input_output.
  [[nodiscard]] virtual Result<std::vector<std::string>> list(const std::string& path) const = 0;

  [[nodiscard]] virtual Result<bool> exists(const std::string& path) const = 0;

  /// What has this very name: a symbolic link is a link, whatever it leads to. Errors: input_output.
  [[nodiscard]] virtual Result<EntryKind> kind_of(const std::string& path) const = 0;

  /// True when users who are neither its owner nor of its group may read or change the file. Always false where there
  /// are no users. Errors: not_found, input_output.
  [[nodiscard]] virtual Result<bool> is_open_to_others(const std::string& path) const;

  /// Makes a new empty file (mode 0600) for reading and writing. Its name is durable only after `flush_directory`.
  /// Errors: conflict when it exists, input_output.
  [[nodiscard]] virtual Result<std::unique_ptr<File>> create(const std::string& path) = 0;

  /// Opens an existing file, never waiting. Errors: not_found; corrupt ("not_a_file"), when what has the name is no
  /// file, nor a link to one, but a directory, a pipe or a socket; input_output.
  [[nodiscard]] virtual Result<std::unique_ptr<File>> open(const std::string& path) = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<File>> open_to_read(const std::string& path) const = 0;

  /// Opens what a user named, who may have named a pipe (see named_file.hpp). Errors: not_found, input_output.
  [[nodiscard]] virtual Result<std::unique_ptr<Input>> open_input(const std::string& path) const;

  /// Gives the file a new name, replacing what had it. Durable only after `flush_directory`.
  [[nodiscard]] virtual Result<> rename(const std::string& from, const std::string& to) = 0;
  [[nodiscard]] virtual Result<> remove(const std::string& path) = 0;
  /// Removes a directory that is empty. Errors: not_found; input_output, also when something is in it.
  [[nodiscard]] virtual Result<> remove_directory(const std::string& path) = 0;

  /// Returns once the names made, changed and removed in this directory before the call survive the loss of power.
  [[nodiscard]] virtual Result<> flush_directory(const std::string& path) = 0;

  /// Returns once the names of this directory and of all above it survive the loss of power, whoever made them and
  /// whenever; those above that this user may not open are passed over. Where directories survive from the start, as
  /// here, there is nothing to do.
  [[nodiscard]] virtual Result<> flush_names_above(const std::string& path);

  /// Takes the one lock of a directory: flock on the directory itself, where the file system has that, and on
  /// `<path>/LOCK`, which then holds the process id. So it holds also when LOCK is removed.
  /// Errors: conflict, when another process holds it (the message names that process), or when LOCK is no file, has
  /// other names as well or holds something else, which is left as it is; not_found, input_output.
  [[nodiscard]] virtual Result<std::unique_ptr<DirectoryLock>> lock_directory(const std::string& path) = 0;

  /// Takes the lock for looking only, which needs no permission to write: several may look at once, but nobody while
  /// somebody holds `lock_directory`, nor the other way round. Null when the directory itself cannot be locked, there
  /// is no LOCK, and none can be made: nobody can be kept from taking it then. Errors: conflict, as above; not_found,
  /// input_output.
  [[nodiscard]] virtual Result<std::unique_ptr<DirectoryLock>> lock_directory_to_read(const std::string& path);
};

/// The whole of a file or a pipe, which must not exceed `size_max` bytes. Errors: those of open_input; too_large.
[[nodiscard]] Result<std::string> read_whole_file(const FileSystem& files, const std::string& path,
                                                  std::uint64_t size_max);

/// The same of a file that the program itself has written: what else has its name is not waited for. Errors: those of
/// open_to_read; too_large.
[[nodiscard]] Result<std::string> read_own_file(const FileSystem& files, const std::string& path,
                                                std::uint64_t size_max);

/// Replaces a file as one step that survives the loss of power: writes `<path>.new`, flushes, renames, flushes the
/// directory.
[[nodiscard]] Result<> replace_file(FileSystem& files, const std::string& path, std::string_view bytes);

/// Makes the directory of `path` when somebody has removed it. Its own parent must be there, or nothing is made: what
/// was removed with everything around it is not to come back as an empty shell. Errors: those of create_directories.
[[nodiscard]] Result<> make_directory_again(FileSystem& files, const std::string& path);

/// Gives a flushed file a new name in the same directory, as one step that survives the loss of power.
[[nodiscard]] Result<> rename_durably(FileSystem& files, const std::string& from, const std::string& to);

/// `directory` and `name` with one slash between.
[[nodiscard]] std::string join_path(std::string_view directory, std::string_view name);

}  // namespace annals::platform
