#pragma once
// For tests: a simulated world, events to put into it, and a store that can be told to wait or to fail.
// Confined to the test's thread, but for ControlledStore, which is as thread-safe as the store that it wraps.

#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "event/event_store.hpp"
#include "model/model.hpp"
#include "platform/simulated.hpp"
#include "store/memory_store.hpp"

namespace annals::projection {

struct TestWorld {
  explicit TestWorld(std::uint64_t seed = 1) : random(seed) {}

  [[nodiscard]] platform::Platform platform() { return {clock, random, files, log}; }
  /// How many records of the log hold `part`.
  [[nodiscard]] std::size_t logged(std::string_view part) const {
    std::size_t count = 0;
    for (const std::string& line : log.lines()) count += line.find(part) != std::string::npos ? 1 : 0;
    return count;
  }

  platform::SimulatedClock clock;
  platform::SimulatedRandom random;
  platform::SimulatedFileSystem files;
  platform::CollectingLogger log;
  platform::SteppedExecutor executor{clock};
};

[[nodiscard]] inline NewEvent set_event(std::string_view value, std::string_view type = "ConfigValueSet") {
  NewEvent event;
  event.type = type;
  event.data = "{\"config_name\":\"k\",\"value\":\"" + std::string(value) + "\",\"old_value\":null}";
  event.metadata = "{\"actor\":\"anonymous\"}";
  return event;
}

[[nodiscard]] inline NewEvent deleted_event() {
  NewEvent event = set_event("");
  event.type = "ConfigValueDeleted";
  event.data = "{\"config_name\":\"k\",\"old_value\":null,\"deleted_value\":null}";
  return event;
}

/// Records one event as somebody else would, behind the back of whoever is under test.
inline Appended record(EventStore& store, const std::string& stream, NewEvent event) {
  std::vector<Group> groups(1);
  groups[0].appends.push_back({stream, ExpectedVersion::any(), {}});
  groups[0].appends[0].events.push_back(std::move(event));
  std::optional<AppendResult> result;
  store.append(groups, [&](std::vector<AppendResult> results) { result = std::move(results.front()); });
  if (!result || !*result) std::abort();
  return **result;
}

/// A store that passes everything on, unless told otherwise.
class ControlledStore : public EventStore {
 public:
  explicit ControlledStore(platform::Platform platform) : inner_(store::make_memory_store(platform)) {}

  /// Answers the next append's groups with these, in turn; nullopt records the group. What the list does not reach is
  /// recorded.
  void answer_next(std::vector<std::optional<Error>> answers) {
    const std::lock_guard lock(mutex_);
    answers_ = std::move(answers);
  }
  /// From now on appends wait for `release`, on whichever thread that is called.
  void hold(bool on) {
    const std::lock_guard lock(mutex_);
    holding_ = on;
  }
  [[nodiscard]] std::size_t held() const {
    const std::lock_guard lock(mutex_);
    return held_.size();
  }
  void release() {
    Held first;
    {
      const std::lock_guard lock(mutex_);
      if (held_.empty()) std::abort();
      first = std::move(held_.front());
      held_.pop_front();
    }
    record_groups(first.groups, std::move(first.done));
  }
  /// Runs once, just before the next append is recorded: somebody else's write that comes first.
  void before_next_append(std::function<void(EventStore&)> action) {
    const std::lock_guard lock(mutex_);
    before_ = std::move(action);
  }
  /// From now on the store passes for one that others append to as well.
  void share() {
    const std::lock_guard lock(mutex_);
    shared_ = true;
  }
  /// Runs before every append, unless others are held off.
  void before_each_append(std::function<void(EventStore&)> action) {
    const std::lock_guard lock(mutex_);
    before_each_ = std::move(action);
  }
  /// Runs once, when the store is next asked for what is newest.
  void before_newest(std::function<void(EventStore&)> action) {
    const std::lock_guard lock(mutex_);
    before_newest_ = std::move(action);
  }
  /// Runs once, when the store is next asked whether it knows a cursor.
  void before_knows(std::function<void()> action) {
    const std::lock_guard lock(mutex_);
    before_knows_ = std::move(action);
  }
  void fail_newest(std::optional<Error> error) {
    const std::lock_guard lock(mutex_);
    newest_error_ = std::move(error);
  }
  void fail_settle(std::optional<Error> error) {
    const std::lock_guard lock(mutex_);
    settle_error_ = std::move(error);
  }
  [[nodiscard]] std::size_t asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  [[nodiscard]] std::size_t holds() const {
    const std::lock_guard lock(mutex_);
    return holds_;
  }
  /// Takes the event at a position away for good, as a hard delete in a database does that others write to.
  void remove(Position position) {
    const std::lock_guard lock(mutex_);
    removed_.insert(position);
  }
  void fail_reads(std::optional<Error> error) {
    const std::lock_guard lock(mutex_);
    read_error_ = std::move(error);
  }
  /// Runs before every read of a stream: what such a read costs.
  void before_each_stream_read(std::function<void()> action) {
    const std::lock_guard lock(mutex_);
    before_stream_read_ = std::move(action);
  }
  /// Runs before every question that a store on another machine would pass on to it.
  void before_each_read(std::function<void()> action) {
    const std::lock_guard lock(mutex_);
    before_read_ = std::move(action);
  }
  /// From now on reads may wait for another machine, and which cursors it has given is known there alone.
  void set_remote(std::size_t reads_max) {
    const std::lock_guard lock(mutex_);
    remote_reads_max_ = reads_max;
  }
  void set_writable(bool on) {
    const std::lock_guard lock(mutex_);
    writable_ = on;
  }
  /// From now on the store is one that was opened while it could not be reached; with nullopt it comes back.
  void set_away(std::optional<std::string> why) {
    const std::lock_guard lock(mutex_);
    away_ = why.value_or("");
    writable_ = !why;
    read_error_ = why ? std::optional(Error(ErrorKind::unavailable, "database_away", *why)) : std::nullopt;
  }
  /// From now on the store, heard from before, says that it cannot be asked, and cannot; with nullopt it can be again.
  void set_unreachable(std::optional<std::string> why) {
    const std::lock_guard lock(mutex_);
    unreachable_ = why.value_or("");
    writable_ = !why;
    read_error_ = why ? std::optional(Error(ErrorKind::unavailable, "database_away", *why)) : std::nullopt;
  }
  void set_damaged_reads(std::uint64_t count) {
    const std::lock_guard lock(mutex_);
    damaged_reads_ = count;
  }
  void set_flushed(std::optional<Position> flushed) {
    const std::lock_guard lock(mutex_);
    flushed_ = flushed;
  }
  /// The number of groups of each append so far.
  [[nodiscard]] std::vector<std::size_t> appends() const {
    const std::lock_guard lock(mutex_);
    return appends_;
  }
  [[nodiscard]] std::size_t stream_reads() const {
    const std::lock_guard lock(mutex_);
    return stream_reads_;
  }
  [[nodiscard]] std::vector<Position> read_from() const {
    const std::lock_guard lock(mutex_);
    return read_from_;
  }
  /// The store beneath, which nothing holds up.
  [[nodiscard]] EventStore& inner() { return *inner_; }

