#include "platform/simulated.hpp"

#include "base/invariant.hpp"

namespace annals::platform {
namespace {

struct ValueText {
  std::string operator()(std::string_view text) const { return std::string(text); }
  std::string operator()(std::int64_t number) const { return std::to_string(number); }
  std::string operator()(double number) const { return std::to_string(number); }
  std::string operator()(bool flag) const { return flag ? "true" : "false"; }
};

}  // namespace

Instant SimulatedClock::now() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

Duration SimulatedClock::monotonic() const {
  const std::lock_guard lock(mutex_);
  return monotonic_;
}

void SimulatedClock::advance(Duration duration) {
  INVARIANT(duration.count() >= 0, "monotonic time never goes backwards; set() moves the time of day alone");
  const std::lock_guard lock(mutex_);
  now_ = now_.plus(duration);
  monotonic_ += duration;
}

void SimulatedClock::set(Instant now) {
  const std::lock_guard lock(mutex_);
  now_ = now;
}

std::uint64_t SimulatedRandom::next() {
  const std::lock_guard lock(mutex_);
  state_ += 0x9e3779b97f4a7c15u;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
  return mixed ^ (mixed >> 31);
}

void CollectingLogger::write(LogLevel level, std::string_view message, std::span<const LogField> context) {
  std::string line(to_string(level));
  line += ' ';
  line += message;
  for (const LogField& field : context) {
    line += ' ';
    line += field.name;
    line += '=';
    line += std::visit(ValueText{}, field.value);
  }
  const std::lock_guard lock(mutex_);
  lines_.push_back(std::move(line));
}

std::vector<std::string> CollectingLogger::lines() const {
  const std::lock_guard lock(mutex_);
  return lines_;
}

void SteppedExecutor::post(Task task) {
  INVARIANT(task != nullptr, "a task can be called");
  const std::lock_guard lock(mutex_);
  ready_.push_back(std::move(task));
}

void SteppedExecutor::post_after(Duration delay, Task task) {
  INVARIANT(task != nullptr, "a task can be called");
  const Duration due = clock_.monotonic() + delay;
  const std::lock_guard lock(mutex_);
  waiting_.emplace(due, std::move(task));
}

std::size_t SteppedExecutor::run_ready() {
  std::size_t count = 0;
  while (true) {
    Task task;
    {
      const Duration now = clock_.monotonic();
      const std::lock_guard lock(mutex_);
      while (!waiting_.empty() && waiting_.begin()->first <= now) {
        ready_.push_back(std::move(waiting_.begin()->second));
        waiting_.erase(waiting_.begin());
      }
      if (ready_.empty()) return count;
      task = std::move(ready_.front());
      ready_.pop_front();
    }
    task();
    ++count;
  }
}

bool SteppedExecutor::run_next_timer() {
  Duration due{0};
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) return false;
    due = waiting_.begin()->first;
  }
  const Duration now = clock_.monotonic();
  if (due > now) clock_.advance(due - now);
  run_ready();
  return true;
}

}  // namespace annals::platform
