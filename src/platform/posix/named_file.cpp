#include "platform/named_file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>

#include "platform/posix/descriptor.hpp"

namespace annals::platform {
namespace {

constexpr std::size_t named_file_piece_bytes = 64u << 10;
constexpr int without_end = -1;

std::unexpected<Error> named_file_refused(const std::string& path, std::string_view tried, int error) {
  return fail(error == ENOENT ? ErrorKind::not_found : ErrorKind::input_output,
              path + " cannot be " + std::string(tried) + ": " + std::generic_category().message(error));
}

/// Waits until there is something to read, or somebody who could have written has gone; false when the time is over.
bool can_be_read(int number, int wait_ms) {
  pollfd polled{number, POLLIN, 0};
  int ready = ::poll(&polled, 1, wait_ms);
  while (ready < 0 && errno == EINTR) ready = ::poll(&polled, 1, wait_ms);
  return ready != 0;  // what went wrong, the next read tells
}

}  // namespace

Result<std::string> read_named_file(const std::string& path, std::uint64_t size_max, Duration wait_max) {
  // So that a pipe is opened although nobody has its other end.
  const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (descriptor.number() < 0) return named_file_refused(path, "opened", errno);
  struct stat status{};
  if (::fstat(descriptor.number(), &status) != 0) return named_file_refused(path, "examined", errno);
  bool may_come = S_ISFIFO(status.st_mode);
  bool is_over = false;
  std::string bytes;
  while (true) {
    const std::size_t before = bytes.size();
    bytes.resize(before + named_file_piece_bytes);
    const ssize_t count = ::read(descriptor.number(), bytes.data() + before, named_file_piece_bytes);
    bytes.resize(before + (count > 0 ? static_cast<std::size_t>(count) : 0));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      // Somebody has it open: what they will write is waited for.
      may_come = is_over = false;
      can_be_read(descriptor.number(), without_end);
    } else if (count < 0) {
      return named_file_refused(path, "read", errno);
    } else if (count == 0 && before == 0 && may_come && !is_over) {
      const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(wait_max);
      // Who has been there and gone has written nothing. At the end of the time somebody may be there silently.
      if (can_be_read(descriptor.number(), static_cast<int>(wait.count()))) may_come = false;
      is_over = may_come;
    } else if (count == 0 && is_over) {
      return fail(ErrorKind::timed_out,
                  path + " is a pipe that nobody has open to write to, and nobody came within " + to_text(wait_max));
    } else if (count == 0) {
      return bytes;
    } else {
      may_come = is_over = false;
    }
    if (bytes.size() > size_max)
      return fail(ErrorKind::too_large, path + " has more than " + std::to_string(size_max) + " bytes, the limit");
  }
}

}  // namespace annals::platform
