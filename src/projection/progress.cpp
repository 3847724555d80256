#include "projection/progress.hpp"

#include <vector>

namespace annals::projection {

// Why no waiter is forgotten: `wait` raises `anyone_` and then looks at the position again; `publish` moves the
// position and then looks at `anyone_`. Both are sequentially consistent, so at least one of the two sees the other.

void Progress::publish(Position position) {
  std::uint64_t before = position_.load();
  while (before < position.value && !position_.compare_exchange_weak(before, position.value)) {
  }
  if (!anyone_.load()) return;
  std::vector<Reached> reached;
  {
    auto waiting = waiting_.lock();
    const Position now{position_.load()};
    while (!waiting->by_position.empty() && waiting->by_position.begin()->first.first <= now) {
      auto first = waiting->by_position.extract(waiting->by_position.begin());
      waiting->positions.erase(first.key().second);
      reached.push_back(std::move(first.mapped()));
    }
    anyone_.store(!waiting->by_position.empty());
  }
  for (Reached& callback : reached) callback();
}

Progress::Ticket Progress::wait(Position position, Reached reached) {
  if (this->position() < position) {
    auto waiting = waiting_.lock();
    anyone_.store(true);
    if (position_.load() < position.value) {
      const Ticket ticket = ++waiting->last_ticket;
      waiting->by_position.emplace(std::pair{position, ticket}, std::move(reached));
      waiting->positions.emplace(ticket, position);
      return ticket;
    }
    anyone_.store(!waiting->by_position.empty());
  }
  reached();
  return 0;
}

void Progress::wake_all() {
  std::map<std::pair<Position, Ticket>, Reached> woken;
  {
    auto waiting = waiting_.lock();
    woken.swap(waiting->by_position);
    waiting->positions.clear();
    anyone_.store(false);
  }
  for (auto& [place, callback] : woken) callback();
}

bool Progress::cancel(Ticket ticket) {
  Reached cancelled;  // destroyed after the lock is released
  auto waiting = waiting_.lock();
  const auto found = waiting->positions.find(ticket);
  if (found == waiting->positions.end()) return false;
  auto node = waiting->by_position.extract({found->second, ticket});
  waiting->positions.erase(found);
  cancelled = std::move(node.mapped());
  anyone_.store(!waiting->by_position.empty());
  return true;
}

}  // namespace annals::projection
