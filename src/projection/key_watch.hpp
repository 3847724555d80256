#pragma once
// KeyWatch: those who wait for a key of a read table to change, found by a hash of the key: who waits for another key
// is not woken (but for two keys of one hash, so whoever is woken looks again). And those who wait for any key with a
// prefix, found by the prefix: a changed key costs one look for each length that prefixes waited for have.
//
// Why no change is missed: who waits first registers and then looks at the records; the applier first changes the
// record, under the table's lock, and then asks `anyone`. If the look came before the change, the lock puts the
// registration before the question, which therefore sees it; else the look sees the change.
//
// Thread-safe.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/guarded.hpp"
#include "platform/executor.hpp"

namespace annals::projection {

class KeyWatch {
 public:
  using Changed = std::move_only_function<void()>;
  using Ticket = std::pair<std::size_t, std::uint64_t>;  ///< the key's hash, and which of those who wait for it
  struct PrefixTicket {
    std::string prefix;
    std::uint64_t number = 0;
  };

  /// Runs `changed` once, on `home`, after `wake` was told of the key, or after `wake_all`. What `changed` holds may
  /// last as long as the watch.
  Ticket wait(std::string_view key, platform::Executor& home, Changed changed);

  /// As wait, for every key that begins with `prefix`.
  PrefixTicket wait_for_prefix(std::string_view prefix, platform::Executor& home, Changed changed);

  /// Forgets the ticket; what is on its way already still comes.
  void cancel(Ticket ticket);
  void cancel(const PrefixTicket& ticket);

  /// False when nobody waits for anything: what appliers ask first, one load.
  [[nodiscard]] bool anyone() const { return anyone_.load(std::memory_order_acquire); }

  /// These keys have changed, and readers see it. One task for each executor, whatever the number of those who wait.
  void wake(std::span<const std::string_view> keys);
  void wake_all();

 private:
  struct Entry {
    platform::Executor* home;
    Changed changed;
  };
  struct Waiting {
    std::map<Ticket, Entry> by_ticket;
    std::map<std::string, std::map<std::uint64_t, Entry>, std::less<>> by_prefix;
    std::map<std::size_t, std::size_t> prefix_lengths;  // how many prefixes of `by_prefix` have each length
    std::uint64_t last_number = 0;

    [[nodiscard]] bool anyone() const { return !by_ticket.empty() || !by_prefix.empty(); }
    void take(std::string_view key, std::vector<Entry>& woken);
    void forget_prefix(std::string_view prefix);
  };

  static void run(std::vector<Entry> woken);

  std::atomic<bool> anyone_{false};
  Guarded<Waiting> waiting_;
};

}  // namespace annals::projection
