// The writing half of PostgresStore.
//
// What is never in question: a transaction is one group or more, whole or not at all. What can be in question is
// whether it was committed, when the connection breaks before the server has answered. Then doubt_ holds one of its
// events, and nothing is answered and no other append begins before the question is settled: the lock on `$all` is
// taken on a new connection, which waits until the old transaction has ended in the one way or the other; then the
// event is looked for.

#include <algorithm>
#include <array>

#include "platform/process.hpp"
#include "store/clock_alarm.hpp"
#include "store/postgres/postgres_store.hpp"

namespace annals::store {
namespace {

constexpr int attempts_max = 5;
/// Asking about an append in doubt: so many times, with pauses between them of 25 ms, doubled each time (3.2 s
/// together).
constexpr int find_out_attempts_max = 8;
constexpr std::chrono::milliseconds find_out_pause{25};

/// What one transaction takes at most, unless a single group is more.
constexpr std::size_t transaction_bytes_max = group_bytes_max;
constexpr std::size_t transaction_events_max = group_events_max;
constexpr std::int64_t stream_ids_reserved = 64;

/// The server gave the transaction up for a reason that may be gone the next time: a deadlock, a serialization failure.
bool may_succeed_again(const Error& error) {
  return error.code.starts_with("40");
}
/// Somebody else made a stream of the same name between the two round trips; or an event is there already.
bool is_twin(const Error& error) {
  return error.code == "23505" || error.code == number_taken;
}

/// Beside what no store takes: the name of the stream that holds the events of all.
Result<> check(const Group& group) {
  TRY(check_group(group));
  for (const StreamAppend& append : group.appends) {
    if (append.stream != "$all") continue;
    return fail(ErrorKind::invalid, "invalid_stream_name", "the name $all stands for the events of all streams");
  }
  return {};
}

/// Of an append of which it is certain that nothing was recorded, and which may succeed another time.
Error not_recorded(const Error& error) {
  constexpr std::string_view code = "database_away";
  if (error.code == "55P03") {
    return {ErrorKind::unavailable, code,
            "another transaction holds the lock on $all for longer than 10 s; nothing was recorded"};
  }
  if (error.code == disk_full) {
    return {ErrorKind::unavailable, "no_room",
            "there is no room on the disk of the database for what is to be recorded; nothing was recorded; try again "
            "later"};
  }
  if (lacks_resources(error.code)) {
    return {ErrorKind::unavailable, "database_exhausted",
            "the database lacks the memory, or something else, that it takes to record; nothing was recorded; try "
            "again later"};
  }
  if (error.code == number_taken) {
    return {
        ErrorKind::unavailable, code,
        error.message +
            "; nothing was recorded: look whether the sequence of streams.stream_id, and the version of stream 0, are "
            "behind the rows that are there, as they are after a restore of data alone"};
  }
  return {ErrorKind::unavailable, code, error.message + "; nothing was recorded"};
}

/// Of the append that is in doubt itself.
Error outcome_unknown(const Error& error) {
  return {ErrorKind::unavailable, "outcome_unknown", "it is unknown whether an append was recorded: " + error.message};
}

/// Of another than that.
Error in_doubt(const Error& error) {
  return {ErrorKind::unavailable, "database_away",
          "it is unknown whether an earlier append was recorded, and no other is taken until that is known: " +
              error.message + "; nothing of this one was recorded"};
}

std::size_t bytes_of(const Group& group) {
  std::size_t bytes = 0;
  for (const StreamAppend& append : group.appends) {
    for (const NewEvent& event : append.events) bytes += event.data.size() + event.metadata.size();
  }
  return bytes;
}

std::size_t events_of(const Group& group) {
  std::size_t events = 0;
  for (const StreamAppend& append : group.appends) events += append.events.size();
  return events;
}

}  // namespace

void PostgresStore::append(std::span<const Group> groups, AppendDone done) {
  done(queue_.run(groups));
}

void PostgresStore::append_together(const Calls& calls) {
  std::vector<Entry> entries;
  for (std::size_t call = 0; call < calls.size(); ++call) {
    const std::span<const Group> groups = calls[call]->groups;
    calls[call]->results.assign(groups.size(), Appended{});
    for (std::size_t at = 0; at < groups.size(); ++at) {
      entries.push_back({&groups[at], call, &calls[call]->results[at], check(groups[at])});
    }
  }
  {
    const std::lock_guard writing(writer_mutex_);
    Progresses progresses(calls.size());
    for (std::span<const Entry> rest = entries; !rest.empty();) {
      std::size_t count = 0;
      std::size_t bytes = 0;
      std::size_t events = 0;
      for (const Entry& entry : rest) {
        bytes += bytes_of(*entry.group);
        events += events_of(*entry.group);
        if (count > 0 && (bytes > transaction_bytes_max || events > transaction_events_max)) break;
        ++count;
      }
      record(rest.first(count), progresses);
      rest = rest.subspan(count);
    }
  }
  watches_.tell(view_.lock()->head);
}

/// Records what can be recorded of the entries, and gives every one its result.
void PostgresStore::record(std::span<const Entry> entries, Progresses& calls) {
  std::optional<Error> failure;
  if (doubt_) {
    if (auto found = find_out(); !found) return refuse_all(entries, in_doubt(found.error()));
  }
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    Progresses calls_then = calls;
    auto tried = try_to_record(entries, calls_then);
    if (tried) {
      calls = std::move(calls_then);
      return;
    }
    failure = std::move(tried).error();
    if (doubt_) {
      const auto recorded = find_out_patiently();
      if (!recorded) return refuse_all(entries, outcome_unknown(recorded.error()));
      if (*recorded) {  // the results stand as they were decided
        calls = std::move(calls_then);
        return;
      }
    } else if (!is_lost(*failure) && !may_succeed_again(*failure) && !(is_twin(*failure) && attempt == 0)) {
      break;
    } else if (is_lost(*failure) && attempt > 0) {
      break;  // a connection that was idle may have died unnoticed; a new one that dies too is no accident
    }
  }
  if ((is_about_rows(failure->code) || failure->code == number_taken) && entries.size() > 1) {
    // One of them is at fault; the others shall not suffer for it.
    for (std::size_t at = 0; at < entries.size(); ++at) record(entries.subspan(at, 1), calls);
    return;
  }
  if (is_about_rows(failure->code)) {
    *entries.front().result =
        fail(ErrorKind::invalid, "invalid_event", "the database cannot keep the group: " + failure->message);
    calls[entries.front().call].refused.add(*entries.front().group);
    return;
  }
  refuse_all(entries, not_recorded(*failure));
  note_refusal(*failure);
}

