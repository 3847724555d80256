#pragma once
// LineOutput: whole lines to standard error (or wherever), never mixed with another writer's halfway through a line.
// Both the logger and the audit subscriber write through it. Thread-safe.

#include <memory>
#include <string_view>

#include "base/instant.hpp"
#include "base/result.hpp"

namespace annals::platform {

class LineOutput {
 public:
  virtual ~LineOutput() = default;

  /// Writes `lines`, which ends with a newline; blocks while the reader does not read. Errors: input_output.
  [[nodiscard]] virtual Result<> write(std::string_view lines) = 0;

  /// The process is about to end: from now on all writes together wait for the reader for `in_all` at most. What it has
  /// no room for after that is not written (input_output).
  virtual void hurry(Duration in_all) { (void)in_all; }
};

/// To an open file descriptor, which stays the caller's.
[[nodiscard]] std::unique_ptr<LineOutput> make_line_output(int descriptor);

/// Standard error.
[[nodiscard]] LineOutput& standard_error();

}  // namespace annals::platform
