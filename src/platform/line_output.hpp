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
};

/// Standard error.
[[nodiscard]] LineOutput& standard_error();

}  // namespace annals::platform
