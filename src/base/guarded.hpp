#pragma once
// Guarded<T>: shared state that cannot be touched without its lock.
//
//     Guarded<Queue> queue_;
//     auto queue = queue_.lock();   // holds the mutex until `queue` goes out of scope
//     queue->push(...);
//
// In debug builds `T::check_invariants()`, where there is one, runs as the lock is taken and released.
// Thread-safe. Source: userver's concurrent::Variable, LogCabin's monitors.

#include <mutex>
#include <utility>

namespace annals {

template <class T>
class Guarded {
 public:
  /// Access to the state for as long as it lives. `State` is `T` or `const T`.
  template <class State>
  class Access {
   public:
    Access(std::mutex& mutex, State& state) : lock_(mutex), state_(&state) { check(); }
    ~Access() { check(); }
    Access(const Access&) = delete;
    Access& operator=(const Access&) = delete;

    State* operator->() const { return state_; }
    State& operator*() const { return *state_; }

   private:
    void check() const {
#ifndef NDEBUG
      if constexpr (requires(const T& state) { state.check_invariants(); }) state_->check_invariants();
#endif
    }

    std::unique_lock<std::mutex> lock_;
    State* state_;
  };

  Guarded() = default;
  template <class... Arguments>
  explicit Guarded(std::in_place_t, Arguments&&... arguments) : state_(std::forward<Arguments>(arguments)...) {}

  [[nodiscard]] Access<T> lock() { return Access<T>(mutex_, state_); }
  [[nodiscard]] Access<const T> lock() const { return Access<const T>(mutex_, state_); }

 private:
  mutable std::mutex mutex_;
  T state_{};
};

}  // namespace annals
