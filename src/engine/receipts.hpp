#pragma once
// Receipts: what was answered to requests that carried an idempotency key. They are read back from the log at the start
// (the key travels in the metadata of the command's first event), so they survive a restart and cost no write of their
// own.
//
// Bounded in age and in number; at the bound in number the oldest go first, and that is logged, because a client that
// tries one of those again would be answered anew. Confined to the writer's thread (the holder of its token).

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>

#include "engine/command.hpp"
#include "event/event_store.hpp"
#include "platform/platform.hpp"

namespace annals::engine {

struct ReceiptLimits {
  Duration retention = std::chrono::hours(24);
  std::size_t keys_max = 1'000'000;
};

class Receipts {
 public:
  Receipts(ReceiptLimits limits, platform::Platform platform) : limits_(limits), platform_(platform) {}

  struct Entry {
    Digest request;
    Receipt receipt;
    Instant created_at;
  };

  /// Reads the receipts of the retention time from the store.
  [[nodiscard]] Result<> load(const EventStore& store);

  /// The entry of a key, if there is one and it is not too old.
  [[nodiscard]] const Entry* find(const Digest& key);

  void insert(const Idempotency& idempotency, const Receipt& receipt, Instant created_at);

  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Aging {
    Digest key;
    Instant created_at;
  };

  void expire(Instant now);
  void forget_oldest();

  const ReceiptLimits limits_;
  platform::Platform platform_;
  std::unordered_map<Digest, Entry, DigestHash> entries_;
  std::deque<Aging> by_age_;
  std::optional<Duration> last_warning_;
  std::uint64_t dropped_ = 0;
};

}  // namespace annals::engine
