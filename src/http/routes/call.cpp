#include "http/routes/call.hpp"

#include "http/fields.hpp"

namespace annals::http {

void Call::refuse(const Error& error) {
  // An event that the table failed at is met again by who folds the record's past, and is no defect of the server.
  if (error.kind == ErrorKind::corrupt && position) {
    if (const auto failing = engine.feed(model).check(); !failing) return send(problem(asker, failing.error()));
  }
  // An unavailable store says why in words that name files and hosts; other codes come with words made for clients.
  const bool is_away = error.code == "database_away";
  const bool is_unknown = error.code == "outcome_unknown";
  const bool store_is_unavailable =
      error.kind == ErrorKind::unavailable && (is_away || is_unknown || error.code == to_string(error.kind));
  // What was given up because nobody waits for it any more is no news.
  if (store_is_unavailable && !responder.wanted()) {
    return send(problem(asker, Error(error.kind, error.code, "nobody waits for the answer any more")));
  }
  // A store that is unavailable stays so, mostly: its refusals say the same, and come as fast as clients try again.
  const auto left_out = store_is_unavailable ? shared.unavailable_log.admit(engine.platform().clock.monotonic())
                                             : std::optional<std::uint64_t>(0);
  if ((status_of(error.kind) == 500 || store_is_unavailable) && left_out) {
    write_log(engine.platform().log, LogLevel::error, "A request could not be answered", asker.trace, asker.request_id,
              {{"error", std::string_view(error.message)}, {"left_out", *left_out}});
  }
  if (!store_is_unavailable) return send(problem(asker, error));
  std::string said =
      "the store cannot take writes until the server is restarted, or it is not known whether it took "
      "this one; the log of the server says why";
  if (engine.store().shared()) {
    said =
        "the store does not answer, or it is not known whether it took this write; try again soon, with an "
        "Idempotency-Key";
  }
  if (is_unknown) {
    said =
        "the store went away while it took this write, and could not be asked since whether it has; try again with the "
        "same Idempotency-Key, and it is recorded once, or look what is there before trying again without one";
  }
  if (is_away) {
    said = is_write ? "the store cannot be used now, and this request recorded nothing; send it again soon"
                    : "the store cannot be asked now; try again soon";
  }
  send(problem(asker, Error(ErrorKind::unavailable, error.code, std::move(said))));
}

std::string Call::entity_tag(StreamVersion version) const {
  return "\"" + marked_tag_of(version, engine.declaration_mark(model)) + "\"";
}

std::string Call::cache_control(model::ApiOperation operation) const {
  std::string field;
  append_cache_control(field, operation);
  return field;
}

// "private" need not be said: a cache that several share keeps no reply to a request with Authorization without being
// told to (RFC 9111, 3.5).
void Call::append_cache_control(std::string& fields, model::ApiOperation operation) const {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(the_model().cache_of(operation)).count();
  if (seconds == 0 || behind_store) {
    fields += never_fresh;
  } else {
    fields.append("Cache-Control: max-age=").append(std::to_string(seconds)).append("\r\n");
  }
}

bool Call::refuse_failing(std::span<const std::size_t> models) {
  auto good = engine.feed(model).check();
  for (const std::size_t other : models) {
    if (good) good = engine.feed(other).check();
  }
  if (!good) send(problem(asker, good.error()));
  return !good;
}

bool Call::refuse_behind_store() {
  if (!behind_store) return false;
  send(problem(asker, Error(ErrorKind::unavailable, "database_away",
                            "the server was started while its database was away and has not caught up with it yet; "
                            "until then only what its checkpoints hold of the present can be read, and nothing is "
                            "recorded; try again soon")));
  return true;
}

}  // namespace annals::http
