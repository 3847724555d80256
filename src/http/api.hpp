#pragma once
// The API: what requests mean. One catalogue of routes (routes/catalogue.cpp) serves every declared model and the
// server's own pages. Thread-safe; handlers run on I/O threads.

#include <functional>
#include <string>
#include <vector>

#include "base/instant.hpp"
#include "engine/engine.hpp"
#include "http/response.hpp"
#include "http/server_metrics.hpp"

namespace annals::http {

struct ApiOptions {
  Duration min_position_timeout = std::chrono::seconds(5);  ///< how long a read waits for `min_position`
  std::function<ServerMetrics()> server_metrics;            ///< what the server counts, for /metrics; may be empty
  std::string version;                                      ///< of the program, for /metrics
  Instant started;                                          ///< when the process began, for /metrics
  std::size_t waits_max = 500;                              ///< reads that wait for a change; one more gets 503
  /// Threads for reads of the store that may wait for another machine; empty: they are made on I/O threads. They end
  /// after the server and before the handler.
  std::vector<platform::Executor*> readers{};
  /// What lists of models that declare `cache` may take of memory, as they were written out; 0: none are kept.
  std::size_t cache_bytes_max = 64u << 20;
  std::size_t reads_max = 500;  ///< such reads that wait for one of them; one more gets 503
};

/// The handler for a Server. `engine` outlives it.
[[nodiscard]] Handler make_api(engine::Engine& engine, ApiOptions options);

}  // namespace annals::http
