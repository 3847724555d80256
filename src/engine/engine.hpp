#pragma once
// Engine: the command path, the query path and health of one server, over one store. server/wiring makes it;
// http/routes asks it. Thread-safe.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/guarded.hpp"
#include "engine/checkpoints.hpp"
#include "engine/queries.hpp"
#include "engine/writer.hpp"
#include "event/event_store.hpp"
#include "model/model.hpp"
#include "platform/platform.hpp"
#include "projection/progress.hpp"
#include "projection/table_feed.hpp"

namespace annals::engine {

struct EngineOptions {
  WriterOptions writer;
  /// Where the checkpoints of tables and receipts are, and snapshots; empty: there are no checkpoints, and snapshots
  /// are kept in memory. The directory exists.
  std::string checkpoint_directory;
  CheckpointRule checkpoint_rule;
  /// Of each model what sets replies under its declaration apart from those under others that its events were shown by
  /// (see admit_declarations); empty: there are none.
  std::vector<std::string> declaration_marks;
  std::string server_name = "annals";
  /// Where the store is asked how it is when its reads may wait for another machine (EventStore::remote_reads_max), and
  /// nothing else is done; it ends before the engine does. Null: whoever asks waits.
  platform::Executor* probe = nullptr;
  /// How long such a question may take until the answer is that there was none.
  Duration probe_time = std::chrono::seconds(1);
};

/// What /health tells: "ok", "down" (it does not run) or "error" (it runs and fails).
struct Health {
  struct Check {
    std::string state = "ok";
    std::string detail;  ///< one sentence when it is not ok; names no files
  };
  Check eventstore;  ///< can it still write, and how did the last flush go
  Check projection;  ///< do the read tables and the other subscribers keep up
  Check database;    ///< can what is stored be read back
  [[nodiscard]] bool healthy() const {
    return eventstore.state == "ok" && projection.state == "ok" && database.state == "ok";
  }
};

/// How far a projection is, for metrics.
struct ProjectionStatus {
  std::string name;       ///< "table config", "audit"
  std::uint64_t lag = 0;  ///< events that are flushed and not taken in yet
  std::uint64_t failures = 0;
  bool failing = false;
};

class Engine {
 public:
  /// `store`, `background` and what `platform` names outlive the engine.
  Engine(std::vector<model::Model> models, EventStore& store, platform::Platform platform,
         platform::Executor& background, EngineOptions options);
  ~Engine();

  /// Begins to fill the tables and reads back receipts; `ready` is called, here or on `background`, once all of them
  /// are there. Where the store is away since it was opened, the tables are read back from their checkpoints, `ready`
  /// is called at once, and the rest comes by itself when the store is there. Call once.
  /// Errors: unavailable, when the store is away and a table has no checkpoint that will do.
  [[nodiscard]] Result<> start(std::function<void()> ready);

  /// Why requests had better go elsewhere, in words that name no files; nullopt when there is no reason: the tables
  /// have caught up and none fails, the store takes writes, and `set_draining` has not been called.
  [[nodiscard]] std::optional<std::string> why_not_ready() const;
  /// True once the tables can be asked for the present: they have caught up for the first time, or show what their
  /// checkpoints hold.
  [[nodiscard]] bool serving() const { return missing_.load() == 0 || from_checkpoints_; }
  /// True from a start without the store until the tables have caught up with it and writes are taken: a table then
  /// shows the past, and what it does not have may be there all the same. Once false it stays so.
  [[nodiscard]] bool behind_store() const { return from_checkpoints_ && missing_.load() > 0; }
  /// Ends the waits for keys, for positions and for events.
  void set_draining();
  [[nodiscard]] bool draining() const { return draining_.load(); }

  /// A subscriber that health shall watch. It outlives the engine, or `stop` is called first.
  void watch_subscriber(std::string name, const projection::Runner& runner);

  /// Checks by doing: reads the last event back from the store. Calls `done` with what it found: at once, or, where
  /// there is an executor for it, on `home`, after options.probe_time at most. One such read is under way at a time,
  /// for all who ask meanwhile.
  void check_health(platform::Executor& home, std::move_only_function<void(const Health&)> done);

  /// Tables first, then the subscribers that are watched.
  [[nodiscard]] std::vector<ProjectionStatus> projections() const;

  /// Takes in no more of what other servers record, nor waits for a store that is away. As Writer::stop_following.
  void stop_following();

  /// Stops the feeds, and writes checkpoints. The writer must be idle: the HTTP server has been stopped. Idempotent.
  void stop();

  [[nodiscard]] std::size_t models() const { return feeds_.size(); }
  [[nodiscard]] const model::Model& model(std::size_t place) const { return feeds_[place]->model(); }
  /// As EngineOptions::declaration_marks.
  [[nodiscard]] std::string_view declaration_mark(std::size_t place) const {
    return place < declaration_marks_.size() ? std::string_view(declaration_marks_[place]) : std::string_view{};
  }
  [[nodiscard]] projection::TableFeed& feed(std::size_t place) { return *feeds_[place]; }
  [[nodiscard]] Past past(std::size_t place) const { return past_of(store_, *feeds_[place]); }
  /// The model that owns a stream, or nullptr.
  [[nodiscard]] const model::Model* model_of(std::string_view stream) const;
  [[nodiscard]] Writer& writer() { return writer_; }
  [[nodiscard]] EventStore& store() { return store_; }

  /// How far the store has flushed, to wait for. Whoever waits here needs no watch of its own, which would have to go
  /// before the store does.
  [[nodiscard]] projection::Progress& flushed() { return flushed_; }
  [[nodiscard]] const platform::Platform& platform() const { return platform_; }

  /// Calls `ready` on `home` once an answer about `time` can no longer change (see EventStore::settle); at once, inside
  /// the call, when it already cannot. With an error when that could not be brought about, and no answer is to be
  /// given: those of EventStore::settle and Writer::barrier.
  void settle(Instant time, platform::Executor& home, std::move_only_function<void(Result<>)> ready);

 private:
  [[nodiscard]] Health::Check check_projections() const;
  [[nodiscard]] Health::Check read_back() const;
  [[nodiscard]] Health health_with(const Health::Check& database) const;
  struct Asking;
  struct Probe {
    std::vector<std::shared_ptr<Asking>> waiting;  // for the read that is under way
    std::optional<Duration> begun;                 // when that was; nullopt: none is
  };
  void probe();
  [[nodiscard]] Result<> restore_tables();
  void caught_up();
  struct Loading;
  static void load_when_there(platform::Executor& background, std::shared_ptr<Loading> loading);

  const std::vector<std::unique_ptr<const model::Model>> models_;
  const std::vector<std::string> declaration_marks_;
  EventStore& store_;
  platform::Platform platform_;
  platform::Executor& background_;
  std::vector<std::unique_ptr<projection::TableFeed>> feeds_;
  Writer writer_;
  Checkpoints checkpoints_;
  std::vector<std::pair<std::string, const projection::Runner*>> subscribers_;
  std::atomic<std::size_t> missing_;  // tables that have not caught up, and the receipts until they are there
  std::atomic<bool> from_checkpoints_{false};
  std::shared_ptr<Loading> loading_;  // shared with the task that waits for the store; null where none does
  std::function<void()> ready_;
  std::atomic<bool> draining_{false};
  platform::Executor* const prober_;
  const Duration probe_time_;
  Guarded<Probe> probe_;
  projection::Progress flushed_;
  std::unique_ptr<Watch> watch_;  // last: it publishes to flushed_
};

}  // namespace annals::engine
