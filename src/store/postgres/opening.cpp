// The doors of the PostgreSQL store: open it; make the database and its tables, and remove them.

#include <array>

#include "store/postgres/postgres_store.hpp"

namespace annals::store {
namespace {

constexpr const char* maintenance_database = "postgres";

/// What describe gave.
struct Description {
  bool has_schema = false;
  bool has_tables = false;
  bool has_annals_tables = false;
  Dialect dialect;
};

Result<Description> describe(Connection& connection, const Destination& destination, const std::string& schema) {
  const Rows rows = TRY(connection.run(Sql::describe, std::move(Parameters().add(std::string_view(schema)))));
  Description description{.has_schema = rows.boolean(0, 4),
                          .has_tables = rows.boolean(0, 0),
                          .has_annals_tables = rows.boolean(0, 1),
                          .dialect = {}};
  description.dialect.schema = schema;
  if (!description.has_tables) return description;
  description.dialect.data_type = rows.bytes(0, 2);
  description.dialect.metadata_type = rows.bytes(0, 3);
  for (const std::string& type : {description.dialect.data_type, description.dialect.metadata_type}) {
    if (type == "bytea" || type == "jsonb" || type == "json") continue;
    return fail(ErrorKind::usage, "the table " + schema + ".events in the " + destination.text() +
                                      " keeps its data as \"" + type + "\"; bytea, jsonb or json is expected");
  }
  return description;
}

/// Channels of notifications are named SCHEMA.events and SCHEMA.annals, in 63 bytes. Errors: usage.
Result<> check_schema(const std::string& schema) {
  constexpr std::size_t bytes_max = 56;
  if (schema.size() <= bytes_max) return {};
  return fail(ErrorKind::usage, "the name of the schema (store.schema), " + schema.substr(0, 100) + ", has " +
                                    std::to_string(schema.size()) + " bytes; the most is " + std::to_string(bytes_max));
}

/// A script as one transaction.
Result<> run_as_one(Connection& connection, const std::vector<std::string>& scripts) {
  std::string text = "BEGIN;\n";
  for (const std::string& script : scripts) text += script + ";\n";
  auto ran = connection.run_script(text + "COMMIT;");
  if (!ran && !is_lost(ran.error())) (void)connection.run_script("ROLLBACK;");
  return ran;
}

/// Makes what is missing. True when the published tables were among it.
Result<bool> make_tables(Connection& connection, const Destination& destination, const std::string& schema) {
  Dialect dialect;
  dialect.schema = schema;
  TRY(connection.run(Sql::lock_tables));
  const Description description = TRY(describe(connection, destination, schema));
  std::vector<std::string> scripts;
  // Asked for although it is there, a schema takes a right that the tables do not take.
  if (!description.has_schema) scripts.push_back("CREATE SCHEMA " + quoted_identifier(schema));
  if (!description.has_tables) {
    scripts.push_back(dialect.text_of(Sql::create_tables));
    scripts.push_back(dialect.text_of(Sql::create_view));
  }
  scripts.push_back(dialect.text_of(Sql::create_annals_tables));
  TRY(run_as_one(connection, scripts));
  return !description.has_tables;
}

/// The user lacks the right, or the server is one that only follows another.
bool may_not_write(const Error& error) {
  return error.code == "42501" || error.code == "25006" || error.code == "0A000";
}

/// For whoever starts the program: what a server refused is not a defect.
Error for_operator(Error error) {
  if (error.code == "42501") {
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

Result<std::unique_ptr<EventStore>> open_store(PostgresOptions options, platform::Platform platform, bool to_read) {
  if (options.pool_size < 3) return fail(ErrorKind::usage, "store.pool_size must be at least 3");
  TRY(check_schema(options.schema));
  Destination destination = TRY(Destination::read(options));
  Description description;
  {
    const auto connection = TRY(Connection::open(destination, Dialect{.schema = options.schema}));
    description = TRY(describe(*connection, destination, options.schema));
    if (!description.has_tables && !options.init) {
      return fail(ErrorKind::usage, "no_tables",
                  "the " + destination.text() + " has no tables of an event store in the schema " + options.schema +
                      "; make them with `annals store init`, or start with --init");
    }
    if (!description.has_tables || !description.has_annals_tables) {
      (void)TRY(make_tables(*connection, destination, options.schema));
      description = TRY(describe(*connection, destination, options.schema));
      platform.log.info("Tables were made in the database", {{"database", destination.database()}});
    }
  }
  auto store = std::make_unique<PostgresStore>(std::move(options), std::move(destination),
                                               std::move(description.dialect), platform);
  auto started = store->start();
  if (!started && to_read && may_not_write(started.error())) started = store->start_to_read();
  if (!started) return std::unexpected(std::move(started).error());
  return store;
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
  const auto connection = for_operator(Connection::open(destination.with_database(maintenance_database), {}));
  if (!connection) return std::unexpected(connection.error());
  const auto made = (*connection)
                        ->run_script("CREATE DATABASE " + quoted_identifier(destination.database()) +
                                     " ENCODING 'UTF8' TEMPLATE template0");
  if (made) return true;
  if (made.error().code == "42P04") return false;  // it is there
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
  const auto connection = for_operator(Connection::open(destination.with_database(maintenance_database), {}));
  if (!connection) return std::unexpected(connection.error());
  const auto dropped = (*connection)->run_script("DROP DATABASE " + quoted_identifier(destination.database()));
  if (dropped) return true;
  if (dropped.error().code == "3D000") return false;  // there is none
  if (dropped.error().code == "55006") {
    return fail(ErrorKind::conflict,
                "somebody is connected to the " + destination.text() + "; stop the servers that use it");
  }
  return std::unexpected(for_operator(dropped.error()));
}

}  // namespace annals::store
