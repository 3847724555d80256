#pragma once
// Reads back what was acknowledged, over a connection of its own.

#include <cstdint>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "benchmarks/load_generator/options.hpp"
#include "benchmarks/load_generator/requests.hpp"

namespace annals::benchmarks {

struct Verification {
  std::uint64_t checked = 0;
  std::uint64_t wrong = 0;  ///< absent, or not to the byte what was acknowledged last
};

/// Checks `options.verified_keys` of `acknowledged` (pairs of key and sequence), evenly spread.
/// Errors: input_output, when the server does not answer.
[[nodiscard]] Result<Verification> verify(const Options& options, Requests& requests,
                                          const std::vector<std::pair<std::uint64_t, std::uint64_t>>& acknowledged);

}  // namespace annals::benchmarks
