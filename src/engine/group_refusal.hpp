#pragma once
// What is told of a group that a store refuses, and of a refusal that a store is in doubt about. Pure.

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

/// Of a request that the state refuses and that records nothing, where it is not known whether that state is the
/// newest.
[[nodiscard]] inline Error refusal_in_doubt(bool others_exist) {
  if (others_exist) {
    return Error(ErrorKind::unavailable, "database_away",
                 "the store cannot take writes now; this request recorded nothing; try again soon");
  }
  return Error(ErrorKind::unavailable,
               "the store cannot take writes until it is restarted; this request recorded nothing");
}

}  // namespace annals::engine
