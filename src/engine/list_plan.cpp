#include "engine/list_plan.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "model/resource.hpp"
#include "model/value_order.hpp"

namespace annals::engine {
namespace {

using model::Filter;
using model::Operator;
using projection::WalkRange;
using Ranges = std::vector<WalkRange>;
using Way = ListPlan::Way;
using Order = ListPlan::Order;

// --- Ranges: ascending, apart ---

bool less_high(const std::string& left, const std::string& right) {
  return !left.empty() && (right.empty() || left < right);
}

bool is_empty(const WalkRange& range) {
  return !range.high.empty() && range.high <= range.low;
}

Ranges both(const Ranges& left, const Ranges& right) {
  Ranges common;
  for (std::size_t one = 0, other = 0; one < left.size() && other < right.size();) {
    const bool left_ends_first = less_high(left[one].high, right[other].high);
    WalkRange range{std::max(left[one].low, right[other].low), left_ends_first ? left[one].high : right[other].high};
    if (!is_empty(range)) common.push_back(std::move(range));
    ++(left_ends_first ? one : other);
  }
  return common;
}

void put_in_order(Ranges& ranges) {
  std::ranges::sort(ranges, {}, &WalkRange::low);
  ranges.erase(std::unique(ranges.begin(), ranges.end()), ranges.end());
}

WalkRange point(std::string order) {
  std::string high = order + '\0';
  return {std::move(order), std::move(high)};
}

Ranges everything() {
  return Ranges(1);
}

// --- What filters bound ---

/// Of an index's values; nullopt when the filter bounds none.
std::optional<Ranges> index_ranges(const model::Field& field, const Filter& filter) {
  const model::FieldValue& operand = filter.operands.front();
  const std::string some(model::some_value);
  const std::string end = model::successor_of(some);
  const std::string order = model::order_of(field.type, operand);
  const std::string behind = order + '\0';
  const bool exact = model::order_is_exact(operand);
  switch (filter.operation) {
    case Operator::eq:
    case Operator::in: {
      Ranges points;
      for (const model::FieldValue& one : filter.operands) {
        points.push_back(point(model::order_of(field.type, one)));
        if (one.is_null() && field.type == model::FieldType::string)
          points.push_back(point(model::order_of(field.type, {std::string()})));
      }
      put_in_order(points);
      return points;
    }
    case Operator::gt: return Ranges{{exact ? behind : order, end}};
    case Operator::gte: return Ranges{{order, end}};
    case Operator::lt: return Ranges{{some, exact ? order : behind}};
    case Operator::lte: return Ranges{{some, behind}};
    case Operator::prefix: {
      const std::string first = model::order_of_prefix(*operand.as<std::string>());
      return Ranges{{first, model::successor_of(first)}};
    }
    default: return std::nullopt;
  }
}

/// Whether the keys are in the order of their values.
bool keys_are_in_order(const model::Model& model) {
  return model.fields[model.primary_key].type != model::FieldType::integer;
}

std::string key_text(const model::FieldValue& value) {
  const auto* text = value.as<std::string>();
  return text ? *text : to_json(value);
}

/// Whether the ranges that a filter leaves of an index hold the values that pass it, and no others.
bool is_exact(const Filter& filter) {
  const auto is_told_apart = [](const model::FieldValue& one) { return !one.is_null() && model::order_is_exact(one); };
  switch (filter.operation) {
    case Operator::eq:
    case Operator::in:
    case Operator::gt:
    case Operator::gte:
    case Operator::lt:
    case Operator::lte: return std::ranges::all_of(filter.operands, is_told_apart);
    default: return false;
  }
}

/// Of the keys; nullopt when the filter, which is on the primary key, bounds none.
std::optional<Ranges> key_ranges(const model::Model& model, const Filter& filter) {
  if (filter.operation == Operator::eq || filter.operation == Operator::in) {
    Ranges points;
    for (const model::FieldValue& one : filter.operands) {
      if (!one.is_null()) points.push_back(point(key_text(one)));
    }
    put_in_order(points);
    return points;
  }
  if (!keys_are_in_order(model)) return std::nullopt;
  const std::string key = key_text(filter.operands.front());
  switch (filter.operation) {
    case Operator::gt: return Ranges{{key + '\0', {}}};
    case Operator::gte: return Ranges{{key, {}}};
    case Operator::lt: return Ranges{{{}, key}};
    case Operator::lte: return Ranges{{{}, key + '\0'}};
    case Operator::prefix: return Ranges{{key, model::successor_of(key)}};
    default: return std::nullopt;
  }
}

/// The keys of the records that have one of the unique values; nullopt when the filter names none.
std::optional<Ranges> owners(const model::Model& model, const projection::ReadTable& table, const Filter& filter) {
  if (!model.fields[filter.field].unique) return std::nullopt;
  if (filter.operation != Operator::eq && filter.operation != Operator::in) return std::nullopt;
  Ranges points;
  for (const model::FieldValue& one : filter.operands) {
    // Of records without a value there may be many, and texts may be empty.
    if (one.is_null()) return std::nullopt;
    if (auto key = table.owner({filter.field, model::identity_of(one)})) points.push_back(point(*std::move(key)));
  }
  put_in_order(points);
  return points;
}

/// The keys of the records that refer to one of the keys; nullopt when the filter names none, or they are many.
std::optional<Ranges> referrers(const model::Model& model, const projection::ReadTable& table, const Filter& filter) {
  if (model.fields[filter.field].references.empty()) return std::nullopt;
  if (filter.operation != Operator::eq && filter.operation != Operator::in) return std::nullopt;
  Ranges points;
  for (const model::FieldValue& one : filter.operands) {
    if (one.is_null()) return std::nullopt;
    for (std::string& key : table.referrers({filter.field, key_text(one)}, plan_count_max - points.size()))
      points.push_back(point(std::move(key)));
    if (points.size() >= plan_count_max) return std::nullopt;
  }
  put_in_order(points);
  return points;
}

/// Whether a Bloom filter tells that no record passes.
bool finds_nothing(const projection::ReadTable& table, const Filter& filter) {
  if (filter.operation != Operator::eq && filter.operation != Operator::in) return false;
  return std::ranges::all_of(filter.operands,
                             [&](const model::FieldValue& one) { return table.surely_lacks(filter.field, one); });
}

// --- Ways ---

bool names_one_value(const Filter& filter) {
  return filter.operation == Operator::eq && !filter.operands.front().is_null();
}

class Planner {
 public:
  Planner(const model::Model& model, const projection::ReadTable& table, const model::ListQuery& query)
      : model_(model), table_(table), query_(query) {
    for (const model::SortKey& key : query.sort) {
      // What all records of the list have alike does not order them.
      const auto fixes = [&](const Filter& filter) { return filter.field == key.field && names_one_value(filter); };
      if (std::ranges::none_of(query.filters, fixes)) sort_.push_back(key);
    }
  }

