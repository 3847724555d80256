#include "platform/private_file.hpp"

#include <sys/stat.h>

#include <cerrno>

#include "platform/posix/named_input.hpp"

namespace annals::platform {

Result<std::string> read_private_file(const std::string& path, std::uint64_t size_max, Duration wait_max) {
  const auto input = TRY(NamedInput::open(path, wait_max));
  struct stat status{};
  if (::fstat(input->number(), &status) != 0) return named_file_refused(path, "examined", errno);
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return fail(ErrorKind::usage, path + " can be read or changed by others than its owner; chmod 600 " + path);
  std::string bytes(static_cast<std::size_t>(size_max) + 1, '\0');
  const std::size_t done = TRY(input->read(bytes.data(), bytes.size()));
  if (done > size_max)
    return fail(ErrorKind::too_large, path + " has more than " + std::to_string(size_max) + " bytes, the limit");
  bytes.resize(done);
  return bytes;
}

}  // namespace annals::platform
