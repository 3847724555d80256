#include "engine/event_feed.hpp"

#include <algorithm>

namespace annals::engine {
namespace {

/// The first version of a stream whose position is greater than `after`; one past the last when there is none.
/// Positions grow with versions, so a binary search finds it.
Result<StreamVersion> first_version_after(const EventStore& store, const std::string& stream, Position after) {
  std::uint64_t low = 1;
  std::uint64_t high = TRY(store.stream_version(stream)).value + 1;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    const EventPage page = TRY(store.read_stream(stream, StreamVersion{middle}, Direction::forward, PageLimit{1, 1}));
    if (page.events().empty() || page.events().front().position > after) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return StreamVersion{low};
}

}  // namespace

Result<EventPage> read_events(const EventStore& store, const std::optional<std::string>& stream, Position after,
                              PageLimit limit) {
  if (!stream) return store.read_all(after, Horizon::flushed, limit);
  const Position flushed = store.status().flushed;
  const StreamVersion from = after.value == 0 ? StreamVersion{1} : TRY(first_version_after(store, *stream, after));
  EventPage page = TRY(store.read_stream(*stream, from, Direction::forward, limit));
  if (page.events().empty() || page.events().back().position <= flushed) return page;
  std::vector<EventView> events = page.events();
  std::erase_if(events, [&](const EventView& event) { return event.position > flushed; });
  return EventPage(std::move(events), std::make_shared<const EventPage>(page), false);
}

}  // namespace annals::engine
