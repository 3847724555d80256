#pragma once
// The catalogue of routes, as text for the reference. Immutable.

#include <string>
#include <vector>

namespace annals::http {

struct RouteLine {
  std::string method;  ///< "GET"
  std::string path;    ///< "MODEL/:name/history", "/health"
  std::string sentence;
};

[[nodiscard]] std::vector<RouteLine> route_list();

}  // namespace annals::http
