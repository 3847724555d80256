#pragma once
// NamedInput: a file or a pipe that a user named, as it is read. Confined to one thread.

#include <memory>
#include <string>

#include "base/instant.hpp"
#include "platform/file_system.hpp"
#include "platform/posix/descriptor.hpp"

namespace annals::platform {

class NamedInput final : public Input {
 public:
  /// Errors: not_found, input_output.
  [[nodiscard]] static Result<std::unique_ptr<NamedInput>> open(const std::string& path, Duration wait_max);

  /// Errors: input_output; timed_out, when it is a pipe that nobody has open to write to, and nobody came.
  [[nodiscard]] Result<std::size_t> read(char* into, std::size_t size) override;

  [[nodiscard]] int number() const { return descriptor_.number(); }

 private:
  NamedInput(std::string path, Descriptor descriptor, bool is_pipe, Duration wait_max)
      : path_(std::move(path)), descriptor_(std::move(descriptor)), may_come_(is_pipe), wait_max_(wait_max) {}

  const std::string path_;
  const Descriptor descriptor_;
  bool may_come_;         // nobody has been seen yet who could write into the pipe
  bool is_over_ = false;  // the time for them
  const Duration wait_max_;
};

/// "FILE cannot be opened: no such file or directory".
[[nodiscard]] std::unexpected<Error> named_file_refused(const std::string& path, std::string_view tried, int error);

}  // namespace annals::platform
