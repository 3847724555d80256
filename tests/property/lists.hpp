#pragma once
// Lists as the reference makes them: all records, looked at one after another. Values; pure functions.

#include <optional>
#include <string>
#include <vector>

#include "tests/property/reference.hpp"

namespace annals::property {

struct FilterShape {
  std::string field;
  std::string word;            ///< "eq", "in", ...
  std::vector<Json> operands;  ///< null: an empty one
  std::string text;            ///< as it stands in a query, before it is encoded
};

struct SortShape {
  std::string field;
  bool downwards = false;
};

struct ListShape {
  std::size_t model = 0;
  std::vector<FilterShape> filters;
  std::vector<SortShape> sort;
  std::vector<std::string> fields;  ///< shown; none: all
  std::size_t limit = 100;
  bool count = false;
  bool explain = false;
  std::optional<std::int64_t> moment;

  /// The query, but for `after`.
  [[nodiscard]] std::string query() const;
};

struct ListRow {
  std::vector<Json> order;  ///< the values that it is sorted by
  std::string key;
  Json shown;
};

struct ListAnswer {
  std::vector<ListRow> rows;
  bool may_be_refused = false;   ///< it looks, perhaps, at a past that is not shown
  bool must_be_refused = false;  ///< it does
};

[[nodiscard]] ListShape any_list(Dice& dice, const Reference& reference);
[[nodiscard]] ListAnswer rows_of(const Reference& reference, const ListShape& list);
/// Whether a row stands behind another.
[[nodiscard]] bool is_behind(const Reference& reference, const ListShape& list, const ListRow& row,
                             const ListRow& other);

}  // namespace annals::property
