// How PostgresStore knows its database: by the last event that it read or recorded. A backup that was put back, another
// database under the same name, another server behind the same address: none of them has that event at that position,
// unless it has everything before it too.
//
// Once it is not there, nothing is read and nothing is recorded over any connection, those included that were made
// before: they may lead elsewhere than the new ones. The thread that follows makes a new connection and looks again.

#include "store/postgres/postgres_store.hpp"

namespace annals::store {
namespace {

constexpr std::string_view another = "another_database";

/// What a server says that lacks a table, or the schema.
bool lacks_tables(const Error& error) {
  return error.code == "42P01" || error.code == "3F000";
}

}  // namespace

Call PostgresStore::ask_for(const Seen& seen) {
  return {Sql::head, std::move(Parameters().add(seen.position.value))};
}

Result<PostgresStore::Outlook> PostgresStore::outlook(const Rows& rows, const Seen& seen) const {
  if (rows.size() == 0) return displace("it no longer has the stream $all");
  const Outlook found{.head = Position(static_cast<std::uint64_t>(rows.integer(0, 0))),
                      .epochs = static_cast<std::size_t>(rows.integer(0, 1)),
                      .last = rows.is_null(0, 2) ? std::nullopt : std::optional(rows.uuid(0, 2))};
  if (found.head < seen.head) {
    return displace("it went back from position " + to_string(seen.head) + " to " + to_string(found.head) +
                    ", as when a backup is restored");
  }
  // An event that is gone was removed by the original service, which can remove streams; it leaves its position free.
  if (seen.position.value > 0 && !rows.is_null(0, 3) && rows.uuid(0, 3) != seen.event) {
    return displace("it has another event at position " + to_string(seen.position) + " than was seen there");
  }
  return found;
}

Result<Rows> PostgresStore::ask(Connection& connection, const Statement& statement, Parameters parameters) const {
  const Seen seen = this->seen();
  const std::array calls{Call{statement, std::move(parameters)}, ask_for(seen)};
  const std::vector<Rows> rows = TRY(connection.run(calls));
  (void)TRY(outlook(rows[1], seen));
  return rows[0];
}

Result<> PostgresStore::check_connection(Connection& connection) const {
  if (!reached_.load()) return {};  // begin and reach look closer
  const Seen seen = this->seen();
  const std::vector<Epoch> known = view_.lock()->epochs;
  const auto rows = connection.run(std::array{ask_for(seen)});
  if (!rows) return std::unexpected(displaced_if_without_tables(rows.error()));
  (void)TRY(outlook(rows->front(), seen));
  // Where the event that was seen is gone, these still tell.
  const std::vector<Epoch> epochs = TRY(read_epochs(connection));
  if (!known.empty() && !continues(epochs, known)) return displace("its epochs are others");
  return {};
}

Error PostgresStore::displaced_if_without_tables(Error error) const {
  if (!lacks_tables(error) || !reached_.load()) return error;
  return displace("it has no tables of an event store").error();
}

std::unexpected<Error> PostgresStore::displace(const std::string& found) const {
  std::string message = "the " + destination_.text() +
                        " is not the one that this server has served, or an older state of it: " + found +
                        "; nothing is read from it and nothing is written to it; bring the other back, or restart the "
                        "server to serve this one";
  bool told = true;
  if (reached_.load()) {
    const auto condition = condition_.lock();
    told = !condition->displaced.empty();
    condition->displaced = message;
    ++condition->displaced_count;
  }
  if (!told) {
    platform_.log.error(
        "The database is not the one that this server has served; nothing is read from it or written to it",
        {{"error", std::string_view(message)}});
  }
  reading_.renew();
  appending_.renew();
  following_.renew();
  return fail(ErrorKind::conflict, another, std::move(message));
}

Result<> PostgresStore::not_displaced() const {
  const auto condition = condition_.lock();
  if (condition->displaced.empty()) return {};
  return fail(ErrorKind::unavailable, "database_away", condition->displaced);
}

/// Of the thread that follows, once a connection that was made after the last time showed what was seen.
void PostgresStore::recognise(std::uint64_t displaced_count) {
  {
    const auto condition = condition_.lock();
    if (condition->displaced.empty() || condition->displaced_count != displaced_count) return;
    condition->displaced.clear();
  }
  platform_.log.info("The database is the one again that this server has served");
}

}  // namespace annals::store
