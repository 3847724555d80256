// `annals store create|init|drop`: what a store needs before a server can serve it, and its end.

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

#include "log/removal.hpp"
#include "platform/logging.hpp"
#include "server/commands/commands.hpp"
#include "server/shown_text.hpp"
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

/// Has the name of what is to go typed, unless that was said to be needless. Errors: usage.
Result<> confirm(const std::string& kind, const std::string& name, bool yes) {
  if (yes) return {};
  std::fprintf(stderr, "This removes the %s %s and every event in it for good. Type its name to go on: ", kind.c_str(),
               name.c_str());
  if (typed_line() == name) return {};
  return fail(ErrorKind::usage, "what was typed is not the name of the " + kind + "; nothing was removed");
}

Result<std::string> drop_database(const store::PostgresOptions& options, const std::string& database, bool yes) {
  TRY(confirm("database", database, yes));
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

/// What stays of a directory whose store is gone.
std::string describe_left(const log::Removal& removal) {
  constexpr std::size_t named_max = 10;
  if (!removal.directory_left) return "";
  if (removal.left.empty()) return "The directory itself may not be removed, and is empty now.\n";
  std::string text = "The directory stays, with what no store made:";
  for (std::size_t at = 0; at < std::min(removal.left.size(), named_max); ++at) {
    text += (at == 0 ? " " : ", ") + removal.left[at];
  }
  if (removal.left.size() > named_max) {
    text += ", and " + std::to_string(removal.left.size() - named_max) + " more";
  }
  return text + ".\n";
}

Result<std::string> drop_directory(const std::string& directory, bool yes) {
  platform::FileSystem& files = platform::posix_files();
  if (TRY(files.kind_of(directory)) == platform::EntryKind::none) {
    return "The directory " + directory + " is not there; nothing was removed.\n";
  }
  TRY(confirm("store", directory, yes));
  constexpr std::array beside{log::FolderBeside{checkpoints_folder, lies_with_checkpoints}};
  const log::Removal removal = TRY(log::remove_log(files, directory, beside));
  return "The store " + directory + " was removed.\n" + describe_left(removal);
}

Result<std::string> create_directory(const std::string& directory) {
  platform::FileSystem& files = platform::posix_files();
  const bool there = TRY(files.exists(directory));
  TRY(files.create_directories(directory));
  return "The directory " + directory + (there ? " was there already" : " was made") +
         "; `annals store init` makes the store in it.\n";
}

Result<std::string> manage_embedded(const store::EmbeddedOptions& options, const StoreRequest& request) {
  if (request.action == "drop") return drop_directory(options.directory, request.yes);
  if (request.action == "create") return create_directory(options.directory);
  const auto log = platform::make_json_logger(LogLevel::warning);
  const platform::Platform platform{platform::system_clock(), platform::system_random(), platform::posix_files(), *log};
  const auto background = platform::make_thread_executor("background");
  const auto store = TRY(store::open_embedded_store(options, platform, *background));
  TRY(store->close());
  return "The store in " + options.directory + " is ready.\n";
}

Result<std::string> manage(const Settings& settings, const StoreRequest& request) {
  constexpr std::array<std::string_view, 3> actions{"create", "init", "drop"};
  if (std::ranges::find(actions, request.action) == actions.end()) {
    return fail(ErrorKind::usage,
                "`annals store` takes create, init or drop, not " + in_quotes(request.action) +
                    (is_database_address(request.action) ? "; the address goes behind --database-url" : ""));
  }
  const store::StoreOptions options = store_options(settings);
  const std::string& kind = settings.text("store.kind");
  if (kind == "postgres") return manage_postgres(options.postgres, request);
  if (kind == "embedded") return manage_embedded(options.embedded, request);
  return fail(ErrorKind::usage, "the " + kind +
                                    " store is made when a server starts and gone when it stops; there is nothing to " +
                                    request.action);
}

}  // namespace

int manage_store(const StoreRequest& request, const Settings& settings) {
  const auto said = manage(settings, request);
  return said ? print_or_report(*said) : report(said.error());
}

}  // namespace annals::server
