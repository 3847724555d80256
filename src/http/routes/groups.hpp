#pragma once
// What the routes under `/-/models/:name/` have in common. Functions without state; confined to the call's I/O thread.

#include <optional>

#include "http/request.hpp"
#include "http/routes/call.hpp"

namespace annals::http {

/// Makes the call one of the model whose name is its key; refuses and gives false where there is none, or it is not
/// served yet. Preconditions are refused: they are about one record.
[[nodiscard]] bool enter_model(const Request& request, Call& call);

/// `?dry_run=`: nullopt after having refused what is neither true nor false, or another parameter.
[[nodiscard]] std::optional<bool> dry_run_of(const Request& request, Call& call);

/// The reply to a request for several keys: `{"set":2,"deleted":1}`.
void send_tally(Call call, const Result<engine::Receipt>& receipt);

}  // namespace annals::http
