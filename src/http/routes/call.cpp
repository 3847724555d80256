#include "http/routes/call.hpp"

namespace annals::http {

void Call::refuse(const Error& error) {
  // An unavailable store says why in words that name files; those with a code of their own are made for clients.
  const bool store_is_unavailable = error.kind == ErrorKind::unavailable && error.code == to_string(error.kind);
  // A store that is unavailable stays so, mostly: its refusals say the same, and come as fast as clients try again.
  const auto left_out = store_is_unavailable ? shared.unavailable_log.admit(engine.platform().clock.monotonic())
                                             : std::optional<std::uint64_t>(0);
  if ((status_of(error.kind) == 500 || store_is_unavailable) && left_out) {
    write_log(engine.platform().log, LogLevel::error, "A request could not be answered", asker.trace, asker.request_id,
              {{"error", std::string_view(error.message)}, {"left_out", *left_out}});
  }
  if (store_is_unavailable) {
    send(problem(asker, Error(ErrorKind::unavailable,
                              engine.store().shared()
                                  ? "the store does not answer, or it is not known whether it took this write; try "
                                    "again soon, with an Idempotency-Key"
                                  : "the store cannot take writes until the server is restarted, or it is not known "
                                    "whether it took this one; the log of the server says why")));
  } else {
    send(problem(asker, error));
  }
}

}  // namespace annals::http
