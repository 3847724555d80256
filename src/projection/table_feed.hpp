#pragma once
// TableFeed: keeps one read table as current as its model's consistency asks.
//
//   live      the writer hands over each durable batch (`apply_live`) before replies go out;
//             the runner catches up at the start and after a failure, and the writer's batches are passed over
//             until it has.
//   eventual  the runner follows the store.
//   restart   the runner catches up at the start and on `refresh`, and publishes all of it at once.
//
// An event that the table cannot take (another server recorded it by another declaration, or it is garbled) has it
// fail: it lacks that event and all after it, so nothing that rests on it is to be told (`check`). The runner tries
// again, and the table is as good as any other once it has caught up.
//
// One whose records have a unique value twice fails, too, though it lacks nothing: another server, whose declaration
// lets it be so, recorded that, or it was there before. It is as good as any other once no value is taken twice.
//
// Thread-safe.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "projection/read_table.hpp"
#include "projection/runner.hpp"
#include "projection/snapshots.hpp"
#include "projection/state_keeper.hpp"
#include "projection/table_state.hpp"

namespace annals::projection {

/// What a table cannot take in.
struct TableFailure {
  Position position;      ///< of the event; 0 when it is not one event that the table fails at
  StreamVersion version;  ///< of the event
  std::string type;       ///< of the event
  Error error;            ///< in words for the log: they may show values and name files
};

class TableFeed {
 public:
  /// `checkpoint_path` is where the table's state file is; empty: it has none, and is made from the whole log at each
  /// start. `snapshots_path` is where its model's snapshots are, if it has any; empty: in memory. `rows_path` is where
  /// values go that do not fit the model's memory_max. INVARIANT: it is not empty when the model has one.
  TableFeed(const model::Model& model, EventStore& store, platform::Platform platform, platform::Executor& executor,
            std::string checkpoint_path = {}, std::string snapshots_path = {}, std::string rows_path = {});
  ~TableFeed();

  /// Reads the table back from its checkpoint while the store is away, so that it can be asked before it has caught up.
  /// False when there is none that will do. Call at most once, before `start`.
  [[nodiscard]] bool restore();

  /// Begins to catch up; `ready` is called on the executor when the table first holds all that was there.
  void start(std::move_only_function<void()> ready);

  /// Brings a `restart` table up to now (others need it not, and are); `done` is called on the executor.
  void refresh(std::move_only_function<void()> done);

  /// Events just made durable, in order, by the one writer. Returns once readers see them, or at once when the table is
  /// not live (it is behind and catching up, or its model is not `live`).
  void apply_live(std::span<const EventView> events, std::span<const model::Record> left = {});

  /// By the one writer, who has handed over every event up to `position`: those after the last of them hold none. Does
  /// nothing when the table is not live.
  void pass_over_live(Position position);

  /// True when the table reflects everything that was handed to apply_live: then it can stand for the state of its
  /// streams.
  [[nodiscard]] bool is_live() const;

  /// What every answer that rests on the table, or on a state that it would tell, asks first. Errors: unavailable
  /// ("table_failing", in words for clients), while the table fails. That the store cannot be asked is no such failure.
  [[nodiscard]] Result<> check() const;
  /// What the table fails at; nullopt when it does not fail.
  [[nodiscard]] std::optional<TableFailure> failure() const;

  void stop();

  [[nodiscard]] RunnerStatus status() const;
  [[nodiscard]] ReadTable& table() { return table_; }
  [[nodiscard]] const ReadTable& table() const { return table_; }
  [[nodiscard]] const model::Model& model() const { return model_; }

  /// What writes the table down; null when it has no checkpoint. The feed itself reads it back, at its start: not to be
  /// stepped before the table has caught up for the first time.
  [[nodiscard]] StateKeeper* keeper() { return keeper_.get(); }

  /// The model's snapshots, which the table adds to; null when it has none.
  [[nodiscard]] Snapshots* snapshots() const { return snapshots_.get(); }

  /// Events that were folded by those who wanted to know a record. They count them here.
  [[nodiscard]] std::atomic<std::uint64_t>& folded() const { return folded_; }

  /// What keeps the values of the model's records to its memory_max; null when it has none.
  [[nodiscard]] TextMemory* memory() const { return memory_.get(); }

 private:
  class Feeder;

  const model::Model& model_;
  platform::Platform platform_;
  mutable std::atomic<std::uint64_t> folded_{0};
  std::unique_ptr<Snapshots> snapshots_;
  std::unique_ptr<TextMemory> memory_;
  ReadTable table_;
  TableState state_;
  std::unique_ptr<StateKeeper> keeper_;
  std::unique_ptr<Feeder> feeder_;
  std::unique_ptr<Runner> runner_;
};

}  // namespace annals::projection
