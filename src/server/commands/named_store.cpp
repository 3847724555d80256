#include "server/commands/named_store.hpp"

#include "server/shown_text.hpp"
#include "server/wiring.hpp"
#include "store/embedded_store.hpp"
#include "store/postgres_store.hpp"

namespace annals::server {
namespace {

store::PostgresOptions postgres_options(const std::string& name, const Settings& settings) {
  store::PostgresOptions options = store_options(settings).postgres;
  if (is_database_address(name)) options.url = name;
  return options;
}

}  // namespace

bool is_database(const std::string& name) {
  return name == "postgres" || is_database_address(name);
}

Result<> check_store_name(const std::string& name) {
  if (name == "memory") {
    return fail(ErrorKind::usage,
                "the memory store goes with its server; name a directory (./memory, if it is called so), postgres, or "
                "postgres://...");
  }
  if (is_database(name)) return {};
  const std::string expected = "; expected a directory, postgres, or postgres://...";
  if (is_no_name(name)) {
    return fail(
        ErrorKind::usage,
        std::string("the store is ") + (is_address(name) ? "the address " : "") + in_quotes(name) + expected +
            (is_server_address(name) ? "; a server that runs is named with --url, which events, export and import have"
                                     : "") +
            advice_on_paths(name));
  }
  const auto kind = platform::posix_files().kind_of(name);
  if (!kind || *kind != platform::EntryKind::file) return {};
  return fail(ErrorKind::usage, "the store is " + in_quotes(name) + ", which is a file" + expected +
                                    "; the values of a file are taken into a store with `annals import FILE`");
}

Result<std::string> name_of_store(const std::string& given, const Settings& settings) {
  if (!given.empty()) return given;
  const std::string& kind = settings.text("store.kind");
  if (kind == "embedded") return settings.text("store.directory");
  if (is_database(kind)) return kind;
  return fail(ErrorKind::usage,
              "the " + kind + " store is in its server; give --url, or --data with a store that is kept");
}

std::string shown_store(const std::string& name) {
  return shown_name(name);
}

Result<std::unique_ptr<EventStore>> open_named_store_to_read(const std::string& name, const Settings& settings,
                                                             platform::Platform platform) {
  if (is_database(name)) return store::open_postgres_store_to_read(postgres_options(name, settings), platform);
  TRY(check_store_name(name));
  return store::open_embedded_store_to_read(name, platform);
}

Result<std::unique_ptr<EventStore>> open_named_store(const std::string& name, const Settings& settings,
                                                     platform::Platform platform, platform::Executor& background) {
  if (is_database(name)) return store::open_postgres_store(postgres_options(name, settings), platform);
  TRY(check_store_name(name));
  store::EmbeddedOptions options = store_options(settings).embedded;
  options.directory = name;
  options.seen = seen_flushed(platform.files, name);
  return store::open_embedded_store(options, platform, background);
}

}  // namespace annals::server
