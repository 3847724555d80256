#pragma once
// The metadata that the engine puts on events, a JSON object: `{"actor":"anonymous"}`. The first event of a command
// that had an idempotency key also has `"idempotency":{"key":"<32 hex>","request":"<32 hex>"}`. For a command on many
// keys that object tells what it did and how many events it made, `"set":3,"removed":1,"events":4`; for a batch also
// the version at which each of its commands left its key, and the keys that were made for it,
// `"versions":[1,4],"keys":["..."]`.
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
