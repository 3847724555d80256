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

/// Finds the addresses of a page of a stream.
class PageOfStream {
 public:
  PageOfStream(StreamVersion from, Direction direction, std::size_t events_max)
      : from_(from.value), direction_(direction), events_max_(events_max) {}

  [[nodiscard]] static bool passes_over(SegmentSpan) { return false; }

  Result<bool> take(const Piece& piece) {
    if (!begun_) begin(piece.last().value);
    const std::uint64_t low = std::max(first_, piece.first.value);
    for (std::uint64_t version = low; version <= std::min(last_, piece.last().value); ++version) {
      addresses_[static_cast<std::size_t>(version - first_)] = TRY(piece.at(version - piece.first.value));
      ++found_;
    }
    return piece.first.value > first_;
  }

  [[nodiscard]] bool is_complete() const { return found_ == addresses_.size(); }
  /// In order of version.
  [[nodiscard]] const std::vector<Address>& addresses() const { return addresses_; }
  [[nodiscard]] std::uint64_t first() const { return first_; }
  [[nodiscard]] bool more() const { return more_; }

 private:
  void begin(std::uint64_t newest) {
    begun_ = true;
    if (direction_ == Direction::forward) {
      first_ = std::max<std::uint64_t>(from_, 1);
      if (first_ > newest) return;
      last_ = newest - first_ < events_max_ ? newest : first_ + events_max_ - 1;
      more_ = last_ < newest;
    } else {
      last_ = std::min(from_, newest);
      if (last_ == 0) return;
      first_ = last_ > events_max_ ? last_ - events_max_ + 1 : 1;
      more_ = first_ > 1;
    }
    addresses_.resize(static_cast<std::size_t>(last_ - first_ + 1));
  }

  std::uint64_t from_;
  Direction direction_;
  std::uint64_t events_max_;
  bool begun_ = false;
  std::uint64_t first_ = UINT64_MAX;  // versions of the page; until it is known what they are, there is no older one
  std::uint64_t last_ = 0;
  bool more_ = false;
  std::size_t found_ = 0;
  std::vector<Address> addresses_;
};

/// Finds out which events of a stream lie in a stretch of the log, how many lie before it, and where the last of those
/// is.
class EventsOfStretch {
 public:
  explicit EventsOfStretch(const log::Log::Stretch& stretch) : stretch_(stretch) {}

  /// What lies wholly behind the stretch neither is in it nor tells how many events lie before it.
  [[nodiscard]] bool passes_over(SegmentSpan span) const { return span.first > stretch_.end.segment; }

  Result<bool> take(const Piece& piece) {
    const auto begin = TRY(piece.partition([&](Address address) { return address.place() < stretch_.begin; }));
    const auto end = TRY(piece.partition([&](Address address) { return address.place() < stretch_.end; }, begin));
    std::vector<Address> within;
    for (std::uint64_t at = begin; at < end; ++at) within.push_back(TRY(piece.at(at)));
    addresses_.insert(addresses_.begin(), within.begin(), within.end());
    before_ = piece.first.value - 1 + begin;
    if (begin > 0) last_before_ = TRY(piece.at(begin - 1));
    is_complete_ = begin > 0 || before_ == 0;
    return !is_complete_;
  }

  [[nodiscard]] bool is_complete() const { return is_complete_; }
  [[nodiscard]] const std::vector<Address>& addresses() const { return addresses_; }
  [[nodiscard]] std::uint64_t before() const { return before_; }
  [[nodiscard]] Address last_before() const { return last_before_; }

 private:
  log::Log::Stretch stretch_;
  std::vector<Address> addresses_;
  std::uint64_t before_ = 0;
  Address last_before_;
  bool is_complete_ = true;  // of a stream that nobody knows, too
};

std::unexpected<Error> has_gap(std::string_view stream) {
  return fail(ErrorKind::corrupt,
              "the indexes of stream " + std::string(stream) + " do not fit one another; run annals verify");
}

}  // namespace

Result<EventPage> EmbeddedStore::page_of_stream(std::string_view stream, StreamVersion from, Direction direction,
                                                PageLimit limit) const {
  const std::size_t events_max = std::max<std::size_t>(limit.events_max, 1);
  const auto page = TRY(look_up(stream, PageOfStream(from, direction, events_max)));
  if (!page.is_complete()) return has_gap(stream);
  bool more = page.more();
  const std::size_t count = page.addresses().size();
  log::RecordReader records = log_->reader();
  Arena arena;
  std::vector<EventView> events;
  events.reserve(count);
  std::size_t bytes = 0;
  for (std::size_t at = 0; at < count; ++at) {
    const std::size_t index = direction == Direction::forward ? at : count - 1 - at;
    const Address address = page.addresses()[index];
    log::RecordView record = TRY(records.at(address.place(), address.number()));
    record.body = arena.copy(record.body);
    const auto event = decode_event(record);
    if (!event || event->stream != stream || event->version.value != page.first() + index) {
      return no_event(record.position);
    }
    bytes += text_bytes(*event);
    if (!events.empty() && bytes > limit.bytes_max) {
      more = true;
      break;
    }
    events.push_back(*event);
  }
  return EventPage(std::move(events), std::make_shared<const Arena>(std::move(arena)), more);
}

Result<EventPage> EmbeddedStore::page_of_all(Position after, Horizon horizon, PageLimit limit) const {
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

Result<EmbeddedStore::Found> EmbeddedStore::find_at(std::string_view stream, Instant time) const {
  const log::Log::Stretch stretch = TRY(log_->stretch_at(time));
  if (stretch.empty) return Found{};
  // The index says which of the stream's events lie in the stretch that the time falls into; only those are looked at.
  const auto events = TRY(look_up(stream, EventsOfStretch(stretch)));
  if (!events.is_complete()) return has_gap(stream);
  const std::vector<Address>& uncertain = events.addresses();
  log::RecordReader records = log_->reader();
  std::size_t low = 0;
  std::size_t high = uncertain.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    const log::RecordView record = TRY(records.at(uncertain[middle].place(), uncertain[middle].number()));
    if (record.created_at <= time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return Found{StreamVersion{events.before() + low}, low > 0 ? uncertain[low - 1] : events.last_before()};
}

Result<StreamVersion> EmbeddedStore::last_version_at(std::string_view stream, Instant time) const {
  return TRY(find_at(stream, time)).version;
}

Result<EventPage> EmbeddedStore::page_at(std::string_view stream, Instant time) const {
  const Found found = TRY(find_at(stream, time));
  if (found.version.value == 0) return EventPage{};
  log::RecordReader records = log_->reader();
  Arena arena;
  log::RecordView record = TRY(records.at(found.address.place(), found.address.number()));
  record.body = arena.copy(record.body);
  const auto event = decode_event(record);
  if (!event || event->stream != stream || event->version != found.version) return no_event(record.position);
  return EventPage({*event}, std::make_shared<const Arena>(std::move(arena)), false);
}

Result<Position> EmbeddedStore::last_position_at(Instant time) const {
  return log_->position_at(time, view_.lock()->visible);
}

}  // namespace annals::store
