#pragma once
// The disk of SimulatedFileSystem: files and names as the process sees them (the cache), as they would be found after a
// loss of power (the disk), and what has yet to get from the one to the other.
//
// The model, in its choices:
//   - The cache writes whole sectors of 512 bytes: what gets to the disk with a byte is its sector as it was when it
//   was written.
//     So bytes of an earlier write in the same sector come with it, as they do with a page of the kernel's cache.
//   - Names go to the disk one operation (make, rename, remove) at a time; a later operation on a name never gets there
//     without the earlier ones on that name. Names and contents go there independently: a file may be there and empty.
//   - Directories are durable as soon as they are made, since create_directories flushes their parents.
//
// Confined to whoever holds the file system's mutex.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "platform/simulated.hpp"

namespace annals::platform {

inline constexpr std::uint64_t sector_bytes = 512;

/// Bytes that the cache holds and the disk does not: those of whole sectors, in which one write changed a part.
struct DirtySectors {
  std::uint64_t sequence = 0;  ///< its place in the order of all writes and operations on names
  std::uint64_t begin = 0;     ///< a multiple of sector_bytes
  std::uint64_t written_begin = 0;
  std::uint64_t written_end = 0;
  std::string image;  ///< ends at the end of a sector or of the file
};

struct Inode {
  std::string cached;
  std::string durable;
  std::vector<DirtySectors> dirty;
};
using InodePointer = std::shared_ptr<Inode>;  // shared by names in the cache, names on the disk, and open files

/// An operation on names that the disk does not know of yet. `removed` or `made` may be empty, not both.
struct NameChange {
  std::uint64_t sequence = 0;
  std::string removed;
  std::string made;
  InodePointer inode;  ///< what `made` names
};

class SimulatedDisk {
 public:
  /// The file of that name, or null.
  [[nodiscard]] InodePointer find(const std::string& path) const;
  [[nodiscard]] const std::map<std::string, InodePointer>& names() const { return cached_names_; }

  void make(const std::string& path);
  void rename(const std::string& from, const std::string& to);
  void remove(const std::string& path);
  /// A file that is durable as soon as it is made.
  void make_durably(const std::string& path, std::string_view bytes);

  void write(Inode& inode, std::uint64_t offset, std::string_view bytes);
  void flush(Inode& inode);
  /// Forgets that anything was to be flushed: the disk has it not, the cache believes it has.
  void forget(Inode& inode) { inode.dirty.clear(); }

  void flush_names(const std::string& directory);
  void forget_names(const std::string& directory);

  /// The bytes of all files that have a name.
  [[nodiscard]] std::uint64_t bytes_used() const;

  /// What the loss of power leaves; the cache then holds just that.
  void lose_power(SimulatedFileSystem::Survival survival, SimulatedRandom& dice);

 private:
  void change_name(NameChange change);
  void apply(const NameChange& change);
  static void apply(Inode& inode, std::uint64_t begin, std::string_view bytes);
  [[nodiscard]] std::vector<InodePointer> living() const;

  void save_everything();
  void save_some_sectors(SimulatedRandom& dice);
  void save_some_names(SimulatedRandom& dice);
  void save_a_prefix(SimulatedRandom& dice);

  std::uint64_t sequence_ = 0;
  std::map<std::string, InodePointer> cached_names_;
  std::map<std::string, InodePointer> durable_names_;
  std::vector<NameChange> name_changes_;
  std::vector<std::weak_ptr<Inode>> inodes_;
};

/// What stands before the last slash of a path in normal form; "." or "/" when nothing does.
[[nodiscard]] std::string directory_of(const std::string& path);

}  // namespace annals::platform