  void append(std::span<const Group> groups, AppendDone done) override {
    {
      const std::lock_guard lock(mutex_);
      appends_.push_back(groups.size());
      if (holding_) {
        held_.push_back({groups, std::move(done)});
        return;
      }
    }
    record_groups(groups, std::move(done));
  }
  [[nodiscard]] Result<> restore(std::span<const EventView> events) override { return inner_->restore(events); }
  [[nodiscard]] Result<EventPage> read_stream(std::string_view stream, StreamVersion from, Direction direction,
                                              PageLimit limit) const override {
    tell_of_read();
    {
      const std::lock_guard lock(mutex_);
      ++stream_reads_;
      if (read_error_) return std::unexpected(*read_error_);
      if (before_stream_read_) before_stream_read_();
    }
    return left_of(TRY(inner_->read_stream(stream, from, direction, limit)), {});
  }
  [[nodiscard]] Result<EventPage> read_all(Position after, Horizon horizon, PageLimit limit) const override {
    tell_of_read();
    {
      const std::lock_guard lock(mutex_);
      read_from_.push_back(after);
      if (read_error_) return std::unexpected(*read_error_);
    }
    const StoreStatus before = inner_->status();
    const Position end = horizon == Horizon::visible ? before.visible : before.flushed;
    for (Position from = after;;) {
      EventPage page = TRY(inner_->read_all(from, horizon, limit));
      EventPage left = left_of(page, page.more() ? page.next_after(from) : end);
      if (!left.events().empty() || !page.more()) return left;
      from = page.next_after(from);
    }
  }
  [[nodiscard]] Result<StreamVersion> stream_version(std::string_view stream) const override {
    tell_of_read();
    {
      const std::lock_guard lock(mutex_);
      if (read_error_) return std::unexpected(*read_error_);
    }
    return inner_->stream_version(stream);
  }
  [[nodiscard]] Result<StreamVersion> version_at(std::string_view stream, Instant time) const override {
    tell_of_read();
    return inner_->version_at(stream, time);
  }
  [[nodiscard]] Result<Position> position_at(Instant time) const override {
    tell_of_read();
    return inner_->position_at(time);
  }
  [[nodiscard]] Result<> settle(Instant time) override {
    {
      const std::lock_guard lock(mutex_);
      if (settle_error_) return std::unexpected(*settle_error_);
    }
    return inner_->settle(time);
  }
  [[nodiscard]] bool shared() const override {
    const std::lock_guard lock(mutex_);
    return shared_;
  }
  [[nodiscard]] Result<Position> newest() override {
    std::function<void(EventStore&)> before;
    {
      const std::lock_guard lock(mutex_);
      ++asked_;
      if (newest_error_) return std::unexpected(*newest_error_);
      if (!holding_off_) before = std::exchange(before_newest_, {});
    }
    if (before) before(*inner_);
    return inner_->newest();
  }
  [[nodiscard]] Result<std::unique_ptr<Hold>> hold_others_off() override {
    const std::lock_guard lock(mutex_);
    ++holds_;
    holding_off_ = true;
    return std::make_unique<HoldEntry>(*this);
  }
  [[nodiscard]] Cursor cursor(Position position) const override { return inner_->cursor(position); }
  [[nodiscard]] Result<Position> resolve(const Cursor& cursor) const override {
    if (!knows(cursor)) tell_of_read();
    return inner_->resolve(cursor);
  }
  [[nodiscard]] bool knows(const Cursor& cursor) const override {
    std::function<void()> before;
    {
      const std::lock_guard lock(mutex_);
      before.swap(before_knows_);
    }
    if (before) before();
    return remote_reads_max() == 0 || cursor.is_start() || cursor.epoch == inner_->cursor(Position{1}).epoch;
  }
  [[nodiscard]] std::size_t remote_reads_max() const override {
    const std::lock_guard lock(mutex_);
    return remote_reads_max_;
  }
  [[nodiscard]] StoreStatus status() const override {
    StoreStatus status = inner_->status();
    const std::lock_guard lock(mutex_);
    status.writable = writable_;
    if (!writable_) status.last_flush_ok = false;
    if (flushed_) status.flushed = *flushed_;
    status.damaged_reads = damaged_reads_;
    status.away = away_;
    status.unreachable = unreachable_;
    return status;
  }
  [[nodiscard]] Result<> flush() override {
    const std::lock_guard lock(mutex_);
    if (!writable_) return fail(ErrorKind::unavailable, "the store cannot flush any more");
    flushed_.reset();
    return inner_->flush();
  }
  [[nodiscard]] Durability durability() const override { return inner_->durability(); }
  [[nodiscard]] std::unique_ptr<Watch> watch(std::function<void(Position flushed)> progress) override {
    return inner_->watch(std::move(progress));
  }

