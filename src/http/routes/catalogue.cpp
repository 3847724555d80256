#include "http/routes/catalogue.hpp"

#include <array>

#include "http/route_list.hpp"
#include "http/server_metrics.hpp"

namespace annals::http {

std::span<const Route> routes() {
  static constexpr std::array table{
      Route{
          Method::get, Scope::kv, "",
          "All records, in order of name; `prefix`, `limit`, `after`, `at`, `min_position`; If-None-Match, with which "
          "`wait` waits for a change. What was added, changed and removed between two times: `diff_from`, `diff_to` "
          "(without it: until now).",
          list_records, Needs::tables},
      Route{Method::get, Scope::kv, "/:name",
            "One value, as text or (Accept) as JSON, each with an ETag of its own; `at`, `version`, `min_position`; "
            "If-None-Match, with which `wait` waits for a change.",
            get_record, Needs::tables},
      Route{Method::put, Scope::kv, "/:name",
            "Sets the value, `{\"value\":\"...\"}`; If-Match, If-None-Match: *, Idempotency-Key, `dry_run=true`.",
            put_record, Needs::store, Body::taken},
      Route{Method::delete_, Scope::model, "/:name",
            "Deletes the record; its history stays. If-Match (of a record that is there), Idempotency-Key, "
            "`dry_run=true`.",
            delete_record},
      Route{Method::post, Scope::resource, "",
            "Creates a record of the JSON members given; 201 with `Location`. Idempotency-Key, `dry_run=true`.",
            create_resource, Needs::store, Body::taken},
      Route{Method::get, Scope::resource, "",
            "A page of records, `{\"data\":[...],\"next\":\"<cursor or null>\"}`; filters such as `price[gte]=10` "
            "(`eq ne gt gte lt lte in prefix contains`; `name=x` means `eq`), `sort=-price,name` (else by their "
            "keys), `fields=a,b`, `limit` (100, at most 1000), `after`, `at`, `min_position`, `count=true` (adds "
            "`total`), `explain=true`, `expand=customer` (what is referred to); If-None-Match, with which `wait` waits "
            "for "
            "a change of any record. With Accept "
            "`application/x-ndjson` or `text/csv`, and without "
            "`limit`: all of them.",
            list_resources, Needs::tables},
      Route{
          Method::get, Scope::resource, "/:name",
          "One record as JSON, with its ETag; `at`, `version`, `min_position`, `expand=customer` (with what it refers "
          "to, without ETag); If-None-Match, with which `wait` waits for a change.",
          get_record, Needs::tables},
      Route{Method::put, Scope::resource, "/:name",
            "Replaces the record; only what changed is recorded. If-Match, Idempotency-Key, `dry_run=true`.",
            replace_resource, Needs::store, Body::taken},
      Route{Method::patch, Scope::resource, "/:name",
            "Changes the members given (RFC 7396); null takes a value away. If-Match, Idempotency-Key, `dry_run=true`.",
            patch_resource, Needs::store, Body::taken},
      Route{Method::get, Scope::model, "/:name/history",
            "The events of the record, in order of version; `after_version`, `limit`.", get_history},
      Route{Method::get, Scope::resource, "/:name/audit",
            "Who changed what of the record, with old and new values, in order of version, when the model, or an "
            "operation "
            "of it, is `audited`; "
            "`after_version`, `limit`.",
            get_audit},
      Route{Method::get, Scope::model, "/:name/at/:timestamp", "The value, or the record, as it was at a time.",
            get_record_at},
      Route{Method::get, Scope::kv, "/:name/diff",
            "What the value was and is; `from` or `from_version`, `to` or `to_version` (without: now), `min_position`.",
            get_difference},
      Route{Method::post, Scope::model, "/:name/rollback",
            "A new event with the value, or the record, of `{\"version\": n}` or `{\"at\": \"time\"}`; `dry_run=true`.",
            roll_back_record, Needs::store, Body::taken},
      Route{Method::post, Scope::server, "/batch",
            "Several writes of records, of whichever models, all or nothing: `[{\"method\": \"PUT\", \"path\": "
            "\"/config/color\", \"body\": {...}, \"if_match\": 3}, ...]`, 1 to 1,000 of them; Idempotency-Key, "
            "`dry_run=true`.",
            post_batch, Needs::store, Body::taken},
      Route{Method::get, Scope::server, "/health", "Whether the server is healthy, and which check is not.", get_health,
            Needs::nothing},
      Route{Method::get, Scope::server, "/v1/health", "The same as /health.", get_health, Needs::nothing},
      Route{Method::get, Scope::server, "/livez", "200 as long as the process answers.", get_liveness, Needs::nothing},
      Route{Method::get, Scope::server, "/readyz",
            "200 when requests may be sent here; 503, and why, while tables catch up or fail, while draining, and when "
            "the store takes no writes.",
            get_readiness, Needs::nothing},
      Route{Method::get, Scope::server, "/metrics", "What is counted, in Prometheus' text format.", get_metrics,
            Needs::nothing},
      Route{Method::get, Scope::server, "/-/events",
            "Events of all streams as JSON lines; `after`, `stream`, `limit`, `wait`.", get_events},
      Route{Method::post, Scope::server, "/-/models/:name/rollback",
            "Brings all names with a prefix back to what they were, `{\"prefix\": \"...\", \"at\": \"time\"}`, all or "
            "nothing; `dry_run=true` lists what would change; Idempotency-Key.",
            roll_back_records, Needs::tables, Body::taken},
      Route{Method::post, Scope::server, "/-/models/:name/import",
            "Sets the values of JSON lines, `{\"name\":\"...\",\"value\":\"...\"}`, all or nothing; Idempotency-Key.",
            import_records, Needs::tables, Body::taken},
      Route{Method::post, Scope::server, "/-/projections/:name/refresh", "Brings the read table of a model up to now.",
            refresh_projection},
  };
  static_assert(table.size() < counted_routes_max, "every route is counted apart");
  return table;
}

std::string path_of(const Route& route) {
  const std::string_view place = route.scope == Scope::server     ? ""
                                 : route.scope == Scope::resource ? "RESOURCE"
                                                                  : "MODEL";
  return std::string(place) + std::string(route.pattern);
}

std::vector<RouteLine> route_list() {
  std::vector<RouteLine> lines;
  for (const Route& route : routes()) {
    lines.push_back({std::string(to_string(route.method)), path_of(route), std::string(route.sentence)});
  }
  return lines;
}

}  // namespace annals::http
