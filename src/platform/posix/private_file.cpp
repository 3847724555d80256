#include "platform/private_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "platform/posix/descriptor.hpp"

namespace annals::platform {
namespace {

std::unexpected<Error> private_file_refused(const std::string& path, std::string_view tried, int error) {
  return fail(error == ENOENT ? ErrorKind::not_found : ErrorKind::input_output,
              path + " cannot be " + std::string(tried) + ": " + std::generic_category().message(error));
}

}  // namespace

Result<std::string> read_private_file(const std::string& path, std::uint64_t size_max) {
  const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.number() < 0) return private_file_refused(path, "opened", errno);
  struct stat status{};
  if (::fstat(descriptor.number(), &status) != 0) return private_file_refused(path, "examined", errno);
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return fail(ErrorKind::usage, path + " can be read or changed by others than its owner; chmod 600 " + path);
  std::string bytes(static_cast<std::size_t>(size_max) + 1, '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::read(descriptor.number(), bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return private_file_refused(path, "read", errno);
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  if (done > size_max)
    return fail(ErrorKind::too_large, path + " has more than " + std::to_string(size_max) + " bytes, the limit");
  bytes.resize(done);
  return bytes;
}

}  // namespace annals::platform
