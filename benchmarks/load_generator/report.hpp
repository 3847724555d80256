#pragma once
// What a run found, as one JSON object on one line. Pure function.

#include <optional>
#include <string>

#include "benchmarks/load_generator/options.hpp"
#include "benchmarks/load_generator/verify.hpp"
#include "benchmarks/load_generator/worker.hpp"

namespace annals::benchmarks {

/// Processor time spent in the measured time.
struct CpuTimes {
  double generator_seconds = 0;
  std::optional<double> server_seconds;
};

struct Run {
  double seconds = 0;              ///< that were measured
  std::uint64_t acknowledged = 0;  ///< keys whose last write is known to have succeeded, warm-up included
  CpuTimes cpu;
};

[[nodiscard]] std::string report(const Options& options, const Counts& counts,
                                 const std::optional<Verification>& verification, const Run& run);

}  // namespace annals::benchmarks
