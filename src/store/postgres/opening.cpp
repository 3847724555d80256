// The doors of the PostgreSQL store: open it; make the database and its tables, and remove them.

#include "store/postgres/postgres_store.hpp"
#include "store/postgres/tables.hpp"

namespace annals::store {
namespace {

/// Where to connect to make or remove a database, which nobody does from within it.
Destination beside(const Destination& destination) {
  return destination.with_database(destination.database() == "postgres" ? "template1" : "postgres");
}

constexpr std::string_view no_right = "42501";

/// Channels of notifications are named SCHEMA.events and SCHEMA.annals, in 63 bytes. Errors: usage.
Result<> check_schema(const std::string& schema) {
  constexpr std::size_t bytes_max = 56;
  if (schema.size() <= bytes_max) return {};
  return fail(ErrorKind::usage, "the name of the schema (store.schema), " + schema.substr(0, 100) + ", has " +
                                    std::to_string(schema.size()) + " bytes; the most is " + std::to_string(bytes_max));
}

/// The user lacks the right, or the server is one that only follows another.
bool may_not_write(const Error& error) {
  return error.code == no_right || error.code == "database_read_only" || error.code == "0A000";
}

/// For whoever starts the program: what a server refused is not a defect.
Error for_operator(Error error) {
  if (error.code == no_right) {
    return {ErrorKind::usage, error.message +
                                  "; the user needs SELECT, INSERT and UPDATE on the tables of the schema and USAGE on "
                                  "its sequences, and once, where Annals has not been before, CREATE on the schema"};
  }
  if (error.kind == ErrorKind::internal) error = {ErrorKind::input_output, error.message};
  if (is_lost(error)) error.code = "database_away";
  return error;
}

template <class T>
Result<T> for_operator(Result<T> result) {
  if (result) return result;
  return std::unexpected(for_operator(std::move(result).error()));
}

/// What the database has, once the tables that are missing have been made, if they may be.
Result<Tables> ready_tables(const PostgresOptions& options, const Destination& destination,
                            const platform::Platform& platform, bool to_read) {
  const auto connection = TRY(Connection::open(destination, Dialect{.schema = options.schema}));
  Tables tables = TRY(find_tables(*connection, destination, options.schema));
  if (tables.is_standby && !to_read) return std::unexpected(destination.read_only());
  if (!tables.has_published && !options.init) return no_tables(destination, options.schema);
  if (tables.has_published && tables.has_annals && (to_read || !tables.has_old_json)) return tables;
  (void)TRY(make_tables(*connection, destination, options.schema));
  if (!tables.has_published || !tables.has_annals) {
    platform.log.info("Tables were made in the database", {{"database", destination.database()}});
  }
  return find_tables(*connection, destination, options.schema);
}

/// It may be the right database all the same, and come back.
bool may_come_back(const Error& error) {
  return is_lost(error) || error.code == "database_refused" || error.code == "database_untrusted" ||
         error.code == "database_read_only";
}

/// For a database that cannot be used at present, because of `why`.
Result<std::unique_ptr<EventStore>> open_away(PostgresOptions options, Destination destination, Error why,
                                              platform::Platform platform) {
  if (options.known_path.empty()) return std::unexpected(std::move(why));
  const auto known = read_known_database(platform.files, options.known_path);
  if (!known && known.error().kind != ErrorKind::not_found) {
    platform.log.warning("What was known of the database cannot be used", {{"error", known.error().message}});
  }
  if (known && known->address == destination.address()) {
    Dialect dialect{options.schema, known->data_type, known->metadata_type};
    auto store =
        std::make_unique<PostgresStore>(std::move(options), std::move(destination), std::move(dialect), platform);
    if (store->start_away(*known, why)) return store;
  }
  why.message += "; there are no checkpoints of this database that could be served meanwhile";
  return std::unexpected(std::move(why));
}

Result<std::unique_ptr<EventStore>> open_store(PostgresOptions options, platform::Platform platform, bool to_read) {
  if (options.pool_size < 3) return fail(ErrorKind::usage, "store.pool_size must be at least 3");
  TRY(check_schema(options.schema));
  const Destination destination = TRY(Destination::read(options));
  auto tables = ready_tables(options, destination, platform, to_read);
  Result<> opened = tables ? Result<>() : std::unexpected(tables.error());
  if (opened) {
    auto store = std::make_unique<PostgresStore>(options, destination, std::move(tables->dialect), platform);
    opened = store->start();
    if (!opened && to_read && may_not_write(opened.error())) opened = store->start_to_read();
    if (opened) return store;
  }
  if (!may_come_back(opened.error())) return std::unexpected(std::move(opened).error());
  return open_away(std::move(options), destination, std::move(opened).error(), platform);
}

}  // namespace

Result<std::unique_ptr<EventStore>> open_postgres_store(PostgresOptions options, platform::Platform platform) {
  return for_operator(open_store(std::move(options), platform, false));
}

Result<std::unique_ptr<EventStore>> open_postgres_store_to_read(PostgresOptions options, platform::Platform platform) {
  return for_operator(open_store(std::move(options), platform, true));
}

Result<std::string> postgres_database_name(const PostgresOptions& options) {
  return TRY(Destination::read(options)).database();
}

Result<bool> create_postgres_database(const PostgresOptions& options) {
  const Destination destination = TRY(Destination::read(options));
  const auto connection = for_operator(Connection::open(beside(destination), {}));
  if (!connection) return std::unexpected(connection.error());
  const auto made = (*connection)
                        ->run_script("CREATE DATABASE " + quoted_identifier(destination.database()) +
                                     " ENCODING 'UTF8' TEMPLATE template0");
  if (made) return true;
  if (made.error().code == "42P04") return false;  // it is there
  if (made.error().code == no_right) {
    return fail(ErrorKind::usage, made.error().message + "; the user needs the right CREATEDB");
  }
  return std::unexpected(for_operator(made.error()));
}

Result<bool> init_postgres_store(const PostgresOptions& options) {
  TRY(check_schema(options.schema));
  const Destination destination = TRY(Destination::read(options));
  const auto connection = for_operator(Connection::open(destination, Dialect{.schema = options.schema}));
  if (!connection) return std::unexpected(connection.error());
  return for_operator(make_tables(**connection, destination, options.schema));
}

Result<bool> drop_postgres_database(const PostgresOptions& options) {
  const Destination destination = TRY(Destination::read(options));
  const auto connection = for_operator(Connection::open(beside(destination), {}));
  if (!connection) return std::unexpected(connection.error());
  const auto dropped = (*connection)->run_script("DROP DATABASE " + quoted_identifier(destination.database()));
  if (dropped) return true;
  if (dropped.error().code == "3D000") return false;  // there is none
  if (dropped.error().code == no_right) return fail(ErrorKind::usage, dropped.error().message);
  if (dropped.error().code == "55006") {
    return fail(ErrorKind::conflict,
                "somebody is connected to the " + destination.text() + "; stop the servers that use it");
  }
  return std::unexpected(for_operator(dropped.error()));
}

}  // namespace annals::store