/// Of what is refused for its own sake that alone is said; everything else is as `error` says.
void PostgresStore::refuse_all(std::span<const Entry> entries, const Error& error) {
  for (const Entry& entry : entries) {
    *entry.result = entry.check ? AppendResult(std::unexpected(error)) : std::unexpected(entry.check.error());
  }
  const auto condition = condition_.lock();
  condition->last_flush_ok = false;
  condition->flush_found_nobody = false;
  ++condition->refused_count;
}

/// Begins a transaction that holds the lock, or goes on with the one that keeps others off; what others recorded is
/// accounted for. Errors: nothing is begun then.
Result<PostgresStore::Locked> PostgresStore::lock_and_adopt(NamedStreams& streams) {
  if (!reached_.load()) return not_reached();
  TRY(not_displaced());
  if (const std::string lost = condition_.lock()->lost; !lost.empty()) return fail(ErrorKind::unavailable, lost);
  return lock_whole(streams);
}

Result<PostgresStore::Locked> PostgresStore::lock_whole(NamedStreams& streams) {
  std::optional<ConnectionPool::Lease> lease = std::exchange(held_, std::nullopt);
  const bool held = lease.has_value();
  if (!held) lease.emplace(TRY(appending_.borrow()));
  Connection& connection = **lease;
  const auto or_rollback = [&](Error error) {
    if (!is_lost(error)) (void)connection.run(Sql::rollback);
    return std::unexpected(std::move(error));
  };
  auto before = lock(connection, streams, held);
  if (!before) return or_rollback(std::move(before).error());
  while (before->accounted < before->head) {
    if (auto adopted = adopt(connection, *before); !adopted) return or_rollback(std::move(adopted).error());
    if (before->accounted == before->head || held) continue;
    // Others go on between two of many steps, and what was done is not lost.
    TRY(connection.run(Sql::commit));
    before = lock(connection, streams);
    if (!before) return or_rollback(std::move(before).error());
  }
  return Locked{*std::move(lease), *before};
}

