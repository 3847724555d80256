#include "engine/fold.hpp"

#include <algorithm>

#include "engine/shown_past.hpp"

namespace annals::engine {

/// The next events of the stream, no further than to version `last`.
Result<EventPage> Fold::read_on(StreamVersion from, StreamVersion last) const {
  PageLimit limit;
  limit.events_max = static_cast<std::size_t>(std::min<std::uint64_t>(limit.events_max, last.value - from.value + 1));
  return past_.store.read_stream(stream_, from, Direction::forward, limit);
}

/// At the nearest snapshot whose event the store has (projection/snapshots.hpp says why it must look); false when there
/// is none.
Result<bool> Fold::begin_at_snapshot() {
  const std::string_view key = key_of(stream_);
  bool any_refused = false;
  while (auto snapshot = past_.snapshots->nearest(key, last_)) {
    const StreamVersion version = snapshot->record.version;
    // Where one was of another store, those before it may be, too: then one event tells.
    EventPage page = TRY(read_on(version, any_refused ? version : last_));
    const EventView* event = page.events().empty() ? nullptr : &page.events().front();
    if (event && event->version == version && event->id == snapshot->event && event->position == snapshot->position &&
        event->created_at == snapshot->record.updated_at) {
      record_ = std::move(snapshot->record);
      page_ = std::move(page);
      return true;
    }
    past_.snapshots->forget(key, version);
    any_refused = true;
  }
  return false;
}

Result<> Fold::begin() {
  begun_ = true;
  if (last_.value == 0 || (past_.snapshots && TRY(begin_at_snapshot()))) return {};
  page_ = TRY(read_on(StreamVersion{1}, last_));
  return {};
}

Result<bool> Fold::go_on(const Turn& turn) {
  if (!begun_) TRY(begin());
  while (true) {
    while (place_ < page_.events().size()) {
      const EventView& event = page_.events()[place_++];
      if (event.version <= record_.version) continue;
      record_ = TRY(model::evolve(past_.model, record_, event.type, event.data, event.version, event.created_at));
      if (past_.folded) ++*past_.folded;
      if (past_.snapshots && past_.snapshots->is_due(event.version))
        past_.snapshots->offer(key_of(stream_), {record_, event.position, event.id});
      if (turn.is_over()) return false;
    }
    if (!page_.more() || record_.version >= last_) return true;
    page_ = TRY(read_on(record_.version.next(), last_));
    place_ = 0;
  }
}

PastRecord::PastRecord(Past past, std::string_view key, When when, std::optional<Instant> now)
    : past_(past), key_(key), when_(when), now_(now) {}

Result<bool> PastRecord::begin() {
  const auto* version = std::get_if<StreamVersion>(&when_);
  const std::string stream = past_.model.stream(key_);
  if (now_) TRY(check_asked(past_, key_, when_, *now_));
  if (version && version->value == 0) return true;
  const EventPage page = TRY(version ? past_.store.read_stream(stream, *version, Direction::forward, PageLimit{1, 1})
                                     : past_.store.read_at(stream, std::get<Instant>(when_)));
  const StreamVersion found = page.events().empty() ? StreamVersion{} : page.events().front().version;
  if (!version && (now_ || found.value > 0)) TRY(check_version(past_, key_, found));
  if (found.value == 0) return true;
  const EventView& event = page.events().front();
  if (!model::last_event_suffices(past_.model)) {
    fold_.emplace(past_, stream, found);
    return false;
  }
  record_ = TRY(model::evolve(past_.model, {}, event.type, event.data, event.version, event.created_at));
  return true;
}

Result<bool> PastRecord::go_on(const Turn& turn) {
  if (!fold_ && TRY(begin())) return true;
  if (!TRY(fold_->go_on(turn))) return false;
  record_ = fold_->take();
  return true;
}

}  // namespace annals::engine
