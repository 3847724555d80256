#pragma once
// Others: what the writer knows of the servers that append to the same store. Whatever they record is taken in, in
// order and once, by the read tables, the receipts and the state cache, together with what this server recorded itself.
// A store that nobody shares makes all of it idle.
//
// Threads: confined to the writer (the holder of its token), but for `known`, which any thread may read.

#include <atomic>
#include <functional>
#include <vector>

#include "engine/receipts.hpp"
#include "engine/state_cache.hpp"
#include "event/event_store.hpp"
#include "projection/table_feed.hpp"

namespace annals::engine {

class Others {
 public:
  Others(EventStore& store, const std::vector<projection::TableFeed*>& feeds, Receipts& receipts, StateCache& cache)
      : store_(store), feeds_(feeds), receipts_(receipts), cache_(cache) {}

  /// False when there are none and there never will be.
  [[nodiscard]] bool exist() const { return store_.shared(); }

  /// Everything up to here has been taken in.
  [[nodiscard]] Position known() const { return Position{known_.load()}; }
  void set_known(Position position) { known_ = position.value; }

  /// Calls `visit` with the events that are visible and not known, a page at a time, after they have been taken in.
  /// Errors: those of EventStore::read_all; what was read before is known then.
  using Visit = std::function<void(const std::vector<EventView>& events)>;
  [[nodiscard]] Result<> look(const Visit& visit);

  /// `look`, once the store has been asked for what is newest. Errors: unavailable.
  [[nodiscard]] Result<> ask(const Visit& visit);

 private:
  void take_in(const std::vector<EventView>& events);

  EventStore& store_;
  const std::vector<projection::TableFeed*>& feeds_;
  Receipts& receipts_;
  StateCache& cache_;
  std::atomic<std::uint64_t> known_{0};
};

}  // namespace annals::engine
