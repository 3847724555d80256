#pragma once
// What is said of a command line that cannot be read. Pure; no thread rule.

#include <CLI/CLI.hpp>

#include <span>
#include <string>

namespace annals::server {

/// One sentence: what was found, what was perhaps meant, and where to look. `arguments` are those that `app` refused
/// with `error`, without the program's name.
[[nodiscard]] std::string explain(const CLI::App& app, const CLI::ParseError& error,
                                  std::span<const char* const> arguments);

}  // namespace annals::server
