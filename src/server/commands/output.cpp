#include "server/commands/output.hpp"

#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>

namespace annals::server {

Result<> print(std::string_view text) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return {};
  const int error = errno;
  std::string message = "standard output cannot be written to: " + std::generic_category().message(error) +
                        "; what was printed is not whole, print it to where there is room";
  if (error == EPIPE) return fail(ErrorKind::input_output, reader_gone, std::move(message));
  return fail(ErrorKind::input_output, std::move(message));
}

}  // namespace annals::server
