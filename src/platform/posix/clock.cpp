#include "platform/clock.hpp"

#include <sys/random.h>
#include <time.h>

#include <array>
#include <cerrno>

#include "base/invariant.hpp"

namespace annals::platform {
namespace {

std::int64_t microseconds_of(clockid_t clock) {
  timespec time{};
  const int failed = clock_gettime(clock, &time);
  INVARIANT(failed == 0, "the clocks that Linux always has can be read");
  return std::int64_t{time.tv_sec} * 1'000'000 + time.tv_nsec / 1'000;
}

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return Instant{microseconds_of(CLOCK_REALTIME)}; }
  [[nodiscard]] Duration monotonic() const override { return Duration{microseconds_of(CLOCK_MONOTONIC)}; }
};

/// Some of the operating system's random numbers, drawn ahead because a system call for each would cost more than the
/// rest of a UUID.
struct RandomBlock {
  std::array<std::uint64_t, 64> numbers{};
  std::size_t used = numbers.size();

  std::uint64_t take() {
    if (used == numbers.size()) draw();
    // A number is given out once and then forgotten here, so that a look into memory later tells nobody what it was.
    const std::uint64_t number = numbers[used];
    numbers[used++] = 0;
    return number;
  }

 private:
  void draw() {
    char* into = reinterpret_cast<char*>(numbers.data());
    std::size_t missing = sizeof numbers;
    while (missing > 0) {
      const ssize_t drawn = getrandom(into, missing, 0);
      if (drawn < 0 && errno == EINTR) continue;
      INVARIANT(drawn > 0, "the kernel has getrandom, which answers once the machine has started");
      into += drawn;
      missing -= static_cast<std::size_t>(drawn);
    }
    used = 0;
  }
};

class SystemRandom final : public Random {
 public:
  [[nodiscard]] std::uint64_t next() override {
    static thread_local RandomBlock block;
    return block.take();
  }
};

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

Random& system_random() {
  static SystemRandom random;
  return random;
}

}  // namespace annals::platform
