#pragma once
// The catalogue of routes: every path that is served, by hand. Reference pages and tests read it too. Immutable.

#include <span>
#include <string>
#include <string_view>

#include "http/routes/call.hpp"

namespace annals::http {

enum class Scope : std::uint8_t {
  server,  ///< the pattern is the whole path
  model,   ///< the pattern follows the path of a model, of whichever profile
  kv,      ///< of a model of this profile
  resource,
};

/// Whether the pattern follows the path of a model.
[[nodiscard]] constexpr bool is_of_model(Scope scope) {
  return scope != Scope::server;
}
/// Whether models of the profile have the route.
[[nodiscard]] constexpr bool is_of(Scope scope, model::Profile profile) {
  return scope == Scope::model || scope == (profile == model::Profile::kv ? Scope::kv : Scope::resource);
}
/// What a route's work asks, as a rule.
enum class Needs : std::uint8_t {
  store,    ///< the store, or the writer, which decides on its newest state
  tables,   ///< the read tables; what it asks the store besides, it sees to by itself
  nothing,  ///< neither, or it tells how they are
};

/// Whether the request's body says what is to be done.
enum class Body : std::uint8_t {
  none,   ///< one that comes is not looked at
  taken,  ///< the action refuses for all that the head says, and then ends where Request::body_is_to_come
};

struct Route {
  Method method;
  Scope scope;
  std::string_view pattern;   ///< "/:name/at/:timestamp"; a segment that begins with ':' takes any one segment
  std::string_view sentence;  ///< for the reference
  Action action;
  Needs needs = Needs::store;
  Body body = Body::none;
};

[[nodiscard]] std::span<const Route> routes();

/// Its path, as the reference and the metrics name it: "/health", "MODEL/:name", "RESOURCE/:name".
[[nodiscard]] std::string path_of(const Route& route);

}  // namespace annals::http
