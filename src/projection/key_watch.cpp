#include "projection/key_watch.hpp"

#include <algorithm>
#include <iterator>

namespace annals::projection {
namespace {

std::size_t hash_of(std::string_view key) {
  return std::hash<std::string_view>{}(key);
}

}  // namespace

KeyWatch::Ticket KeyWatch::wait(std::string_view key, platform::Executor& home, Changed changed) {
  auto waiting = waiting_.lock();
  const Ticket ticket{hash_of(key), ++waiting->last_number};
  waiting->by_ticket.emplace(ticket, Entry{&home, std::move(changed)});
  anyone_.store(true, std::memory_order_release);
  return ticket;
}

void KeyWatch::cancel(Ticket ticket) {
  Changed cancelled;  // destroyed after the lock is released
  auto waiting = waiting_.lock();
  const auto found = waiting->by_ticket.find(ticket);
  if (found == waiting->by_ticket.end()) return;
  cancelled = std::move(found->second.changed);
  waiting->by_ticket.erase(found);
  anyone_.store(!waiting->by_ticket.empty(), std::memory_order_release);
}

void KeyWatch::wake(std::span<const std::string_view> keys) {
  std::vector<Entry> woken;
  {
    auto waiting = waiting_.lock();
    for (const std::string_view key : keys) {
      const std::size_t hash = hash_of(key);
      auto entry = waiting->by_ticket.lower_bound({hash, 0});
      while (entry != waiting->by_ticket.end() && entry->first.first == hash) {
        woken.push_back(std::move(entry->second));
        entry = waiting->by_ticket.erase(entry);
      }
    }
    anyone_.store(!waiting->by_ticket.empty(), std::memory_order_release);
  }
  run(std::move(woken));
}

void KeyWatch::wake_all() {
  std::vector<Entry> woken;
  {
    auto waiting = waiting_.lock();
    for (auto& [ticket, entry] : waiting->by_ticket) woken.push_back(std::move(entry));
    waiting->by_ticket.clear();
    anyone_.store(false, std::memory_order_release);
  }
  run(std::move(woken));
}

void KeyWatch::run(std::vector<Entry> woken) {
  std::vector<std::pair<platform::Executor*, std::vector<Changed>>> tasks;
  for (Entry& entry : woken) {
    auto task = std::ranges::find(tasks, entry.home, [](const auto& one) { return one.first; });
    if (task == tasks.end()) {
      tasks.emplace_back(entry.home, std::vector<Changed>{});
      task = std::prev(tasks.end());
    }
    task->second.push_back(std::move(entry.changed));
  }
  for (auto& [home, task] : tasks) {
    home->post([all = std::move(task)]() mutable {
      for (Changed& changed : all) changed();
    });
  }
}

}  // namespace annals::projection