Result<> PostgresStore::try_to_record(std::span<const Entry> entries, Progresses& calls) {
  NamedStreams streams;
  for (const Entry& entry : entries) {
    if (entry.check) streams.add(*entry.group);
  }
  const Locked locked = TRY(lock_and_adopt(streams));
  const Before& before = locked.before;
  Connection& connection = *locked.lease;
  TRY(find_lost_ends(connection, entries, streams, before.head));
  const Instant now = platform_.clock.now();
  alarm_when_clock_is_behind(now, before.last_time);
  AppendPlan plan(streams, before.head, stamp_after(before), now, options_.node_id);
  for (const Entry& entry : entries) {
    Progress& call = calls[entry.call];
    if (!call.before || call.end < before.head) call.before = plan.head();
    const auto checked = entry.check ? call.refused.check(*entry.group) : entry.check;
    *entry.result = checked ? plan.add(*entry.group, *call.before) : std::unexpected(checked.error());
    if (!*entry.result) call.refused.add(*entry.group);
    call.end = plan.head();
  }
  if (plan.empty()) {
    // What was adopted stays; a refusal is told on what is known by now.
    TRY(connection.run(Sql::commit));
    return note(connection, {before.head, before.epochs, before.last});
  }
  return number_and_commit(connection, before, streams, plan);
}

/// Looks where the streams end that may have lost their last events: for conditions they are at the version of what is
/// left, although no version is given twice.
Result<> PostgresStore::find_lost_ends(Connection& connection, std::span<const Entry> entries, NamedStreams& streams,
                                       Position head) {
  std::vector<NamedStreams::Stream*> looked_at;
  ArrayParameter ids(ArrayParameter::Element::integer);
  for (const Entry& entry : entries) {
    if (!entry.check) continue;
    for (const StreamAppend& append : entry.group->appends) {
      NamedStreams::Stream& stream = streams.at(append.stream);
      if (!may_have_lost_its_end(append, stream, head)) continue;
      looked_at.push_back(&stream);
      ids.add(stream.id);
    }
  }
  if (looked_at.empty()) return {};
  const auto rows = connection.run(Sql::last_versions, std::move(Parameters().add(std::move(ids))));
  if (!rows) {
    if (!is_lost(rows.error())) (void)connection.run(Sql::rollback);
    return std::unexpected(rows.error());
  }
  for (std::size_t row = 0; row < rows->size(); ++row) {
    NamedStreams::Stream& stream = *looked_at[static_cast<std::size_t>(rows->integer(row, 0)) - 1];
    const StreamVersion last(static_cast<std::uint64_t>(rows->integer(row, 1)));
    if (last < stream.version) stream.last_event = last;
  }
  return {};
}

Result<> PostgresStore::number_and_commit(Connection& connection, const Before& before, NamedStreams& streams,
                                          const AppendPlan& plan) {
  auto done = number_streams(connection, streams, plan);
  if (done) done = commit(connection, before, plan);
  if (!done && !doubt_ && !is_lost(done.error())) (void)connection.run(Sql::rollback);
  return done;
}

// --- Copies
// --------------------------------------------------------------------------------------------------------------

Result<> PostgresStore::restore(std::span<const EventView> events) {
  Result<> restored;
  {
    const std::lock_guard writing(writer_mutex_);
    if (doubt_) {
      if (auto found = find_out(); !found) return std::unexpected(in_doubt(found.error()));
    }
    restored = restore_under_lock(events);
    if (!restored && doubt_) {
      restored = std::unexpected(outcome_unknown(restored.error()));
    } else if (!restored && is_lost(restored.error())) {
      restored = std::unexpected(not_recorded(restored.error()));
    }
  }
  watches_.tell(view_.lock()->head);
  return restored;
}

