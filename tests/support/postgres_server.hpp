#pragma once
// A private PostgreSQL server for the length of a test program: tests/support/postgres.py as a child, which goes when
// this program does, however that ends. Confined to one thread.

#include <string>

namespace annals::test {

class PostgresServer {
 public:
  /// The one of this program, started when it is first asked for.
  static PostgresServer& of_this_program();

  PostgresServer();
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  /// Of the database "postgres", by the server's socket.
  [[nodiscard]] const std::string& url() const { return url_; }

  void stop() { command("stop"); }
  void kill() { command("kill"); }  ///< SIGKILL to all of it
  void start() { command("start"); }
  void standby() { command("standby"); }  ///< starts it again, read-only
  void promote() { command("promote"); }  ///< ends that

 private:
  void command(const std::string& word);
  [[nodiscard]] std::string read_line() const;

  int input_ = -1;
  int output_ = -1;
  int process_ = -1;
  std::string url_;
};

/// The name of a schema that nobody else has.
[[nodiscard]] std::string unique_schema();

}  // namespace annals::test
