#include "engine/others.hpp"

#include "engine/event_metadata.hpp"

namespace annals::engine {

Result<> Others::look() {
  while (known() < store_.status().visible) {
    const EventPage page = TRY(store_.read_all(known(), Horizon::visible, PageLimit{}));
    if (page.events().empty()) return {};
    take_in(page.events());
  }
  return {};
}

Result<> Others::ask() {
  const Position newest = TRY(store_.newest());
  if (newest <= known()) return {};
  return look();
}

void Others::take_in(std::span<const EventView> events) {
  for (projection::TableFeed* feed : feeds_) feed->apply_live(events);
  for (const EventView& event : events) {
    cache_.forget(std::string(event.stream));
    if (const auto remembered = remembered_of(event.metadata)) receipts_.insert(*remembered, event);
  }
  receipts_.advance(events.front().position, projection::witness_of(events.back()));
  set_known(events.back().position);
  taken_(events);
}

}  // namespace annals::engine