Result<> PostgresStore::restore_under_lock(std::span<const EventView> events) {
  std::vector<Group> groups;
  groups.reserve(events.size());
  for (const EventView& event : events) {
    groups.push_back(group_of(event));
    if (auto checked = check_group(groups.back()); !checked) return checked;
  }
  NamedStreams streams;
  for (const Group& group : groups) streams.add(group);
  const Locked locked = TRY(lock_and_adopt(streams));
  AppendPlan plan(streams, locked.before.head, locked.before.last_time, platform_.clock.now(), options_.node_id);
  Result<> refused;
  for (std::size_t at = 0; at < events.size() && refused; ++at) refused = plan.add_restored(events[at], groups[at]);
  if (!refused || plan.empty()) {
    (void)locked.lease->run(Sql::rollback);
    return refused;
  }
  return number_and_commit(*locked.lease, locked.before, streams, plan);
}

// --- Others
// --------------------------------------------------------------------------------------------------------------

class PostgresStore::HoldEntry final : public Hold {
 public:
  explicit HoldEntry(PostgresStore& store) : store_(store) {}
  ~HoldEntry() override {
    const std::lock_guard writing(store_.writer_mutex_);
    if (!store_.held_) return;
    (void)(*store_.held_)->run(Sql::rollback);
    store_.held_.reset();
  }

 private:
  PostgresStore& store_;
};

Result<std::unique_ptr<Hold>> PostgresStore::hold_others_off() {
  if (!reached_.load()) return not_reached();
  TRY(not_displaced());
  const std::lock_guard writing(writer_mutex_);
  if (doubt_) {
    if (auto found = find_out(); !found) return std::unexpected(in_doubt(found.error()));
  }
  auto lease = appending_.borrow();
  if (!lease) return std::unexpected(not_recorded(lease.error()));
  const std::vector<Call> calls{{Sql::begin}, {Sql::lock_all}};
  if (auto locked = (*lease)->run(calls); !locked) {
    if (!is_lost(locked.error())) (void)(*lease)->run(Sql::rollback);
    return std::unexpected(not_recorded(locked.error()));
  }
  held_.emplace(*std::move(lease));
  return std::make_unique<HoldEntry>(*this);
}

/// The first round trip. Under the lock nobody is ahead of the database: who is has seen what it does not have.
Result<PostgresStore::Before> PostgresStore::lock(Connection& connection, NamedStreams& streams, bool held) {
  using enum ArrayParameter::Element;
  ArrayParameter names(text);
  for (const NamedStreams::Stream& stream : streams.all()) names.add(stream.name);
  const Seen seen = this->seen();
  std::vector<Call> calls;
  if (!held) calls.push_back({Sql::begin});
  calls.push_back({Sql::lock_all});
  calls.push_back({Sql::lock_store});
  calls.push_back(ask_for(seen));
  calls.push_back({Sql::find_streams, std::move(Parameters().add(std::move(names)))});
  const auto rows = connection.run(calls);
  if (!rows) return std::unexpected(displaced_if_without_tables(rows.error()));
  const std::size_t count = rows->size();
  const Outlook found = TRY(outlook((*rows)[count - 2], seen));
  streams.locate(rows->back());
  return before_of(found, (*rows)[count - 3]);
}

PostgresStore::Before PostgresStore::before_of(const Outlook& found, const Rows& store) {
  return {.head = found.head,
          .accounted = Position(static_cast<std::uint64_t>(store.integer(0, 0))),
          .last_time = store.time(0, 1),
          .settled = store.time(0, 2),
          .node_id = static_cast<std::uint32_t>(store.integer(0, 3)),
          .epochs = found.epochs,
          .last = found.last};
}

/// The latest time at or before which nothing may be stamped.
Instant PostgresStore::stamp_after(const Before& before) const {
  const auto times = times_.lock();
  times->settled_there = std::max(times->settled_there, before.settled);
  times->last = std::max(times->last, before.last_time);
  return std::max({before.last_time, before.settled, times->settled});
}

