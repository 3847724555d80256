#pragma once
// UniqueIndex: which record of a table has a unique value. Kept in step with the table's rows by its applier, under the
// table's lock.
//
// The changes of each record come in their order, those of several records in any: the events of a group are told one
// stream after the other, and rows of a checkpoint may be newer than the events that are replayed. So several records
// may have a value for a while, of which one is left in the end.

#include <absl/container/flat_hash_map.h>
#include <absl/hash/hash.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/huge_pages.hpp"
#include "model/resource.hpp"

namespace annals::projection {

class UniqueIndex {
 public:
  /// `model` outlives the index.
  explicit UniqueIndex(const model::Model& model) : model_(model), wanted_(model.has_unique_fields()) {}

  /// False when the model has no unique fields: nothing need be told to the index then.
  [[nodiscard]] bool wanted() const { return wanted_; }

  /// What a record's change does to the index: the names of the values that it has no longer, and of those that are
  /// new to it.
  struct Change {
    std::vector<std::string> lost;
    std::vector<std::string> won;
  };
  /// Each text is empty where the record does not exist. Needs no lock; nullopt when a text is none of the model's.
  [[nodiscard]] std::optional<Change> change_of(std::string_view before, std::string_view after) const;
  /// The record of the key changed so.
  void take_in(std::string_view key, Change change);
  /// With the index of another table of the same model.
  void swap(UniqueIndex& other) {
    owners_.swap(other.owners_);
    others_.swap(other.others_);
    std::swap(text_bytes_, other.text_bytes_);
  }

  /// Values that several records have.
  struct TakenTwice {
    std::size_t number = 0;
    std::vector<std::string> examples;  ///< the first few, with their fields and two of their keys
  };
  /// Of whichever moment: for a while there may be some. Costs nothing where there are none.
  [[nodiscard]] TakenTwice taken_twice() const;

  /// What it takes of memory, more or less.
  [[nodiscard]] std::uint64_t bytes() const;

  /// The key of the record that has the value; of several, as there may be for a while, that of the last to take it.
  [[nodiscard]] std::optional<std::string> owner(const model::UniqueValue& value) const;

 private:
  void let_go(const std::string& name, std::string_view key);
  void take(std::string name, std::string_view key);

  const model::Model& model_;
  const bool wanted_;
  using Owners = absl::flat_hash_map<std::string, std::string, absl::Hash<std::string>, std::equal_to<std::string>,
                                     HugeAllocator<std::pair<const std::string, std::string>>>;
  Owners owners_;                                                      // by field and identity of the value
  absl::flat_hash_map<std::string, std::vector<std::string>> others_;  // who has it, too, for a while; none is empty
  std::uint64_t text_bytes_ = 0;                                       // of texts that do not lie in their entry
};

}  // namespace annals::projection
