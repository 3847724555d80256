#pragma once
// The catalogue of routes: every path that is served, by hand. Reference pages and tests read it too. Immutable.

#include <span>
#include <string_view>

#include "http/routes/call.hpp"

namespace annals::http {

enum class Scope : std::uint8_t {
  server,  ///< the pattern is the whole path
  model,   ///< the pattern follows the path of a model
};

struct Route {
  Method method;
  Scope scope;
  std::string_view pattern;   ///< "/:name/at/:timestamp"; a segment that begins with ':' takes any one segment
  std::string_view sentence;  ///< for the reference
  Action action;
};

[[nodiscard]] std::span<const Route> routes();

}  // namespace annals::http