 private:
  /// What of a page has not been taken away. A page of which nothing has is handed on as it is.
  [[nodiscard]] EventPage left_of(const EventPage& page, Position read_to) const {
    const std::lock_guard lock(mutex_);
    if (removed_.empty()) return page;
    std::vector<EventView> events = page.events();
    std::erase_if(events, [&](const EventView& event) { return removed_.contains(event.position); });
    return EventPage(std::move(events), std::make_shared<const EventPage>(page), page.more(), read_to);
  }

  struct Held {
    std::span<const Group> groups;
    AppendDone done;
  };

  class HoldEntry final : public Hold {
   public:
    explicit HoldEntry(ControlledStore& store) : store_(store) {}
    ~HoldEntry() override {
      const std::lock_guard lock(store_.mutex_);
      store_.holding_off_ = false;
    }

   private:
    ControlledStore& store_;
  };

  void tell_of_read() const {
    std::function<void()> before;
    {
      const std::lock_guard lock(mutex_);
      before = before_read_;
    }
    if (before) before();
  }

  void record_groups(std::span<const Group> groups, AppendDone done) {
    std::vector<std::optional<Error>> answers;
    std::function<void(EventStore&)> before;
    std::function<void(EventStore&)> before_each;
    {
      const std::lock_guard lock(mutex_);
      answers = std::exchange(answers_, {});
      before = std::exchange(before_, {});
      if (!holding_off_) before_each = before_each_;
    }
    if (before) before(*inner_);
    if (before_each) before_each(*inner_);
    if (answers.empty()) {
      inner_->append(groups, std::move(done));
      return;
    }
    answers.resize(groups.size());
    std::vector<AppendResult> all;
    for (std::size_t place = 0; place < groups.size(); ++place) {
      if (answers[place]) {
        all.push_back(std::unexpected(*answers[place]));
        continue;
      }
      inner_->append(groups.subspan(place, 1),
                     [&](std::vector<AppendResult> results) { all.push_back(std::move(results.front())); });
    }
    done(std::move(all));
  }

  std::unique_ptr<EventStore> inner_;
  mutable std::mutex mutex_;
  bool holding_ = false;
  bool writable_ = true;
  std::string away_;
  std::string unreachable_;
  std::uint64_t damaged_reads_ = 0;
  std::deque<Held> held_;
  std::vector<std::optional<Error>> answers_;
  std::function<void(EventStore&)> before_;
  bool shared_ = false;
  bool holding_off_ = false;
  std::function<void(EventStore&)> before_each_;
  std::function<void(EventStore&)> before_newest_;
  mutable std::function<void()> before_knows_;
  std::optional<Error> newest_error_;
  std::optional<Error> settle_error_;
  std::size_t asked_ = 0;
  std::size_t holds_ = 0;
  std::optional<Error> read_error_;
  std::set<Position> removed_;
  std::optional<Position> flushed_;
  std::vector<std::size_t> appends_;
  mutable std::vector<Position> read_from_;
  mutable std::size_t stream_reads_ = 0;
  std::function<void()> before_stream_read_;
  std::function<void()> before_read_;
  std::size_t remote_reads_max_ = 0;
};

}  // namespace annals::projection
