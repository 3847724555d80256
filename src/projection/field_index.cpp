#include "projection/field_index.hpp"

#include <algorithm>
#include <utility>

#include "base/invariant.hpp"
#include "model/record_text.hpp"
#include "model/value_order.hpp"

namespace annals::projection {
namespace {

/// The orders of some fields of a record's text; nullopt when it is none of the model's.
std::optional<std::vector<std::string>> orders_of(const model::Model& model, const std::vector<std::size_t>& fields,
                                                  std::string_view text) {
  std::vector<std::string_view> values;
  if (!model::values_at(model, text, fields, values)) return std::nullopt;
  std::vector<std::string> orders;
  orders.reserve(fields.size());
  for (std::size_t place = 0; place < fields.size(); ++place) {
    const model::Field& field = model.fields[fields[place]];
    const auto value = model::stored_value(field, values[place]);
    if (!value) return std::nullopt;
    orders.push_back(model::order_of(field.type, *value));
  }
  return orders;
}

}  // namespace

FieldIndexes::FieldIndexes(const model::Model& model, BlockPool& pool) : model_(model) {
  for (std::size_t field = 0; field < model.fields.size(); ++field) {
    if (!model.fields[field].indexed) continue;
    fields_.push_back(field);
    indexes_.push_back({.field = field, .entries = FieldIndex(PoolAllocator<IndexEntry>(pool))});
  }
}

FieldIndexes::Change FieldIndexes::change_of(std::optional<std::string_view> before,
                                             std::optional<std::string_view> after) const {
  Change change;
  if (!wanted()) return change;
  change.orders.resize(fields_.size());
  const auto take = [&](std::string_view text, std::optional<std::string> Change::Orders::* side) {
    auto orders = orders_of(model_, fields_, text);
    INVARIANT(orders.has_value(), "the rows are what the model makes of events");
    for (std::size_t place = 0; place < fields_.size(); ++place)
      change.orders[place].*side = std::move((*orders)[place]);
  };
  if (before) take(*before, &Change::Orders::before);
  if (after) take(*after, &Change::Orders::after);
  return change;
}

void FieldIndexes::take_in(Change change, const StoredRow* before, const StoredRow& after) {
  for (std::size_t place = 0; place < change.orders.size(); ++place) {
    One& index = indexes_[place];
    Change::Orders& orders = change.orders[place];
    if (before == &after && orders.before == orders.after) continue;
    if (orders.before) {
      const auto entry = index.entries.find(IndexPlace{*orders.before, after.key()});
      INVARIANT(entry != index.entries.end(), "each record is in the index");
      if (orders.before == orders.after) {
        entry->set_row(after);
        continue;
      }
      index.text_bytes -= OrderText::bytes_apart(entry->order());
      index.entries.erase(entry);
    }
    if (!orders.after) continue;
    index.text_bytes += OrderText::bytes_apart(*orders.after);
    index.entries.insert(IndexEntry(*orders.after, after));
  }
}

bool FieldIndexes::file(const StoredRow& row, std::optional<std::string_view> text) {
  if (!wanted() || !text) return true;
  auto orders = orders_of(model_, fields_, *text);
  if (!orders) return false;
  for (std::size_t place = 0; place < fields_.size(); ++place)
    indexes_[place].filed.push_back({std::move((*orders)[place]), filed_, &row});
  ++filed_;
  return true;
}

void FieldIndexes::fill() {
  filed_ = 0;
  for (One& index : indexes_) {
    std::vector<Filed> filed = std::exchange(index.filed, {});
    index.entries.clear();
    index.text_bytes = 0;
    std::ranges::sort(filed, [](const Filed& left, const Filed& right) {
      const int order = left.order.compare(right.order);
      return order != 0 ? order < 0 : left.number < right.number;
    });
    for (const Filed& one : filed) {
      index.text_bytes += OrderText::bytes_apart(one.order);
      index.entries.emplace_hint(index.entries.end(), one.order, *one.row);
    }
  }
}

void FieldIndexes::swap(FieldIndexes& other) {
  indexes_.swap(other.indexes_);
}

const FieldIndex* FieldIndexes::find(std::size_t field) const {
  const auto place = std::ranges::lower_bound(fields_, field);
  if (place == fields_.end() || *place != field) return nullptr;
  return &indexes_[static_cast<std::size_t>(place - fields_.begin())].entries;
}

std::uint64_t FieldIndexes::bytes() const {
  // A node of the tree is full, or half full, or between.
  constexpr std::uint64_t place_bytes = sizeof(IndexEntry) * 3 / 2;
  std::uint64_t bytes = 0;
  for (const One& index : indexes_) bytes += index.entries.size() * place_bytes + index.text_bytes;
  return bytes;
}

}  // namespace annals::projection
