// The server's own pages: health, liveness, readiness, projections.

#include "http/routes/call.hpp"
#include "http/routes/query_parameters.hpp"
#include "json/writer.hpp"

namespace annals::http {
namespace {

bool refuse_parameters(const Request& request, Call& call) {
  const auto parameters = QueryParameters::parse(request.query, {});
  if (!parameters) call.refuse(parameters.error());
  return !parameters;
}

Response plain(int status, std::string text) {
  Response response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.fields = "Cache-Control: no-store\r\n";
  response.body = std::move(text);
  return response;
}

void append_check(std::string& checks, std::string& details, std::string_view name,
                  const engine::Health::Check& check) {
  json::append_member(checks, name, check.state);
  if (!check.detail.empty()) json::append_member(details, name, check.detail);
}

void send_health(Call call, const engine::Health& health) {
  std::string checks = "{";
  std::string details = "{";
  append_check(checks, details, "eventstore", health.eventstore);
  append_check(checks, details, "projection", health.projection);
  append_check(checks, details, "database", health.database);
  std::string body = "{";
  json::append_member(body, "status", health.healthy() ? "healthy" : "unhealthy");
  json::append_member(body, "timestamp", call.engine.platform().clock.now().to_text());
  json::append_member(body, "checks");
  body += checks + "}";
  if (!health.healthy()) {
    json::append_member(body, "details");
    body += details + "}";
  }
  body += '}';
  Response response;
  response.status = health.healthy() ? 200 : 503;
  response.content_type = "application/json";
  response.fields = "Cache-Control: no-store\r\n";
  if (!health.healthy()) response.add("Retry-After", "1");
  response.body = std::move(body);
  call.send(std::move(response));
}

}  // namespace

void get_health(const Request& request, Call call) {
  if (refuse_parameters(request, call)) return;
  engine::Engine& engine = call.engine;
  platform::Executor& home = *call.home;
  engine.check_health(
      home, [call = std::move(call)](const engine::Health& health) mutable { send_health(std::move(call), health); });
}

void get_liveness(const Request& request, Call call) {
  if (refuse_parameters(request, call)) return;
  call.send(plain(200, "alive\n"));
}

void get_readiness(const Request& request, Call call) {
  if (refuse_parameters(request, call)) return;
  const auto why_not = call.engine.why_not_ready();
  if (!why_not) return call.send(plain(200, "ready\n"));
  Response response = plain(503, *why_not + "\n");
  response.add("Retry-After", "1");
  call.send(std::move(response));
}

void refresh_projection(const Request& request, Call call) {
  if (refuse_parameters(request, call)) return;
  for (std::size_t place = 0; place < call.engine.models(); ++place) {
    if (call.engine.model(place).name != call.argument && call.engine.model(place).name != call.key) continue;
    call.model = place;
    if (call.refuse_failing()) return;
    projection::TableFeed& feed = call.engine.feed(place);
    feed.refresh([call = std::make_shared<Call>(std::move(call))]() mutable {
      platform::Executor& home = *call->home;
      home.post([call] {
        call->position = call->position_of_table();
        Response response = plain(200, "OK");
        call->send(std::move(response));
      });
    });
    return;
  }
  call.refuse(Error(ErrorKind::not_found, "not_found", "there is no projection of this name"));
}

}  // namespace annals::http
