#include "engine/others.hpp"

#include "engine/event_metadata.hpp"

namespace annals::engine {

Result<> Others::look() {
  while (known() < store_.status().visible) {
    const EventPage page = TRY(store_.read_all(known(), Horizon::visible, PageLimit{}));
    const Position next = page.next_after(known());
    if (next == known()) return {};
    if (!page.events().empty()) take_in(page.events());
    if (next > known()) pass_over(next);
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
  // From what is known on: positions in between hold no event any more.
  receipts_.advance(known().next(), projection::witness_of(events.back()));
  set_known(events.back().position);
  taken_(events);
}

/// What lies up to here holds no event any more.
void Others::pass_over(Position position) {
  for (projection::TableFeed* feed : feeds_) feed->pass_over_live(position);
  receipts_.pass_over(known().next(), position);
  set_known(position);
}

}  // namespace annals::engine
