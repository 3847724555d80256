#pragma once
// One connection to a PostgreSQL server, by libpq in pipeline mode: several statements go out together and their
// results come back together, in one round trip. Parameters and results are in binary form.
//
// Errors of everything here: unavailable with the code "connection_lost", when the connection broke or could not be
// made (what was sent may have been done); otherwise internal with the SQLSTATE as code: the server refused a
// statement, and none after it in the same round trip was done. Messages never show a password, nor the values of
// parameters.
//
// Confined to one thread at a time. Source: PostgreSQL's documentation of libpq, "Pipeline Mode".

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.hpp"
#include "base/result.hpp"
#include "base/text_hash.hpp"
#include "base/uuid.hpp"
#include "store/postgres/parameters.hpp"
#include "store/postgres/statement.hpp"
#include "store/postgres_store.hpp"

struct pg_conn;
struct pg_result;

namespace annals::store {

inline constexpr std::string_view connection_lost = "connection_lost";
[[nodiscard]] inline bool is_lost(const Error& error) {
  return error.code == connection_lost;
}

/// The code of a row that is there already in another table than that of events: what numbers rows is behind them.
inline constexpr std::string_view number_taken = "number_taken";

/// A code that says that what is wrong is in the rows: not JSON where JSON is kept, an id that is there already.
[[nodiscard]] inline bool is_about_rows(std::string_view code) {
  constexpr std::string_view sequence_at_its_end = "2200H";
  return (code.starts_with("22") || code.starts_with("23")) && code != sequence_at_its_end;
}

/// The database has no room on its disk.
inline constexpr std::string_view disk_full = "53100";
/// A code that says that the database lacks room, memory or the like for now.
[[nodiscard]] inline bool lacks_resources(std::string_view code) {
  return code.starts_with("53");
}

/// What a statement gave, in binary form. Values are borrowed from it. Copies share it.
class Rows {
 public:
  Rows() = default;
  explicit Rows(pg_result* owned);

  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] bool is_null(std::size_t row, int column) const;
  [[nodiscard]] std::string_view bytes(std::size_t row, int column) const;  ///< empty when null
  [[nodiscard]] std::int64_t integer(std::size_t row, int column) const;    ///< of a bigint; 0 when null
  [[nodiscard]] bool boolean(std::size_t row, int column) const;
  [[nodiscard]] Uuid uuid(std::size_t row, int column) const;  ///< zeros when null
  [[nodiscard]] Instant time(std::size_t row, int column) const;
  /// What keeps the bytes alive.
  [[nodiscard]] std::shared_ptr<const void> storage() const { return result_; }

 private:
  std::shared_ptr<pg_result> result_;  // shared by copies, and by the pages that borrow from it
};

/// A statement with its parameters.
struct Call {
  const Statement& statement;
  Parameters parameters = {};
};

/// Where to connect, checked and taken apart. Immutable.
class Destination {
 public:
  /// Errors: usage.
  [[nodiscard]] static Result<Destination> read(const PostgresOptions& options);

  [[nodiscard]] const std::string& database() const { return database_; }
  /// "database shop at db.example.org": for messages.
  [[nodiscard]] std::string text() const;
  /// Where that is, the schema included, on one line: what two servers must agree on to have the same database. Without
  /// users and secrets.
  [[nodiscard]] const std::string& address() const { return address_; }
  /// What is said of a database that takes no events.
  [[nodiscard]] Error read_only() const;
  /// What libpq said, on one line (store/postgres/libpq_message.hpp), with every secret of the options replaced by
  /// ****.
  [[nodiscard]] std::string masked(std::string message) const;
  /// The same server, another database.
  [[nodiscard]] Destination with_database(std::string name) const;

  struct Keyword {
    std::string name;
    std::string value;
  };
  [[nodiscard]] const std::vector<Keyword>& keywords() const { return keywords_; }

 private:
  std::vector<Keyword> keywords_;
  std::vector<std::string> secrets_;
  std::string database_;
  std::string host_;
  std::string address_;
};

