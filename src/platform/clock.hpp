#pragma once
// Time and chance: the only doors to both, so that tests can hold the clock still and repeat the dice.
// Thread-safe.

#include <cstddef>
#include <cstdint>

#include "base/instant.hpp"
#include "base/uuid.hpp"

namespace annals::platform {

class Clock {
 public:
  virtual ~Clock() = default;

  /// The time of day. May step backwards when somebody sets the clock.
  [[nodiscard]] virtual Instant now() const = 0;

  /// Time since some moment in the past; never goes backwards.
  [[nodiscard]] virtual Duration monotonic() const = 0;
};

class Random {
 public:
  virtual ~Random() = default;

  /// 64 bits that nobody outside can foretell.
  [[nodiscard]] virtual std::uint64_t next() = 0;
};

/// A new version 7 UUID.
[[nodiscard]] Uuid make_uuid(Instant now, Random& random);

/// The clock of the machine.
[[nodiscard]] Clock& system_clock();

/// The operating system's generator, drawn in blocks for each thread.
[[nodiscard]] Random& system_random();

}  // namespace annals::platform
