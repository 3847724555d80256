#include <cstdio>

#include "server/commands/commands.hpp"
#include "server/commands/output.hpp"
#include "server/shown_text.hpp"

namespace annals::server {

ExitCode exit_code_of(ErrorKind kind) {
  if (kind == ErrorKind::usage || kind == ErrorKind::invalid) return wrong_usage;
  if (kind == ErrorKind::corrupt) return damaged;
  return failed;
}

int report(const Error& error) {
  if (error.code != reader_gone) std::fprintf(stderr, "annals: %s\n", without_passwords(error.message).c_str());
  return exit_code_of(error.kind);
}

int print_or_report(std::string_view text) {
  const auto printed = print(text);
  return printed ? static_cast<int>(done) : report(printed.error());
}

}  // namespace annals::server
