#include "projection/runner.hpp"

#include <algorithm>
#include <exception>
#include <mutex>
#include <utility>
#include <vector>

#include "base/guarded.hpp"

namespace annals::projection {

// Every task of a runner takes `run_mutex` and looks at `stopped` first; `stop` sets it under the same mutex. So after
// `stop` has returned no task touches the subscriber or the store, although tasks may still lie in the executor.
struct Runner::Core : std::enable_shared_from_this<Runner::Core> {
  struct State {
    RunnerStatus status;
    bool scheduled = false;  // a task that will look for events waits in the executor
    bool woken = false;      // somebody asked to go on while it ran
  };
  struct Waiting {
    Position target;
    std::move_only_function<void()> done;
  };

  Core(Subscriber& the_subscriber, EventStore& the_store, Mode the_mode, platform::Platform the_platform,
       platform::Executor& the_executor)
      : subscriber(the_subscriber),
        store(the_store),
        mode(the_mode),
        gathering(the_subscriber.gathering_time()),
        platform(the_platform),
        executor(the_executor) {}

  void wake() {
    {
      auto locked = state.lock();
      if (locked->scheduled) {
        locked->woken = true;
        return;
      }
      locked->scheduled = true;
    }
    if (gathering.count() > 0) {
      executor.post_after(gathering, [self = shared_from_this()] { self->run(); });
    } else {
      executor.post([self = shared_from_this()] { self->run(); });
    }
  }

  void wake_every(Duration every) {
    executor.post_after(every, [self = shared_from_this(), every] {
      {
        const std::lock_guard lock(self->run_mutex);
        if (self->stopped) return;
      }
      self->wake();
      self->wake_every(every);
    });
  }

  void run() {
    const std::lock_guard lock(run_mutex);
    if (stopped) return;
    if (looks_for_store && !store.status().why_unread().empty()) return look_for_store_again();
    looks_for_store = false;
    state.lock()->woken = false;
    auto more = step();
    if (!more) {
      if (is_of_store(more.error())) return wait_for_store(more.error());
      return failed(more.error());
    }
    auto locked = state.lock();
    if (*more || locked->woken) {
      executor.post([self = shared_from_this()] { self->run(); });
    } else {
      locked->scheduled = false;
    }
  }

  /// Takes in one page; true when there may be another.
  Result<bool> step() {
    reads = false;
    try {
      if (!resumed) {
        position = TRY(subscriber.resume());
        resumed = true;
      }
      reads = true;
      const EventPage page = TRY(store.read_all(position, subscriber.horizon(), PageLimit{}));
      reads = false;
      if (!page.events().empty()) {
        TRY(subscriber.handle(page));
        position = page.events().back().position;
      }
      if (const Position next = page.next_after(position); next > position) {
        TRY(subscriber.pass_over(next));
        position = next;
      }
      const bool more = page.more();
      if (!more) TRY(subscriber.caught_up());
      note_success(more);
      release_waiting();
      // Who stands still until asked may be brought further by others meanwhile (a live table by the writer), so it is
      // asked where it is.
      if (!more && mode == Mode::on_demand) resumed = false;
      return more;
    } catch (const std::exception& exception) {
      return fail(ErrorKind::internal, std::string("exception: ") + exception.what());
    } catch (...) {
      return fail(ErrorKind::internal, "an exception of no known kind");
    }
  }

  void note_success(bool more) {
    auto locked = state.lock();
    locked->status.position = position;
    locked->status.waits_for_store = false;
    if (!more) locked->status.caught_up = true;
    // A subscriber that begins far before the event it fails at has not recovered until it is past it.
    if (more && position <= failed_after) return;
    pause = pause_min;
    failed_after = {};
    locked->status.failing = false;
    locked->status.error.clear();
  }

