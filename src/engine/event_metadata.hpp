#pragma once
// The metadata that the engine puts on events, a JSON object: `{"actor":"anonymous"}`, and on the first event of a
// command that had an idempotency key also `"idempotency":{"key":"<32 hex>","request":"<32 hex>"}`, and there, of a
// command for several keys, `"set":3,"removed":1,"events":4`: what it did, and the number of its events. Pure
// functions.

#include <optional>
#include <string>
#include <string_view>

#include "engine/command.hpp"

namespace annals::engine {

[[nodiscard]] std::string make_metadata(std::string_view actor, const std::optional<Idempotency>& idempotency,
                                        const Tally& tally = {});

/// The actor; "unknown" when the metadata was written by others and names none.
[[nodiscard]] std::string actor_of(std::string_view metadata);

/// What is remembered of a command by its first event.
struct Remembered {
  Idempotency idempotency;
  Tally tally;
};
[[nodiscard]] std::optional<Remembered> remembered_of(std::string_view metadata);

}  // namespace annals::engine
