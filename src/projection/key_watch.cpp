#include "projection/key_watch.hpp"

#include <algorithm>
#include <iterator>

#include "base/text_hash.hpp"

namespace annals::projection {
KeyWatch::Ticket KeyWatch::wait(std::string_view key, platform::Executor& home, Changed changed) {
  auto waiting = waiting_.lock();
  const Ticket ticket{hash_text(key), ++waiting->last_number};
  waiting->by_ticket.emplace(ticket, Entry{&home, std::move(changed)});
  anyone_.store(true, std::memory_order_release);
  return ticket;
}

KeyWatch::PrefixTicket KeyWatch::wait_for_prefix(std::string_view prefix, platform::Executor& home, Changed changed) {
  auto waiting = waiting_.lock();
  PrefixTicket ticket{std::string(prefix), ++waiting->last_number};
  const auto [found, is_new] = waiting->by_prefix.try_emplace(ticket.prefix);
  if (is_new) ++waiting->prefix_lengths[prefix.size()];
  found->second.emplace(ticket.number, Entry{&home, std::move(changed)});
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
  anyone_.store(waiting->anyone(), std::memory_order_release);
}

void KeyWatch::cancel(const PrefixTicket& ticket) {
  Changed cancelled;  // destroyed after the lock is released
  auto waiting = waiting_.lock();
  const auto entries = waiting->by_prefix.find(ticket.prefix);
  if (entries == waiting->by_prefix.end()) return;
  const auto found = entries->second.find(ticket.number);
  if (found == entries->second.end()) return;
  cancelled = std::move(found->second.changed);
  entries->second.erase(found);
  if (entries->second.empty()) waiting->forget_prefix(ticket.prefix);
  anyone_.store(waiting->anyone(), std::memory_order_release);
}

void KeyWatch::Waiting::forget_prefix(std::string_view prefix) {
  by_prefix.erase(by_prefix.find(prefix));
  const auto length = prefix_lengths.find(prefix.size());
  if (--length->second == 0) prefix_lengths.erase(length);
}

/// Those who wait for the key, or for a beginning of it.
void KeyWatch::Waiting::take(std::string_view key, std::vector<Entry>& woken) {
  const std::size_t hash = hash_text(key);
  auto entry = by_ticket.lower_bound({hash, 0});
  while (entry != by_ticket.end() && entry->first.first == hash) {
    woken.push_back(std::move(entry->second));
    entry = by_ticket.erase(entry);
  }
  for (auto length = prefix_lengths.begin(); length != prefix_lengths.end() && length->first <= key.size();) {
    const std::string_view prefix = key.substr(0, (length++)->first);  // whose place may go now
    const auto entries = by_prefix.find(prefix);
    if (entries == by_prefix.end()) continue;
    for (auto& [number, waiter] : entries->second) woken.push_back(std::move(waiter));
    forget_prefix(prefix);
  }
}

void KeyWatch::wake(std::span<const std::string_view> keys) {
  std::vector<Entry> woken;
  {
    auto waiting = waiting_.lock();
    for (const std::string_view key : keys) waiting->take(key, woken);
    anyone_.store(waiting->anyone(), std::memory_order_release);
  }
  run(std::move(woken));
}

void KeyWatch::wake_all() {
  std::vector<Entry> woken;
  {
    auto waiting = waiting_.lock();
    for (auto& [ticket, entry] : waiting->by_ticket) woken.push_back(std::move(entry));
    for (auto& [prefix, entries] : waiting->by_prefix) {
      for (auto& [number, entry] : entries) woken.push_back(std::move(entry));
    }
    waiting->by_ticket.clear();
    waiting->by_prefix.clear();
    waiting->prefix_lengths.clear();
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