Result<> PostgresStore::number_streams(Connection& connection, NamedStreams& streams, const AppendPlan& plan) {
  // Those drawn before a restart may be drawn again, if it was one from a backup.
  if (stream_ids_of_ != connection.incarnation()) stream_ids_.clear();
  stream_ids_of_ = connection.incarnation();
  if (const std::size_t needed = plan.new_streams(); needed > stream_ids_.size()) {
    // Some more than are needed, so that this round trip is rare.
    const auto count = static_cast<std::int64_t>(needed - stream_ids_.size()) + stream_ids_reserved;
    const std::vector<std::int64_t> drawn = TRY(reserve_streams(connection, count));
    stream_ids_.insert(stream_ids_.end(), drawn.begin(), drawn.end());
  }
  for (NamedStreams::Stream& stream : streams.all()) {
    if (!stream.is_new) continue;
    stream.id = stream_ids_.back();
    stream_ids_.pop_back();
  }
  return {};
}

/// Numbers that no stream has. A restore of the rows alone, or a logical replica, leaves the sequence behind the
/// streams that are there; it is moved past them. Errors: those of a connection; unavailable ("number_taken"), when the
/// database gives no numbers.
Result<std::vector<std::int64_t>> PostgresStore::reserve_streams(Connection& connection, std::int64_t count) {
  constexpr std::int64_t skipped_at_once = 1'000'000;
  const auto none = [](std::string_view why) {
    return fail(
        ErrorKind::unavailable, number_taken,
        "the database gives no numbers for new streams: the column stream_id of the table streams " + std::string(why));
  };
  while (true) {
    const Rows rows = TRY(connection.run(Sql::reserve_streams, std::move(Parameters().add(count))));
    if (rows.is_null(0, 0)) return none("has no sequence that belongs to it");
    std::vector<std::int64_t> drawn;
    for (std::size_t row = 0; row < rows.size(); ++row) drawn.push_back(rows.integer(row, 0));
    const auto [lowest, highest] = std::ranges::minmax(drawn);
    const std::int64_t taken = rows.integer(0, 1);
    if (lowest > taken) return drawn;
    for (std::int64_t reached = highest; reached < taken;) {
      const std::int64_t missing = std::min(taken - reached, skipped_at_once);
      const std::int64_t before = reached;
      reached = TRY(connection.run(Sql::skip_streams, std::move(Parameters().add(missing)))).integer(0, 0);
      if (reached <= before) return none("has a sequence that does not rise");
    }
  }
}

/// The second round trip.
Result<> PostgresStore::commit(Connection& connection, const Before& before, const AppendPlan& plan) {
  std::vector<Call> calls;
  plan.put_statements(dialect_, calls);
  const auto node = std::int64_t{plan.last_node()};
  calls.push_back({Sql::update_store, std::move(Parameters().add(plan.head().value).add(plan.last_time()).add(node))});
  plan.put_nodes(before.node_id, calls);
  const bool begins = epoch_incarnation_ != connection.incarnation();
  if (begins) {
    calls.push_back(
        {Sql::insert_epoch, std::move(Parameters().add(std::int64_t{draw_epoch()}).add(before.head.value))});
  }
  calls.push_back({Sql::notify, std::move(Parameters().add(std::string_view(name_)))});
  calls.push_back({Sql::commit});
  const Duration started = platform_.clock.monotonic();
  const auto rows = connection.run(calls);
  if (!rows) {
    // What the server gave up before the commit was never committed, whatever became of the connection.
    const std::optional<std::size_t> done = connection.done_before_refusal();
    const bool gave_up_before = done && *done + 1 < calls.size();
    if (is_lost(rows.error()) && !gave_up_before) {
      doubt_ = Doubt{plan.first_id(), begins ? connection.incarnation() : ""};
      condition_.lock()->doubt = "it is unknown whether the last append was recorded: " + rows.error().message;
    }
    return std::unexpected(rows.error());
  }
  const Duration took = platform_.clock.monotonic() - started;
  flush_durations_.observe(static_cast<std::uint64_t>(took.count()));
  if (begins) epoch_incarnation_ = connection.incarnation();
  times_.lock()->last = plan.last_time();
  // It is recorded, whether or not the new epoch can be read back at once: the thread that follows does it else.
  (void)note(connection, {plan.head(), before.epochs + (begins ? 1 : 0), plan.last_id()});
  publish(plan.head(), plan.last_id());
  set_away({});
  note_flush(took);
  return {};
}

