#include "engine/receipts.hpp"

#include <algorithm>

#include "engine/event_metadata.hpp"

namespace annals::engine {

Result<> Receipts::load(const EventStore& store) {
  const Instant oldest = platform_.clock.now().plus(-limits_.retention);
  Position after = TRY(store.position_at(oldest));
  while (true) {
    const EventPage page = TRY(store.read_all(after, Horizon::visible, PageLimit{}));
    for (const EventView& event : page.events()) {
      if (const auto remembered = remembered_of(event.metadata)) {
        // A group's events are recorded one after another; its receipt tells the position of the last.
        const Tally& tally = remembered->tally;
        const Position last = event.position.plus(std::max<std::uint32_t>(tally.events, 1) - 1);
        insert(remembered->idempotency, Receipt{event.version, last, false, tally}, event.created_at);
      }
    }
    if (page.events().empty()) return {};
    after = page.events().back().position;
  }
}

const Receipts::Entry* Receipts::find(const Digest& key) {
  expire(platform_.clock.now());
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second;
}

void Receipts::insert(const Idempotency& idempotency, const Receipt& receipt, Instant created_at) {
  entries_.insert_or_assign(idempotency.key, Entry{idempotency.request, receipt, created_at});
  by_age_.push_back({idempotency.key, created_at});
  if (entries_.size() <= limits_.keys_max) return;
  while (entries_.size() > limits_.keys_max) forget_oldest();
  ++dropped_;
  const Duration now = platform_.clock.monotonic();
  if (!last_warning_ || now - *last_warning_ > std::chrono::minutes(1)) {
    last_warning_ = now;
    platform_.log.warning(
        "Idempotency keys are forgotten before their time, because there are too many of them; raise "
        "idempotency.keys_max",
        {{"keys_max", static_cast<std::uint64_t>(limits_.keys_max)}, {"forgotten", dropped_}});
  }
}

void Receipts::expire(Instant now) {
  while (!by_age_.empty() && by_age_.front().created_at.plus(limits_.retention) < now) forget_oldest();
}

void Receipts::forget_oldest() {
  // A key that was used anew, long after its first use, stands here twice; only its last use counts.
  const Aging oldest = by_age_.front();
  by_age_.pop_front();
  const auto entry = entries_.find(oldest.key);
  if (entry != entries_.end() && entry->second.created_at == oldest.created_at) entries_.erase(entry);
}

}  // namespace annals::engine
