#pragma once
// What is wrong with an event that a model cannot take: with its values for the log, and as a fault, which shows none,
// for whoever else is told. Pure functions.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/number.hpp"
#include "base/result.hpp"
#include "model/field.hpp"

namespace annals::model {

/// `what`: the end of a sentence about the event.
[[nodiscard]] inline std::unexpected<Error> not_taken(std::string_view type, StreamVersion version,
                                                      const std::string& what, std::vector<Fault> faults = {}) {
  return std::unexpected(Error(
      ErrorKind::corrupt, to_string(ErrorKind::corrupt),
      "the event of type " + std::string(type) + " at version " + to_string(version) + " " + what, std::move(faults)));
}

/// That a value of the event does not suit a field, as `error` says.
[[nodiscard]] inline std::unexpected<Error> not_suited(const Field& field, const Error& error) {
  const std::string told = "what it gives to \"" + field.name + "\" does not suit the declaration (" + error.code + ")";
  return std::unexpected(Error(ErrorKind::corrupt, to_string(ErrorKind::corrupt),
                               "does not suit \"" + field.name + "\": " + error.message,
                               {{"/" + field.name, error.code, told}}));
}

}  // namespace annals::model
