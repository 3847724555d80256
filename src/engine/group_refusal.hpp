#pragma once
// What is told of a group that a store refuses. Pure.

#include <string>

#include "base/result.hpp"
#include "engine/command.hpp"

namespace annals::engine {

/// `error` in the words of who made the request that the group is of.
[[nodiscard]] inline Error refusal_of_group(Error error, const Tally& tally) {
  if (error.kind == ErrorKind::too_large && tally.events > 1) {
    error.message = "the request makes " + std::to_string(tally.events) +
                    " changes, which are one group: " + error.message +
                    "; nothing was recorded; make fewer changes at once";
  }
  return error;
}

}  // namespace annals::engine
