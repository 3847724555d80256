#pragma once
// The plan of a list: which way through a table finds its records, and whether they come in the list's order.
//
// How it chooses, in this order:
//   1. Records named by their key, or by a unique value (`eq`, `in`): those, and no others. None, if a filter asks for
//      values of a field that has a Bloom filter, and that knows that no record has them.
//   2. Of the indexed fields that filters bound, each is asked how many records lie within, counting no farther than
//      plan_count_max. The fewest are taken, if they are fewer than that: they are sorted in memory. So are the records
//      that refer to a key (`eq`, `in` of a field with `references`), if they are fewer.
//   3. Else a way that visits the records in the order of the list, bounded by a filter or not:
//      it ends as soon as the page is full.
//      A list without `sort` is in the order of the keys, which is the table's own.
//   4. Else the fewest, else the whole table.
// A list that is to be counted sees all that lies within its bounds in any case, so there the order counts for nothing.
//
// Pure but for its questions to the table; no thread rule.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/list_order.hpp"
#include "projection/read_table.hpp"

namespace annals::engine {

inline constexpr std::size_t plan_count_max = 2'000;

struct ListPlan {
  enum class Way : std::uint8_t {
    key,           ///< by the primary key
    unique,        ///< by a unique field
    bloom_filter,  ///< none, as the Bloom filter of a field tells
    index,         ///< by an indexed field
    reference,     ///< by a field that refers to others, through what the table knows of who refers to a key
    table,         ///< all rows
  };
  /// How far the rows come in the order of the list.
  enum class Order : std::uint8_t {
    none,   ///< not at all: all have to be seen
    first,  ///< by the first field of the sort
    whole,
  };
  Way way = Way::table;
  std::optional<std::size_t> field;  ///< of the way; none of `table`
  projection::TableWalk walk;
  Order order = Order::none;
  std::vector<std::size_t> passed{};  ///< filters, by their places in the query, that all rows of the walk pass
};
[[nodiscard]] std::string_view to_string(ListPlan::Way way);

[[nodiscard]] ListPlan plan_list(const model::Model& model, const projection::ReadTable& table,
                                 const model::ListQuery& query);

/// What the keys of all records that pass the filters begin with; empty where the filters do not tell.
[[nodiscard]] std::string prefix_of_keys(const model::Model& model, const model::ListQuery& query);

/// Where a walk that comes in the list's order begins, so as not to come by what lies before query.after; nullopt: at
/// its beginning.
[[nodiscard]] std::optional<projection::WalkPlace> first_place(const model::Model& model, const ListPlan& plan,
                                                               const model::ListQuery& query);

}  // namespace annals::engine
