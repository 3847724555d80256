#pragma once
// The event store in a PostgreSQL database, by the schema that the Elixir library EventStore 1.4 publishes: a database
// that the original service wrote opens as it is, and the original opens one of ours. docs/operate/postgres.md tells of
// it from outside.
//
// Every append, of every server that shares the database, is one transaction that locks the row of the stream `$all`
// first, so that positions are given out in the order of the commits and no reader skips one. Times are stamped under
// that lock.
//
// What Annals keeps beside the published tables (annals_store, annals_epochs, annals_writers, annals_foreign) is made
// when a database that lacks it is opened.
//
// Thread-safe, as every EventStore. Errors name the database and never a password.

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "event/event_store.hpp"
#include "platform/platform.hpp"
#include "store/seen_flushed.hpp"

namespace annals::store {

struct PostgresOptions {
  /// "postgres://user@host/database?sslmode=verify-full", or libpq's "host=... dbname=...". What it leaves open is
  /// taken from the next five, then from libpq's own environment (PGHOST, ...) and defaults.
  std::string url;
  std::string hostname;
  std::uint16_t port = 0;  ///< 0: libpq's default
  std::string username;
  std::string password;
  std::string database;
  std::string schema = "public";
  std::size_t pool_size = 10;  ///< connections at a time, at least 3: one appends, one follows, the others read
  std::uint32_t node_id = 1;
  /// Says so in the log when another store that claims it has the same node id: for servers, and not for commands,
  /// which may run beside one.
  bool claims_node = false;
  bool init = false;                                       ///< makes the tables when there are none
  Duration poll_interval = std::chrono::milliseconds{50};  ///< for what others record, when no hint comes
  /// Where to keep what is known of the database (docs/formats/database.md), with which the store opens while it is
  /// away; empty: nowhere. Its directory is made once the database has been there.
  std::string known_path{};
  std::vector<SeenFlushed> seen{};  ///< checkpoints, which a database that comes back must have the events of
};

/// Opens the store. The platform outlives it.
///
/// A database that cannot be used at present (no server answers, this user is refused, it is read-only) is waited for,
/// if one of `seen` is of the database that was at this address last, by what `known_path` holds. Until it is there the
/// store tells of what is in `seen` and nothing else (StoreStatus::away). What comes back must be the same database:
/// its epochs go on with the known ones, and it has the events of `seen`; another one is not touched, however long it
/// is there.
///
/// Errors: usage, for options that cannot be read, a database that is not there, that has no tables (the message names
/// the command that makes them) or that refuses this user; unavailable, when no server answers, or the database is
/// read-only; input_output.
[[nodiscard]] Result<std::unique_ptr<EventStore>> open_postgres_store(PostgresOptions options,
                                                                      platform::Platform platform);

/// Opens the store for somebody who only reads, and need have no right to do more: append answers unavailable then.
/// Errors: as open_postgres_store.
[[nodiscard]] Result<std::unique_ptr<EventStore>> open_postgres_store_to_read(PostgresOptions options,
                                                                              platform::Platform platform);

/// Makes the database, without tables. True when it was made, false when it was there. Errors: as open_postgres_store.
[[nodiscard]] Result<bool> create_postgres_database(const PostgresOptions& options);

/// Makes the tables. True when they were made, false when they were there. Errors: as open_postgres_store.
[[nodiscard]] Result<bool> init_postgres_store(const PostgresOptions& options);

/// Removes the database and all that is in it. True when it was removed, false when there was none.
/// Errors: conflict, while somebody is connected to it; as open_postgres_store.
[[nodiscard]] Result<bool> drop_postgres_database(const PostgresOptions& options);

/// The name of the database that the options lead to. Errors: usage.
[[nodiscard]] Result<std::string> postgres_database_name(const PostgresOptions& options);

}  // namespace annals::store
