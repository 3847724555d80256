#pragma once
// The metadata that the engine puts on events, a JSON object: `{"actor":"anonymous"}`, and on the first event of a
// command that had an idempotency key also `"idempotency":{"key":"<32 hex>","request":"<32 hex>"}`, and there, of a
// command for several keys, `"set":3,"removed":1,"events":4`: what it did, and the number of its events; of a batch
// also
// `"versions":[1,4],"keys":["..."]`: what each of its commands left its key at, and the keys that were made for it.
// Pure functions.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/command.hpp"

namespace annals::engine {

/// What only the metadata of a batch remembers of its commands, in their order.
struct BatchMemory {
  std::vector<StreamVersion> versions;
  std::vector<std::string> made_keys;
};

/// `batch`: null for what is none.
[[nodiscard]] std::string make_metadata(std::string_view actor, const std::optional<Idempotency>& idempotency,
                                        const Tally& tally = {}, const BatchMemory* batch = nullptr);

/// The actor; "unknown" when the metadata was written by others and names none.
[[nodiscard]] std::string actor_of(std::string_view metadata);

/// What is remembered of a command by its first event.
struct Remembered {
  Idempotency idempotency;
  Tally tally;
};
[[nodiscard]] std::optional<Remembered> remembered_of(std::string_view metadata);

/// What the first event of a batch that had an idempotency key remembers; nullopt of other events.
[[nodiscard]] std::optional<BatchMemory> batch_memory_of(std::string_view metadata);

}  // namespace annals::engine
