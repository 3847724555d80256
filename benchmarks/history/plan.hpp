#pragma once
// Plan: which key each event of a long history is about. Key 0 has one event in ten, so a very long history; key 1 has
// ten events, as far apart as the history allows; each of the others is drawn at random from all the rest.
//
// Confined to one thread: events are asked for in order.

#include <cstdint>

#include "base/invariant.hpp"
#include "benchmarks/load_generator/workload.hpp"

namespace annals::benchmarks {

inline constexpr std::uint64_t long_key = 0;
inline constexpr std::uint64_t short_key = 1;
inline constexpr std::uint64_t short_versions = 10;
inline constexpr std::uint64_t events_unit = 100;  ///< a history has a multiple of these

class Plan {
 public:
  /// `events` is a multiple of events_unit, `keys` at least 3.
  Plan(std::uint64_t events, std::uint64_t keys, std::uint64_t seed)
      : tenth_(events / short_versions), keys_(keys), dice_(seed) {
    INVARIANT(events > 0 && events % events_unit == 0 && keys > 2, "a history has room for its two special keys");
  }

  /// The key of the next event.
  [[nodiscard]] std::uint64_t next() {
    const std::uint64_t event = event_++;
    if (event % 10 == 0) return long_key;
    if (event % tenth_ == 5) return short_key;
    return 2 + dice_.below(keys_ - 2);
  }

 private:
  std::uint64_t tenth_;
  std::uint64_t keys_;
  Dice dice_;
  std::uint64_t event_ = 0;
};

}  // namespace annals::benchmarks
