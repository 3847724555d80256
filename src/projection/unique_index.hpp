#pragma once
// UniqueIndex: which record of a table has a unique value. Kept in step with the table's rows by its applier, under the
// table's lock.

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "model/resource.hpp"

namespace annals::projection {

class UniqueIndex {
 public:
  /// `model` outlives the index.
  explicit UniqueIndex(const model::Model& model) : model_(model), wanted_(model.has_unique_fields()) {}

  /// False when the model has no unique fields: nothing need be told to the index then.
  [[nodiscard]] bool wanted() const { return wanted_; }

  /// The record of the key changed; each text is empty where the record does not exist. False, and nothing has changed,
  /// when a text is none of the model's.
  [[nodiscard]] bool change(std::string_view key, std::string_view before, std::string_view after);
  /// With the index of another table of the same model.
  void swap(UniqueIndex& other) {
    owners_.swap(other.owners_);
    std::swap(text_bytes_, other.text_bytes_);
  }

  /// What it takes of memory, more or less.
  [[nodiscard]] std::uint64_t bytes() const;

  /// The key of the record that has the value.
  [[nodiscard]] std::optional<std::string> owner(const model::UniqueValue& value) const;

 private:
  const model::Model& model_;
  const bool wanted_;
  absl::flat_hash_map<std::string, std::string> owners_;  // by field and identity of the value
  std::uint64_t text_bytes_ = 0;                          // of texts that do not lie in their entry
};

}  // namespace annals::projection
