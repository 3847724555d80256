#include "engine/queries.hpp"

#include <algorithm>

namespace annals::engine {
namespace {

constexpr std::size_t keys_listed_at_once = 512;

template <class Work>
Result<model::Record> done_at_once(Work work) {
  while (!TRY(work.go_on(Turn::endless()))) {
  }
  return work.take();
}

}  // namespace

Result<model::Record> newest_record(const Past& past, std::string_view stream) {
  constexpr StreamVersion last{~std::uint64_t{0}};
  if (!model::last_event_suffices(past.model)) return fold(past, stream, last);
  const EventPage page = TRY(past.store.read_stream(stream, last, Direction::backward, PageLimit{1, 1}));
  if (page.events().empty()) return model::Record{};
  const EventView& event = page.events().front();
  return model::evolve(past.model, model::Record{}, event.type, event.data, event.version, event.created_at);
}

Result<model::Record> fold(const Past& past, std::string_view stream, StreamVersion last) {
  return done_at_once(Fold(past, std::string(stream), last));
}

Result<model::Record> record_at_version(const Past& past, std::string_view key, StreamVersion version) {
  return done_at_once(PastRecord(past, key, version, std::nullopt));
}

Result<model::Record> record_at_time(const Past& past, std::string_view key, Instant time) {
  return done_at_once(PastRecord(past, key, time, std::nullopt));
}

ListAtTime::ListAtTime(Past past, const projection::ReadTable& table, Instant time, std::string prefix,
                       std::optional<std::string> after)
    : past_(past), table_(table), time_(time), prefix_(std::move(prefix)), after_(std::move(after)) {}

Result<> ListAtTime::begin() {
  collected_ = table_.progress().position();
  end_ = TRY(past_.store.position_at(time_));
  table_has_all_ = collected_ >= end_;
  begun_ = true;
  return {};
}

Result<> ListAtTime::collect() {
  const EventPage page = TRY(past_.store.read_all(collected_, Horizon::visible, PageLimit{}));
  if (page.events().empty()) collected_ = end_;
  for (const EventView& event : page.events()) {
    collected_ = event.position;
    if (event.position > end_) break;
    if (!past_.model.owns_stream(event.stream)) continue;
    const std::string_view key = key_of(event.stream);
    if (key.starts_with(prefix_) && !table_.find(key)) unknown_keys_.emplace(key);
  }
  return {};
}

Result<std::optional<model::Record>> ListAtTime::record_then(const std::string& key, const Turn& turn) {
  if (!looked_up_) {
    if (table_has_all_) {
      // Most keys have not changed since a time that is not long ago, and the table spares the look into the store.
      const projection::RowHolder now = table_.find(key);
      if (now && now->updated_at() <= time_) return TRY(table_.record(*now, projection::Use::passes));
    }
    looked_up_.emplace(past_, key, time_, std::nullopt);
  }
  if (!TRY(looked_up_->go_on(turn))) return std::nullopt;
  model::Record record = looked_up_->take();
  looked_up_.reset();
  return record;
}

std::vector<std::string> ListAtTime::next_keys(std::size_t limit) const {
  std::vector<std::string> keys = table_.keys(prefix_, after_, limit);
  const std::size_t of_table = keys.size();
  // The first ones of two sorted lists are among the first ones of each.
  auto unknown = after_ ? unknown_keys_.upper_bound(*after_) : unknown_keys_.begin();
  for (; unknown != unknown_keys_.end() && keys.size() < of_table + limit; ++unknown) keys.push_back(*unknown);
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  if (keys.size() > limit) keys.resize(limit);
  return keys;
}

Result<std::vector<ListAtTime::Row>> ListAtTime::next(std::size_t rows_max, std::size_t bytes_max, const Turn& turn) {
  std::vector<Row> rows;
  if (!begun_) TRY(begin());
  while (collected_ < end_) {
    TRY(collect());
    if (turn.is_over()) return rows;
  }
  std::size_t bytes = 0;
  while (rows.size() < rows_max && bytes < bytes_max && !ended_) {
    if (place_ == keys_.size()) {
      keys_ = next_keys(std::min(rows_max - rows.size(), keys_listed_at_once));
      place_ = 0;
      ended_ = keys_.empty();
      continue;
    }
    auto record = TRY(record_then(keys_[place_], turn));
    if (!record) break;
    after_ = std::move(keys_[place_++]);
    if (record->exists()) {
      bytes += record->value->size();
      rows.push_back({*after_, *std::move(record)});
    }
    if (turn.is_over()) break;
  }
  return rows;
}

}  // namespace annals::engine
