#pragma once
// KeyIndex: finds the row of a key with a look at one line of the processor's cache and one at the row. A walk down the
// tree looks at a row for each key that it compares with, and most of those lie in memory that the processor has not at
// hand: with 200,000 records that was a sixth of all that a GET of one costs.
//
// A table of words with open addressing and linear probing. A word is a row's address (48 bits) and 16 bits of its
// key's hash, so that hardly a row is looked at in vain. Keys never leave: a deleted record stays as a row.
//
// It grows in steps, so that nobody waits for it: of a table of twice the size the memory is taken ahead, without the
// table's lock (`make_room`), and with every row that is put in, some of those from before are moved. Until all are,
// rows are looked for in both.
//
// Kept in step with the table's rows by its applier, under the table's lock, but for `make_room`.

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "projection/stored_row.hpp"

namespace annals::projection {

class KeyIndex {
 public:
  /// What a key takes of it, in the mean: between 9 bytes and 18, and half as much more while it grows.
  static constexpr std::uint64_t bytes_a_key = 14;

  /// The row of a key, or null.
  [[nodiscard]] const StoredRow* find(std::string_view key) const;

  /// Takes the memory for so many further keys. To be called before `put`, by the applier and without the lock; frees
  /// what was left over, too.
  void make_room(std::size_t keys);
  /// Puts a row in the place of the one with the same key, if there is one. INVARIANT: there is room.
  void put(const StoredRow& row);

  [[nodiscard]] std::size_t size() const { return size_; }
  /// What it takes of memory, but for what was made ahead.
  [[nodiscard]] std::uint64_t bytes() const { return (now_.capacity + before_.capacity) * sizeof(Word); }
  void swap(KeyIndex& other);

 private:
  using Word = std::uint64_t;
  struct Free {
    void operator()(Word* words) const { std::free(words); }
  };
  struct Table {
    std::unique_ptr<Word[], Free> words;
    std::size_t capacity = 0;  // a power of two, or 0

    Table() = default;
    explicit Table(std::size_t the_capacity);
    [[nodiscard]] bool holds(std::size_t keys) const { return keys <= capacity - capacity / 8; }
    /// The word of a key; the first empty one behind its place when it has none. INVARIANT: one is empty.
    [[nodiscard]] Word* look_up(std::string_view key, std::uint64_t hash) const;
  };
  void move_some();
  void move_all();

  Table now_;
  Table before_;           // while rows are moved out of it
  std::size_t moved_ = 0;  // words of it that have been looked at
  Table next_;             // made ahead
  Table spent_;            // to be freed without the lock
  std::size_t size_ = 0;   // keys
};

}  // namespace annals::projection
