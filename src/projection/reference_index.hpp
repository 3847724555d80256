#pragma once
// ReferenceIndex: which records of a table refer to a key, by field. Kept in step with the table's rows by its applier,
// under the table's lock.

#include <absl/container/btree_set.h>
#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/resource.hpp"

namespace annals::projection {

class ReferenceIndex {
 public:
  /// `model` outlives the index.
  explicit ReferenceIndex(const model::Model& model) : model_(model), wanted_(model.has_references()) {}

  /// False when the model refers to none: nothing need be told to the index then.
  [[nodiscard]] bool wanted() const { return wanted_; }

  /// What a record's change does to the index: the names of what it referred to and no longer does, and of what it
  /// refers to.
  struct Change {
    std::vector<std::string> lost;
    std::vector<std::string> has;
  };
  /// As UniqueIndex::change_of.
  [[nodiscard]] std::optional<Change> change_of(std::string_view before, std::string_view after) const;
  /// The record of the key changed so.
  void take_in(std::string_view key, const Change& change);
  /// With the index of another table of the same model.
  void swap(ReferenceIndex& other) {
    referrers_.swap(other.referrers_);
    std::swap(keys_, other.keys_);
    std::swap(text_bytes_, other.text_bytes_);
  }

  /// What it takes of memory, more or less.
  [[nodiscard]] std::uint64_t bytes() const;

  /// Up to `limit` keys of records that refer to this one, in order.
  [[nodiscard]] std::vector<std::string> referrers(const model::ReferredKey& to, std::size_t limit) const;

 private:
  const model::Model& model_;
  const bool wanted_;
  using Referrers = absl::flat_hash_map<std::string, absl::btree_set<std::string>>;
  Referrers referrers_;           // by field and key referred to
  std::uint64_t keys_ = 0;        // in all of its sets
  std::uint64_t text_bytes_ = 0;  // of texts that do not lie in their entry
};

}  // namespace annals::projection
