#pragma once
// Replies to writes of resources.

#include <string>

#include "engine/command.hpp"
#include "http/routes/call.hpp"

namespace annals::http {

/// What a write of a resource left, or why it was refused. `created_at`: the model's path as the client wrote it, for a
/// request that creates; empty for one that does not.
void send_resource(Call call, const Result<engine::Receipt>& receipt, const std::string& created_at);

}  // namespace annals::http
