#pragma once
// BloomFilters: for each field of a model with the attribute `bloom_filter`, a filter over the values that records of a
// table have, so that a list of those with a value that none has needs no walk. It never denies what is there: a value
// is added before its row can be seen, and stays when the row is gone. When too much in them is stale, or they are
// full, filters are made anew from the rows, some at a time with each event, while the old ones go on being asked.
//
// Kept in step with the table's rows by its applier. What readers look at (surely_lacks, bytes) is changed under the
// table's lock (take_in, put_in_place, fill, swap); the rest is the applier's alone.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/model.hpp"
#include "projection/bloom_filter.hpp"
#include "projection/stored_row.hpp"

namespace annals::projection {

class BloomFilters {
 public:
  /// `model` outlives the filters.
  explicit BloomFilters(const model::Model& model);

  [[nodiscard]] bool wanted() const { return !fields_.empty(); }

  /// A row takes the place of another (null: of none): hashes of the values that are new with it, and how many went.
  struct Change {
    std::vector<std::optional<std::uint64_t>> added;  ///< of each field with a filter
    std::size_t gone = 0;
  };
  /// INVARIANT: both are rows of the model.
  [[nodiscard]] Change change_of(const StoredRow* before, const StoredRow& after) const;
  void take_in(const Change& change);

  /// Whether filters are to be made anew, or are being made. The applier then hands on rows in the order of their keys,
  /// all of them, and asks after each of them where to go on; the first time from the beginning. `rows` are those that
  /// exist, more or less.
  [[nodiscard]] bool has_work(std::size_t rows);
  [[nodiscard]] const std::optional<std::string>& worked_to() const { return worked_to_; }
  void work_on(const StoredRow& row);
  /// Once all rows were handed on.
  void put_in_place();

  /// Makes the filters of rows. False, and nothing has changed, when one of them is none of the model's.
  [[nodiscard]] bool fill(const std::vector<const StoredRow*>& rows);
  void swap(BloomFilters& other);

  /// True when no record has the value, which is not null, in the field at this place; false when one may have it, or
  /// the field has no filter.
  [[nodiscard]] bool surely_lacks(std::size_t field, const model::FieldValue& value) const;

  /// What they take of memory; those that are being made are not in it.
  [[nodiscard]] std::uint64_t bytes() const;

 private:
  using Hashes = std::vector<std::optional<std::uint64_t>>;
  [[nodiscard]] std::optional<Hashes> hashes_of(std::string_view record) const;
  [[nodiscard]] std::vector<BloomFilter> empty_filters(std::size_t rows) const;

  const model::Model& model_;
  std::vector<std::size_t> fields_;   // ascending
  std::vector<BloomFilter> filters_;  // of each of them
  std::size_t gone_ = 0;              // values that went since filters were made
  std::vector<BloomFilter> made_;     // being made; none: they are not
  std::optional<std::string> worked_to_;
};

}  // namespace annals::projection
