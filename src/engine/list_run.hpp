#pragma once
// ListRun: the work of finding one page of a list, in turns: the records of a model that pass some filters, in some
// order, as they are or as they were at a time. It keeps no more rows than the page has, and of those of the past no
// more than their bytes allow.
//
// A list of now that takes one turn is of one moment if it looks at no more than rows_at_once rows; a longer one may
// miss a record that changes meanwhile and comes to stand elsewhere, or show it as it was before; it shows none twice.
//
// Confined to one thread at a time.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/list_plan.hpp"
#include "engine/queries.hpp"
#include "engine/turn.hpp"

namespace annals::engine {

inline constexpr std::size_t list_bytes_max = 1u << 20;  ///< values of a page, as a rule

struct ListRow {
  model::ListPlace place;
  model::Record record;
};

/// What was done to find a page.
struct ListExplanation {
  std::string_view way;              ///< "key", "unique", "bloom_filter", "index", "table"; of the past "history"
  std::optional<std::size_t> field;  ///< by which the records were found
  bool in_order = false;             ///< they came in the order of the list, and needed no sorting
  std::uint64_t rows_looked_at = 0;
};

struct ListPage {
  std::vector<ListRow> rows;
  bool more = false;                   ///< others follow, behind the last of these
  std::optional<std::uint64_t> total;  ///< if it was to be counted
  ListExplanation explanation;
};

class ListRun {
 public:
  /// Of now, or as it was at `time`. The page ends early once its values have `bytes_max` bytes. `use` says whether it
  /// may well be asked for again. Everything but the query outlives the run.
  ListRun(Past of, const projection::ReadTable& table, model::ListQuery query, std::optional<Instant> time,
          std::size_t bytes_max = list_bytes_max, projection::Use use = projection::Use::keeps);
  ListRun(const ListRun&) = delete;
  ListRun& operator=(const ListRun&) = delete;

  /// Works until the page is found or the turn is over; true when it is found. Errors: of the past, those of the
  /// store's reads; corrupt.
  [[nodiscard]] Result<bool> go_on(const Turn& turn);
  /// Once, when it is found.
  [[nodiscard]] ListPage take();

 private:
  void begin();
  [[nodiscard]] Result<bool> go_on_now(const Turn& turn);
  [[nodiscard]] Result<bool> go_on_past(const Turn& turn);
  [[nodiscard]] Result<> look_at(std::string_view key, const model::Record& record, std::string_view order);
  void offer(ListRow row);
  [[nodiscard]] bool is_full() const { return cut_ || rows_.size() > query_.limit; }
  [[nodiscard]] bool nothing_can_follow(std::string_view last_key, const model::Record& last) const;
  void drop_older_twins();

  const Past of_;
  const model::Model& model_;
  const projection::ReadTable& table_;
  model::ListQuery query_;
  const std::optional<Instant> time_;
  const std::size_t bytes_max_;
  const projection::Use use_;
  const bool count_all_;  // without filters, which needs no look at the rows
  model::ListLook look_;
  bool begun_ = false;

  ListPlan plan_;
  bool orders_tell_places_ = false;  // the walk goes by the one field that the list is sorted by
  std::optional<projection::WalkPlace> walked_to_;
  bool walked_all_ = false;
  std::size_t walks_ = 0;
  std::vector<projection::RowHolder> batch_;  // looked at next, from batch_at_ on
  std::vector<std::string> orders_;           // as WalkedRows has them
  std::size_t batch_at_ = 0;
  std::vector<model::Record> records_;  // of those of the batch that were last looked at
  std::optional<ListAtTime> past_;

  std::vector<ListRow>
      rows_;  // up to one more than the page has; a heap, the last in order on top, unless they come in order
  std::size_t bytes_ = 0;                // their values
  std::optional<model::ListPlace> cut_;  // rows from here on are not in the page
  std::uint64_t total_ = 0;
  std::uint64_t looked_at_ = 0;
};

}  // namespace annals::engine
