#include "http/routes/readers.hpp"

#include <exception>
#include <utility>

#include "base/invariant.hpp"

namespace annals::http {

Readers::Readers(std::vector<platform::Executor*> threads, std::size_t waiting_max, Logger& log)
    : threads_(threads.size()), waiting_max_(waiting_max), log_(log) {
  state_.lock()->idle = std::move(threads);
}

bool Readers::are_full() const {
  const auto state = state_.lock();
  return exist() && state->waiting.size() >= waiting_max_ + (threads_ - state->reading);
}

void Readers::run(platform::Task turn) {
  INVARIANT(exist(), "there is a thread that reads");
  platform::Executor* thread = nullptr;
  {
    const auto state = state_.lock();
    state->waiting.push_back(std::move(turn));
    if (state->idle.empty()) return;
    thread = state->idle.back();
    state->idle.pop_back();
  }
  thread->post([this, thread] { work_on(*thread); });
}

/// Until nothing waits.
void Readers::work_on(platform::Executor& thread) {
  for (bool has_read = false;; has_read = true) {
    platform::Task turn;
    {
      const auto state = state_.lock();
      if (has_read) --state->reading;
      if (state->waiting.empty()) return state->idle.push_back(&thread);
      turn = std::move(state->waiting.front());
      state->waiting.pop_front();
      ++state->reading;
    }
    try {
      turn();
    } catch (const std::exception& exception) {
      log_.error("A read of the store threw an exception.", {{"exception", exception.what()}});
    } catch (...) {
      log_.error("A read of the store threw something that is no exception.");
    }
  }
}

}  // namespace annals::http
