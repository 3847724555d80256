#include "engine/difference.hpp"

#include <algorithm>

#include "engine/queries.hpp"

namespace annals::engine {
namespace {

constexpr PageLimit page_limit{1000, 1u << 20};
constexpr std::size_t keys_at_once = 512;
/// More than these and their keys would take too much memory, whatever the number of keys in the table.
constexpr std::uint64_t events_max = 1'000'000;
constexpr std::size_t rows_bytes_max = 1u << 20;

}  // namespace

std::size_t bytes_of(const Difference::Row& row) {
  return (row.from.exists() ? row.from.value->size() : 0) + (row.to.exists() ? row.to.value->size() : 0);
}

Change change_between(const model::Record& from, const model::Record& to) {
  if (!from.exists()) return to.exists() ? Change::added : Change::none;
  if (!to.exists()) return Change::removed;
  return *from.value == *to.value ? Change::none : Change::changed;
}

std::string_view to_string(Change change) {
  switch (change) {
    case Change::none: return "none";
    case Change::added: return "added";
    case Change::changed: return "changed";
    case Change::removed: return "removed";
  }
  return "none";
}

Difference::Difference(const EventStore& store, const model::Model& model, const projection::ReadTable& table,
                       Interval interval, std::string prefix, std::optional<std::string> after)
    : store_(store),
      model_(model),
      table_(table),
      interval_(interval),
      prefix_(std::move(prefix)),
      after_(std::move(after)) {}

Result<> Difference::begin() {
  const Instant earlier = interval_.to ? std::min(interval_.from, *interval_.to) : interval_.from;
  // Before the end is taken, so that what lies between the table and the end is collected.
  const Position table_at = table_.progress().position();
  end_ = interval_.to ? TRY(store_.position_at(std::max(interval_.from, *interval_.to))) : store_.status().visible;
  const Position begin = std::min(TRY(store_.position_at(earlier)), end_);
  const std::uint64_t between = end_.value - begin.value;
  whole_table_ = between > events_max || between > table_.size();
  // A key that the table does not know yet has its first event after the table's position.
  collected_ = whole_table_ ? std::max(begin, std::min(table_at, end_)) : begin;
  phase_ = Phase::collecting;
  return {};
}

Result<> Difference::collect() {
  const EventPage page = TRY(store_.read_all(collected_, Horizon::visible, page_limit));
  if (page.events().empty()) collected_ = end_;
  for (const EventView& event : page.events()) {
    collected_ = event.position;
    if (event.position > end_) break;
    if (!model_.owns_stream(event.stream)) continue;
    const std::string_view key = key_of(event.stream);
    if (key.starts_with(prefix_) && (!after_ || key > *after_)) touched_.emplace(key);
  }
  return {};
}

/// The next keys that may differ, in order; none at the end. The first ones of two sorted lists are among the first
/// ones of each.
std::vector<std::string> Difference::next_keys() const {
  std::vector<std::string> keys;
  if (whole_table_) keys = table_.keys(prefix_, after_, keys_at_once);
  const std::size_t of_table = keys.size();
  auto key = after_ ? touched_.upper_bound(*after_) : touched_.begin();
  for (; key != touched_.end() && keys.size() < of_table + keys_at_once; ++key) keys.push_back(*key);
  std::ranges::sort(keys);
  const auto twins = std::ranges::unique(keys);
  keys.erase(twins.begin(), twins.end());
  if (keys.size() > keys_at_once) keys.resize(keys_at_once);
  return keys;
}

Result<std::optional<Difference::Row>> Difference::compare(const std::string& key) const {
  const std::string stream = model_.stream(key);
  const StreamVersion from = TRY(store_.version_at(stream, interval_.from));
  const StreamVersion to =
      interval_.to ? TRY(store_.version_at(stream, *interval_.to)) : TRY(store_.stream_version(stream));
  if (from == to) return std::nullopt;
  Row row{key, TRY(record_at_version(store_, model_, key, from)), TRY(record_at_version(store_, model_, key, to))};
  if (change_between(row.from, row.to) == Change::none) return std::nullopt;
  return row;
}

Result<std::vector<Difference::Row>> Difference::next(std::size_t limit) {
  std::vector<Row> rows;
  if (phase_ == Phase::unbegun) TRY(begin());
  if (phase_ == Phase::collecting) {
    if (collected_ < end_) TRY(collect());
    if (collected_ < end_) return rows;
    phase_ = Phase::comparing;
  }
  if (phase_ == Phase::ended) return rows;
  const std::vector<std::string> keys = next_keys();
  if (keys.empty()) phase_ = Phase::ended;
  std::size_t bytes = 0;
  for (const std::string& key : keys) {
    if (rows.size() == limit || bytes >= rows_bytes_max) return rows;
    after_ = key;
    if (auto row = TRY(compare(key))) {
      bytes += bytes_of(*row);
      rows.push_back(std::move(*row));
    }
  }
  return rows;
}

}  // namespace annals::engine
