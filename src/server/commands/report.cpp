#include <cstdio>

#include "server/commands/commands.hpp"

namespace annals::server {

ExitCode exit_code_of(ErrorKind kind) {
  if (kind == ErrorKind::usage || kind == ErrorKind::invalid) return wrong_usage;
  if (kind == ErrorKind::corrupt) return damaged;
  return failed;
}

int report(const Error& error) {
  std::fprintf(stderr, "annals: %s\n", error.message.c_str());
  return exit_code_of(error.kind);
}

}  // namespace annals::server
