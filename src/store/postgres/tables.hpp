#pragma once
// The tables of a store in a schema: whether they are there and of which kind, and making them. On the caller's
// connection; confined to its thread.

#include <string>

#include "store/postgres/connection.hpp"

namespace annals::store {

/// What a database has in a schema.
struct Tables {
  bool has_schema = false;
  bool is_standby = false;     ///< it only follows another, and takes no events
  bool has_published = false;  ///< those that the original service knows
  bool has_annals = false;     ///< those that Annals keeps beside them
  bool has_old_json = false;   ///< the function of the view is of an older version, and this user may replace it
  Dialect dialect;             ///< of the published ones
};

/// Errors: unavailable ("database_read_only"), for a standby; usage, for columns of a type that is not known; those of
/// a connection.
[[nodiscard]] Result<Tables> find_tables(Connection& connection, const Destination& destination,
                                         const std::string& schema);

/// Makes what is missing. True when the published tables were among it. Errors: as find_tables.
[[nodiscard]] Result<bool> make_tables(Connection& connection, const Destination& destination,
                                       const std::string& schema);

/// What is said of a database without the published tables.
[[nodiscard]] std::unexpected<Error> no_tables(const Destination& destination, const std::string& schema);

}  // namespace annals::store
