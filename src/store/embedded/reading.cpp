// The reading half of EmbeddedStore: pages, and questions about times.

#include <algorithm>

#include "store/embedded/embedded_store.hpp"
#include "store/embedded/event_codec.hpp"

namespace annals::store {
namespace {

/// Text that pages borrow: bytes that never move once they are copied here.
class Arena {
 public:
  std::string_view copy(std::string_view bytes) {
    if (bytes.size() > left_) {
      left_ = std::max(bytes.size(), block_bytes);
      blocks_.push_back(std::make_unique_for_overwrite<char[]>(left_));
      next_ = blocks_.back().get();
    }
    std::copy(bytes.begin(), bytes.end(), next_);
    const std::string_view copied(next_, bytes.size());
    next_ += bytes.size();
    left_ -= bytes.size();
    return copied;
  }

 private:
  static constexpr std::size_t block_bytes = 16u << 10;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
};

std::unexpected<Error> no_event(Position position) {
  return fail(ErrorKind::corrupt, "the record at position " + to_string(position) +
                                      " is not the event that belongs there; run annals verify");
}

/// Finds records by their address; cheap when addresses come in rising order.
class RecordFinder {
 public:
  explicit RecordFinder(const log::Log& log) : reader_(log.reader()) {}

  Result<log::RecordView> at(Address address) {
    const log::GroupView group = TRY(reader_.at(address.place()));
    if (address.place() != place_ || address.number() < next_) {
      walk_ = group.walk();
      place_ = address.place();
      next_ = 0;
    }
    for (;;) {
      const auto record = walk_.next();
      if (!record) return no_event(group.first().plus(address.number()));
      if (next_++ == address.number()) return *record;
    }
  }

 private:
  log::GroupReader reader_;
  log::Place place_;
  log::GroupView::Walk walk_{Position{}, 0, {}};
  std::size_t next_ = 1;
};

}  // namespace

Result<EventPage> EmbeddedStore::read_stream(std::string_view stream, StreamVersion from, Direction direction,
                                             PageLimit limit) const {
  const std::size_t events_max = std::max<std::size_t>(limit.events_max, 1);
  std::vector<Address> addresses;  // in the order asked for
  std::uint64_t version = 0;       // of the first of them
  bool more = false;
  {
    const auto view = view_.lock();
    const auto all = view->index.find(stream);
    if (direction == Direction::forward) {
      version = std::max<std::uint64_t>(from.value, 1);
      if (version > all.size()) return EventPage{};
      const auto rest = all.subspan(version - 1);
      more = rest.size() > events_max;
      const auto wanted = rest.first(std::min(rest.size(), events_max));
      addresses.assign(wanted.begin(), wanted.end());
    } else {
      version = std::min<std::uint64_t>(from.value, all.size());
      if (version == 0) return EventPage{};
      const auto rest = all.first(version);
      more = rest.size() > events_max;
      const auto wanted = rest.last(std::min(rest.size(), events_max));
      addresses.assign(wanted.rbegin(), wanted.rend());
    }
  }
  RecordFinder records(*log_);
  Arena arena;
  std::vector<EventView> events;
  events.reserve(addresses.size());
  std::size_t bytes = 0;
  for (const Address address : addresses) {
    log::RecordView record = TRY(records.at(address));
    record.body = arena.copy(record.body);
    const auto event = decode_event(record);
    if (!event || event->stream != stream || event->version.value != version) return no_event(record.position);
    bytes += text_bytes(*event);
    if (!events.empty() && bytes > limit.bytes_max) {
      more = true;
      break;
    }
    events.push_back(*event);
    version = direction == Direction::forward ? version + 1 : version - 1;
  }
  return EventPage(std::move(events), std::make_shared<const Arena>(std::move(arena)), more);
}

Result<EventPage> EmbeddedStore::read_all(Position after, Horizon horizon, PageLimit limit) const {
  Position up_to;
  {
    const auto view = view_.lock();
    up_to = horizon == Horizon::flushed ? view->flushed : view->visible;
  }
  if (after >= up_to) return EventPage{};
  const std::size_t events_max = std::max<std::size_t>(limit.events_max, 1);
  const auto expected = static_cast<std::size_t>(std::min<std::uint64_t>(up_to.value - after.value, events_max));
  // A little more than what the page is likely to take, so that one read does.
  const std::size_t bytes_wanted =
      std::min(expected * log_->record_bytes_average(), limit.bytes_max) / 8 * 9 + (24u << 10);

  log::Chunks chunks;
  std::vector<EventView> events;
  events.reserve(std::min<std::size_t>(expected, 16'384));
  std::size_t bytes = 0;
  std::optional<Position> undecodable;
  const auto take = [&](const log::GroupView& group) {
    auto walk = group.walk();
    while (const auto record = walk.next()) {
      if (record->position <= after) continue;
      if (record->position > up_to || events.size() == events_max) return false;
      const auto event = decode_event(*record);
      if (!event) {
        undecodable = record->position;
        return false;
      }
      bytes += text_bytes(*event);
      if (!events.empty() && bytes > limit.bytes_max) return false;
      events.push_back(*event);
    }
    return events.size() < events_max;
  };
  TRY(log_->read(after, up_to, bytes_wanted, chunks, take));
  if (undecodable) return no_event(*undecodable);
  if (events.empty() || events.front().position != after.next()) return no_event(after.next());
  const bool more = events.back().position < up_to;
  return EventPage(std::move(events), std::make_shared<const log::Chunks>(std::move(chunks)), more);
}

Result<StreamVersion> EmbeddedStore::version_at(std::string_view stream, Instant time) const {
  const log::Log::Stretch stretch = log_->stretch_at(time);
  if (stretch.empty) return StreamVersion{};
  // Memory says which of the stream's events lie in the stretch that the time falls into; only those are looked at.
  std::vector<Address> uncertain;
  std::uint64_t version = 0;
  {
    const auto view = view_.lock();
    const auto all = view->index.find(stream);
    const auto begin =
        std::partition_point(all.begin(), all.end(), [&](Address address) { return address.place() < stretch.begin; });
    const auto end =
        std::partition_point(begin, all.end(), [&](Address address) { return address.place() < stretch.end; });
    version = static_cast<std::uint64_t>(begin - all.begin());
    uncertain.assign(begin, end);
  }
  RecordFinder records(*log_);
  std::size_t low = 0;
  std::size_t high = uncertain.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    const log::RecordView record = TRY(records.at(uncertain[middle]));
    if (record.created_at <= time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return StreamVersion{version + low};
}

Result<Position> EmbeddedStore::position_at(Instant time) const {
  const log::Log::Stretch stretch = log_->stretch_at(time);
  if (stretch.empty) return Position{};
  const Position visible = view_.lock()->visible;
  Position found = std::min(stretch.before, visible);
  log::Chunks chunks;  // not many: a stretch is some KiB long
  const auto take = [&](const log::GroupView& group) {
    auto walk = group.walk();
    while (const auto record = walk.next()) {
      if (record->position > visible || record->created_at > time) return false;
      found = record->position;
    }
    return true;
  };
  TRY(log_->read(stretch.before, visible, 0, chunks, take));
  return found;
}

}  // namespace annals::store
