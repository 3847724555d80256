#pragma once
// StagedRows: the rows that events have left and that nobody reads yet, by the hash of their keys, until they are
// published all together in order of their keys.
//
// Threads: none of its own; the applier's.

#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "projection/stored_row.hpp"
#include "projection/witness.hpp"

namespace annals::projection {

/// A place in the hash table, which knows its key's hash, so that a row is looked at only where it is the one.
struct StagedSlot {
  std::size_t hash;
  mutable RowHolder row;
};

struct HashedKey {
  std::size_t hash;
  std::string_view key;
};

/// Finds what most likely is the place of a key, without a look at the row.
struct HashAlone {
  std::size_t hash;
};

struct HashOfStaged {
  using is_transparent = void;
  template <class Key>
  std::size_t operator()(const Key& key) const {
    return key.hash;
  }
};

struct SameStaged {
  using is_transparent = void;
  bool operator()(const StagedSlot& slot, const HashedKey& key) const {
    return slot.hash == key.hash && slot.row->key() == key.key;
  }
  bool operator()(const StagedSlot& slot, const HashAlone& key) const { return slot.hash == key.hash; }
  bool operator()(const StagedSlot& left, const StagedSlot& right) const {
    return left.hash == right.hash && left.row->key() == right.row->key();
  }
};

/// A row to be sorted. Keys of a table often begin alike; the eight bytes after that tell most of them apart without a
/// look at the row.
struct Sortable {
  std::uint64_t beginning;
  const StagedSlot* slot;
};

inline std::uint64_t word_at(std::string_view key, std::size_t at) {
  char bytes[8] = {};
  if (key.size() > at) std::memcpy(bytes, key.data() + at, std::min<std::size_t>(key.size() - at, 8));
  return __builtin_bswap64(std::bit_cast<std::uint64_t>(bytes));
}

inline std::size_t common_length(std::string_view left, std::string_view right) {
  return static_cast<std::size_t>(std::ranges::mismatch(left, right).in1 - left.begin());
}

/// Rows that nobody reads need no order, and are found with a look or two at memory where a tree takes twenty.
struct StagedRows {
  absl::flat_hash_set<StagedSlot, HashOfStaged, SameStaged> slots;
  std::vector<Sortable> order;  // while they are published: all of them, in order of their keys
  Witness newest;

  /// All of them, in order of their keys.
  [[nodiscard]] std::vector<Sortable> sorted() const {
    std::vector<Sortable> all;
    if (slots.empty()) return all;
    all.reserve(slots.size());
    std::string_view common = slots.begin()->row->key();
    for (const StagedSlot& slot : slots) common = common.substr(0, common_length(common, slot.row->key()));
    for (const StagedSlot& slot : slots) all.push_back({word_at(slot.row->key(), common.size()), &slot});
    std::ranges::sort(all, [](const Sortable& left, const Sortable& right) {
      if (left.beginning != right.beginning) return left.beginning < right.beginning;
      return left.slot->row->key() < right.slot->row->key();
    });
    return all;
  }
};

}  // namespace annals::projection
