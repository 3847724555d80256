#include "platform/line_output.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <string>

namespace annals::platform {
namespace {

class StandardError final : public LineOutput {
 public:
  [[nodiscard]] Result<> write(std::string_view lines) override {
    const std::lock_guard lock(mutex_);
    while (!lines.empty()) {
      const ssize_t written = ::write(STDERR_FILENO, lines.data(), lines.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) {
        return fail(ErrorKind::input_output,
                    std::string("standard error cannot be written to: ") + std::strerror(errno));
      }
      lines.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
  }

 private:
  std::mutex mutex_;
};

}  // namespace

LineOutput& standard_error() {
  static StandardError output;
  return output;
}

}  // namespace annals::platform