  /// Whether it is the store that cannot be asked, be it by the subscriber, and nothing is wrong with what it holds.
  [[nodiscard]] bool is_of_store(const Error& error) const {
    if (error.code == "database_away") return true;
    if (!reads) return false;
    return error.kind == ErrorKind::unavailable || error.kind == ErrorKind::overloaded ||
           !store.status().why_unread().empty();
  }

  /// The pause is of the subscriber's own failures, so it neither grows nor shrinks by this.
  void wait_for_store(const Error& error) {
    // What has been taken in stays so, where nobody else takes more in meanwhile.
    if (!reads || mode == Mode::on_demand) resumed = false;
    const bool waited = std::exchange(state.lock()->status.waits_for_store, true);
    if (!waited) {
      platform.log.warning("A subscriber waits for the store, which cannot be asked",
                           {{"subscriber", subscriber.name()}, {"error", error.message}});
    }
    look_for_store_again();
  }

  void look_for_store_again() {
    looks_for_store = true;
    executor.post_after(look_for_store_every, [self = shared_from_this()] { self->run(); });
  }

  void release_waiting() {
    std::vector<Waiting> reached;
    {
      auto locked = waiting.lock();
      const auto first_reached =
          std::partition(locked->begin(), locked->end(), [&](const Waiting& one) { return one.target > position; });
      std::move(first_reached, locked->end(), std::back_inserter(reached));
      locked->erase(first_reached, locked->end());
    }
    for (Waiting& one : reached) one.done();
  }

  void failed(const Error& error) {
    failed_after = std::max(failed_after, resumed ? position : Position{});
    resumed = false;
    platform.log.error(
        "A subscriber failed and will start again from its checkpoint",
        {{"subscriber", subscriber.name()}, {"error", error.message}, {"pause_ms", pause.count() / 1000}});
    auto locked = state.lock();
    locked->status.failing = true;
    locked->status.caught_up = false;
    locked->status.waits_for_store = false;
    locked->status.failures += 1;
    locked->status.error = error.message;
    // `scheduled` stays true, so that progress of the store does not cut the pause short.
    executor.post_after(pause, [self = shared_from_this()] { self->run(); });
    pause = std::min(pause * 2, pause_max);
  }

  Subscriber& subscriber;
  EventStore& store;
  const Mode mode;
  const Duration gathering;  // asked once: `wake` may come when the subscriber has gone
  platform::Platform platform;
  platform::Executor& executor;
  Guarded<State> state;
  Guarded<std::vector<Waiting>> waiting;

  std::mutex run_mutex;
  bool stopped = false;         // under run_mutex, as all below
  bool looks_for_store = true;  // before the next step: since the start, or since the store could not be asked
  bool reads = false;           // the step in hand asks the store for what follows
  bool resumed = false;
  Position position;
  Position failed_after;  // the furthest that was taken in before a failure, until that is passed
  Duration pause = pause_min;
};

Runner::Runner(Subscriber& subscriber, EventStore& store, Mode mode, platform::Platform platform,
               platform::Executor& executor)
    : core_(std::make_shared<Core>(subscriber, store, mode, platform, executor)) {
  if (mode == Mode::follow) {
    watch_ = store.watch([core = core_](Position) { core->wake(); });
  }
}

Runner::~Runner() {
  stop();
}

void Runner::start() {
  wake();
}

void Runner::wake() {
  core_->wake();
}

void Runner::wake_every(Duration every) {
  core_->wake_every(every);
}

void Runner::catch_up(std::move_only_function<void()> done) {
  const StoreStatus store = core_->store.status();
  const Position target = core_->subscriber.horizon() == Horizon::visible ? store.visible : store.flushed;
  core_->waiting.lock()->push_back({target, std::move(done)});
  core_->wake();
}

void Runner::stop() {
  watch_.reset();
  const std::lock_guard lock(core_->run_mutex);
  core_->stopped = true;
  core_->waiting.lock()->clear();
}

RunnerStatus Runner::status() const {
  return core_->state.lock()->status;
}

}  // namespace annals::projection
