#include "projection/table_feed.hpp"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "base/guarded.hpp"
#include "base/wording.hpp"

namespace annals::projection {

using model::Consistency;

namespace {

/// In memory they are not to take what files may.
constexpr std::uint64_t snapshot_bytes_in_memory = 16u << 20;

std::unique_ptr<Snapshots> make_snapshots(const model::Model& model, std::string path, platform::Platform platform,
                                          platform::Executor& executor) {
  if (model.snapshot_every == 0) return nullptr;
  SnapshotLimits limits;
  if (path.empty()) limits.file_bytes_max = snapshot_bytes_in_memory;
  return std::make_unique<Snapshots>(model, std::move(path), platform, executor, limits);
}

std::unique_ptr<TextMemory> make_memory(const model::Model& model, std::string path, platform::Platform platform) {
  if (model.memory_max == 0) return nullptr;
  INVARIANT(!path.empty(), "what is to leave the memory has somewhere to go");
  return std::make_unique<TextMemory>(model.name, model.memory_max, std::move(path), platform);
}

TableFailure failure_of(const ReadTable::TakenTwice& twice) {
  const std::string found =
      counted(twice.number, "value") +
      std::string(for_number(twice.number, " that is to be unique and is not", " that are to be unique and are not"));
  std::string examples;
  for (const std::string& one : twice.examples) examples += (examples.empty() ? ": " : "; ") + one;
  if (twice.number > twice.examples.size()) examples += "; ...";
  return {{}, {}, {}, Error(ErrorKind::corrupt, "not_unique", found + examples, {{"", "not_unique", found}})};
}

}  // namespace

// `apply_mutex_` makes runner and writer one applier. The table goes live while the runner holds it and the store has
// nothing further to show: whatever becomes visible after that look is handed to apply_live by the writer, which waits
// for the mutex; whatever the runner has already taken in, the table passes over by its position. So no event is missed
// and none is applied twice.
class TableFeed::Feeder final : public Subscriber {
 public:
  Feeder(ReadTable& table, StateKeeper* keeper, const model::Model& model, EventStore& store, Logger& log)
      : table_(table),
        keeper_(keeper),
        model_(model),
        consistency_(model.consistency),
        store_(store),
        log_(log),
        name_("table " + model.name) {}

  [[nodiscard]] std::string_view name() const override { return name_; }

  // Live tables are in memory and show what replies have told of; the others show only what survives the loss of power.
  [[nodiscard]] Horizon horizon() const override {
    return consistency_ == Consistency::live ? Horizon::visible : Horizon::flushed;
  }

  [[nodiscard]] bool restore() {
    const std::lock_guard lock(apply_mutex_);
    StateKeeper* keeper = std::exchange(keeper_, nullptr);
    return keeper != nullptr && keeper->load(Backing::remembered);
  }

  [[nodiscard]] Result<Position> resume() override {
    const std::lock_guard lock(apply_mutex_);
    if (StateKeeper* keeper = std::exchange(keeper_, nullptr)) keeper->load();
    return table_.applied();
  }

  [[nodiscard]] Result<> handle(const EventPage& page) override {
    const std::lock_guard lock(apply_mutex_);
    return noted(stages() ? table_.stage(page.events()) : table_.apply(page.events()), page.events());
  }

  [[nodiscard]] Result<> pass_over(Position position) override {
    const std::lock_guard lock(apply_mutex_);
    if (stages()) {
      table_.stage_pass_over(position);
    } else {
      table_.pass_over(position);
    }
    return {};
  }

  [[nodiscard]] Result<> caught_up() override {
    const std::lock_guard lock(apply_mutex_);
    if (stages()) TRY(noted(table_.publish(), {}));
    filled_ = true;
    if (consistency_ == Consistency::live && !live_) {
      TRY(read_on());
      live_ = true;
    }
    look_for_values_taken_twice();
    return {};
  }

  /// An error when the table fell out of live by this call.
  [[nodiscard]] Result<> apply_live(std::span<const EventView> events, std::span<const model::Record> left) {
    const std::lock_guard lock(apply_mutex_);
    if (!live_ || events.empty()) return {};
    auto applied = is_next(events) ? noted(table_.apply(events, left), events) : read_on();
    if (!applied) live_ = false;
    if (applied) look_for_values_taken_twice();
    return applied;
  }

  // A live table has every event up to the last position that the writer has looked at: what was handed over before it
  // went live was visible when it did.
  void pass_over_live(Position position) {
    const std::lock_guard lock(apply_mutex_);
    if (!live_) return;
    table_.pass_over(position);
    look_for_values_taken_twice();
  }

  [[nodiscard]] bool is_live() const { return live_; }
  [[nodiscard]] bool is_failing() const { return failing_; }
  [[nodiscard]] std::optional<TableFailure> failure() const { return *failure_.lock(); }

 private:
  /// What came of giving the table these events. Who waits for what the table may now lack is woken, to be told so.
  [[nodiscard]] Result<> noted(Result<> taken, std::span<const EventView> events) {
    if (taken) return taken;
    const auto met = std::ranges::find_if(events, [this](const EventView& event) {
      return event.position > table_.applied() && model_.owns_stream(event.stream);
    });
    *failure_.lock() = met == events.end()
                           ? TableFailure{{}, {}, {}, taken.error()}
                           : TableFailure{met->position, met->version, std::string(met->type), taken.error()};
    fails();
    return taken;
  }

