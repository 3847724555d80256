#pragma once
// RequestMetrics: what one worker counts of its replies. Recording is confined to the worker's thread, which is why it
// needs no locked instruction; anybody may read.

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/guarded.hpp"
#include "base/histogram.hpp"
#include "base/instant.hpp"
#include "http/response.hpp"
#include "http/server_metrics.hpp"

namespace annals::http {

class RequestMetrics {
 public:
  RequestMetrics();

  void record(const Response& response, Duration took);

  /// Adds what was recorded so far.
  void add_to(ServerMetrics& total) const;

 private:
  static constexpr std::size_t statuses = 26;
  static constexpr std::size_t codes_max = 256;  // the codes of problems are our own, and not that many
  struct Row {
    std::array<std::atomic<std::uint64_t>, statuses> replies{};
    Histogram durations;
    Row();
  };
  std::vector<std::unique_ptr<Row>> rows_;
  Guarded<std::map<std::string, std::uint64_t>> refusals_;
};

}  // namespace annals::http
