#pragma once
// The order of a list: by some fields, each up or down, and then by the keys (bytes). A record without a value comes
// before all others, and after them where the order goes down. Values and pure functions; no thread rule.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/filter.hpp"

namespace annals::model {

struct SortKey {
  std::size_t field = 0;  ///< its place in the model
  bool descending = false;

  bool operator==(const SortKey&) const = default;
};
using Sort = std::vector<SortKey>;  ///< none: by the keys

inline constexpr std::size_t sort_keys_max = 5;

/// Reads "-price,name". Errors: invalid ("unknown_field", "invalid_sort").
[[nodiscard]] Result<Sort> read_sort(const Model& model, std::string_view value);

/// Where a record stands in a list: of two records the one with the lesser bytes comes first.
struct ListPlace {
  std::string bytes;            ///< value_order.hpp's of each field of the sort, inverted where it goes down; the key
  std::size_t first_bytes = 0;  ///< those of the first field of the sort
  std::size_t key_at = 0;       ///< where the key begins

  [[nodiscard]] std::string_view key() const { return std::string_view(bytes).substr(key_at); }
  /// The order of the value of the first field, going up. INVARIANT: the list is sorted by some field.
  [[nodiscard]] std::string first_order(const Sort& sort) const;
};

/// A place as bytes that nobody need understand, which hold for lists of this order only.
[[nodiscard]] std::string place_to_bytes(const Model& model, const Sort& sort, const ListPlace& place);
/// nullopt for what place_to_bytes did not make for this order.
[[nodiscard]] std::optional<ListPlace> place_from_bytes(const Model& model, const Sort& sort, std::string_view bytes);

/// What a list asks.
struct ListQuery {
  std::vector<Filter> filters;  ///< a record of the list passes all of them
  Sort sort;
  std::optional<ListPlace> after;  ///< the list begins behind it
  std::size_t limit = 100;
  bool count = false;  ///< how many records pass, whatever `after` and `limit` are
};

/// Looks at records, one after another. Confined to one thread.
class ListLook {
 public:
  /// `model` and `query` outlive it.
  ListLook(const Model& model, const ListQuery& query);

  /// Whether the record passes the filters; `text` outlives the calls of `place`. Errors: corrupt, when it is none of
  /// the model.
  [[nodiscard]] Result<bool> passes(std::string_view text);
  /// Where the record that was looked at last stands. Errors: as passes.
  [[nodiscard]] Result<ListPlace> place(std::string_view key) const;

  /// What the way by which the records are found tells of all of them: that they pass these filters, by their places in
  /// the query; and, of a list that is sorted by one field (`order`), that the order of its value comes with each
  /// record. Neither is looked for in the records then. Before the first look.
  void take_for_granted(std::span<const std::size_t> filters, bool order);
  /// Where a record stands whose value of the sort's one field has this order.
  [[nodiscard]] ListPlace place(std::string_view key, std::string_view order) const;

 private:
  struct Check {
    const Filter* filter;
    std::size_t at;  ///< its field among wanted_
  };
  [[nodiscard]] Result<FieldValue> value(std::size_t wanted) const;

  const Model& model_;
  const ListQuery& query_;
  std::vector<std::size_t> wanted_;  // places of fields, ascending
  std::vector<Check> checks_;
  std::vector<std::size_t> sort_at_;     // for each key of the sort, its field among them; none when that is granted
  std::vector<std::string_view> texts_;  // of the record, for each of wanted_
};

}  // namespace annals::model
