#include "http/api.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "base/invariant.hpp"
#include "http/routes/call.hpp"
#include "http/routes/catalogue.hpp"
#include "http/routes/paths.hpp"
#include "model/methods.hpp"

namespace annals::http {
namespace {

/// A pattern and a path agree; what stood for `:name` and what followed it, still encoded.
struct Match {
  std::string_view first;
  std::string_view second;
};

/// What stands between the slashes of a path, or of a pattern.
struct Segments {
  static constexpr std::size_t most = 4;  // no pattern has more
  std::array<std::string_view, most> at;
  std::size_t count = 0;  ///< most + 1 stands for all that is more
};

Segments segments_of(std::string_view path) {
  Segments segments;
  for (; !path.empty(); ++segments.count) {
    if (segments.count == Segments::most) {
      ++segments.count;
      break;
    }
    path.remove_prefix(1);  // the slash
    const std::size_t end = std::min(path.find('/'), path.size());
    segments.at[segments.count] = path.substr(0, end);
    path.remove_prefix(end);
  }
  return segments;
}

std::optional<Match> match(const Segments& pattern, const Segments& path) {
  if (pattern.count != path.count) return std::nullopt;
  Match result;
  for (std::size_t place = 0; place < pattern.count; ++place) {
    const std::string_view expected = pattern.at[place];
    if (expected.starts_with(':')) {
      (expected == ":timestamp" ? result.second : result.first) = path.at[place];
    } else if (expected != path.at[place]) {
      return std::nullopt;
    }
  }
  return result;
}

/// A route, and its pattern in pieces.
struct Candidate {
  const Route* route;
  Segments pattern;
};

/// The routes that a path can be of, by where it lies and by how many segments it has, in the order of the catalogue:
/// most requests are compared with few of all.
class Candidates {
 public:
  Candidates() {
    for (const Route& route : routes()) {
      const Candidate candidate{&route, segments_of(route.pattern)};
      INVARIANT(candidate.pattern.count <= Segments::most, "a pattern has no more segments than are told apart");
      if (!is_of_model(route.scope)) of_server_[candidate.pattern.count].push_back(candidate);
      if (is_of(route.scope, model::Profile::kv)) of_kv_[candidate.pattern.count].push_back(candidate);
      if (is_of(route.scope, model::Profile::resource)) of_resource_[candidate.pattern.count].push_back(candidate);
    }
  }

  [[nodiscard]] std::span<const Candidate> of_server(const Segments& path) const { return of_server_[path.count]; }
  [[nodiscard]] std::span<const Candidate> of_model(model::Profile profile, const Segments& rest) const {
    return (profile == model::Profile::kv ? of_kv_ : of_resource_)[rest.count];
  }

 private:
  using ByCount = std::array<std::vector<Candidate>, Segments::most + 2>;
  ByCount of_server_;
  ByCount of_kv_;
  ByCount of_resource_;
};

bool is_write(Method method) {
  return method == Method::put || method == Method::post || method == Method::delete_ || method == Method::patch;
}

/// What a success of a request to this place promises, as far as its head tells.
Durability promised(engine::Engine& engine, const Request& request, const std::optional<ModelPath>& place) {
  const EventStore& store = engine.store();
  if (!place) return store.durability();
  using enum model::ApiOperation;
  const bool creates = request.method == Method::post && place->rest.empty();
  const auto operation = creates ? create : request.method == Method::delete_ ? remove : update;
  return store.durability_of(engine.model(place->model).durability_of(operation));
}

/// Keeps a refusal, if there is one.
struct RefusalKept : Responder::Target {
  std::optional<Response> response;

  void respond(Response&& given) override { response = std::move(given); }
  void dropped() override {}
};

class Api {
 public:
  Api(engine::Engine& engine, ApiOptions options)
      : engine_(engine), options_(std::move(options)), shared_(options_, engine.platform().log) {}

