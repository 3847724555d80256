#include "platform/line_output.hpp"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstring>
#include <mutex>
#include <string>

namespace annals::platform {
namespace {

constexpr int look_every_ms = 100;

bool is_regular_file(int descriptor) {
  struct stat status{};
  return ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

class DescriptorOutput final : public LineOutput {
 public:
  explicit DescriptorOutput(int descriptor) : descriptor_(descriptor) {}

  [[nodiscard]] Result<> write(std::string_view lines) override {
    const std::lock_guard lock(mutex_);
    // Asked each time, for a few hundred lines at most: what the descriptor leads to may be replaced.
    const bool is_file = is_regular_file(descriptor_);
    while (!lines.empty()) {
      if (!is_file && !wait_for_room()) {
        return fail(ErrorKind::input_output, name() + " cannot be written to: its reader takes nothing");
      }
      // A pipe that has room takes so much without blocking. A file has no reader to wait for, and takes all of it.
      const std::size_t most = is_file ? lines.size() : std::min<std::size_t>(lines.size(), PIPE_BUF);
      const ssize_t written = ::write(descriptor_, lines.data(), most);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) {
        return fail(ErrorKind::input_output, name() + " cannot be written to: " + std::strerror(errno));
      }
      lines.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
  }

  void hurry(Duration in_all) override {
    left_us_ = in_all.count();
    hurried_ = true;
  }

 private:
  [[nodiscard]] std::string name() const {
    return descriptor_ == STDERR_FILENO ? "standard error" : "descriptor " + std::to_string(descriptor_);
  }

  [[nodiscard]] bool has_room_within(int milliseconds) const {
    pollfd look{descriptor_, POLLOUT, 0};
    return ::poll(&look, 1, milliseconds) > 0;  // room, or an error that write will tell
  }

  /// Only what is waited in vain counts, so that a reader who keeps up loses nothing however much there is to write.
  bool wait_for_room() {
    while (!has_room_within(0)) {
      if (hurried_ && left_us_ <= 0) return false;
      const auto begun = std::chrono::steady_clock::now();
      const bool has_room = has_room_within(look_every_ms);
      if (hurried_) left_us_ -= std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - begun).count();
      if (has_room) return true;
    }
    return true;
  }

  const int descriptor_;
  std::mutex mutex_;
  std::atomic<bool> hurried_{false};
  std::atomic<std::int64_t> left_us_{0};  // that may still be waited, once hurried
};

}  // namespace

std::unique_ptr<LineOutput> make_line_output(int descriptor) {
  return std::make_unique<DescriptorOutput>(descriptor);
}

LineOutput& standard_error() {
  static DescriptorOutput output(STDERR_FILENO);
  return output;
}

}  // namespace annals::platform
