// The command line: which command, with which settings.

#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>

#include "platform/named_file.hpp"
#include "platform/platform.hpp"
#include "platform/process.hpp"
#include "server/command_line.hpp"
#include "server/commands/commands.hpp"
#include "server/commands/import_target.hpp"
#include "server/commands/named_store.hpp"
#include "server/environment.hpp"
#include "server/settings.hpp"
#include "server/shown_text.hpp"

namespace annals::server {
namespace {

constexpr const char* default_file = "annals.toml";
constexpr std::uint64_t file_bytes_max = 16u << 20;
constexpr std::string_view directory_to_read_help =
    "The directory of the store, which has to be there. Default: what the settings lead to, else annals-data. "
    "Environment: ANNALS_STORE_DIRECTORY.";

/// The flags of a command, as they were given.
struct Flags {
  std::string config;
  std::map<std::string, std::string, std::less<>> texts;  ///< by the key of the setting

  /// Those of the settings whose keys are wanted, and the file that has them all.
  void add_to(CLI::App& command, bool (*wanted)(std::string_view key) = [](std::string_view) { return true; }) {
    command.add_option("--config", config,
                       "The configuration file; otherwise annals.toml in the working directory, if it is there.");
    for (const Setting& setting : settings_catalogue()) {
      if (!wanted(setting.key)) continue;
      std::string& text = texts[std::string(setting.key)];
      std::string sentence = std::string(setting.sentence) + " Default: " +
                             (setting.default_text.empty() ? "empty" : std::string(setting.default_text)) +
                             ". Environment: " + environment_name(setting) + ".";
      if (setting.type == SettingType::boolean) {
        command.add_flag(std::string(setting.flag), text, sentence);
      } else {
        command.add_option(std::string(setting.flag), text, sentence);
      }
    }
  }