  [[nodiscard]] ListPlan plan() const {
    if (auto named = named_records()) return *std::move(named);
    std::vector<ListPlan> bounded = bounded_ways();
    const bool whole_way = !query_.count;
    if (whole_way && bounded.size() == 1 && bounded.front().order == Order::whole) return std::move(bounded.front());
    ListPlan* fewest = nullptr;
    std::size_t fewest_rows = plan_count_max;
    for (ListPlan& way : bounded) {
      const std::size_t rows = table_.count(way.walk, plan_count_max);
      if (fewest != nullptr && rows >= fewest_rows) continue;
      fewest = &way;
      fewest_rows = rows;
    }
    if (fewest != nullptr && fewest_rows < plan_count_max) return std::move(*fewest);
    if (whole_way) {
      for (const Order order : {Order::whole, Order::first}) {
        const auto ordered = std::ranges::find(bounded, order, &ListPlan::order);
        if (ordered != bounded.end()) return std::move(*ordered);
        if (ListPlan way = unbounded_way(); way.order == order) return way;
      }
    }
    if (fewest != nullptr) return std::move(*fewest);
    return way_through_table(everything(), Way::table);
  }

 private:
  [[nodiscard]] ListPlan way_through_table(Ranges keys, Way way) const {
    ListPlan plan;
    plan.way = way;
    plan.walk.ranges = std::move(keys);
    if (way == Way::key) plan.field = model_.primary_key;
    const bool by_key = !sort_.empty() && sort_.front().field == model_.primary_key && keys_are_in_order(model_);
    plan.walk.descending = by_key && sort_.front().descending;
    if (sort_.empty() || by_key) plan.order = Order::whole;  // no two keys are equal
    return plan;
  }

  [[nodiscard]] ListPlan way_through_index(std::size_t field, Ranges ranges) const {
    ListPlan plan;
    plan.way = Way::index;
    plan.field = field;
    plan.walk.index = field;
    const bool one_value = ranges.size() == 1 && ranges.front() == point(ranges.front().low);
    plan.walk.ranges = std::move(ranges);
    const bool by_key = sort_.empty() || (sort_.front().field == model_.primary_key && !sort_.front().descending &&
                                          keys_are_in_order(model_));
    if (by_key) {
      if (one_value) plan.order = Order::whole;
    } else if (sort_.front().field == field) {
      plan.walk.descending = sort_.front().descending;
      plan.order = sort_.size() == 1 ? Order::whole : Order::first;
    }
    return plan;
  }

