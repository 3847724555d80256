#pragma once
// The API: what requests mean. One catalogue of routes (routes/catalogue.cpp) serves every declared model and the
// server's own pages. Thread-safe; handlers run on I/O threads.

#include "base/instant.hpp"
#include "engine/engine.hpp"
#include "http/response.hpp"

namespace annals::http {

struct ApiOptions {
  Duration min_position_timeout = std::chrono::seconds(5);  ///< how long a read waits for `min_position`
};

/// The handler for a Server. `engine` outlives it.
[[nodiscard]] Handler make_api(engine::Engine& engine, ApiOptions options);

}  // namespace annals::http
