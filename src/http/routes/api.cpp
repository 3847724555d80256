#include "http/api.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "http/routes/call.hpp"
#include "http/routes/catalogue.hpp"

namespace annals::http {
namespace {

/// A pattern and a path agree; what stood for `:name` and what followed it, still encoded.
struct Match {
  std::string_view first;
  std::string_view second;
};

std::string_view take_segment(std::string_view& path) {
  path.remove_prefix(1);  // the slash
  const std::size_t end = std::min(path.find('/'), path.size());
  const std::string_view segment = path.substr(0, end);
  path.remove_prefix(end);
  return segment;
}

std::optional<Match> match(std::string_view pattern, std::string_view path) {
  Match result;
  while (!pattern.empty() && !path.empty()) {
    const std::string_view expected = take_segment(pattern);
    const std::string_view found = take_segment(path);
    if (expected.starts_with(':')) {
      (expected == ":timestamp" ? result.second : result.first) = found;
    } else if (expected != found) {
      return std::nullopt;
    }
  }
  if (!pattern.empty() || !path.empty()) return std::nullopt;
  return result;
}

struct Place {
  std::string_view rest;  ///< of the path, after the model's
  std::size_t model = 0;
};

class Api {
 public:
  Api(engine::Engine& engine, ApiOptions options) : engine_(engine), options_(options) {}

  void answer(const Request& request, Responder responder) const {
    Call call{engine_, options_, 0, {}, {}, Asker::of(request), request.home, std::move(responder), false, {}};
    const Method method = request.method == Method::head ? Method::get : request.method;
    std::string allow;
    for (const Route& route : routes()) {
      const auto found =
          route.scope == Scope::server ? std::optional<Place>(Place{request.path, 0}) : model_of(request.path);
      if (!found) continue;
      const auto matched = match(route.pattern, found->rest);
      if (!matched) continue;
      if (route.method != method) {
        allow.append(allow.empty() ? "" : ", ").append(to_string(route.method));
        if (route.method == Method::get) allow += ", HEAD";
        continue;
      }
      call.model = found->model;
      run(route, *matched, request, std::move(call));
      return;
    }
    if (allow.empty()) {
      call.refuse(Error(ErrorKind::not_found, "not_found", "there is nothing at this path"));
      return;
    }
    Response response = problem(call.asker, 405, "method_not_allowed", "this path knows " + allow + " only");
    response.add("Allow", allow);
    call.send(std::move(response));
  }

 private:
  /// The model that serves a path, and what follows the model's own.
  [[nodiscard]] std::optional<Place> model_of(std::string_view path) const {
    for (std::size_t model = 0; model < engine_.models(); ++model) {
      for (const std::string& base : engine_.model(model).paths) {
        if (!path.starts_with(base)) continue;
        const std::string_view rest = path.substr(base.size());
        if (rest.empty() || rest.front() == '/') return Place{rest, model};
      }
    }
    return std::nullopt;
  }

  void run(const Route& route, const Match& matched, const Request& request, Call call) const {
    call.is_write = route.method != Method::get && route.scope == Scope::model;
    auto key = percent_decode(matched.first);
    auto argument = percent_decode(matched.second);
    if (!key || !argument) {
      call.refuse(Error(ErrorKind::invalid, "invalid_path", "the path has a broken percent-escape"));
      return;
    }
    call.key = std::move(*key);
    call.argument = std::move(*argument);
    if (route.scope == Scope::model) {
      if (!engine_.serving()) {
        call.refuse(Error(ErrorKind::unavailable, "starting", "the server is still reading its log; try again soon"));
        return;
      }
      // Before anything is read, so that what is read reflects at least this position.
      call.position = engine_.store().cursor(call.table().progress().position()).to_text();
      if (!route.pattern.empty()) {
        if (auto good = model::check_key(call.key); !good) {
          call.refuse(good.error());
          return;
        }
      }
    }
    route.action(request, std::move(call));
  }

  engine::Engine& engine_;
  const ApiOptions options_;
};

}  // namespace

Handler make_api(engine::Engine& engine, ApiOptions options) {
  return [api = std::make_shared<const Api>(engine, options)](const Request& request, Responder responder) {
    api->answer(request, std::move(responder));
  };
}

}  // namespace annals::http
