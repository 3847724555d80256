#include "engine/queries.hpp"

#include <algorithm>

namespace annals::engine {
namespace {

constexpr std::size_t keys_at_once = 512;

/// The next events of a stream, no further than to version `last`.
Result<EventPage> read_on(const Past& past, std::string_view stream, StreamVersion from, StreamVersion last) {
  PageLimit limit;
  limit.events_max = static_cast<std::size_t>(std::min<std::uint64_t>(limit.events_max, last.value - from.value + 1));
  return past.store.read_stream(stream, from, Direction::forward, limit);
}

/// Where a fold begins: a record, and events from its version on.
struct Beginning {
  model::Record record;
  EventPage page;
};

/// The nearest snapshot whose event the store has (projection/snapshots.hpp says why it must look); nullopt when there
/// is none.
Result<std::optional<Beginning>> begin_at_snapshot(const Past& past, std::string_view stream, StreamVersion last) {
  const std::string_view key = key_of(stream);
  bool any_refused = false;
  while (auto snapshot = past.snapshots->nearest(key, last)) {
    const StreamVersion version = snapshot->record.version;
    // Where one was of another store, those before it may be, too: then one event tells.
    EventPage page = TRY(read_on(past, stream, version, any_refused ? version : last));
    const EventView* event = page.events().empty() ? nullptr : &page.events().front();
    if (event && event->version == version && event->id == snapshot->event && event->position == snapshot->position &&
        event->created_at == snapshot->record.updated_at) {
      return Beginning{std::move(snapshot->record), std::move(page)};
    }
    past.snapshots->forget(key, version);
    any_refused = true;
  }
  return std::nullopt;
}

/// After the first event of the page; one that never existed when there is none.
Result<model::Record> record_of(const Past& past, const EventPage& page) {
  if (page.events().empty()) return model::Record{};
  const EventView& event = page.events().front();
  if (!model::last_event_suffices(past.model)) return fold(past, event.stream, event.version);
  return model::evolve(past.model, model::Record{}, event.type, event.data, event.version, event.created_at);
}

}  // namespace

Result<model::Record> newest_record(const Past& past, std::string_view stream) {
  constexpr StreamVersion last{~std::uint64_t{0}};
  if (!model::last_event_suffices(past.model)) return fold(past, stream, last);
  return record_of(past, TRY(past.store.read_stream(stream, last, Direction::backward, PageLimit{1, 1})));
}

Result<model::Record> fold(const Past& past, std::string_view stream, StreamVersion last) {
  std::optional<Beginning> beginning;
  if (last.value == 0) return model::Record{};
  if (past.snapshots) beginning = TRY(begin_at_snapshot(past, stream, last));
  if (!beginning) beginning = Beginning{{}, TRY(read_on(past, stream, StreamVersion{1}, last))};
  model::Record record = std::move(beginning->record);
  EventPage page = std::move(beginning->page);
  std::uint64_t folded = 0;
  while (true) {
    for (const EventView& event : page.events()) {
      if (event.version <= record.version) continue;
      record = TRY(model::evolve(past.model, record, event.type, event.data, event.version, event.created_at));
      ++folded;
      if (past.snapshots && past.snapshots->is_due(event.version))
        past.snapshots->offer(key_of(stream), {record, event.position, event.id});
    }
    if (!page.more() || record.version >= last) break;
    page = TRY(read_on(past, stream, record.version.next(), last));
  }
  if (past.snapshots) past.snapshots->count_folded(folded);
  return record;
}

Result<model::Record> record_at_version(const Past& past, std::string_view key, StreamVersion version) {
  if (version.value == 0) return model::Record{};
  return record_of(past,
                   TRY(past.store.read_stream(past.model.stream(key), version, Direction::forward, PageLimit{1, 1})));
}

Result<model::Record> record_at_time(const Past& past, std::string_view key, Instant time) {
  return record_of(past, TRY(past.store.read_at(past.model.stream(key), time)));
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
    if (key.starts_with(prefix_) && table_.get(key).version.value == 0) unknown_keys_.emplace(key);
  }
  return {};
}

Result<model::Record> ListAtTime::record_then(const std::string& key) const {
  if (table_has_all_) {
    // Most keys have not changed since a time that is not long ago, and the table spares the look into the store.
    model::Record now = table_.get(key);
    if (now.version.value > 0 && now.updated_at <= time_) return now;
  }
  return record_at_time(past_, key, time_);
}

std::vector<std::string> ListAtTime::next_keys(std::size_t limit) const {
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

Result<std::vector<projection::ReadTable::Row>> ListAtTime::next(std::size_t rows_max, std::size_t bytes_max,
                                                                 const Turn& turn) {
  std::vector<projection::ReadTable::Row> rows;
  if (!begun_) TRY(begin());
  while (collected_ < end_) {
    TRY(collect());
    if (turn.is_over()) return rows;
  }
  std::size_t bytes = 0;
  while (rows.size() < rows_max && bytes < bytes_max && !ended_) {
    if (place_ == keys_.size()) {
      keys_ = next_keys(std::min(rows_max - rows.size(), keys_at_once));
      place_ = 0;
      ended_ = keys_.empty();
      continue;
    }
    model::Record record = TRY(record_then(keys_[place_]));
    after_ = std::move(keys_[place_++]);
    if (record.exists()) {
      bytes += record.value->size();
      rows.push_back({*after_, std::move(record)});
    }
    if (turn.is_over()) break;
  }
  return rows;
}

}  // namespace annals::engine
