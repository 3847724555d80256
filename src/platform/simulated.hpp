#pragma once
// The simulated twin of the platform: a clock that stands still until it is moved, dice with a seed, an executor that
// is stepped by hand, a log that is collected, and a file system in memory that can lose power at any write or flush.
//
// Thread-safe where its base classes are; the controls (advance, crash, fail...) belong to the test's thread.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "platform/platform.hpp"

namespace annals::platform {

/// Time of day and monotonic time move together, by `advance` only.
class SimulatedClock final : public Clock {
 public:
  explicit SimulatedClock(Instant start = Instant{1'770'890'400'000'000}) : now_(start) {}  // 2026-02-12T10:00:00Z

  [[nodiscard]] Instant now() const override;
  [[nodiscard]] Duration monotonic() const override;

  void advance(Duration duration);
  /// Moves the time of day alone, as an operator who sets the clock does.
  void set(Instant now);

 private:
  mutable std::mutex mutex_;
  Instant now_;
  Duration monotonic_{0};
};

/// SplitMix64 from a seed: the same seed, the same run.
class SimulatedRandom final : public Random {
 public:
  explicit SimulatedRandom(std::uint64_t seed) : state_(seed) {}
  [[nodiscard]] std::uint64_t next() override;
  /// A number below `bound` (at least 1).
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return next() % bound; }

 private:
  std::mutex mutex_;
  std::uint64_t state_;
};

/// Keeps every record as text, for tests to look through.
class CollectingLogger final : public Logger {
 public:
  [[nodiscard]] bool enabled(LogLevel) const override { return true; }
  void write(LogLevel level, std::string_view message, std::span<const LogField> context) override;
  /// `LEVEL message name=value ...`, in order.
  [[nodiscard]] std::vector<std::string> lines() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

/// Runs tasks when told to, on the thread that tells.
class SteppedExecutor final : public Executor {
 public:
  explicit SteppedExecutor(SimulatedClock& clock) : clock_(clock) {}
  void post(Task task) override;
  void post_after(Duration delay, Task task) override;
  /// Runs what is ready, and what that makes ready, until nothing is; the number of tasks run.
  std::size_t run_ready();
  /// Advances the clock to the next timer, if there is one, and runs what is ready; false when nothing waits.
  bool run_next_timer();

 private:
  SimulatedClock& clock_;
  mutable std::mutex mutex_;
  std::deque<Task> ready_;
  std::multimap<Duration, Task> waiting_;
};

/// Files in memory with a disk behind them. Writes go to a cache; `flush` moves them to the disk. `crash` throws the
/// cache away, all of it or, from the given dice, some sectors of 512 bytes and some names of it, in no particular
/// order, as a disk that loses power may.
///
/// Every write, flush, create, rename, remove and directory flush is a numbered step; a fault can be set on a step.
class SimulatedFileSystem final : public FileSystem {
 public:
  enum class Fault : std::uint8_t {
    fail_cleanly,  ///< input_output, and nothing happened
    disk_full,     ///< input_output with code disk_full; a part of a write may have happened
    fail_dirty,    ///< a flush that fails: the cache keeps the bytes and believes them clean, the disk never got them
    short_write,   ///< a part of the bytes is written, then input_output
    power_loss,    ///< this step and every later one fails; nothing more reaches the disk
  };
  enum class Survival : std::uint8_t {
    nothing,       ///< what was not flushed is gone
    everything,    ///< all of it happened to be written
    some_sectors,  ///< each sector of each unflushed write is there or not, by the dice
    a_prefix,      ///< unflushed writes survive in order up to some byte, by the dice
  };

  SimulatedFileSystem();
  ~SimulatedFileSystem() override;

  /// The number of steps so far.
  [[nodiscard]] std::uint64_t steps() const;
  /// Sets a fault on step number `step` (counted from 1, as steps() will say once it has happened).
  void fault_at(std::uint64_t step, Fault fault);
  /// Every later write that would grow the disk's use beyond `bytes` fails with disk_full; nullopt lifts the limit.
  void set_capacity(std::optional<std::uint64_t> bytes);
  /// The machine stops and starts again: open files are dead, locks are free, the cache is gone but for what survives.
  void crash(Survival survival, SimulatedRandom& dice);
  /// The process dies, the machine does not: open files are dead, locks are free, the cache stays (fail_dirty's lie
  /// included).
  void kill_process();
  /// The bytes of a file as the process sees them, for tests that damage them. `change` may flip what it likes; both
  /// cache and disk get it.
  void damage(const std::string& path, const std::function<void(std::string& bytes)>& change);

  [[nodiscard]] Result<> create_directories(const std::string& path) override;
  [[nodiscard]] Result<std::vector<std::string>> list(const std::string& path) const override;
  [[nodiscard]] Result<bool> exists(const std::string& path) const override;
  [[nodiscard]] Result<EntryKind> kind_of(const std::string& path) const override;
  [[nodiscard]] Result<std::unique_ptr<File>> create(const std::string& path) override;
  [[nodiscard]] Result<std::unique_ptr<File>> open(const std::string& path) override;
  [[nodiscard]] Result<std::unique_ptr<File>> open_to_read(const std::string& path) const override;
  [[nodiscard]] Result<> rename(const std::string& from, const std::string& to) override;
  [[nodiscard]] Result<> remove(const std::string& path) override;
  [[nodiscard]] Result<> remove_directory(const std::string& path) override;
  [[nodiscard]] Result<> flush_directory(const std::string& path) override;
  [[nodiscard]] Result<std::unique_ptr<DirectoryLock>> lock_directory(const std::string& path) override;

  struct State;  // public so that its open files can reach it; defined in the .cpp

 private:
  std::shared_ptr<State> state_;  // shared with the open files, which may outlive the file system in a test
};

}  // namespace annals::platform