  void answer(const Request& request, Responder responder) const {
    std::string storage;
    const std::string_view path = plain_path(request.path, storage);
    const auto place = model_of(engine_, path);
    Call call{engine_, options_, shared_, 0, {}, {}, Asker::of(request), request.home, std::move(responder),
              false,   0,        {}};
    call.behind_store = engine_.behind_store();
    call.is_write = is_write(request.method);
    if (call.is_write) call.durability = promised(engine_, request, place);
    if (place) {
      call.model = place->model;
      // Before anything is read, so that what is read reflects at least this position.
      call.position = call.position_of_table();
    }
    const Method method = request.method == Method::head ? Method::get : request.method;
    if (place) {
      const Segments rest = segments_of(place->rest);
      for (const Candidate& candidate : candidates_.of_model(call.the_model().profile, rest)) {
        if (candidate.route->method != method) continue;
        const auto matched = match(candidate.pattern, rest);
        if (matched && serves(call, *candidate.route)) return run(*candidate.route, *matched, request, std::move(call));
      }
    }
    const Segments whole = segments_of(path);
    for (const Candidate& candidate : candidates_.of_server(whole)) {
      if (candidate.route->method != method) continue;
      const auto matched = match(candidate.pattern, whole);
      if (matched) return run(*candidate.route, *matched, request, std::move(call));
    }
    refuse_method(path, place, std::move(call));
  }

  /// No route of the path has the method, or there is none at all.
  void refuse_method(std::string_view path, const std::optional<ModelPath>& place, Call call) const {
    std::string allow;
    bool is_known = false;
    const auto look = [&](std::span<const Candidate> candidates, const Segments& path, bool of_model) {
      for (const Candidate& candidate : candidates) {
        if (!match(candidate.pattern, path)) continue;
        is_known = true;
        const Method method = candidate.route->method;
        if (of_model && !serves(call, *candidate.route)) continue;
        allow.append(allow.empty() ? "" : ", ").append(to_string(method));
        if (method == Method::get) allow += ", HEAD";
      }
    };
    if (place) {
      const Segments rest = segments_of(place->rest);
      look(candidates_.of_model(call.the_model().profile, rest), rest, true);
    }
    const Segments whole = segments_of(path);
    look(candidates_.of_server(whole), whole, false);
    if (!is_known) {
      call.refuse(Error(ErrorKind::not_found, "not_found", "there is nothing at this path"));
      return;
    }
    const std::string known = allow.empty() ? "no method, as its model is declared" : allow + " only";
    Response response = problem(call.asker, 405, "method_not_allowed", "this path knows " + known);
    response.add("Allow", allow);
    call.send(std::move(response));
  }

  /// The refusal of a request whose body is still to come: it goes the way of any other, as far as it can without.
  std::optional<Response> look(const Request& request) const {
    const auto refusal = std::make_shared<RefusalKept>();
    answer(request, Responder(refusal));
    return std::move(refusal->response);
  }

  /// For a reply that the server makes in our place.
  void mark(const Request& request, Response& reply) const {
    std::string storage;
    const auto place = model_of(engine_, plain_path(request.path, storage));
    if (place) {
      const Position position = engine_.feed(place->model).table().progress().position();
      reply.add("Annals-Position", engine_.store().cursor(position).to_text());
    }
    if (is_write(request.method)) reply.add("Annals-Durability", to_string(promised(engine_, request, place)));
  }

 private:
  static bool serves(const Call& call, const Route& route) {
    return model::serves(call.the_model(), to_string(route.method));
  }

  void run(const Route& route, const Match& matched, const Request& request, Call&& call) const {
    call.route = static_cast<std::uint8_t>(&route - routes().data() + 1);
    auto key = percent_decode(matched.first);
    auto argument = percent_decode(matched.second);
    if (!key || !argument) {
      call.refuse(Error(ErrorKind::invalid, "invalid_path", "the path has a broken percent-escape"));
      return;
    }
    call.key = std::move(*key);
    call.argument = std::move(*argument);
    if (is_of_model(route.scope)) {
      if (!engine_.serving()) {
        if (call.refuse_failing()) return;
        call.refuse(Error(ErrorKind::unavailable, "starting", "the server is still reading its log; try again soon"));
        return;
      }
      if (!route.pattern.empty()) {
        auto in_path = key_in_path(engine_.model(call.model), std::move(call.key));
        if (!in_path) {
          call.refuse(in_path.error());
          return;
        }
        call.key = *std::move(in_path);
      }
    }
    if (route.needs == Needs::store && call.refuse_behind_store()) return;
    if (request.body_is_to_come && route.body == Body::none) return;
    route.action(request, std::move(call));
  }

  engine::Engine& engine_;
  const ApiOptions options_;
  const Candidates candidates_;
  mutable CallsShared shared_;
};

}  // namespace

Handler make_api(engine::Engine& engine, ApiOptions options) {
  const auto api = std::make_shared<const Api>(engine, options);  // shared by the two functions
  return {[api](const Request& request, Responder responder) { api->answer(request, std::move(responder)); },
          [api](const Request& request, Response& reply) { api->mark(request, reply); },
          [api](const Request& request) { return api->look(request); }};
}

}  // namespace annals::http
