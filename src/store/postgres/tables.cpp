#include "store/postgres/tables.hpp"

namespace annals::store {
namespace {

/// Scripts as one transaction.
Result<> run_as_one(Connection& connection, const std::vector<std::string>& scripts) {
  std::string text = "BEGIN;\n";
  for (const std::string& script : scripts) text += script + ";\n";
  auto ran = connection.run_script(text + "COMMIT;");
  if (!ran && !is_lost(ran.error())) (void)connection.run_script("ROLLBACK;");
  return ran;
}

}  // namespace

Result<Tables> find_tables(Connection& connection, const Destination& destination, const std::string& schema) {
  const Rows rows = TRY(connection.run(Sql::describe, std::move(Parameters().add(std::string_view(schema)))));
  Tables tables{.has_schema = rows.boolean(0, 4),
                .is_standby = rows.boolean(0, 5),
                .has_published = rows.boolean(0, 0),
                .has_annals = rows.boolean(0, 1),
                .has_old_json = rows.boolean(0, 6),
                .dialect = {}};
  tables.dialect.schema = schema;
  if (!tables.has_published) return tables;
  if (!rows.is_null(0, 7)) {
    return fail(ErrorKind::usage, "the column " + schema + "." + std::string(rows.bytes(0, 7)) + " in the " +
                                      destination.text() + "; bigint is expected, as EventStore 1.4 has it");
  }
  tables.dialect.data_type = rows.bytes(0, 2);
  tables.dialect.metadata_type = rows.bytes(0, 3);
  for (const std::string& type : {tables.dialect.data_type, tables.dialect.metadata_type}) {
    if (type == "bytea" || type == "jsonb" || type == "json") continue;
    return fail(ErrorKind::usage, "the table " + schema + ".events in the " + destination.text() +
                                      " keeps its data as \"" + type + "\"; bytea, jsonb or json is expected");
  }
  return tables;
}

Result<bool> make_tables(Connection& connection, const Destination& destination, const std::string& schema) {
  Dialect dialect;
  dialect.schema = schema;
  TRY(connection.run(Sql::lock_tables));
  const Tables tables = TRY(find_tables(connection, destination, schema));
  std::vector<std::string> scripts;
  // Asked for although it is there, a schema takes a right that the tables do not take.
  if (!tables.has_schema) scripts.push_back("CREATE SCHEMA " + quoted_identifier(schema));
  if (!tables.has_published) {
    scripts.push_back(dialect.text_of(Sql::create_tables));
    scripts.push_back(dialect.text_of(Sql::create_json));
    scripts.push_back(dialect.text_of(Sql::create_view));
  } else if (tables.has_old_json) {
    scripts.push_back(dialect.text_of(Sql::create_json));
  }
  scripts.push_back(dialect.text_of(Sql::create_annals_tables));
  TRY(run_as_one(connection, scripts));
  return !tables.has_published;
}

std::unexpected<Error> no_tables(const Destination& destination, const std::string& schema) {
  return fail(ErrorKind::usage, "no_tables",
              "the " + destination.text() + " has no tables of an event store in the schema " + schema +
                  "; make them with `annals store init`, or start with --init");
}

}  // namespace annals::store
