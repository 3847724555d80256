#pragma once
// Processor time that a process has used, all its threads together, in seconds.

#include <optional>

namespace annals::benchmarks {

/// Of this process, user and system.
[[nodiscard]] double own_cpu_seconds();

/// Of another; in steps of the kernel's clock tick (10 ms as a rule). nullopt when there is no such process.
[[nodiscard]] std::optional<double> cpu_seconds_of(int process);

}  // namespace annals::benchmarks
