#pragma once
// What the load generator was asked to do.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "benchmarks/common/socket.hpp"

namespace annals::benchmarks {

using Clock = std::chrono::steady_clock;

struct Options {
  Address server;
  std::string base = "/config/";  ///< what keys are appended to
  bool records = false;           ///< keys are records (records.hpp) instead of values, and are there already
  /// Of records: what a write is. 0: a change of one that is there; 1: a new one; more: so many new ones. New ones are
  /// made in order, and no two writes make the same.
  std::size_t created_at_once = 0;
  bool until_all = false;             ///< ends when all keys have been made, and not when `duration` is over
  std::uint64_t first_key = 0;        ///< keys count from here
  std::uint64_t sequences_after = 0;  ///< writes count from the next; those of an earlier run are not above it
  /// GETs of these in turn, instead of keys; each must give the same body every time.
  std::vector<std::string> paths;
  std::size_t connections = 64;
  std::size_t threads = 1;      ///< at most one a connection
  unsigned get_percent = 0;     ///< the rest are PUTs
  std::uint64_t keys = 10'000;  ///< at least one a connection
  bool keys_in_order = false;   ///< else at random
  std::size_t value_bytes = 256;
  std::chrono::milliseconds warm_up{500};  ///< not counted, but for errors
  std::chrono::milliseconds duration{3000};
  std::uint64_t verified_keys = 0;  ///< how many to read back after the run
  bool errors_allowed = false;
  bool stale_allowed = false;  ///< for a server whose reads may lag behind its writes
  int server_process = 0;      ///< whose processor time is told; 0: nobody's
  std::uint64_t seed = 1;
};

}  // namespace annals::benchmarks
