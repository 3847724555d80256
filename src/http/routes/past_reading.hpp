#pragma once
// Reading a record as it was.

#include <functional>

#include "engine/fold.hpp"
#include "http/routes/call.hpp"

namespace annals::http {

/// Goes on with `then(call, record)`: the record of the call's key as it was then, as far as the model shows its past
/// (else not_found, "past_not_shown"), once an answer about that time can no longer change. The look into the store
/// takes turns (http/routes/reading.hpp), and ends when nobody waits for the answer any more.
void read_past(Call call, engine::When when, std::move_only_function<void(Call, Result<model::Record>)> then);

}  // namespace annals::http
