#pragma once
// Others: what the writer knows of the servers that append to the same store. Whatever they record is taken in, in
// order and once, by the read tables, the receipts and the state cache, together with what this server recorded itself.
// A store that nobody shares makes all of it idle.
//
// Threads: confined to the writer (the holder of its token), but for `known`, which any thread may read.

#include <atomic>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "engine/receipts.hpp"
#include "engine/state_cache.hpp"
#include "event/event_store.hpp"
#include "projection/table_feed.hpp"

namespace annals::engine {

class Others {
 public:
  /// Called with events, after they have been taken in.
  using Taken = std::function<void(std::span<const EventView> events)>;

  Others(EventStore& store, const std::vector<projection::TableFeed*>& feeds, Receipts& receipts, StateCache& cache,
         Taken taken)
      : store_(store), feeds_(feeds), receipts_(receipts), cache_(cache), taken_(std::move(taken)) {}

  /// False when there are none and there never will be.
  [[nodiscard]] bool exist() const { return store_.shared(); }

  /// Everything up to here has been taken in.
  [[nodiscard]] Position known() const { return Position{known_.load()}; }
  void set_known(Position position) { known_ = position.value; }

  /// Takes in what is visible and not known. Errors: those of EventStore::read_all; what was read before is known then.
  [[nodiscard]] Result<> look();

  /// `look`, once the store has been asked for what is newest. Errors: unavailable; those of look.
  [[nodiscard]] Result<> ask();

 private:
  void take_in(std::span<const EventView> events);
  void pass_over(Position position);

  EventStore& store_;
  const std::vector<projection::TableFeed*>& feeds_;
  Receipts& receipts_;
  StateCache& cache_;
  const Taken taken_;
  std::atomic<std::uint64_t> known_{0};
};

}  // namespace annals::engine
