#include "http/routes/call.hpp"

namespace annals::http {

void Call::refuse(const Error& error, const std::vector<Fault>& faults) {
  // An unavailable store says why in words that name files; those with a code of their own are made for clients.
  const bool store_is_unavailable = error.kind == ErrorKind::unavailable && error.code == to_string(error.kind);
  if (status_of(error.kind) == 500 || store_is_unavailable) {
    write_log(engine.platform().log, LogLevel::error, "A request could not be answered", asker.trace, asker.request_id,
              {{"error", std::string_view(error.message)}});
  }
  if (store_is_unavailable) {
    send(problem(asker, Error(ErrorKind::unavailable,
                              "the store cannot take writes until the server is restarted, or it is not known whether "
                              "it took this one; the log of the server says why")));
  } else {
    send(problem(asker, error, faults));
  }
}

}  // namespace annals::http
