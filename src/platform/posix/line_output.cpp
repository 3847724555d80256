#include "platform/line_output.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
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
      if (!wait_for_room()) {
        return fail(ErrorKind::input_output, "standard error cannot be written to: its reader takes nothing");
      }
      // A pipe that has room takes this much without blocking.
      const ssize_t written = ::write(STDERR_FILENO, lines.data(), std::min<std::size_t>(lines.size(), PIPE_BUF));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) {
        return fail(ErrorKind::input_output,
                    std::string("standard error cannot be written to: ") + std::strerror(errno));
      }
      lines.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
  }

  void hurry() override { hurried_ = true; }

 private:
  bool wait_for_room() {
    constexpr int look_every_ms = 100;
    constexpr int looks_max = 10;
    for (int looks = 0; looks < looks_max; looks += hurried_ ? 1 : 0) {
      pollfd descriptor{STDERR_FILENO, POLLOUT, 0};
      if (::poll(&descriptor, 1, look_every_ms) > 0) return true;  // room, or an error that write will tell
    }
    return false;
  }

  std::mutex mutex_;
  std::atomic<bool> hurried_{false};
};

}  // namespace

LineOutput& standard_error() {
  static StandardError output;
  return output;
}

}  // namespace annals::platform
