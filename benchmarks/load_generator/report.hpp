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

[[nodiscard]] std::string report(const Options& options, const Counts& counts,
                                 const std::optional<Verification>& verification, const CpuTimes& cpu);

}  // namespace annals::benchmarks
