#pragma once
// The yardstick: the barest server that could do the work of `PUT /config/<key>` and `GET /config/<key>`.
//
// One thread does all, by epoll: it reads what is ready, answers every GET from a hash map, writes all PUTs that are
// ready by one pwrite and one fdatasync into a prewritten file, and answers them after the flush. It keeps the rules
// that Annals keeps: HTTP/1.1 keep-alive, a success only after the flush, nothing visible before it, replies in the
// order of a connection's requests.
//
// What it leaves out, each of which Annals has to pay for: reading the file back, versions and history, the hash chain,
// events with ids, times and metadata, positions, conditions, JSON beyond one exact form, percent-encoding, limits and
// timeouts, refusing malformed HTTP, request ids and every reply field but Content-Length, logs, metrics, health.
//
// Confined to one thread.

#include <csignal>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "base/text_hash.hpp"
#include "benchmarks/bare_server/journal.hpp"
#include "benchmarks/common/socket.hpp"

namespace annals::benchmarks {

struct BareServerOptions {
  Address listen;
  std::string file;  ///< replaced when it is there
  std::uint64_t file_bytes = 256u << 20;
};

class BareServer {
 public:
  /// Takes SIGTERM and SIGINT for itself: they are blocked for the calling thread. Errors: input_output, usage.
  [[nodiscard]] static Result<std::unique_ptr<BareServer>> open(const BareServerOptions& options);
  ~BareServer();

  [[nodiscard]] std::uint16_t port() const { return port_; }

  /// Serves until SIGTERM or SIGINT.
  /// Errors: input_output, after a failed write or flush: nothing that was not durable has been answered.
  [[nodiscard]] Result<> run();

 private:
  struct Connection;

  BareServer(Descriptor listener, std::uint16_t port, std::unique_ptr<Journal> journal);

  [[nodiscard]] Result<> prepare();
  void accept_all();
  void read_from(Connection& connection);
  void serve(Connection& connection);
  [[nodiscard]] Result<> commit();
  void send_replies(Connection& connection);
  void watch(Connection& connection, bool for_writing);
  void give_up(Connection& connection);

  Descriptor listener_;
  std::uint16_t port_;
  Descriptor poll_;
  Descriptor signals_;
  std::unique_ptr<Journal> journal_;
  TextMap<std::string, std::string> values_;

  std::unordered_map<int, std::unique_ptr<Connection>> connections_;  // by descriptor
  std::vector<Connection*> waiting_;                                  // with a PUT in the next flush
  std::vector<Connection*> unfinished_;  // that sent more behind a PUT which has now been answered
  std::vector<int> ended_;               // to be closed once nobody points at them
};

}  // namespace annals::benchmarks
