#include "store/embedded/embedded_store.hpp"

#include <algorithm>
#include <utility>

#include "store/clock_alarm.hpp"
#include "store/embedded/event_codec.hpp"

namespace annals::store {
namespace {

std::optional<KnownVersion> known_of(const StreamAppend& append) {
  if (!append.known_at || append.expected.rule() != ExpectedVersion::Rule::exact) return std::nullopt;
  return KnownVersion{append.expected.version(), *append.known_at};
}

}  // namespace

/// The link between the store and tasks on the executor: cut when the store closes.
struct EmbeddedStore::Timer {
  std::mutex mutex;
  EmbeddedStore* store = nullptr;
};

EmbeddedStore::EmbeddedStore(EmbeddedOptions options, platform::Platform platform, platform::Executor* background,
                             std::unique_ptr<log::Log> log, ReadSegment last_read)
    : options_(std::move(options)),
      platform_(platform),
      background_(background),
      log_(std::move(log)),
      damage_(platform.log),
      sealed_(std::make_unique<SealedStreams>(platform, background, *log_, options_.directory, damage_)),
      timer_(std::make_shared<Timer>()) {
  timer_->store = this;
  const auto view = view_.lock();
  view->segment = log_->segments() - 1;
  if (last_read.number == view->segment) {
    view->open = std::move(last_read.streams);
  } else if (last_read.number) {
    sealed_->add(*last_read.number, std::move(last_read.streams));
  }
  view->visible = view->flushed = log_->last();
}

EmbeddedStore::~EmbeddedStore() {
  const std::lock_guard lock(timer_->mutex);
  timer_->store = nullptr;
}

void EmbeddedStore::append(std::span<const Group> groups, AppendDone done) {
  if (background_) return done(queue_.run(groups));
  done({groups.size(), fail(ErrorKind::unavailable, "the store " + options_.directory + " was opened to read only")});
}

void EmbeddedStore::append_together(const Calls& calls) {
  Position flushed;
  {
    const std::lock_guard writing(writer_mutex_);
    alarm_when_clock_is_behind();
    log::Batch& batch = log_->start_batch();
    Pending pending;
    bool durable = false;
    for (AppendQueue::Call* call : calls) {
      call->results.reserve(call->groups.size());
      pending.reserve(pending.size() + call->groups.size());
      const Position before = batch.last();
      RefusedStreams refused;
      for (const Group& group : call->groups) {
        call->results.push_back(stage(group, before, batch, pending, refused));
        if (!call->results.back()) {
          refused.add(group);
        } else {
          durable = durable || durability_of(group.durability) == Durability::local;
        }
      }
    }
    // One flush makes durable all that was written before it, so whoever asks for it gets it with all that his events
    // may rest on.
    if (auto committed = log_->commit(batch, durable); !committed) {
      // Conflicts too were decided on what is now uncertain. What is invalid stays so.
      for (AppendQueue::Call* call : calls) {
        for (AppendResult& result : call->results) {
          if (result || result.error().kind == ErrorKind::conflict) result = std::unexpected(committed.error());
        }
      }
      return;
    }
    publish(calls, batch);
    flushed = view_.lock()->flushed;
    if (flushed < log_->last()) schedule_flush();
  }
  watches_.tell(flushed);
}

Result<> EmbeddedStore::restore(std::span<const EventView> events) {
  if (!background_) return fail(ErrorKind::unavailable, "the store " + options_.directory + " was opened to read only");
  std::vector<Group> groups;
  for (const EventView& event : events) groups.push_back(group_of(event));
  AppendQueue::Call call{.groups = groups, .results = {}};
  Result<> refused;
  Position flushed;
  {
    const std::lock_guard writing(writer_mutex_);
    log::Batch& batch = log_->start_batch();
    Pending pending;
    for (std::size_t at = 0; at < events.size() && refused; ++at) {
      call.results.push_back(stage_restored(events[at], groups[at], batch, pending));
      if (!call.results.back()) refused = std::unexpected(call.results.back().error());
    }
    call.groups = call.groups.first(call.results.size());
    TRY(log_->commit(batch));
    TRY(log_->flush());
    publish({&call}, batch);
    flushed = log_->flushed();
  }
  watches_.tell(flushed);
  return refused;
}

AppendResult EmbeddedStore::stage_restored(const EventView& event, const Group& group, log::Batch& batch,
                                           Pending& pending) {
  if (log_->failure()) return fail(ErrorKind::unavailable, *log_->failure());
  const std::optional<Instant> last_time = batch.last().value == 0 ? std::nullopt : std::optional(batch.last_time());
  const StreamVersion version = TRY(version_of(event.stream, pending));
  TRY(check_next(event, batch.last(), version, last_time));
  TRY(check_group(group));
  batch.begin_group(event.created_at);
  encode_event(batch.begin_record(event.node_id), event.stream, event.version, group.appends.front().events.front());
  batch.end_record();
  const log::Batch::Stamp stamp = TRY(batch.end_group());
  pending[group.appends.front().stream] = event.version;
  return Appended{stamp.first, stamp.last, stamp.created_at, {event.version}};
}

Result<> EmbeddedStore::admits(const Group& group) const {
  TRY(check_group(group));
  std::size_t records = 0;
  std::size_t body_bytes = 0;
  for (const StreamAppend& append : group.appends) {
    for (const NewEvent& event : append.events) {
      ++records;
      body_bytes +=
          event_header_bytes + append.stream.size() + event.type.size() + event.data.size() + event.metadata.size();
    }
  }
  return log_->check_size(records, body_bytes);
}

AppendResult EmbeddedStore::stage(const Group& group, Position before, log::Batch& batch, Pending& pending,
                                  const RefusedStreams& refused) {
  if (log_->failure()) return fail(ErrorKind::unavailable, *log_->failure());
  TRY(check_group(group));
  TRY(refused.check(group));
  Appended appended;
  appended.versions = TRY(check_conditions(group, before, pending));
  Instant now = platform_.clock.now();
  {
    const std::lock_guard lock(settled_mutex_);
    now = std::max(now, settled_ == Instant{INT64_MIN} ? settled_ : settled_.plus(Duration{1}));
  }
  batch.begin_group(now);
  auto version = appended.versions.begin();
  for (const StreamAppend& append : group.appends) {
    for (const NewEvent& event : append.events) {
      *version = version->next();
      encode_event(batch.begin_record(), append.stream, *version, event);
      batch.end_record();
    }
    ++version;
  }
  const log::Batch::Stamp stamp = TRY(batch.end_group());
  for (std::size_t at = 0; at < group.appends.size(); ++at) pending[group.appends[at].stream] = appended.versions[at];
  appended.first = stamp.first;
  appended.last = stamp.last;
  appended.created_at = stamp.created_at;
  return appended;
}

Result<std::vector<StreamVersion>> EmbeddedStore::check_conditions(const Group& group, Position before,
                                                                   const Pending& pending) const {
  if (group.nothing_after && before > *group.nothing_after) {
    return fail(ErrorKind::conflict, "version_conflict",
                "the store is at position " + to_string(before) + ", and nothing was to be recorded after " +
                    to_string(*group.nothing_after));
  }
  std::vector<StreamVersion> versions;
  versions.reserve(group.appends.size());
  for (const StreamAppend& append : group.appends) {
    const StreamVersion version = versions.emplace_back(TRY(version_of(append.stream, pending, known_of(append))));
    if (append.expected.admits(version)) continue;
    return fail(ErrorKind::conflict, "version_conflict",
                "stream " + append.stream + " is at version " + to_string(version) + ", and the append expects " +
                    append.expected.to_text());
  }
  return versions;
}

Result<StreamVersion> EmbeddedStore::version_of(std::string_view stream, const Pending& pending,
                                                std::optional<KnownVersion> known) const {
  if (const auto found = pending.find(stream); found != pending.end()) return found->second;
  auto version = damage_.noted(newest_version(stream, known));
  if (!version && version.error().code != SealedStreams::index_missing) {
    return fail(ErrorKind::unavailable, "the version of the stream cannot be found out: " + version.error().message);
  }
  return version;
}

void EmbeddedStore::publish(const Calls& calls, const log::Batch& batch) {
  const auto view = view_.lock();
  auto staged = batch.groups().begin();
  for (const AppendQueue::Call* call : calls) {
    for (std::size_t at = 0; at < call->groups.size(); ++at) {
      if (!call->results[at]) continue;
      while (view->segment < staged->place.segment) {
        sealed_->add(view->segment++, std::exchange(view->open, {}));
      }
      std::size_t number = 0;
      std::size_t stream = 0;
      for (const StreamAppend& append : call->groups[at].appends) {
        StreamVersion version{call->results[at]->versions[stream++].value - append.events.size()};
        for (std::size_t event = 0; event < append.events.size(); ++event) {
          version = version.next();
          const bool follows = view->open.add(append.stream, version, Address(staged->place, number++));
          INVARIANT(follows, "versions are given without a gap");
        }
      }
      ++staged;
    }
  }
  INVARIANT(staged == batch.groups().end(), "every group that was committed belongs to a call");
  view->visible = log_->last();
  view->flushed = log_->flushed();
}

void EmbeddedStore::alarm_when_clock_is_behind() {
  const Instant now = platform_.clock.now();
  if (now.plus(clock_behind_tolerated) >= log_->last_time()) return;
  const Duration moment = platform_.clock.monotonic();
  if (alarmed_at_ && moment - *alarmed_at_ < clock_alarm_interval) return;
  alarmed_at_ = moment;
  platform_.log.warning("the clock runs behind the log; events are stamped after the last one until it has caught up",
                        {{"clock", now.to_text()}, {"log", log_->last_time().to_text()}});
}

void EmbeddedStore::schedule_flush() {
  if (flush_scheduled_ || log_->failure()) return;
  flush_scheduled_ = true;
  const Duration interval = options_.sync == Sync::memory ? std::chrono::seconds{1} : options_.sync_interval;
  background_->post_after(interval, [timer = timer_] {
    const std::lock_guard lock(timer->mutex);
    if (timer->store) (void)timer->store->flush_now();  // the status tells of a failure
  });
}

Result<> EmbeddedStore::flush_now() {
  Position flushed;
  {
    const std::lock_guard writing(writer_mutex_);
    flush_scheduled_ = false;
    TRY(log_->flush());
    flushed = log_->flushed();
    view_.lock()->flushed = flushed;
  }
  watches_.tell(flushed);
  return {};
}

Result<StreamVersion> EmbeddedStore::newest_version(std::string_view stream, std::optional<KnownVersion> known) const {
  return TRY(look_up(stream, NewestVersion{.log = *log_, .known = known})).version;
}

Result<> EmbeddedStore::settle(Instant time) {
  if (time > platform_.clock.now()) return {};
  const std::lock_guard lock(settled_mutex_);
  settled_ = std::max(settled_, time);
  return {};
}

Cursor EmbeddedStore::cursor(Position position) const {
  // That in which the position was recorded, so that a cursor outlives a server that records nothing, and does not
  // outlive what it points to: a copy of the log that is put back goes on in an epoch of its own.
  const auto& epochs = log_->summary().epochs;
  for (auto epoch = epochs.rbegin(); epoch != epochs.rend(); ++epoch) {
    if (epoch->before < position) return {epoch->number, position};
  }
  return {};
}

Result<Position> EmbeddedStore::resolve(const Cursor& cursor) const {
  if (cursor.is_start()) return Position{};
  const auto& epochs = log_->summary().epochs;
  for (std::size_t at = 0; at < epochs.size(); ++at) {
    if (epochs[at].number != cursor.epoch) continue;
    if (at + 1 == epochs.size() || cursor.position <= epochs[at + 1].before) return cursor.position;
    return fail(ErrorKind::gone, "cursor_gone",
                "the cursor points to position " + to_string(cursor.position) +
                    " of a tail that was lost in an unclean stop after position " + to_string(epochs[at + 1].before) +
                    "; read again from there or from the start");
  }
  return fail(ErrorKind::gone, "cursor_gone", "the cursor comes from another store; read again from the start");
}

StoreStatus EmbeddedStore::status() const {
  StoreStatus status;
  {
    const auto view = view_.lock();
    status.visible = view->visible;
    status.flushed = view->flushed;
  }
  if (!background_) {
    status.writable = false;
    status.reason = "the store was opened to read only";
  } else if (auto why = log_->failure()) {
    status.writable = false;
    status.reason = *std::move(why);
  }
  status.has_room = !log_->is_short_of_room();
  status.damaged_reads = damage_.count();
  const log::FlushReport report = log_->flush_report();
  status.last_flush_ok = report.ok;
  status.last_flush_duration = report.duration;
  return status;
}

StoreMetrics EmbeddedStore::metrics() const {
  const log::IndexBytes of_log = log_->index_bytes();
  const log::IndexBytes sealed = sealed_->bytes();
  const std::uint64_t open = view_.lock()->open.bytes();
  return {.flush_durations = log_->flush_durations(),
          .log_bytes = log_->bytes(),
          .segments = log_->segments(),
          .segments_unindexed = std::max(log_->missing_indexes(), sealed_->sizes().missing),
          .index_bytes = of_log.on_disk + sealed.on_disk,
          .index_memory_bytes = of_log.in_memory + sealed.in_memory + open};
}

Result<> EmbeddedStore::close() {
  {
    const std::lock_guard lock(timer_->mutex);
    timer_->store = nullptr;  // no further flush of the background's
  }
  const std::lock_guard writing(writer_mutex_);
  return log_->close();
}

Durability EmbeddedStore::durability_of(AskedDurability asked) const {
  if (asked == AskedDurability::local) return Durability::local;
  if (asked == AskedDurability::memory && options_.sync == Sync::group) return Durability::memory;
  switch (options_.sync) {
    case Sync::group: return Durability::local;
    case Sync::periodic: return Durability::periodic;
    case Sync::memory: return Durability::memory;
  }
  return Durability::memory;
}

std::unique_ptr<Watch> EmbeddedStore::watch(std::function<void(Position flushed)> progress) {
  auto watch = watches_.add(std::move(progress), view_.lock()->flushed);
  watches_.tell(view_.lock()->flushed);  // what was flushed between those two
  return watch;
}

}  // namespace annals::store
