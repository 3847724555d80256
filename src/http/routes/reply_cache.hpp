#pragma once
// ReplyCache: bodies of replies as they were written out, kept for whoever asks the same again while nothing of what
// they show has changed. In bounded memory: those that nobody asked for, for longest, go first.
//
// A reply is kept with the revision of the tables that it was made from: of each the position of the last event that is
// in it (ReadTable::newest). Why a kept reply is never older than one that would be made now: in a table rows change
// only together with its newest position, under one lock, and that only grows. Who keeps a reply has looked at the
// revision before the first and after the last of its rows, and it was the same, so the reply shows the tables at that
// revision. Who finds a reply has looked at the revision after the request came, and it is the same, so these tables
// still have what the reply shows; an event that was visible before the request came would have changed it. No order
// between threads is needed beyond that of the tables' locks: what is kept never changes, and a look that comes too
// late finds another revision.
//
// (Rows that a checkpoint brought may be ahead of their table's position while the events behind it are read again:
// no reply is kept or looked for until the tables have caught up. See Engine::behind_store.)
//
// Thread-safe.

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/guarded.hpp"
#include "base/instant.hpp"
#include "base/number.hpp"
#include "base/shared_text.hpp"
#include "base/text_hash.hpp"

namespace annals::http {

/// Of each table that a reply shows something of, always in the same order, its newest position.
using Revision = std::vector<Position>;

struct KeptReply {
  SharedText body;
  std::string next;  ///< the cursor of the next page, where the body does not tell it
};

struct ReplyCacheStatus {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t replies = 0;  ///< that are kept
  std::uint64_t bytes = 0;    ///< that they take of memory, more or less
};

class ReplyCache {
 public:
  /// With 0 it keeps nothing.
  explicit ReplyCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  [[nodiscard]] bool keeps_any() const { return bytes_max_ > 0; }

  /// The reply to `query` at this revision; nullopt when there is none, or its time was over at `now`
  /// (Clock::monotonic).
  [[nodiscard]] std::optional<KeptReply> find(const std::string& query, const Revision& revision, Duration now);

  /// Keeps a reply until `end`, in the place of another one to the same query. One that is more than all may take
  /// together is not kept.
  void keep(const std::string& query, Revision revision, Duration end, KeptReply reply);

  [[nodiscard]] ReplyCacheStatus status() const;

 private:
  struct Entry {
    std::string query;
    Revision revision;
    Duration end;
    KeptReply reply;
    std::size_t bytes = 0;
  };
  struct State {
    std::list<Entry> entries;                                        // the one that was asked for last in front
    TextMap<std::string_view, std::list<Entry>::iterator> by_query;  // borrowed from the entries
    std::uint64_t bytes = 0;
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;

    void remove(std::list<Entry>::iterator entry, std::list<Entry>& removed);
  };

  const std::size_t bytes_max_;
  Guarded<State> state_;
};

}  // namespace annals::http