Result<bool> PostgresStore::find_out() {
  INVARIANT(doubt_.has_value(), "only what is in doubt is looked for");
  const auto lease = TRY(appending_.borrow());
  ArrayParameter ids(ArrayParameter::Element::uuid);
  ids.add(doubt_->event);
  const Seen seen = this->seen();
  std::vector<Call> calls{{Sql::begin}, {Sql::lock_all}};
  calls.push_back({Sql::events_exist, std::move(Parameters().add(std::move(ids)))});
  calls.push_back({Sql::rollback});
  calls.push_back(ask_for(seen));
  auto rows = lease->run(calls);
  if (!rows) {
    if (!is_lost(rows.error())) (void)lease->run(Sql::rollback);
    return std::unexpected(std::move(rows).error());
  }
  const bool recorded = (*rows)[2].integer(0, 0) > 0;
  const Outlook found = TRY(outlook((*rows)[4], seen));
  TRY(note(*lease, found));
  if (recorded && !doubt_->incarnation.empty()) epoch_incarnation_ = doubt_->incarnation;
  platform_.log.warning("An append whose outcome was unknown has been looked up", {{"recorded", recorded}});
  doubt_.reset();
  const auto condition = condition_.lock();
  condition->doubt.clear();
  condition->last_flush_ok = true;
  return recorded;
}

Result<bool> PostgresStore::find_out_patiently() {
  for (int attempt = 0;; ++attempt) {
    auto found = find_out();
    if (found || attempt + 1 == find_out_attempts_max) return found;
    std::unique_lock lock(closing_mutex_);
    if (closing_told_.wait_for(lock, find_out_pause * (1 << attempt), [&] { return closing_; })) return found;
  }
}

void PostgresStore::alarm_when_clock_is_behind(Instant now, Instant last_time) {
  if (last_time.microseconds == INT64_MIN || now.plus(clock_behind_tolerated) >= last_time) return;
  const Duration moment = platform_.clock.monotonic();
  if (alarmed_at_ && moment - *alarmed_at_ < clock_alarm_interval) return;
  alarmed_at_ = moment;
  platform_.log.warning("the clock runs behind the log; events are stamped after the last one until it has caught up",
                        {{"clock", now.to_text()}, {"log", last_time.to_text()}});
}

bool PostgresStore::is_closing() {
  const std::lock_guard lock(closing_mutex_);
  return closing_;
}

// --- Events of others
// --------------------------------------------------------------------------------------------------

/// Accounts for the next of what others recorded since the last append of ours, 10,000 events at most, within the
/// transaction that holds the lock. Errors: unavailable, when the server is to go down.
Result<> PostgresStore::adopt(Connection& connection, Before& before) {
  if (platform::stop_is_pending() || is_closing()) {
    return fail(ErrorKind::unavailable,
                "the server goes down before all that others recorded was accounted for; the next one goes on there");
  }
  std::vector<Call> calls;
  calls.push_back({Sql::adopt_stretches,
                   std::move(Parameters().add(before.accounted.value).add(before.head.value).add(before.last_time))});
  if (before.node_id != 0) {
    calls.push_back(
        {Sql::insert_writer, std::move(Parameters().add(before.accounted.next().value).add(std::int64_t{0}))});
  }
  // A later one they do not begin: a server that saw them has given out cursors to them in the epoch that was going on.
  if (before.epochs == 0) {
    calls.push_back({Sql::insert_epoch, std::move(Parameters().add(std::int64_t{draw_epoch()}).add(std::int64_t{0}))});
    before.epochs = 1;
  }
  calls.push_back({Sql::adopt_store, std::move(Parameters().add(before.head.value))});
  const std::vector<Rows> rows = TRY(connection.run(calls));
  before.last_time = rows.back().time(0, 0);
  before.node_id = 0;
  before.accounted = Position(static_cast<std::uint64_t>(rows.back().integer(0, 1)));
  return {};
}

}  // namespace annals::store
