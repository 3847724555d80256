#include "http/routes/catalogue.hpp"

#include <array>

#include "http/route_list.hpp"
#include "http/server_metrics.hpp"

namespace annals::http {

std::span<const Route> routes() {
  static constexpr std::array table{
      Route{
          Method::get, Scope::model, "",
          "All records, in order of name; `prefix`, `limit`, `after`, `at`, `min_position`; If-None-Match, with which "
          "`wait` waits for a change. What was added, changed and removed between two times: `diff_from`, `diff_to` "
          "(without it: until now).",
          list_records},
      Route{Method::get, Scope::model, "/:name",
            "One value, as text or (Accept) as JSON, each with an ETag of its own; `at`, `version`, `min_position`; "
            "If-None-Match, with which `wait` waits for a change.",
            get_record},
      Route{Method::put, Scope::model, "/:name",
            "Sets the value, `{\"value\":\"...\"}`; If-Match, If-None-Match: *, Idempotency-Key.", put_record},
      Route{Method::delete_, Scope::model, "/:name",
            "Deletes the record; its history stays. If-Match (of a record that is there), Idempotency-Key.",
            delete_record},
      Route{Method::get, Scope::model, "/:name/history",
            "The events of the record, in order of version; `after_version`, `limit`.", get_history},
      Route{Method::get, Scope::model, "/:name/at/:timestamp", "The value as it was at a time.", get_record_at},
      Route{Method::get, Scope::model, "/:name/diff",
            "What the value was and is; `from` or `from_version`, `to` or `to_version` (without: now), `min_position`.",
            get_difference},
      Route{Method::post, Scope::model, "/:name/rollback",
            "A new event with the value of `{\"version\": n}` or `{\"at\": \"time\"}`.", roll_back_record},
      Route{Method::get, Scope::server, "/health", "Whether the server is healthy, and which check is not.",
            get_health},
      Route{Method::get, Scope::server, "/v1/health", "The same as /health.", get_health},
      Route{Method::get, Scope::server, "/livez", "200 as long as the process answers.", get_liveness},
      Route{
          Method::get, Scope::server, "/readyz",
          "200 when requests may be sent here; 503, and why, while tables catch up, while draining, and when the store "
          "takes no writes.",
          get_readiness},
      Route{Method::get, Scope::server, "/metrics", "What is counted, in Prometheus' text format.", get_metrics},
      Route{Method::get, Scope::server, "/-/events",
            "Events of all streams as JSON lines; `after`, `stream`, `limit`, `wait`.", get_events},
      Route{Method::post, Scope::server, "/-/models/:name/rollback",
            "Brings all names with a prefix back to what they were, `{\"prefix\": \"...\", \"at\": \"time\"}`, all or "
            "nothing; `dry_run=true` lists what would change; Idempotency-Key.",
            roll_back_records},
      Route{Method::post, Scope::server, "/-/models/:name/import",
            "Sets the values of JSON lines, `{\"name\":\"...\",\"value\":\"...\"}`, all or nothing; Idempotency-Key.",
            import_records},
      Route{Method::post, Scope::server, "/-/projections/:name/refresh", "Brings the read table of a model up to now.",
            refresh_projection},
  };
  static_assert(table.size() < counted_routes_max, "every route is counted apart");
  return table;
}

std::vector<RouteLine> route_list() {
  std::vector<RouteLine> lines;
  for (const Route& route : routes()) {
    lines.push_back({std::string(to_string(route.method)),
                     (route.scope == Scope::model ? "MODEL" : "") + std::string(route.pattern),
                     std::string(route.sentence)});
  }
  return lines;
}

}  // namespace annals::http
