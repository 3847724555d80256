#include "engine/queries.hpp"

#include <algorithm>

namespace annals::engine {
namespace {

/// After the first event of the page; one that never existed when there is none.
Result<model::Record> record_of(const model::Model& model, const EventPage& page) {
  static_assert(model::last_event_suffices(), "else fold from the nearest snapshot here");
  if (page.events().empty()) return model::Record{};
  const EventView& event = page.events().front();
  return model::evolve(model, model::Record{}, event.type, event.data, event.version, event.created_at);
}

}  // namespace

Result<model::Record> record_at_version(const EventStore& store, const model::Model& model, std::string_view key,
                                        StreamVersion version) {
  if (version.value == 0) return model::Record{};
  return record_of(model, TRY(store.read_stream(model.stream(key), version, Direction::forward, PageLimit{1, 1})));
}

Result<model::Record> record_at_time(const EventStore& store, const model::Model& model, std::string_view key,
                                     Instant time) {
  return record_of(model, TRY(store.read_at(model.stream(key), time)));
}

ListAtTime::ListAtTime(const EventStore& store, const model::Model& model, const projection::ReadTable& table,
                       Instant time, std::string prefix, std::optional<std::string> after)
    : store_(store), model_(model), table_(table), time_(time), prefix_(std::move(prefix)), after_(std::move(after)) {}

Result<> ListAtTime::collect_unknown_keys() {
  Position after = table_.progress().position();
  const Position end = TRY(store_.position_at(time_));
  while (after < end) {
    const EventPage page = TRY(store_.read_all(after, Horizon::visible, PageLimit{}));
    if (page.events().empty()) break;
    for (const EventView& event : page.events()) {
      if (model_.owns_stream(event.stream) && key_of(event.stream).starts_with(prefix_))
        unknown_keys_.emplace(key_of(event.stream));
    }
    after = page.events().back().position;
  }
  return {};
}

std::vector<std::string> ListAtTime::next_keys(std::size_t limit) {
  std::vector<std::string> keys = table_.keys(prefix_, after_, limit);
  const auto first_unknown = after_ ? unknown_keys_.upper_bound(*after_) : unknown_keys_.begin();
  const bool table_has_more = keys.size() == limit;
  for (auto unknown = first_unknown; unknown != unknown_keys_.end(); ++unknown) {
    if (table_has_more && *unknown > keys.back()) break;
    keys.push_back(*unknown);
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  if (keys.size() > limit) keys.resize(limit);
  return keys;
}

Result<std::vector<projection::ReadTable::Row>> ListAtTime::next(std::size_t limit) {
  if (!begun_) {
    TRY(collect_unknown_keys());
    begun_ = true;
  }
  std::vector<projection::ReadTable::Row> rows;
  while (rows.size() < limit) {
    const std::vector<std::string> keys = next_keys(limit - rows.size());
    if (keys.empty()) break;
    for (const std::string& key : keys) {
      model::Record record = TRY(record_at_time(store_, model_, key, time_));
      if (record.exists()) rows.push_back({key, std::move(record)});
    }
    after_ = keys.back();
  }
  return rows;
}

}  // namespace annals::engine