  [[nodiscard]] std::optional<ListPlan> named_records() const {
    for (const Filter& filter : query_.filters) {
      if (filter.field != model_.primary_key) continue;
      if (filter.operation != Operator::eq && filter.operation != Operator::in) continue;
      return way_through_table(*key_ranges(model_, filter), Way::key);
    }
    for (const Filter& filter : query_.filters) {
      if (auto keys = owners(model_, table_, filter)) {
        ListPlan plan = way_through_table(*std::move(keys), Way::unique);
        plan.field = filter.field;
        return plan;
      }
    }
    for (const Filter& filter : query_.filters) {
      if (!model_.fields[filter.field].bloom_filter || !finds_nothing(table_, filter)) continue;
      ListPlan plan = way_through_table({}, Way::bloom_filter);
      plan.field = filter.field;
      plan.order = Order::whole;
      return plan;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::vector<ListPlan> bounded_ways() const {
    std::vector<ListPlan> ways;
    for (std::size_t field = 0; field < model_.fields.size(); ++field) {
      if (field == model_.primary_key) {
        if (auto keys = ranges_of(field, true)) ways.push_back(way_through_table(*std::move(keys), Way::key));
      }
      if (!model_.fields[field].indexed) continue;
      if (auto ranges = ranges_of(field, false)) {
        ListPlan& way = ways.emplace_back(way_through_index(field, *std::move(ranges)));
        for (std::size_t place = 0; place < query_.filters.size(); ++place) {
          const Filter& filter = query_.filters[place];
          if (filter.field == field && is_exact(filter)) way.passed.push_back(place);
        }
      }
    }
    for (const Filter& filter : query_.filters) {
      if (model_.fields[filter.field].indexed) continue;
      if (auto keys = referrers(model_, table_, filter)) {
        ListPlan& way = ways.emplace_back(way_through_table(*std::move(keys), Way::reference));
        way.field = filter.field;
      }
    }
    return ways;
  }

  /// What all filters of the field leave, of its index or of the keys; nullopt when they bound nothing.
  [[nodiscard]] std::optional<Ranges> ranges_of(std::size_t field, bool keys) const {
    std::optional<Ranges> common;
    for (const Filter& filter : query_.filters) {
      if (filter.field != field) continue;
      auto ranges = keys ? key_ranges(model_, filter) : index_ranges(model_.fields[field], filter);
      if (ranges) common = common ? both(*common, *ranges) : *std::move(ranges);
    }
    return common;
  }

  /// The way in the order of the list through all records, as far as there is one.
  [[nodiscard]] ListPlan unbounded_way() const {
    if (!sort_.empty() && model_.fields[sort_.front().field].indexed)
      return way_through_index(sort_.front().field, everything());
    return way_through_table(everything(), Way::table);
  }

  const model::Model& model_;
  const projection::ReadTable& table_;
  const model::ListQuery& query_;
  model::Sort sort_;  // as far as it orders the records of the list
};

}  // namespace

std::string_view to_string(ListPlan::Way way) {
  switch (way) {
    case Way::key: return "key";
    case Way::unique: return "unique";
    case Way::bloom_filter: return "bloom_filter";
    case Way::index: return "index";
    case Way::reference: return "reference";
    case Way::table: return "table";
  }
  return "table";
}

ListPlan plan_list(const model::Model& model, const projection::ReadTable& table, const model::ListQuery& query) {
  return Planner(model, table, query).plan();
}

std::string prefix_of_keys(const model::Model& model, const model::ListQuery& query) {
  std::string longest;
  for (const Filter& filter : query.filters) {
    if (filter.field != model.primary_key || filter.operands.front().is_null()) continue;
    if (filter.operation != Operator::eq && filter.operation != Operator::prefix) continue;
    std::string prefix = key_text(filter.operands.front());
    if (prefix.size() > longest.size()) longest = std::move(prefix);
  }
  return longest;
}

std::optional<projection::WalkPlace> first_place(const model::Model& model, const ListPlan& plan,
                                                 const model::ListQuery& query) {
  if (!query.after || query.count || plan.order == ListPlan::Order::none) return std::nullopt;
  const std::string key(query.after->key());
  if (!query.sort.empty()) {
    // A field of which all records have the same value may be passed over by the way, and not by the place.
    const model::SortKey& first = query.sort.front();
    if (first.field != plan.walk.index.value_or(model.primary_key) || first.descending != plan.walk.descending)
      return std::nullopt;
  }
  if (!plan.walk.index) return projection::WalkPlace{key, key};
  if (query.sort.empty()) return projection::WalkPlace{plan.walk.ranges.front().low, key};
  // Records that are equal in the first field are in another order than that of the list, if it goes by more.
  return projection::WalkPlace{query.after->first_order(query.sort), query.sort.size() == 1 ? key : std::string()};
}

}  // namespace annals::engine