  void fails() {
    if (failing_.exchange(true)) return;
    table_.watch().wake_all();
    table_.progress().wake_all();
  }

  /// Of a table that has taken in all it was given. Where it has what is to be unique twice, that may be for a moment:
  /// the events of a group come one after another. So nothing is said before the end of what the store shows.
  void look_for_values_taken_twice() {
    const ReadTable::TakenTwice twice = table_.taken_twice();
    if (twice.number == 0) {
      if (!failing_) return;
      if (std::exchange(taken_twice_, false))
        log_.info("The records of a model have no unique value twice any more", {{"model", model_.name}});
      failing_ = false;
      failure_.lock()->reset();
      return;
    }
    if (table_.applied() < store_.status().visible) return;
    TableFailure failure = failure_of(twice);
    if (!std::exchange(taken_twice_, true)) {
      log_.error("Records of a model have values that are to be unique; the model is neither told nor written",
                 {{"model", model_.name}, {"error", std::string_view(failure.error.message)}});
    }
    *failure_.lock() = std::move(failure);
    fails();
  }

  /// Nobody reads a table that is being filled for the first time.
  [[nodiscard]] bool stages() const { return consistency_ == Consistency::restart || !filled_; }

  /// True when nothing lies between the table and these events, nor among them: what does was recorded by others.
  [[nodiscard]] bool is_next(std::span<const EventView> events) const {
    return events.front().position <= table_.applied().next() &&
           events.back().position == events.front().position.plus(events.size() - 1);
  }

  [[nodiscard]] Result<> read_on() {
    while (true) {
      const Position after = table_.applied();
      const EventPage page = TRY(store_.read_all(after, Horizon::visible, PageLimit{}));
      const Position next = page.next_after(after);
      if (next == after) return {};
      TRY(noted(table_.apply(page.events()), page.events()));
      table_.pass_over(next);
    }
  }

  ReadTable& table_;
  StateKeeper* keeper_;  // until its file has been read
  const model::Model& model_;
  const Consistency consistency_;
  EventStore& store_;
  Logger& log_;
  const std::string name_;
  mutable std::mutex apply_mutex_;
  bool filled_ = false;
  bool taken_twice_ = false;           // the table fails because records have what is to be unique twice
  std::atomic<bool> live_ = false;     // changed under apply_mutex_; the writer asks several times for each command
  std::atomic<bool> failing_ = false;  // likewise; whoever reads the table asks
  Guarded<std::optional<TableFailure>> failure_;  // is there before `failing_` says so
};

TableFeed::TableFeed(const model::Model& model, EventStore& store, platform::Platform platform,
                     platform::Executor& executor, std::string checkpoint_path, std::string snapshots_path,
                     std::string rows_path)
    : model_(model),
      platform_(platform),
      snapshots_(make_snapshots(model, std::move(snapshots_path), platform, executor)),
      memory_(make_memory(model, std::move(rows_path), platform)),
      table_(model, memory_.get()),
      state_(table_, model),
      keeper_(checkpoint_path.empty()
                  ? nullptr
                  : std::make_unique<StateKeeper>(state_, std::move(checkpoint_path), store, platform)),
      feeder_(std::make_unique<Feeder>(table_, keeper_.get(), model, store, platform.log)),
      runner_(std::make_unique<Runner>(
          *feeder_, store, model.consistency == Consistency::eventual ? Runner::Mode::follow : Runner::Mode::on_demand,
          platform, executor)) {
  if (!snapshots_) return;
  table_.set_on_due_row([this](const EventView& event, const model::Record& record) {
    snapshots_->offer(key_of(event.stream), {record, event.position, event.id});
  });
}

TableFeed::~TableFeed() {
  stop();
}

bool TableFeed::restore() {
  return feeder_->restore();
}

void TableFeed::start(std::move_only_function<void()> ready) {
  if (snapshots_) snapshots_->start();
  runner_->catch_up(std::move(ready));
  if (model_.consistency == Consistency::restart && model_.refresh_every.count() > 0)
    runner_->wake_every(model_.refresh_every);
}

void TableFeed::refresh(std::move_only_function<void()> done) {
  runner_->catch_up(std::move(done));
}

void TableFeed::apply_live(std::span<const EventView> events, std::span<const model::Record> left) {
  if (model_.consistency != Consistency::live) return;
  if (auto applied = feeder_->apply_live(events, left); !applied) {
    platform_.log.error("A live read table failed and catches up from the store",
                        {{"model", model_.name}, {"error", applied.error().message}});
    runner_->wake();
  }
}

void TableFeed::pass_over_live(Position position) {
  if (model_.consistency == Consistency::live) feeder_->pass_over_live(position);
}

bool TableFeed::is_live() const {
  return feeder_->is_live();
}

Result<> TableFeed::check() const {
  if (!feeder_->is_failing()) return {};
  return fail(ErrorKind::unavailable, "table_failing",
              "the server does not know what holds of the records of model " + model_.name +
                  " now: it met an event of them that it cannot take in, or a unique value that several of them have, "
                  "which /health names; it tries again by itself, and where its declaration does not take what it met, "
                  "it has to be started again with one that does (`annals plan` tells more)");
}

std::optional<TableFailure> TableFeed::failure() const {
  return feeder_->failure();
}

void TableFeed::stop() {
  runner_->stop();
  if (snapshots_) snapshots_->stop();
}

RunnerStatus TableFeed::status() const {
  return runner_->status();
}

}  // namespace annals::projection
