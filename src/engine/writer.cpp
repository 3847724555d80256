#include "engine/writer.hpp"

#include <algorithm>
#include <utility>

#include "base/invariant.hpp"
#include "engine/event_metadata.hpp"
#include "json/writer.hpp"

namespace annals::engine {
namespace {

/// A command is decided again when another server's append came first, or when what it was decided on was not recorded.
constexpr int attempts_max = 5;

/// Set while a step runs on this thread: tells an append that finished inside the call from one that finished elsewhere.
thread_local const Writer* stepping_here = nullptr;

}  // namespace

Writer::Writer(EventStore& store, std::vector<projection::TableFeed*> feeds, platform::Platform platform, WriterOptions options)
    : store_(store), feeds_(std::move(feeds)), platform_(platform), options_(options), receipts_(options.receipts, platform) {}

Writer::~Writer() = default;

Result<> Writer::load() {
  TRY(receipts_.load(store_));
  const EventPage last = TRY(store_.read_all(Position{std::max<std::uint64_t>(store_.status().visible.value, 1) - 1}, Horizon::visible, PageLimit{1, 1}));
  if (!last.events().empty()) last_visible_stamp_ = last.events().back().created_at.microseconds;
  return {};
}

void Writer::submit(WriteRequest request, platform::Executor& home, WriteDone done) {
  Pending pending;
  pending.bytes = request.command.key.size() + (request.command.value ? request.command.value->size() : 0);
  pending.request = std::move(request);
  pending.home = &home;
  pending.done = std::move(done);
  enqueue(std::move(pending));
}

void Writer::barrier(platform::Executor& home, std::move_only_function<void()> done) {
  Pending pending;
  pending.home = &home;
  pending.done = [done = std::move(done)](const Result<Receipt>&) mutable { done(); };
  enqueue(std::move(pending));
}

void Writer::enqueue(Pending pending) {
  platform::Executor& home = *pending.home;
  {
    auto queue = queue_.lock();
    const bool full = queue->waiting.size() >= options_.queue_max ||
                      (queue->bytes + pending.bytes > options_.queue_bytes_max && !queue->waiting.empty());
    if (!full) {
      queue->bytes += pending.bytes;
      queue->waiting.push_back(std::move(pending));
      if (queue->busy) return;
      queue->busy = true;
      idle_ = false;
    } else {
      ++queue->overloaded;
    }
  }
  if (pending.done) {  // it was not taken
    home.post([done = std::move(pending.done)]() mutable {
      done(fail(ErrorKind::overloaded, "queue_full", "the queue of writes is full; nothing was done; try again soon"));
    });
    return;
  }
  home.post([this, &home] { step(home); });
}

bool Writer::may_hide(Instant time) const {
  // A group under way is stamped after the last visible one. When the writer is idle there is no group under way, and later ones
  // are stamped after `time`, because the store was told to settle it before idle_ was looked at.
  return time.microseconds > last_visible_stamp_.load() && !idle_.load();
}

WriterStatus Writer::status() const {
  WriterStatus status;
  const auto queue = queue_.lock();
  status.queued = queue->waiting.size();
  status.overloaded = queue->overloaded;
  status.commands = commands_.load();
  status.batches = batches_.load();
  return status;
}

void Writer::step(platform::Executor& here) {
  {
    auto queue = queue_.lock();
    const std::size_t count = std::min(queue->waiting.size(), options_.batch_size);
    for (std::size_t place = 0; place < count; ++place) {
      queue->bytes -= queue->waiting.front().bytes;
      batch_.push_back(std::move(queue->waiting.front()));
      queue->waiting.pop_front();
    }
  }
  const Instant now = platform_.clock.now();
  for (Pending& pending : batch_) {
    if (pending.request) decide(pending, now);
  }
  commands_ += batch_.size();

  if (groups_.empty()) {
    release(here);
    next_step(here);
    return;
  }
  ++batches_;
  // `inside` is touched only while append is still on this thread's stack, which `stepping_here` tells.
  std::optional<std::vector<AppendResult>> inside;
  stepping_here = this;
  store_.append(groups_, [this, &here, &inside](std::vector<AppendResult> results) {
    if (stepping_here == this) {
      inside = std::move(results);
    } else {
      here.post([this, &here, results = std::move(results)]() mutable { recorded(results, here); });
    }
  });
  stepping_here = nullptr;
  if (inside) recorded(*inside, here);
}

bool Writer::answer_from_receipts(Pending& pending) {
  const std::optional<Idempotency>& idempotency = pending.request->idempotency;
  if (!idempotency) return false;
  const auto reused = [] {
    return fail(ErrorKind::unprocessable, "idempotency_key_reused",
                "this Idempotency-Key came with another request before; take a new key for a new request");
  };
  if (const Receipts::Entry* entry = receipts_.find(idempotency->key)) {
    if (entry->request != idempotency->request) {
      pending.answer = reused();
    } else {
      pending.answer = Receipt{entry->receipt.version, entry->receipt.position, true};
    }
    return true;
  }
  for (const auto& [other, group] : pending_receipts_) {
    if (other.key != idempotency->key) continue;
    if (other.request != idempotency->request) {
      pending.answer = reused();
      pending.on_pending_state = true;
    } else {
      pending.group = group;
      pending.twin = true;
    }
    return true;
  }
  return false;
}

Result<model::Record> Writer::load_state(const WriteRequest& request, const std::string& stream, bool fresh) {
  const projection::TableFeed& feed = *feeds_[request.model];
  if (!fresh) {
    if (feed.is_live()) return feed.table().get(request.command.key);
    if (const model::Record* cached = cache_.find(stream)) return *cached;
  }
  static_assert(model::last_event_suffices(), "else fold the whole stream here");
  const EventPage page = TRY(store_.read_stream(stream, StreamVersion{~std::uint64_t{0}}, Direction::backward, PageLimit{1, 1}));
  if (page.events().empty()) return model::Record{};
  const EventView& event = page.events().front();
  model::Record record = TRY(model::evolve(feed.model(), model::Record{}, event.type, event.data, event.version, event.created_at));
  if (!feed.is_live()) cache_.put(stream, record);
  return record;
}

void Writer::decide(Pending& pending, Instant now) {
  const WriteRequest& request = *pending.request;
  pending.answer.reset();
  pending.group.reset();
  pending.twin = false;
  pending.on_pending_state = false;
  if (answer_from_receipts(pending)) return;

  const model::Model& model = feeds_[request.model]->model();
  const std::string stream = model.stream(request.command.key);
  const auto pending_state = pending_states_.find(stream);
  pending.on_pending_state = pending_state != pending_states_.end();
  auto state = pending.on_pending_state ? Result<model::Record>(pending_state->second)
                                        : load_state(request, stream, pending.attempts > 0);
  if (!state) {
    platform_.log.error("The state of a stream could not be read", {{"model", model.name}, {"error", state.error().message}});
    pending.answer = std::unexpected(std::move(state).error());
    return;
  }
  auto decisions = model::decide(model, *state, request.command, now);
  if (!decisions) {
    pending.answer = std::unexpected(std::move(decisions).error());
    return;
  }
  StreamAppend append;
  append.expected = ExpectedVersion::exact(state->version);
  for (model::Decision& decision : *decisions) {
    auto next = model::evolve(model, *state, decision.type, decision.data, state->version.next(), now);
    INVARIANT(next.has_value(), "evolve takes in what decide gives out");
    state = std::move(next);
    NewEvent& event = append.events.emplace_back();
    event.id = platform::make_uuid(now, platform_.random);
    event.type = std::move(decision.type);
    event.data = std::move(decision.data);
    event.metadata = make_metadata(request.actor, append.events.size() == 1 ? request.idempotency : std::nullopt);
    event.correlation_id = request.correlation_id;
    event.causation_id = request.causation_id;
  }
  pending_states_.insert_or_assign(stream, std::move(*state));
  append.stream = stream;
  pending.group = groups_.size();
  if (request.idempotency) pending_receipts_.emplace_back(*request.idempotency, groups_.size());
  groups_.emplace_back().appends.push_back(std::move(append));
}

void Writer::recorded(std::vector<AppendResult>& results, platform::Executor& here) {
  INVARIANT(results.size() == groups_.size(), "a store answers for every group");
  apply(results);
  const bool all_recorded = std::ranges::all_of(results, [](const AppendResult& result) { return result.has_value(); });
  std::vector<Pending> again;
  for (Pending& pending : batch_) {
    if (!pending.request) continue;
    const bool conflicted = pending.group && !results[*pending.group] && results[*pending.group].error().kind == ErrorKind::conflict;
    const bool unfounded = pending.answer && pending.on_pending_state && !all_recorded;
    if (conflicted || unfounded) {
      if (pending.attempts < attempts_max) {
        ++pending.attempts;
        again.push_back(std::move(pending));
        pending.request.reset();
        pending.done = nullptr;
        continue;
      }
      pending.answer = fail(ErrorKind::unavailable, "write_contention", "other servers kept changing what this request is about; nothing was recorded; try again");
    } else if (pending.group) {
      const AppendResult& result = results[*pending.group];
      if (result) {
        pending.answer = Receipt{result->versions.front(), result->last, pending.twin};
      } else {
        pending.answer = std::unexpected(result.error());
      }
    }
  }
  release(here);
  if (!again.empty()) {
    auto queue = queue_.lock();
    for (auto pending = again.rbegin(); pending != again.rend(); ++pending) {
      queue->bytes += pending->bytes;
      queue->waiting.push_front(std::move(*pending));
    }
  }
  next_step(here);
}

void Writer::apply(const std::vector<AppendResult>& results) {
  std::vector<EventView> events;
  events.reserve(groups_.size());
  for (std::size_t place = 0; place < groups_.size(); ++place) {
    if (!results[place]) {
      for (const StreamAppend& append : groups_[place].appends) cache_.forget(append.stream);
      continue;
    }
    const Appended& appended = *results[place];
    std::uint64_t offset = 0;
    for (std::size_t of_append = 0; of_append < groups_[place].appends.size(); ++of_append) {
      const StreamAppend& append = groups_[place].appends[of_append];
      const std::uint64_t first_version = appended.versions[of_append].value + 1 - append.events.size();
      for (std::size_t of_event = 0; of_event < append.events.size(); ++of_event, ++offset) {
        const NewEvent& event = append.events[of_event];
        events.push_back({appended.first.plus(offset), append.stream, StreamVersion{first_version + of_event}, event.id, event.type, event.data,
                          event.metadata, event.correlation_id, event.causation_id,
                          appended.created_at.plus(Duration{static_cast<std::int64_t>(offset)}), 0});
      }
    }
  }
  if (events.empty()) return;
  for (projection::TableFeed* feed : feeds_) feed->apply_live(events);
  for (const Pending& pending : batch_) {
    if (!pending.request || !pending.group || pending.twin || !results[*pending.group]) continue;
    const std::string& stream = groups_[*pending.group].appends.front().stream;
    if (feeds_[pending.request->model]->is_live()) continue;
    if (const auto state = pending_states_.find(stream); state != pending_states_.end()) cache_.put(stream, state->second);
  }
  for (const auto& [idempotency, group] : pending_receipts_) {
    if (results[group]) receipts_.insert(idempotency, Receipt{results[group]->versions.front(), results[group]->last, false}, results[group]->created_at);
  }
  last_visible_stamp_ = events.back().created_at.microseconds;
}

void Writer::release(platform::Executor& here) {
  // One task for each other executor, because waking a thread costs more than a reply.
  std::vector<std::pair<platform::Executor*, std::vector<std::pair<WriteDone, Result<Receipt>>>>> elsewhere;
  std::vector<Pending> batch = std::exchange(batch_, {});
  groups_.clear();
  pending_states_.clear();
  pending_receipts_.clear();
  for (Pending& pending : batch) {
    if (!pending.done) continue;
    Result<Receipt> answer = pending.answer ? std::move(*pending.answer) : Result<Receipt>(Receipt{});
    if (pending.home == &here) {
      pending.done(std::move(answer));
      continue;
    }
    auto group = std::ranges::find(elsewhere, pending.home, [](const auto& entry) { return entry.first; });
    if (group == elsewhere.end()) {
      elsewhere.emplace_back(pending.home, decltype(group->second){});
      group = std::prev(elsewhere.end());
    }
    group->second.emplace_back(std::move(pending.done), std::move(answer));
  }
  for (auto& [home, replies] : elsewhere) {
    home->post([all = std::move(replies)]() mutable {
      for (auto& reply : all) reply.first(std::move(reply.second));
    });
  }
}

void Writer::next_step(platform::Executor& here) {
  {
    auto queue = queue_.lock();
    if (queue->waiting.empty()) {
      queue->busy = false;
      idle_ = true;
      return;
    }
  }
  here.post([this, &here] { step(here); });
}

}  // namespace annals::engine
