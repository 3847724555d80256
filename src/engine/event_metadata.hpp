#pragma once
// The metadata that the engine puts on events, a JSON object: `{"actor":"anonymous"}`, and on the first event of a
// command that had an idempotency key also `"idempotency":{"key":"<32 hex>","request":"<32 hex>"}`. Pure functions.

#include <optional>
#include <string>
#include <string_view>

#include "engine/command.hpp"

namespace annals::engine {

[[nodiscard]] std::string make_metadata(std::string_view actor, const std::optional<Idempotency>& idempotency);

/// The actor; "unknown" when the metadata was written by others and names none.
[[nodiscard]] std::string actor_of(std::string_view metadata);

[[nodiscard]] std::optional<Idempotency> idempotency_of(std::string_view metadata);

}  // namespace annals::engine
