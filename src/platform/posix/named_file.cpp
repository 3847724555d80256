#include "platform/named_file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>

#include "platform/posix/named_input.hpp"

namespace annals::platform {
namespace {

constexpr std::size_t named_file_piece_bytes = 64u << 10;
constexpr int without_end = -1;

/// Waits until there is something to read, or somebody who could have written has gone; false when the time is over.
bool can_be_read(int number, int wait_ms) {
  pollfd polled{number, POLLIN, 0};
  int ready = ::poll(&polled, 1, wait_ms);
  while (ready < 0 && errno == EINTR) ready = ::poll(&polled, 1, wait_ms);
  return ready != 0;  // what went wrong, the next read tells
}

}  // namespace

std::unexpected<Error> named_file_refused(const std::string& path, std::string_view tried, int error) {
  return fail(error == ENOENT ? ErrorKind::not_found : ErrorKind::input_output,
              path + " cannot be " + std::string(tried) + ": " + std::generic_category().message(error));
}

Result<std::unique_ptr<NamedInput>> NamedInput::open(const std::string& path, Duration wait_max) {
  // So that a pipe is opened although nobody has its other end.
  Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (descriptor.number() < 0) return named_file_refused(path, "opened", errno);
  struct stat status{};
  if (::fstat(descriptor.number(), &status) != 0) return named_file_refused(path, "examined", errno);
  return std::unique_ptr<NamedInput>(new NamedInput(path, std::move(descriptor), S_ISFIFO(status.st_mode), wait_max));
}

Result<std::size_t> NamedInput::read(char* into, std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count = ::read(descriptor_.number(), into + done, size - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      // Somebody has it open: what they will write is waited for.
      may_come_ = false;
      can_be_read(descriptor_.number(), without_end);
    } else if (count < 0) {
      return named_file_refused(path_, "read", errno);
    } else if (count > 0) {
      may_come_ = false;
      done += static_cast<std::size_t>(count);
    } else if (!may_come_) {
      break;
    } else if (is_over_) {
      return fail(ErrorKind::timed_out,
                  path_ + " is a pipe that nobody has open to write to, and nobody came within " + to_text(wait_max_));
    } else {
      const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(wait_max_);
      // Who has been there and gone has written nothing. At the end of the time somebody may be there silently.
      may_come_ = !can_be_read(descriptor_.number(), static_cast<int>(wait.count()));
      is_over_ = may_come_;
    }
  }
  return done;
}

Result<std::string> read_named_file(const std::string& path, std::uint64_t size_max, Duration wait_max) {
  const auto input = TRY(NamedInput::open(path, wait_max));
  std::string bytes;
  while (true) {
    const std::size_t before = bytes.size();
    bytes.resize(before + named_file_piece_bytes);
    const std::size_t count = TRY(input->read(bytes.data() + before, named_file_piece_bytes));
    bytes.resize(before + count);
    if (bytes.size() > size_max)
      return fail(ErrorKind::too_large, path + " has more than " + std::to_string(size_max) + " bytes, the limit");
    if (count < named_file_piece_bytes) return bytes;
  }
}

}  // namespace annals::platform
