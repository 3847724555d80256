#include "engine/receipts.hpp"

#include "engine/event_metadata.hpp"

namespace annals::engine {

Result<> Receipts::load(const EventStore& store) {
  const Instant oldest = platform_.clock.now().plus(-limits_.retention);
  Position after = TRY(store.position_at(oldest));
  while (true) {
    const EventPage page = TRY(store.read_all(after, Horizon::visible, PageLimit{}));
    for (const EventView& event : page.events()) {
      if (const auto idempotency = idempotency_of(event.metadata)) {
        insert(*idempotency, Receipt{event.version, event.position, false}, event.created_at);
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
  const bool fresh = entries_.insert_or_assign(idempotency.key, Entry{idempotency.request, receipt}).second;
  if (!fresh) return;
  by_age_.push_back({idempotency.key, created_at});
  if (entries_.size() <= limits_.keys_max) return;
  entries_.erase(by_age_.front().key);
  by_age_.pop_front();
  ++dropped_;
  const Duration now = platform_.clock.monotonic();
  if (last_warning_.count() == 0 || now - last_warning_ > std::chrono::minutes(1)) {
    last_warning_ = now;
    platform_.log.warning("Idempotency keys are forgotten before their time, because there are too many of them; raise idempotency.keys_max",
                          {{"keys_max", static_cast<std::uint64_t>(limits_.keys_max)}, {"forgotten", dropped_}});
  }
}

void Receipts::expire(Instant now) {
  while (!by_age_.empty() && by_age_.front().created_at.plus(limits_.retention) < now) {
    entries_.erase(by_age_.front().key);
    by_age_.pop_front();
  }
}

}  // namespace annals::engine
