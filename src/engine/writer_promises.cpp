// What the writer promises of each request, and how many of a model's it takes at a time.
//
// Why a success that is told holds what it promises: the groups of a step are in the log in the order in which they
// were decided, behind those of all steps before it, and what is flushed of the log is always a beginning of it. So if
// the store has flushed a group, it has flushed everything that could have been seen when it was decided, whatever
// that promised; and of what was told without being flushed, a loss of power takes an end only, which nothing that
// survives rests on.

#include <algorithm>
#include <utility>

#include "engine/writer.hpp"

namespace annals::engine {

/// Of a request that is planned from the state it is what its model's updates promise, until the plan is known.
AskedDurability Writer::asked_by(const WriteRequest& request) const {
  const auto asked = [&](std::size_t model, const model::Command& command) {
    return feeds_[model]->model().durability_of(model::api_operation_of(command.operation));
  };
  if (request.several.empty()) return asked(request.model, request.command);
  AskedDurability most = AskedDurability::memory;
  for (const KeyCommand& one : request.several) most = std::max(most, asked(one.model, one.command));
  return most;
}

/// Flushes what an answer rests on that is told without a group of its own to be flushed; and takes back what cannot
/// be promised any more, because the store has failed.
void Writer::keep_promises() {
  if (!lags_) return;
  const StoreStatus status = store_.status();
  if (status.flushed >= status.visible) return;
  const auto promises = [&](const Pending& pending) {
    return pending.request && !pending.request->dry_run && pending.answer;
  };
  const auto is_to_survive = [&](const Pending& pending) {
    return promises(pending) && store_.durability_of(pending.asks) == Durability::local;
  };
  std::optional<Error> failure;
  if (!status.writable) {
    failure.emplace(ErrorKind::unavailable, status.reason);
  } else if (std::ranges::any_of(batch_, is_to_survive)) {
    if (auto flushed = store_.flush(); !flushed) failure = flushed.error();
  }
  if (!failure) return;
  for (Pending& pending : batch_) {
    if (promises(pending) && (*pending.answer || pending.by_state)) pending.answer = std::unexpected(*failure);
  }
}

namespace {

/// How many commands of each model a step has taken, and which models have some that wait.
class Shares {
 public:
  explicit Shares(const std::vector<projection::TableFeed*>& feeds)
      : feeds_(feeds), taken_(feeds.size()), wanted_(feeds.size()), waits_(feeds.size()) {}

  /// Whether the request is taken. One that is more than its models' batch_size by itself is taken alone of them.
  [[nodiscard]] bool take(const WriteRequest& request) {
    std::vector<std::size_t> models;
    const auto want = [&](std::size_t model) {
      if (wanted_[model]++ == 0) models.push_back(model);
    };
    if (request.several.empty()) want(request.model);
    for (const KeyCommand& one : request.several) want(one.model);
    const bool fits = std::ranges::all_of(models, [&](std::size_t model) {
      const std::uint64_t most = feeds_[model]->model().batch_size;
      return !waits_[model] && (most == 0 || taken_[model] == 0 || taken_[model] + wanted_[model] <= most);
    });
    for (const std::size_t model : models) {
      const std::uint64_t wanted = std::exchange(wanted_[model], 0);
      if (fits) taken_[model] += wanted;
      if (!fits) waits_[model] = true;
    }
    return fits;
  }

 private:
  const std::vector<projection::TableFeed*>& feeds_;
  std::vector<std::uint64_t> taken_;
  std::vector<std::uint64_t> wanted_;
  std::vector<bool> waits_;
};

}  // namespace

/// Takes what waits, but of each model no more commands than its batch_size; the others wait on, in their order. What
/// is about a model of which something waits waits behind it, so that nothing on a key overtakes what came before it;
/// the other models' commands are not held up. False, and nothing is taken, when all may be taken.
bool Writer::take_within_limits(std::vector<Pending>& waiting) {
  Shares shares(feeds_);
  std::vector<bool> taken(waiting.size());
  std::size_t count = 0;
  for (std::size_t place = 0; place < waiting.size() && count < options_.batch_size; ++place) {
    taken[place] = !waiting[place].request || shares.take(*waiting[place].request);
    if (taken[place]) ++count;
  }
  if (count == waiting.size()) return false;
  std::vector<Pending> rest;
  rest.reserve(waiting.size() - count);
  for (std::size_t place = 0; place < waiting.size(); ++place)
    (taken[place] ? batch_ : rest).push_back(std::move(waiting[place]));
  waiting = std::move(rest);
  return true;
}

}  // namespace annals::engine
