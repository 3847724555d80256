#include "engine/checkpoints.hpp"

#include <algorithm>
#include <mutex>

namespace annals::engine {

using projection::StateKeeper;

namespace {

constexpr int pause_by_work = 20;  // a pause is this many times as long as the work before it
constexpr Duration after_failure = std::chrono::minutes(1);
// Between two pieces, for the others on the executor and on the disk.
constexpr Duration between_pieces = std::chrono::milliseconds(2);
constexpr Duration until_flushed = std::chrono::milliseconds(100);
/// Events that a start reads in some milliseconds: not worth writing a large table for at a stop.
constexpr std::uint64_t not_worth_events = 10'000;

}  // namespace

// Every task takes the mutex and looks at `stopped` first; `stop` sets it under the same mutex. So after `stop` has
// returned no task touches a keeper, although tasks may still lie in the executor.
struct Checkpoints::Core : std::enable_shared_from_this<Checkpoints::Core> {
  struct Entry {
    StateKeeper* keeper = nullptr;
    Duration not_before{0};  // monotonic
  };

  Core(std::vector<StateKeeper*> keepers, CheckpointRule the_rule, platform::Platform the_platform,
       platform::Executor& the_executor)
      : rule(the_rule), platform(the_platform), executor(the_executor) {
    for (StateKeeper* keeper : keepers) entries.push_back({keeper});
  }

  /// False when it had been stopped before. Under the mutex.
  bool stop() {
    if (stopped) return false;
    stopped = true;
    for (const Entry& entry : entries) entry.keeper->give_up();
    return true;
  }

  void later(Duration delay) {
    executor.post_after(delay, [self = shared_from_this()] { self->run(); });
  }

  void run() {
    const std::lock_guard lock(mutex);
    if (stopped) return;
    if (working == nullptr) find_work();
    later(working == nullptr ? rule.look_every : work());
  }

  void find_work() {
    const Duration now = platform.clock.monotonic();
    for (Entry& entry : entries) {
      const std::uint64_t due = std::max(rule.events_min, entry.keeper->state().records() / 2);
      if (entry.keeper->behind() < due || now < entry.not_before) continue;
      working = &entry;
      worked = Duration{0};
      return;
    }
  }

  /// Does a piece of the work in hand; the time until the next.
  Duration work() {
    const Duration began = platform.clock.monotonic();
    const auto step = working->keeper->step();
    const Duration now = platform.clock.monotonic();
    worked += now - began;
    if (step && *step == StateKeeper::Step::more) return between_pieces;
    if (step && *step == StateKeeper::Step::waiting) return until_flushed;
    if (step) {
      working->not_before = now + std::max<Duration>(rule.pause_min, worked * pause_by_work);
      platform.log.debug("A checkpoint was written", {{"state", working->keeper->state().name()},
                                                      {"position", working->keeper->saved().value},
                                                      {"ms", worked.count() / 1000}});
    } else {
      working->not_before = now + after_failure;
      failed(*working->keeper, step.error());
    }
    working = nullptr;
    return rule.look_every;
  }

  void failed(const StateKeeper& keeper, const Error& error) const {
    platform.log.warning("A checkpoint could not be written; a start will read more of the log",
                         {{"state", keeper.state().name()}, {"error", error.message}});
  }

  const CheckpointRule rule;
  const platform::Platform platform;
  platform::Executor& executor;

  std::mutex mutex;
  bool stopped = false;  // under the mutex, as all below
  std::vector<Entry> entries;
  Entry* working = nullptr;
  Duration worked{0};
};

Checkpoints::Checkpoints(std::vector<StateKeeper*> keepers, CheckpointRule rule, platform::Platform platform,
                         platform::Executor& executor)
    : core_(std::make_shared<Core>(std::move(keepers), rule, platform, executor)) {}

Checkpoints::~Checkpoints() {
  stop();
}

void Checkpoints::start() {
  if (!core_->entries.empty()) core_->later(core_->rule.look_every);
}

void Checkpoints::finish() {
  const std::lock_guard lock(core_->mutex);
  if (!core_->stop()) return;
  for (const Core::Entry& entry : core_->entries) {
    StateKeeper& keeper = *entry.keeper;
    const std::uint64_t worth = std::clamp<std::uint64_t>(keeper.state().records() / 100, 1, not_worth_events);
    if (keeper.behind() < worth) continue;
    if (auto written = keeper.write_all(); !written) core_->failed(keeper, written.error());
  }
}

void Checkpoints::stop() {
  const std::lock_guard lock(core_->mutex);
  (void)core_->stop();
}

}  // namespace annals::engine
