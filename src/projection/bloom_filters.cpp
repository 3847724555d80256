#include "projection/bloom_filters.hpp"

#include <absl/hash/hash.h>

#include <algorithm>
#include <utility>

#include "base/invariant.hpp"
#include "model/record_text.hpp"

namespace annals::projection {
namespace {

constexpr std::size_t capacity_min = 1024;

std::uint64_t hash_of_value(std::string_view json) {
  return absl::HashOf(json);
}

bool any_is_full(const std::vector<BloomFilter>& filters) {
  return std::ranges::any_of(filters, [](const BloomFilter& one) { return one.count() > one.capacity(); });
}

}  // namespace

BloomFilters::BloomFilters(const model::Model& model) : model_(model) {
  for (std::size_t field = 0; field < model.fields.size(); ++field) {
    if (model.fields[field].bloom_filter) fields_.push_back(field);
  }
  filters_ = empty_filters(0);
}

/// With room for as many values again.
std::vector<BloomFilter> BloomFilters::empty_filters(std::size_t rows) const {
  std::vector<BloomFilter> filters;
  for (std::size_t place = 0; place < fields_.size(); ++place) filters.emplace_back(std::max(2 * rows, capacity_min));
  return filters;
}

/// Of a record's text; of an empty one, none. Values that are equal have the same JSON.
std::optional<BloomFilters::Hashes> BloomFilters::hashes_of(std::string_view record) const {
  Hashes hashes(fields_.size());
  if (record.empty()) return hashes;
  std::vector<std::string_view> values;
  if (!model::values_at(model_, record, fields_, values)) return std::nullopt;
  for (std::size_t place = 0; place < values.size(); ++place) {
    if (values[place] != "null") hashes[place] = hash_of_value(values[place]);
  }
  return hashes;
}

BloomFilters::Change BloomFilters::change_of(std::string_view before, std::string_view after) const {
  Change change;
  if (!wanted()) return change;
  auto added = hashes_of(after);
  const auto had = hashes_of(before);
  INVARIANT(added && had, "the rows are what the model makes of events");
  for (std::size_t place = 0; place < fields_.size(); ++place) {
    if ((*added)[place] == (*had)[place]) {
      (*added)[place].reset();
    } else if ((*had)[place]) {
      ++change.gone;
    }
  }
  change.added = *std::move(added);
  return change;
}

void BloomFilters::take_in(const Change& change) {
  for (std::size_t place = 0; place < change.added.size(); ++place) {
    if (!change.added[place]) continue;
    filters_[place].add(*change.added[place]);
    if (!made_.empty()) made_[place].add(*change.added[place]);
  }
  gone_ += change.gone;
}

bool BloomFilters::has_work(std::size_t rows) {
  if (!wanted()) return false;
  if (made_.empty()) {
    if (!any_is_full(filters_) && gone_ <= std::max(rows * fields_.size(), capacity_min)) return false;
  } else if (!any_is_full(made_) || made_.front().capacity() >= rows) {
    return true;
  }  // else they were being made for so long, as when rows could not be read, that they are far too small
  made_ = empty_filters(rows);
  worked_to_.reset();
  gone_ = 0;  // what goes from here on may stay in those that are being made
  return true;
}

void BloomFilters::work_on(std::string_view key, std::string_view text) {
  const auto hashes = hashes_of(text);
  INVARIANT(hashes.has_value(), "the rows are what the model makes of events");
  for (std::size_t place = 0; place < fields_.size(); ++place) {
    if ((*hashes)[place]) made_[place].add(*(*hashes)[place]);
  }
  worked_to_ = key;
}

void BloomFilters::put_in_place() {
  filters_ = std::exchange(made_, {});
  worked_to_.reset();
}

bool BloomFilters::file(std::optional<std::string_view> text) {
  if (!wanted() || !text) return true;
  const auto hashes = hashes_of(*text);
  if (!hashes) return false;
  filed_.resize(fields_.size());
  for (std::size_t place = 0; place < fields_.size(); ++place) {
    if ((*hashes)[place]) filed_[place].push_back(*(*hashes)[place]);
  }
  ++records_filed_;
  return true;
}

void BloomFilters::fill() {
  filters_ = empty_filters(std::exchange(records_filed_, 0));
  const auto filed = std::exchange(filed_, {});
  for (std::size_t place = 0; place < filed.size(); ++place) {
    for (const std::uint64_t hash : filed[place]) filters_[place].add(hash);
  }
  made_.clear();
  worked_to_.reset();
  gone_ = 0;
}

void BloomFilters::swap(BloomFilters& other) {
  filters_.swap(other.filters_);
  made_.swap(other.made_);
  worked_to_.swap(other.worked_to_);
  std::swap(gone_, other.gone_);
}

bool BloomFilters::surely_lacks(std::size_t field, const model::FieldValue& value) const {
  const auto place = std::ranges::lower_bound(fields_, field);
  if (place == fields_.end() || *place != field || value.is_null()) return false;
  return !filters_[static_cast<std::size_t>(place - fields_.begin())].may_have(hash_of_value(to_json(value)));
}

std::uint64_t BloomFilters::bytes() const {
  std::uint64_t bytes = 0;
  for (const BloomFilter& one : filters_) bytes += one.bytes();
  return bytes;
}

}  // namespace annals::projection
