#pragma once
// SpillFile: values of records that a table keeps in no memory, each at a place of its own, to be read back one by one
// (docs/formats/spill_file.md). It is of one run of the server: it begins empty, nothing in it need be durable, and it
// is removed when it closes; one that was left behind is removed before.
//
// Space that is given back is used again: the best-fitting free piece first, neighbouring pieces as one. So the file
// grows no larger than what it holds at a time, and some space between.
//
// Threads: one writer at a time; reads, releases and questions from any thread, beside it.

#include <absl/container/btree_map.h>
#include <absl/container/btree_set.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/guarded.hpp"
#include "base/number.hpp"
#include "base/result.hpp"
#include "platform/file_system.hpp"

namespace annals::projection {

class SpillFile {
 public:
  struct Entry {
    std::string_view key;
    StreamVersion version;
    std::string_view value;
  };

  /// `files` outlives it. The file is made with the first write.
  SpillFile(std::string path, platform::FileSystem& files);
  ~SpillFile();
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;

  /// Puts the entries down; the place of each, which is not 0. All of them or none. Errors: input_output.
  [[nodiscard]] Result<std::vector<std::uint64_t>> write(std::span<const Entry> entries);

  /// Reads the value at a place back, into `buffer`, which the answer lies in. Errors: corrupt, when the place does not
  /// have that key at that version with a value of so many bytes, as it was written; input_output.
  [[nodiscard]] Result<std::string_view> read(std::uint64_t place, const Entry& head, std::size_t value_bytes,
                                              std::string& buffer) const;

  /// The entry at this place is no longer wanted.
  void release(std::uint64_t place, std::size_t key_bytes, std::size_t value_bytes);

  /// What it takes on the disk.
  [[nodiscard]] std::uint64_t bytes() const;

 private:
  static constexpr std::uint64_t beginning_bytes = 16;  // of the file, before the first entry

  /// Which bytes are free. Confined to its lock.
  struct Space {
    absl::btree_map<std::uint64_t, std::uint64_t> free;                      // bytes by place; no two touch
    absl::btree_set<std::pair<std::uint64_t, std::uint64_t>> free_by_bytes;  // the same, bytes first
    std::uint64_t end = beginning_bytes;                                     // nothing behind it is taken
    std::uint64_t highest = 0;                                               // that `end` has been

    [[nodiscard]] std::uint64_t take(std::uint64_t bytes);
    void give_back(std::uint64_t place, std::uint64_t bytes);

   private:
    void add(std::uint64_t place, std::uint64_t bytes);
    void remove(std::uint64_t place, std::uint64_t bytes);
  };

  [[nodiscard]] Result<> make_file();
  [[nodiscard]] Result<> write_pieces(std::span<const Entry> entries, std::span<const std::uint64_t> places);

  const std::string path_;
  platform::FileSystem& files_;
  std::unique_ptr<platform::File> file_;  // made before the first place is handed out, and then left alone
  Guarded<Space> space_;
};

}  // namespace annals::projection
