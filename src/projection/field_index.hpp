#pragma once
// FieldIndexes: for each indexed field of a model, the rows of its table in order of the field's values, and of their
// keys where those are equal. Kept in step with the table's rows by its applier, under the table's lock; `change_of`,
// where the work is, needs no lock. Records that do not exist are in none.
//
// An entry is the value's order (model/value_order.hpp), a pointer to the row, which the table holds, and the beginning
// of the row's key.

#include <absl/container/btree_set.h>
#include <absl/types/compare.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/pool_allocator.hpp"
#include "model/model.hpp"
#include "projection/key_order.hpp"
#include "projection/order_text.hpp"
#include "projection/stored_row.hpp"

namespace annals::projection {

class IndexEntry {
 public:
  IndexEntry(std::string_view order, const StoredRow& row)
      : row_(&row), key_beginning_(order_word(row.key())), order_(order) {}

  [[nodiscard]] std::string_view order() const { return order_.view(); }
  [[nodiscard]] const StoredRow& row() const { return *row_; }
  /// The row changes with versions of the record, its key does not.
  void set_row(const StoredRow& row) const { row_ = &row; }

 private:
  friend struct InIndexOrder;

  mutable const StoredRow* row_;
  std::uint64_t key_beginning_;
  OrderText order_;
};

/// A place among entries: before all of an order where the key is empty. A value; what it names outlives it.
struct IndexPlace {
  std::string_view order;
  std::string_view key;
  WordsOf order_words;
  std::uint64_t key_beginning;

  IndexPlace(std::string_view the_order, std::string_view the_key)
      : order(the_order), key(the_key), order_words(the_order), key_beginning(order_word(the_key)) {}
};

struct InIndexOrder {
  using is_transparent = void;
  // A row is not looked at unless the orders are equal and the keys begin alike: it is in memory that the processor has
  // not at hand, and of a field with few values a search would come by a dozen.
  absl::weak_ordering operator()(const IndexEntry& left, const IndexEntry& right) const {
    if (const int order = left.order_.compare(right.order_); order != 0) return ordering(order);
    if (left.key_beginning_ != right.key_beginning_) return ordering(left.key_beginning_, right.key_beginning_);
    return ordering(compare_keys(left.row_->key(), right.row_->key()));
  }
  absl::weak_ordering operator()(const IndexEntry& left, const IndexPlace& right) const {
    if (const int order = left.order_.compare(right.order, right.order_words); order != 0) return ordering(order);
    if (left.key_beginning_ != right.key_beginning) return ordering(left.key_beginning_, right.key_beginning);
    return ordering(compare_keys(left.row_->key(), right.key));
  }
  absl::weak_ordering operator()(const IndexPlace& left, const IndexEntry& right) const {
    const absl::weak_ordering turned = (*this)(right, left);
    return turned < 0   ? absl::weak_ordering::greater
           : turned > 0 ? absl::weak_ordering::less
                        : absl::weak_ordering::equivalent;
  }

 private:
  static absl::weak_ordering ordering(int order) {
    if (order == 0) return absl::weak_ordering::equivalent;
    return order < 0 ? absl::weak_ordering::less : absl::weak_ordering::greater;
  }
  static absl::weak_ordering ordering(std::uint64_t left, std::uint64_t right) {
    return left < right ? absl::weak_ordering::less : absl::weak_ordering::greater;
  }
};

using FieldIndex = absl::btree_set<IndexEntry, InIndexOrder, PoolAllocator<IndexEntry>>;

class FieldIndexes {
 public:
  /// `model` and `pool`, which their memory comes from, outlive the indexes.
  FieldIndexes(const model::Model& model, BlockPool& pool);

  [[nodiscard]] bool wanted() const { return !indexes_.empty(); }

  /// A record changes: the orders of each indexed field before and after, none where there is no record. INVARIANT:
  /// both texts are the model's.
  struct Change {
    struct Orders {
      std::optional<std::string> before;
      std::optional<std::string> after;
    };
    std::vector<Orders> orders;
  };
  [[nodiscard]] Change change_of(std::optional<std::string_view> before, std::optional<std::string_view> after) const;
  /// `after` is the row whose text change_of was asked about, and takes the place of `before`, which may be null, or
  /// the same row written over. The table holds it, and both until this returns.
  void take_in(Change change, const StoredRow* before, const StoredRow& after);

  /// To make the indexes of many rows: takes the rows in one after another, in order of their keys; `text` is nullopt
  /// where there is no record. False when it is none of the model's.
  [[nodiscard]] bool file(const StoredRow& row, std::optional<std::string_view> text);
  /// And then makes the indexes of all that were filed, in the place of what they were.
  void fill();
  void swap(FieldIndexes& other);

  /// That of the field at this place of the model; null when it has none.
  [[nodiscard]] const FieldIndex* find(std::size_t field) const;

  /// What they take of memory, more or less.
  [[nodiscard]] std::uint64_t bytes() const;

 private:
  struct Filed {
    std::string order;
    std::size_t number;  // they come in order of their keys
    const StoredRow* row;
  };
  struct One {
    std::size_t field;
    FieldIndex entries;
    std::uint64_t text_bytes = 0;  // of orders that do not lie in their entry
    std::vector<Filed> filed{};    // until `fill`
  };

  const model::Model& model_;
  std::vector<std::size_t> fields_;  // ascending
  std::vector<One> indexes_;         // of each of them
  std::size_t filed_ = 0;            // rows, until `fill`
};

}  // namespace annals::projection
