#include "http/routes/reply_cache.hpp"

#include <iterator>
#include <utility>

namespace annals::http {
namespace {

/// Beside the texts: the entry, its node of the list, and its place in the table, more or less.
constexpr std::size_t entry_bytes = 320;

bool is_older(const Revision& one, const Revision& other) {
  for (std::size_t at = 0; at < one.size() && at < other.size(); ++at) {
    if (one[at] < other[at]) return true;
  }
  return false;
}

}  // namespace

/// What is removed is freed by the caller, without the lock.
void ReplyCache::State::remove(std::list<Entry>::iterator entry, std::list<Entry>& removed) {
  by_query.erase(entry->query);
  bytes -= entry->bytes;
  removed.splice(removed.end(), entries, entry);
}

std::optional<KeptReply> ReplyCache::find(const std::string& query, const Revision& revision, Duration now) {
  std::list<Entry> removed;
  const auto state = state_.lock();
  const auto found = state->by_query.find(query);
  if (found != state->by_query.end()) {
    const auto entry = found->second;
    if (entry->revision == revision && now < entry->end) {
      ++state->hits;
      state->entries.splice(state->entries.begin(), state->entries, entry);
      return entry->reply;
    }
    // One that is ahead of this look is somebody else's who came later.
    if (now >= entry->end || is_older(entry->revision, revision)) state->remove(entry, removed);
  }
  ++state->misses;
  return std::nullopt;
}

void ReplyCache::keep(const std::string& query, Revision revision, Duration end, KeptReply reply) {
  Entry entry{query, std::move(revision), end, std::move(reply)};
  entry.bytes = entry_bytes + entry.query.size() + entry.revision.size() * sizeof(Position) + entry.reply.next.size() +
                entry.reply.body->size();
  if (entry.bytes > bytes_max_) return;
  std::list<Entry> made;
  made.push_back(std::move(entry));
  std::list<Entry> removed;
  const auto state = state_.lock();
  if (const auto other = state->by_query.find(query); other != state->by_query.end())
    state->remove(other->second, removed);
  state->bytes += made.front().bytes;
  state->entries.splice(state->entries.begin(), made);
  state->by_query.emplace(state->entries.front().query, state->entries.begin());
  while (state->bytes > bytes_max_) state->remove(std::prev(state->entries.end()), removed);
}

ReplyCacheStatus ReplyCache::status() const {
  const auto state = state_.lock();
  return {state->hits, state->misses, state->entries.size(), state->bytes};
}

}  // namespace annals::http
