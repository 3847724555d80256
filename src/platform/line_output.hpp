#pragma once
// LineOutput: whole lines to standard error (or wherever), never mixed with another writer's halfway through a line.
// Both the logger and the audit subscriber write through it. Thread-safe.

#include <string_view>

#include "base/result.hpp"

namespace annals::platform {

class LineOutput {
 public:
  virtual ~LineOutput() = default;

  /// Writes `lines`, which ends with a newline; blocks while the reader does not read. Errors: input_output.
  [[nodiscard]] virtual Result<> write(std::string_view lines) = 0;

  /// From now on a write gives up (input_output) when the reader has taken nothing for a second: the process is about
  /// to end.
  virtual void hurry() {}
};

/// Standard error.
[[nodiscard]] LineOutput& standard_error();

}  // namespace annals::platform
