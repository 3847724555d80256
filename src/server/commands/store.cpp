// `annals store create|init|drop`: what a store needs before a server can serve it, and its end.

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

#include "platform/logging.hpp"
#include "server/commands/commands.hpp"
#include "server/wiring.hpp"

namespace annals::server {
namespace {

/// What is typed on standard input, up to the end of the line.
std::string typed_line() {
  std::string line;
  for (int character = std::getchar(); character != EOF && character != '\n'; character = std::getchar()) {
    line += static_cast<char>(character);
  }
  return line;
}

Result<std::string> drop_database(const store::PostgresOptions& options, const std::string& database, bool yes) {
  if (!yes) {
    std::fprintf(stderr, "This removes the database %s and every event in it for good. Type its name to go on: ",
                 database.c_str());
    if (typed_line() != database) {
      return fail(ErrorKind::usage, "what was typed is not the database's name; nothing was removed");
    }
  }
  const bool dropped = TRY(store::drop_postgres_database(options));
  return "The database " + database + (dropped ? " was removed.\n" : " is not there; nothing was removed.\n");
}

Result<std::string> manage_postgres(const store::PostgresOptions& options, const StoreRequest& request) {
  const std::string database = TRY(store::postgres_database_name(options));
  if (request.action == "create") {
    const bool made = TRY(store::create_postgres_database(options));
    return "The database " + database + (made ? " was made" : " was there already") +
           "; `annals store init` makes its tables.\n";
  }
  if (request.action == "init") {
    const bool made = TRY(store::init_postgres_store(options));
    return "The tables in the database " + database + ", schema " + options.schema +
           (made ? ", were made.\n" : ", were there already.\n");
  }
  return drop_database(options, database, request.yes);
}

Result<std::string> manage_embedded(const store::EmbeddedOptions& options, const StoreRequest& request) {
  if (request.action == "drop") {
    return fail(ErrorKind::usage, "the embedded store is the directory " + options.directory +
                                      " and nothing else: stop its server and remove that directory");
  }
  const auto log = platform::make_json_logger(LogLevel::warning);
  const platform::Platform platform{platform::system_clock(), platform::system_random(), platform::posix_files(), *log};
  if (request.action == "create") {
    TRY(platform.files.create_directories(options.directory));
    return "The directory " + options.directory + " is there.\n";
  }
  const auto background = platform::make_thread_executor("background");
  const auto store = TRY(store::open_embedded_store(options, platform, *background));
  TRY(store->close());
  return "The store in " + options.directory + " is ready.\n";
}

Result<std::string> manage(const Settings& settings, const StoreRequest& request) {
  constexpr std::array<std::string_view, 3> actions{"create", "init", "drop"};
  if (std::ranges::find(actions, request.action) == actions.end()) {
    return fail(ErrorKind::usage,
                "`annals store` takes create, init or drop, not \"" + request.action.substr(0, 100) + "\"");
  }
  const store::StoreOptions options = store_options(settings);
  const std::string& kind = settings.text("store.kind");
  if (kind == "postgres") return manage_postgres(options.postgres, request);
  if (kind == "embedded") return manage_embedded(options.embedded, request);
  return fail(ErrorKind::usage, "the " + kind + " store is made when a server starts and gone when it stops");
}

}  // namespace

int manage_store(const StoreRequest& request, const Settings& settings) {
  const auto said = manage(settings, request);
  return said ? print_or_report(*said) : report(said.error());
}

}  // namespace annals::server
