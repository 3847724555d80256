#include "engine/difference.hpp"

#include <algorithm>

namespace annals::engine {
namespace {

constexpr PageLimit events_between_limit{1000, 1u << 20};
constexpr std::size_t keys_compared_at_once = 512;
/// Where the keys of the events in between would take more than this, every key is looked at instead.
constexpr std::size_t touched_bytes_max = 16u << 20;
constexpr std::size_t touched_overhead_bytes = 80;  // of a key in a set, about
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

Difference::Difference(Past past, const projection::ReadTable& table, Interval interval, std::string prefix,
                       std::optional<std::string> after)
    : past_(past), table_(table), interval_(interval), prefix_(std::move(prefix)), after_(std::move(after)) {}

Result<> Difference::begin() {
  const Instant earlier = interval_.to ? std::min(interval_.from, *interval_.to) : interval_.from;
  // Before the end is taken, so that what lies between the table and the end is collected.
  table_at_ = table_.progress().position();
  end_ = interval_.to ? TRY(past_.store.position_at(std::max(interval_.from, *interval_.to)))
                      : past_.store.status().visible;
  begin_ = std::min(TRY(past_.store.position_at(earlier)), end_);
  collected_ = begin_;
  if (end_.value - begin_.value > table_.size()) look_at_whole_table();
  phase_ = Phase::collecting;
  return {};
}

/// A key that the table does not know yet has its first event after the table's position.
void Difference::look_at_whole_table() {
  whole_table_ = true;
  touched_.clear();
  touched_bytes_ = 0;
  collected_ = std::max(begin_, std::min(table_at_, end_));
}

Result<> Difference::collect() {
  const EventPage page = TRY(past_.store.read_all(collected_, Horizon::visible, events_between_limit));
  if (page.events().empty()) collected_ = end_;
  for (const EventView& event : page.events()) {
    collected_ = event.position;
    if (event.position > end_) break;
    if (!past_.model.owns_stream(event.stream)) continue;
    const std::string_view key = key_of(event.stream);
    if (!key.starts_with(prefix_) || (after_ && key <= *after_)) continue;
    if (whole_table_ && table_.find(key)) continue;
    if (touched_.emplace(key).second) touched_bytes_ += key.size() + touched_overhead_bytes;
  }
  if (!whole_table_ && touched_bytes_ > touched_bytes_max) look_at_whole_table();
  return {};
}

/// The next keys that may differ, in order; none at the end. The first ones of two sorted lists are among the first
/// ones of each.
std::vector<std::string> Difference::next_keys() const {
  std::vector<std::string> keys;
  if (whole_table_) keys = table_.keys(prefix_, after_, keys_compared_at_once);
  const std::size_t of_table = keys.size();
  auto key = after_ ? touched_.upper_bound(*after_) : touched_.begin();
  for (; key != touched_.end() && keys.size() < of_table + keys_compared_at_once; ++key) keys.push_back(*key);
  std::ranges::sort(keys);
  const auto twins = std::ranges::unique(keys);
  keys.erase(twins.begin(), twins.end());
  if (keys.size() > keys_compared_at_once) keys.resize(keys_compared_at_once);
  return keys;
}

Result<std::optional<Difference::Row>> Difference::compare(const std::string& key) const {
  const std::string stream = past_.model.stream(key);
  const StreamVersion from = TRY(past_.store.version_at(stream, interval_.from));
  const StreamVersion to =
      interval_.to ? TRY(past_.store.version_at(stream, *interval_.to)) : TRY(past_.store.stream_version(stream));
  if (from == to) return std::nullopt;
  Row row{key, TRY(record_at_version(past_, key, from)), TRY(record_at_version(past_, key, to))};
  if (change_between(row.from, row.to) == Change::none) return std::nullopt;
  return row;
}

Result<std::vector<Difference::Row>> Difference::next(std::size_t limit, const Turn& turn) {
  std::vector<Row> rows;
  if (phase_ == Phase::unbegun) TRY(begin());
  while (phase_ == Phase::collecting) {
    if (collected_ < end_) {
      TRY(collect());
    } else {
      phase_ = Phase::comparing;
    }
    if (turn.is_over()) return rows;
  }
  std::size_t bytes = 0;
  while (phase_ == Phase::comparing && rows.size() < limit && bytes < rows_bytes_max) {
    if (place_ == keys_.size()) {
      keys_ = next_keys();
      place_ = 0;
      if (keys_.empty()) phase_ = Phase::ended;
      continue;
    }
    auto row = TRY(compare(keys_[place_]));
    after_ = std::move(keys_[place_++]);
    if (row) {
      bytes += bytes_of(*row);
      rows.push_back(std::move(*row));
    }
    if (turn.is_over()) break;
  }
  return rows;
}

}  // namespace annals::engine