  [[nodiscard]] GivenSettings given(const CLI::App& command) const {
    GivenSettings result;
    for (const Setting& setting : settings_catalogue()) {
      const std::string flag(setting.flag);
      const CLI::Option* option = command.get_option_no_throw(flag);
      if (option != nullptr && option->count() > 0 && texts.contains(setting.key))
        result.emplace(setting.key, Given{texts.find(setting.key)->second, "flag " + flag});
    }
    return result;
  }
};

/// Those of the environment. A server tells of them in its log, every other command here.
std::vector<StrayVariable> told_stray_variables(const CLI::App& command) {
  std::vector<std::string_view> lines;
  for (char** line = environ; line != nullptr && *line != nullptr; ++line) lines.emplace_back(*line);
  std::vector<StrayVariable> stray = stray_variables(lines);
  if (command.get_name() == "serve") return stray;
  for (const StrayVariable& one : stray) std::fprintf(stderr, "annals: %s\n", warning_of(one).c_str());
  return stray;
}

Result<Settings> resolve(const Flags& flags, const CLI::App& command) {
  std::vector<StrayVariable> stray = told_stray_variables(command);
  const platform::FileSystem& files = platform::posix_files();
  FileContents file;
  const bool named = command.get_option("--config")->count() > 0;
  if (named && flags.config.empty()) {
    return fail(ErrorKind::usage, "--config is empty; name the configuration file, or leave the flag out");
  }
  if (is_no_name(flags.config)) {
    return fail(ErrorKind::usage, "--config is " + in_quotes(flags.config) + "; expected the name of a file" +
                                      (is_database_address(flags.config) ? "; did you mean --database-url?" : "") +
                                      advice_on_paths(flags.config));
  }
  const std::string path = named ? flags.config : default_file;
  const auto there = files.exists(path);
  if (named || (there && *there)) {
    const auto text = platform::read_named_file(path, file_bytes_max, platform::pipe_writer_wait);
    if (!text)
      return fail(ErrorKind::usage, "the configuration file cannot be read: " + text.error().message +
                                        (text.error().kind == ErrorKind::timed_out
                                             ? "; begin to write into it first, or name a file with --config"
                                             : "; name one with --config that this user may read"));
    file = TRY(read_settings_file(*text, path, [&](const std::string& included) {
      return platform::read_named_file(included, file_bytes_max, platform::pipe_writer_wait);
    }));
  }
  const auto environment = [](const char* name) -> const char* { return std::getenv(name); };
  Settings settings = TRY(Settings::resolve(flags.given(command), environment, file.settings, std::move(file.models)));
  settings.note_stray_variables(std::move(stray));
  return settings;
}

template <class Work>
int with_settings(const Flags& flags, const CLI::App& command, Work work) {
  const auto settings = resolve(flags, command);
  return settings ? work(*settings) : report(settings.error());
}

/// Whether a setting says which store it is.
bool leads_to_store(std::string_view key) {
  constexpr std::array<std::string_view, 8> keys{"store.kind",     "store.database_url", "store.hostname",
                                                 "store.port",     "store.username",     "store.password",
                                                 "store.database", "store.schema"};
  return std::ranges::find(keys, key) != keys.end();
}

/// What names the data that a command works on: a server, or a store, by its name or by settings.
void add_place(CLI::App& command, std::string& store, std::string& url, Flags& flags,
               bool (*wanted)(std::string_view key) = leads_to_store) {
  CLI::Option* data =
      command.add_option("--data", store,
                         std::string("The store (a directory must not be held by a server): ") + named_store_help +
                             ". Default: what the settings lead to, else annals-data.");
  // A variable of the shell that is not set must not lead to another store.
  data->check([](const std::string& name) { return name.empty() ? "is empty; name the store" : ""; });
  CLI::Option* server =
      command.add_option("--url", url, "Ask the server that runs at this address, such as http://127.0.0.1:4000.");
  server->excludes(data);
  flags.add_to(command, wanted);
  for (const Setting& setting : settings_catalogue()) {
    if (wanted(setting.key)) command.get_option(std::string(setting.flag))->excludes(server);
    if (leads_to_store(setting.key)) command.get_option(std::string(setting.flag))->excludes(data);
  }
}

int run(int count, char** arguments) {
  CLI::App app("Annals: an event-sourced application server. Every change is an event, durable and never lost.",
               "annals");
  app.set_version_flag("--version", "annals " ANNALS_VERSION);
  app.require_subcommand(1);

  Flags flags;
  CLI::App* serve_command = app.add_subcommand("serve", "Serve the API.");
  CLI::App* check_command =
      app.add_subcommand("check", "Check a configuration and print what would be served, without serving.");
  CLI::App* plan_command = app.add_subcommand(
      "plan",
      "Tell how the declared models differ from those that a store was served with, and what that does to its "
      "events. No server may hold the store; nothing is changed.");
  CLI::App* settings_command = app.add_subcommand(
      "settings", "Print every setting that is in effect and where it came from; secrets are masked.");
  CLI::App* verify_command = app.add_subcommand(
      "verify", "Check everything in the data of a store that no server holds: checksums, order, chain of hashes.");
  CLI::App* events_command = app.add_subcommand("events", "Print events as JSON lines.");
  CLI::App* import_command = app.add_subcommand(
      "import", "Set the values of a file of names with values, in a server or in a store that no server holds.");
  CLI::App* export_command =
      app.add_subcommand("export", "Print names with values, in order of names, for `annals import`.");
  CLI::App* migrate_command = app.add_subcommand(
      "migrate", "Copy every event of one store into another, as it is; goes on where an interrupted copy ended.");
  CLI::App* store_command = app.add_subcommand(
      "store",
      "Make what a store needs before it is served (create: the database or directory; init: what belongs in it), or "
      "remove it and every event in it (drop).");
  CLI::App* reference_command =
      app.add_subcommand("reference", "Print a page of the reference as Markdown: settings, routes or expressions.");
  for (CLI::App* command : {serve_command, check_command, settings_command}) flags.add_to(*command);

  flags.add_to(*store_command, [](std::string_view key) {
    return key == "store.directory" || key == "store.segment_bytes" || leads_to_store(key);
  });
  flags.add_to(*plan_command, [](std::string_view key) { return key == "store.directory" || leads_to_store(key); });
  plan_command->get_option("--data")->description(std::string(directory_to_read_help));
  StoreRequest store;
  store_command->add_option("ACTION", store.action, "create, init or drop.")->required();
  store_command->add_flag("--yes", store.yes, "Drop without asking for the name of what is to go.");

  VerifyRequest verification;
  Flags verify_flags;
  verify_flags.add_to(*verify_command, [](std::string_view key) { return key == "store.directory"; });
  verify_command->get_option("--data")->description(std::string(directory_to_read_help));
  verify_command
      ->add_option("--expect", verification.expected,
                   "POSITION:HASH, as an earlier `annals verify` printed it behind \"Head:\". The chain of hashes must "
                   "pass through it, else exit code 3: so nobody has altered what was recorded up to there. May be "
                   "given several times.")
      ->allow_extra_args(false);

  EventsRequest events;
  std::string stream;
  Flags events_flags;
  add_place(*events_command, events.store, events.url, events_flags);
  CLI::Option* stream_option =
      events_command->add_option("--stream", stream, "Only this stream, such as config-database_url.");
  events_command->add_option("--after", events.after,
                             "Begin after this cursor (a reply's Annals-Position). Default: 0, the start.");
  events_command->add_flag("--follow", events.follow,
                           "Go on with events as they come, also after the server was away; with --url.");

  ImportRequest import;
  ExportRequest exported;
  Flags import_flags;
  Flags export_flags;
  import_command->add_option("FILE", import.file, "The file to import; - for standard input.")->required();
  import_command->add_option("--format", import.format,
                             "jsonl, env or properties. Default: what the file's name ends with, else jsonl.");
  import_command->add_option("--prefix", import.prefix, "Put before every name.");
  import_command->add_flag("--one-group", import.one_group,
                           "All of the file or nothing; otherwise many names are recorded side by side.");
  export_command->add_option("--format", exported.format, "jsonl, env or properties. Default: jsonl.");
  export_command->add_option("--prefix", exported.prefix,
                             "Only names that begin with this, which is left out of what is printed.");
  export_command->add_option("--at", exported.at, "As it was at this time, such as 2026-02-12T10:00:00Z.");
  for (auto [command, model] : {std::pair{import_command, &import.model}, std::pair{export_command, &exported.model}}) {
    command->add_option("--model", *model, "The model. Default: the first that is declared.");
  }
  add_place(*import_command, import.store, import.url, import_flags,
            [](std::string_view key) { return key == "store.init" || leads_to_store(key); });
  add_place(*export_command, exported.store, exported.url, export_flags);

  MigrateRequest migration;
  Flags migrate_flags;
  migrate_command
      ->add_option("--from", migration.from,
                   std::string("The store to copy, that no server writes to: ") + named_store_help + ".")
      ->required();
  migrate_command
      ->add_option("--to", migration.to,
                   std::string("The store that becomes the copy, or holds the beginning of it: ") + named_store_help +
                       ". A directory is made when it is not there.")
      ->required();
  migrate_command->add_option("--config", migrate_flags.config,
                              "The configuration file, for how the copy is stored (store.segment_bytes).");

  std::string page;
  reference_command->add_option("page", page, "settings, routes or expressions")->required();

  try {
    app.parse(count, arguments);
  } catch (const CLI::Success& help) {
    std::ostringstream text;
    app.exit(help, text, text);
    return print_or_report(text.str());
  } catch (const CLI::ParseError& error) {
    return report(Error(ErrorKind::usage, explain(app, error, {arguments + std::min(count, 1), arguments + count})));
  }

  if (*serve_command) return with_settings(flags, *serve_command, serve);
  if (*check_command) return with_settings(flags, *check_command, check);
  if (*plan_command) return with_settings(flags, *plan_command, plan);
  if (*settings_command) return with_settings(flags, *settings_command, print_settings);
  if (*verify_command) {
    const bool is_named = verify_command->get_option("--data")->count() > 0;
    // A configuration that cannot be read is no reason not to look at a store that was named.
    if (is_named && verify_command->get_option("--config")->count() == 0) {
      verification.directory = verify_flags.texts["store.directory"];
      return verify(verification);
    }
    return with_settings(verify_flags, *verify_command, [&](const Settings& settings) {
      const auto name = is_named ? Result<std::string>(settings.text("store.directory")) : name_of_store("", settings);
      if (!name) return report(name.error());
      verification.directory = *name;
      return verify(verification);
    });
  }
  if (*store_command) {
    return with_settings(flags, *store_command,
                         [&](const Settings& settings) { return manage_store(store, settings); });
  }
  if (*import_command) {
    const auto settings = resolve(import_flags, *import_command);
    return settings ? import_entries(import, *settings) : report(settings.error());
  }
  if (*export_command) {
    const auto settings = resolve(export_flags, *export_command);
    return settings ? export_entries(exported, *settings) : report(settings.error());
  }
  if (*migrate_command) {
    const auto settings = resolve(migrate_flags, *migrate_command);
    return settings ? migrate(migration, *settings) : report(settings.error());
  }
  if (*reference_command) return print_reference(page);
  if (events.follow && events.url.empty()) {
    return report(Error(ErrorKind::usage, "--follow goes with --url: what no server holds does not change"));
  }
  if (*stream_option) events.stream = stream;
  const auto settings = resolve(events_flags, *events_command);
  return settings ? print_events(events, *settings) : report(settings.error());
}

}  // namespace
}  // namespace annals::server

int main(int count, char** arguments) {
  annals::platform::keep_standard_descriptors();
  annals::platform::ignore_signals_of_writes();
  try {
    return annals::server::run(count, arguments);
  } catch (const std::system_error& error) {
    const bool descriptors = error.code() == std::errc::too_many_files_open;
    std::fprintf(stderr, "annals: stopped: %s%s\n", error.what(),
                 descriptors ? "; the process may open too few files: raise the limit (ulimit -n)" : "");
    return annals::server::failed;
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "annals: stopped by an exception: %s\n", exception.what());
    return annals::server::failed;
  }
}
