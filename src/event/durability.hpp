#pragma once
// How durable a success is, and what may be asked. Values; no thread rule.

#include <cstdint>
#include <string_view>

namespace annals {

/// How durable a success is; the reply's header `Annals-Durability` says it.
enum class Durability : std::uint8_t { memory, periodic, local, quorum };
[[nodiscard]] std::string_view to_string(Durability durability);

/// What a success is asked to promise, from the least to the most. A store gives at least that.
enum class AskedDurability : std::uint8_t {
  memory,  ///< to be seen; it is made durable soon after
  store,   ///< what the store was opened to give
  local,   ///< to survive the loss of power
};
[[nodiscard]] std::string_view to_string(AskedDurability asked);

}  // namespace annals
