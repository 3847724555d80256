#pragma once
// Events as JSON, the one shape in which they leave: histories, `annals events`, later live streams. Pure functions.

#include <string>
#include <string_view>

#include "event/event.hpp"
#include "model/model.hpp"

namespace annals::engine {

/// Appends the event as a JSON object. `model` is the one that owns its stream, or nullptr when none of the declared
/// ones does; it gives the aggregate's type and the prefix of event types. What metadata holds for the engine's own use
/// (idempotency keys) stays inside.
void append_event_json(std::string& out, const EventView& event, const model::Model* model);

}  // namespace annals::engine
