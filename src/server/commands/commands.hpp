#pragma once
// The commands of `annals`, one file each. Each returns an exit code: 0 done; 1 failed at run time; 2 wrong usage or
// configuration; 3 data found damaged. Errors go to standard error as one sentence.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "server/settings.hpp"

namespace annals::server {

enum ExitCode : int { done = 0, failed = 1, wrong_usage = 2, damaged = 3 };

[[nodiscard]] ExitCode exit_code_of(ErrorKind kind);

/// Prints `annals: <message>` to standard error and gives the exit code. Says nothing of a pipe that its reader closed.
[[nodiscard]] int report(const Error& error);

/// Prints to standard output, or reports why that failed.
[[nodiscard]] int print_or_report(std::string_view text);

[[nodiscard]] int serve(const Settings& settings);
[[nodiscard]] int check(const Settings& settings);
[[nodiscard]] int print_settings(const Settings& settings);
/// Reads the store that the settings lead to, and tells what serving it with the declared models would mean. Exit code
/// 2 when it cannot be served so.
[[nodiscard]] int plan(const Settings& settings);

struct VerifyRequest {
  std::string directory;
  std::vector<std::string> expected;  ///< POSITION:HASH each
};
[[nodiscard]] int verify(const VerifyRequest& request);

struct EventsRequest {
  std::string store;  ///< as named_store.hpp says; empty: the one that the settings lead to
  std::string url;
  std::optional<std::string> stream;
  std::string after = "0";
  bool follow = false;
};
[[nodiscard]] int print_events(const EventsRequest& request, const Settings& settings);

struct ImportRequest;  // server/commands/import_target.hpp
[[nodiscard]] int import_entries(const ImportRequest& request, const Settings& settings);

struct ExportRequest {
  std::string format = "jsonl";
  std::string store;  ///< as in EventsRequest
  std::string url;
  std::string model;  ///< empty: the first that is declared
  std::string prefix;
  std::string at;  ///< empty: now
};
[[nodiscard]] int export_entries(const ExportRequest& request, const Settings& settings);

struct MigrateRequest {
  std::string from;
  std::string to;
};
[[nodiscard]] int migrate(const MigrateRequest& request, const Settings& settings);

struct StoreRequest {
  std::string action;  ///< "create", "init" or "drop"
  bool yes = false;    ///< drop: does not ask
};
[[nodiscard]] int manage_store(const StoreRequest& request, const Settings& settings);

/// Prints a page of the reference as Markdown: "settings", "routes", "expressions".
[[nodiscard]] int print_reference(const std::string& page);

}  // namespace annals::server
