#pragma once
// What a Server has counted since it was opened. Values; counters only grow.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/histogram.hpp"

namespace annals::http {

/// Routes that are told apart; what a Response names beyond that counts as 0.
inline constexpr std::size_t counted_routes_max = 64;

struct ServerMetrics {
  struct Route {
    std::map<int, std::uint64_t> replies;  ///< by status; 0 stands for one that is seldom given
    HistogramSnapshot durations;           ///< microseconds from a request that is whole to its reply's head
  };
  std::vector<Route> routes;                      ///< by Response::route
  std::map<std::string, std::uint64_t> refusals;  ///< by the problem's code
  std::uint64_t connections = 0;                  ///< open now
  std::uint64_t refused_connections = 0;
  std::uint64_t displaced_connections = 0;  ///< ended for another's sake
  std::uint64_t failed_handshakes = 0;
  std::uint64_t body_bytes = 0;  ///< that bodies of requests take now, beyond 64 KiB of each
};

}  // namespace annals::http
