#include "store/postgres/connection.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/invariant.hpp"
#include "event/read_interest.hpp"
#include "store/postgres/libpq_message.hpp"

namespace annals::store {
namespace {

/// A server that says nothing for so long is gone; a wait for a lock ends sooner, by the session's lock_timeout.
constexpr int silence_max_ms = 30'000;
/// How often whoever doubts that a silent server is there is asked.
constexpr int doubt_pause_ms = 5'000;
/// How often it is looked whether somebody still waits for what is read.
constexpr int interest_pause_ms = 100;

constexpr std::string_view not_supported = "0A000";

/// Shutting down, crashed, not yet up, or idle for longer than somebody allows: the connection ends although the server
/// still said why.
bool ends_connection(std::string_view state) {
  return state.starts_with("08") || state == "57P01" || state == "57P02" || state == "57P03" || state == "57P05" ||
         state == "25P03" || state == "25P04";
}

Error why_not_connected(const Destination& destination, const std::string& said) {
  const std::string message = "cannot connect to the " + destination.text() + ": " + said;
  switch (connect_failure_of(said)) {
    case ConnectFailure::wrong_option:
      return {ErrorKind::usage, "database_options",
              "the address of the database has an option that libpq does not take: " + said};
    case ConnectFailure::missing: return {ErrorKind::usage, "database_missing", message};
    case ConnectFailure::refused: return {ErrorKind::usage, "database_refused", message};
    case ConnectFailure::untrusted: return {ErrorKind::usage, "database_untrusted", message};
    case ConnectFailure::unreachable: break;
  }
  return {ErrorKind::unavailable, connection_lost, message};
}

}  // namespace

// --- Rows
// --------------------------------------------------------------------------------------------------------------

Rows::Rows(pg_result* owned) : result_(owned, PQclear) {}

std::size_t Rows::size() const {
  return result_ ? static_cast<std::size_t>(PQntuples(result_.get())) : 0;
}

bool Rows::is_null(std::size_t row, int column) const {
  return PQgetisnull(result_.get(), static_cast<int>(row), column) != 0;
}

std::string_view Rows::bytes(std::size_t row, int column) const {
  const int at = static_cast<int>(row);
  return {PQgetvalue(result_.get(), at, column), static_cast<std::size_t>(PQgetlength(result_.get(), at, column))};
}

std::int64_t Rows::integer(std::size_t row, int column) const {
  if (is_null(row, column)) return 0;
  const std::string_view value = bytes(row, column);
  INVARIANT(value.size() == 8, "the statements give integers as bigint");
  std::uint64_t number = 0;
  for (const char byte : value) number = number << 8 | static_cast<unsigned char>(byte);
  return static_cast<std::int64_t>(number);
}

bool Rows::boolean(std::size_t row, int column) const {
  const std::string_view value = bytes(row, column);
  return value.size() == 1 && value[0] != '\0';
}

Uuid Rows::uuid(std::size_t row, int column) const {
  Uuid uuid;
  const std::string_view value = bytes(row, column);
  if (value.size() == uuid.bytes.size()) std::memcpy(uuid.bytes.data(), value.data(), value.size());
  return uuid;
}

Instant Rows::time(std::size_t row, int column) const {
  return from_database_time(integer(row, column));
}

// --- Opening
// -----------------------------------------------------------------------------------------------------------

Connection::Connection(Destination destination, Dialect dialect, pg_conn* owned, int ended)
    : destination_(std::move(destination)), dialect_(std::move(dialect)), connection_(owned), ended_(ended) {}

Connection::~Connection() {
  PQfinish(connection_);
}

Result<std::unique_ptr<Connection>> Connection::open(const Destination& destination, const Dialect& dialect,
                                                     int ended) {
  std::vector<const char*> names;
  std::vector<const char*> values;
  for (const Destination::Keyword& keyword : destination.keywords()) {
    names.push_back(keyword.name.c_str());
    values.push_back(keyword.value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  pg_conn* const made = PQconnectdbParams(names.data(), values.data(), 0);
  if (made == nullptr) return fail(ErrorKind::unavailable, connection_lost, "there is no memory for a connection");
  std::unique_ptr<Connection> connection(new Connection(destination, dialect, made, ended));
  if (PQstatus(made) != CONNECTION_OK) {
    return std::unexpected(why_not_connected(destination, destination.masked(PQerrorMessage(made))));
  }
  TRY(connection->begin_session());
  return connection;
}

Result<> Connection::begin_session() {
  PQsetNoticeProcessor(connection_, [](void*, const char*) {}, nullptr);
  if (PQsetnonblocking(connection_, 1) != 0 || PQenterPipelineMode(connection_) != 1) {
    return lost("the connection cannot be readied");
  }
  const auto ask = [&] { return run(Sql::session, Parameters().add(std::string_view(dialect_.schema))); };
  auto rows = ask();
  if (!rows && rows.error().code == not_supported) {
    // A standby begins no transaction that is serializable, as those of this user are until it is told otherwise.
    TRY(run_script("SET default_transaction_isolation = 'read committed'"));
    rows = ask();
  }
  if (!rows) return std::unexpected(std::move(rows).error());
  incarnation_ = rows->bytes(0, 13);
  backend_ = {rows->integer(0, 14), rows->integer(0, 16)};
  return {};
}

// --- Round trips
// -------------------------------------------------------------------------------------------------------

Result<Rows> Connection::run(const Statement& statement, Parameters parameters) {
  const std::array calls{Call{statement, std::move(parameters)}};
  std::vector<Rows> rows = TRY(run(calls));
  return std::move(rows.front());
}

Result<std::vector<Rows>> Connection::run(std::span<const Call> calls) {
  done_before_refusal_.reset();
  if (lost_) return fail(ErrorKind::unavailable, connection_lost, "the connection to the database was lost");
  const std::vector<Sent> sent = TRY(send(calls));
  std::vector<Rows> all;
  all.reserve(calls.size());
  std::optional<Error> failure;
  for (const Sent& one : sent) {
    Rows rows;
    while (pg_result* result = TRY(next_result())) {
      rows = Rows(result);
      const ExecStatusType status = PQresultStatus(result);
      const bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
      if (good && one.is_preparation) prepared_.insert(one.statement->name);
      if (good || status == PGRES_PIPELINE_ABORTED || failure) continue;
      failure = error_of(result);
      // Without a code it is libpq that says so, which knows nothing of what the server has done.
      if (PQresultErrorField(result, PG_DIAG_SQLSTATE) != nullptr) done_before_refusal_ = all.size();
    }
    if (!one.is_preparation && !failure) all.push_back(std::move(rows));
  }
  const Rows sync(TRY(next_result()));
  if (!failure) return all;
  if (is_lost(*failure)) lost_ = true;
  return std::unexpected(*std::move(failure));
}

Result<std::vector<Connection::Sent>> Connection::send(std::span<const Call> calls) {
  std::vector<Sent> sent;
  std::vector<const char*> values;
  std::vector<int> lengths;
  std::vector<int> formats;
  for (const Call& call : calls) {
    const char* const name = call.statement.name;
    const bool known = prepared_.contains(name) || std::ranges::any_of(sent, [&](const Sent& one) {
                         return one.is_preparation && one.statement == &call.statement;
                       });
    if (!known) {
      if (PQsendPrepare(connection_, name, dialect_.text_of(call.statement).c_str(), 0, nullptr) != 1) {
        return lost("a statement could not be sent");
      }
      sent.push_back({&call.statement, true});
    }
    values.clear();
    lengths.clear();
    for (const std::string& value : call.parameters.values()) {
      values.push_back(value.data());
      lengths.push_back(static_cast<int>(value.size()));
    }
    formats.assign(values.size(), 1);
    if (PQsendQueryPrepared(connection_, name, static_cast<int>(values.size()), values.data(), lengths.data(),
                            formats.data(), 1) != 1) {
      return lost("a statement could not be sent");
    }
    sent.push_back({&call.statement, false});
  }
  if (PQpipelineSync(connection_) != 1) return lost("a statement could not be sent");
  TRY(flush());
  return sent;
}

/// Sends what is not sent yet, and reads meanwhile: a server that nobody listens to stops listening itself.
Result<> Connection::flush() {
  for (;;) {
    const int left = PQflush(connection_);
    if (left == 0) return {};
    if (left < 0) return lost("what was to be sent could not be");
    TRY(wait(POLLIN | POLLOUT));
    if (PQconsumeInput(connection_) != 1) return lost("the server cannot be heard");
  }
}

Result<> Connection::wait(short events) {
  // A negative descriptor is passed over.
  std::array<pollfd, 3> waited{{{.fd = PQsocket(connection_), .events = events, .revents = 0},
                                {.fd = ended_, .events = POLLIN, .revents = 0},
                                {.fd = silent_, .events = POLLIN, .revents = 0}}};
  if (waited[0].fd < 0) return lost("its socket is closed");
  const int pause_ms = ReadInterest::may_end() ? interest_pause_ms : is_there_ ? doubt_pause_ms : silence_max_ms;
  for (int silent_ms = 0; silent_ms < silence_max_ms;) {
    const int ready = ::poll(waited.data(), waited.size(), pause_ms);
    if (ready > 0 && waited[1].revents != 0) return give_up("nobody waits for it any more");
    if (ready > 0 && waited[2].revents != 0) return give_up("the server says nothing to anybody");
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return lost("its socket cannot be waited on");
    if (ReadInterest::has_ended()) return give_up("nobody waits for the answer any more");
    if (ready != 0) continue;
    silent_ms += pause_ms;
    if (pause_ms == doubt_pause_ms && !is_there_()) {
      return give_up("the server says nothing, and not to a new connection either");
    }
  }
  return give_up("the server said nothing for " + std::to_string(silence_max_ms / 1000) + " s");
}

Result<pg_result*> Connection::next_result() {
  while (PQisBusy(connection_) != 0) {
    TRY(wait(POLLIN));
    if (PQconsumeInput(connection_) != 1) return lost("the server cannot be heard");
  }
  pg_result* const result = PQgetResult(connection_);
  if (PQstatus(connection_) != CONNECTION_OK) {
    PQclear(result);
    return lost("it ended");
  }
  return result;
}

Result<> Connection::run_script(const std::string& text) {
  if (lost_) return fail(ErrorKind::unavailable, connection_lost, "the connection to the database was lost");
  if (PQexitPipelineMode(connection_) != 1) return lost("the connection cannot leave its pipeline");
  const Rows rows(PQexec(connection_, text.c_str()));
  const auto* const result = static_cast<const pg_result*>(rows.storage().get());
  const ExecStatusType status = PQresultStatus(result);
  std::optional<Error> failure;
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) failure = error_of(result);
  if (PQstatus(connection_) != CONNECTION_OK || PQenterPipelineMode(connection_) != 1) {
    return lost("the connection cannot go back to its pipeline");
  }
  if (failure) return std::unexpected(*std::move(failure));
  return {};
}

// --- What the server says by itself
// ------------------------------------------------------------------------------------

bool Connection::is_whole() {
  if (lost_ || PQstatus(connection_) != CONNECTION_OK || PQtransactionStatus(connection_) != PQTRANS_IDLE) return false;
  pollfd waited{.fd = PQsocket(connection_), .events = POLLIN, .revents = 0};
  if (::poll(&waited, 1, 0) <= 0) return true;
  // What a server says unasked is a notice, or its farewell.
  return PQconsumeInput(connection_) == 1 && PQstatus(connection_) == CONNECTION_OK;
}

bool Connection::take_notifications(std::string_view own) {
  (void)PQconsumeInput(connection_);  // whether the connection is whole, the next round trip says
  bool any = false;
  while (PGnotify* notification = PQnotifies(connection_)) {
    any = any || notification->extra != own;
    PQfreemem(notification);
  }
  return any;
}

int Connection::socket() const {
  return PQsocket(connection_);
}

// --- Errors
// ------------------------------------------------------------------------------------------------------------

std::unexpected<Error> Connection::lost(std::string_view what) {
  lost_ = true;
  std::string message = "the connection to the " + destination_.text() + " was lost: " + std::string(what);
  if (const std::string said = destination_.masked(PQerrorMessage(connection_)); !said.empty()) {
    message += " (" + said + ")";
  }
  return fail(ErrorKind::unavailable, connection_lost, std::move(message));
}

/// While the server is at work.
std::unexpected<Error> Connection::give_up(std::string_view why) {
  given_up_ = true;
  return lost(why);
}

Error Connection::error_of(const pg_result* result) {
  const char* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* const primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  // The primary message alone: details show the values of rows.
  const std::string said = primary != nullptr ? primary : PQresultErrorMessage(result);
  // What is wrong with a row is told to whoever sent it, who need not know where the database is.
  const std::string who = is_about_rows(state == nullptr ? "" : state) ? "the database" : "the " + destination_.text();
  const std::string message = who + " refused a statement: " + destination_.masked(said);
  if (state == nullptr) return {ErrorKind::unavailable, connection_lost, message};
  if (ends_connection(state)) {
    lost_ = true;
    return {ErrorKind::unavailable, connection_lost, message};
  }
  if (std::string_view(state) == "25006") return destination_.read_only();
  const char* const table = PQresultErrorField(result, PG_DIAG_TABLE_NAME);
  if (std::string_view(state) == "23505" && table != nullptr && std::string_view(table) != "events") {
    return {
        ErrorKind::unavailable, std::string(number_taken),
        "the " + destination_.text() + " has a row already in the table " + table + ": " + destination_.masked(said)};
  }
  return {ErrorKind::internal, std::string_view(state), message};
}

}  // namespace annals::store