/// The server's process that serves a connection.
struct Backend {
  std::int64_t process = 0;
  std::int64_t began = 0;  ///< microseconds since 1970
};

class Connection {
 public:
  /// Connects and readies the session. Takes as long as connect_timeout (5 s unless the options say otherwise). Once
  /// connected, whoever waits for the server gives up as soon as `ended`, a descriptor that outlives the connection, is
  /// readable: the connection is then lost. -1: nobody does.
  /// Errors, besides the above: usage, when the server refuses this user ("database_refused"), has no such database or
  /// user ("database_missing") or cannot be trusted ("database_untrusted"), or libpq does not take an option
  /// ("database_options").
  [[nodiscard]] static Result<std::unique_ptr<Connection>> open(const Destination& destination, const Dialect& dialect,
                                                                int ended = -1);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Whoever waits for the server gives up, besides, as soon as `silent`, a descriptor that outlives the connection, is
  /// readable.
  void give_up_when(int silent) { silent_ = silent; }
  /// From now on who waits asks `is_there`, on the waiting thread, each time that the server has said nothing for 5 s,
  /// and gives up when that is false. Not of reads that somebody waits for (event/read_interest.hpp).
  void ask_in_silence(std::function<bool()> is_there) { is_there_ = std::move(is_there); }

  /// Runs the statements in one round trip. Waits while the server is silent for `silence_max` at most, and no longer
  /// than somebody waits for what this thread reads (event/read_interest.hpp); then the connection is lost.
  [[nodiscard]] Result<std::vector<Rows>> run(std::span<const Call> calls);
  [[nodiscard]] Result<Rows> run(const Statement& statement, Parameters parameters = {});
  /// How many statements of the last round trip the server had done when it said that it does not do the next one, nor
  /// any after it; nullopt when it said no such thing, though the connection may have ended.
  [[nodiscard]] std::optional<std::size_t> done_before_refusal() const { return done_before_refusal_; }

  /// Runs a text of several statements without parameters, outside of any pipeline.
  [[nodiscard]] Result<> run_script(const std::string& text);
  [[nodiscard]] Result<> run_script(const Statement& statement) { return run_script(dialect_.text_of(statement)); }

  /// True while the connection looks whole and is in no transaction; looks at what the server may have said meanwhile,
  /// without waiting.
  [[nodiscard]] bool is_whole();
  /// True when a notification came since the last call. Its payload is dropped when it is `own`.
  [[nodiscard]] bool take_notifications(std::string_view own);
  /// What to wait on for something to read.
  [[nodiscard]] int socket() const;

  /// True when it was lost while the server worked on a statement: that goes on in `backend` until it is cancelled.
  [[nodiscard]] bool is_given_up() const { return given_up_; }
  [[nodiscard]] const Backend& backend() const { return backend_; }

  /// Which start of the server, and which making of the tables, this connection leads to.
  [[nodiscard]] const std::string& incarnation() const { return incarnation_; }

 private:
  Connection(Destination destination, Dialect dialect, pg_conn* owned, int ended);
  [[nodiscard]] Result<> begin_session();
  /// One thing sent, for which a result comes back.
  struct Sent {
    const Statement* statement;
    bool is_preparation;
  };
  [[nodiscard]] Result<std::vector<Sent>> send(std::span<const Call> calls);
  [[nodiscard]] Result<> flush();
  [[nodiscard]] Result<> wait(short events);
  /// The next result, or null at the end of those of one statement.
  [[nodiscard]] Result<pg_result*> next_result();
  [[nodiscard]] std::unexpected<Error> lost(std::string_view what);
  [[nodiscard]] std::unexpected<Error> give_up(std::string_view why);
  [[nodiscard]] Error error_of(const pg_result* result);

  const Destination destination_;
  const Dialect dialect_;
  pg_conn* connection_;
  const int ended_;
  int silent_ = -1;
  std::function<bool()> is_there_;
  TextSet<std::string> prepared_;
  std::string incarnation_;
  Backend backend_;
  std::optional<std::size_t> done_before_refusal_;
  bool lost_ = false;
  bool given_up_ = false;
};

}  // namespace annals::store
