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

namespace annals::projection {

class BloomFilters {
 public:
  /// `model` outlives the filters.
  explicit BloomFilters(const model::Model& model);

  [[nodiscard]] bool wanted() const { return !fields_.empty(); }

  /// A record changes: hashes of the values that are new with it, and how many went.
  struct Change {
    std::vector<std::optional<std::uint64_t>> added;  ///< of each field with a filter
    std::size_t gone = 0;
  };
  /// Of the texts before and after, empty where there is no record. INVARIANT: both are the model's.
  [[nodiscard]] Change change_of(std::string_view before, std::string_view after) const;
  void take_in(const Change& change);

  /// Whether filters are to be made anew, or are being made. The applier then hands on rows in the order of their keys,
  /// all of them, and asks after each of them where to go on; the first time from the beginning. `rows` are those that
  /// exist, more or less.
  [[nodiscard]] bool has_work(std::size_t rows);
  [[nodiscard]] const std::optional<std::string>& worked_to() const { return worked_to_; }
  /// `text` is empty where there is no record. INVARIANT: it is the model's.
  void work_on(std::string_view key, std::string_view text);
  /// Once all rows were handed on.
  void put_in_place();

  /// To make the filters of many records: takes their texts in one after another; nullopt where there is no record.
  /// False when it is none of the model's.
  [[nodiscard]] bool file(std::optional<std::string_view> text);
  /// And then makes the filters of all that were filed, in the place of what they were.
  void fill();
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
  std::vector<std::vector<std::uint64_t>> filed_;  // of each field, until `fill`
  std::size_t records_filed_ = 0;
};

}  // namespace annals::projection
