#pragma once
// The HTTP/1.1 server: sockets, limits, keep-alive, pipelining, drain. Requests of one connection are answered in their
// order, one at a time. What a request means is the Handler's business.
//
// Malformed HTTP gets one 400 or 431 and a closed connection: two lengths, a length with a transfer coding, a transfer
// coding other than `chunked` once, obs-fold, white space before a colon, none or two Host fields, bare LF, HTTP/0.9,
// control characters, an oversized line or header. After refusing, the server half-closes and drains for up to a
// second, so that the client sees the reply.
//
// With a certificate every connection is encrypted; who comes in the open then gets a 400 in the open.
//
// Source: RFC 9110, RFC 9112 (section 11.2, request smuggling). Thread-safe.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "http/response.hpp"
#include "http/server_metrics.hpp"
#include "platform/platform.hpp"

namespace annals::http {

/// A certificate and its key, each as PEM.
struct TlsPair {
  std::string certificate;  ///< the server's own first, then those that lead to one the clients know
  std::string key;          ///< without a password
};

/// When the certificate ends to be valid. Errors: usage, when the pair cannot be served with.
[[nodiscard]] Result<Instant> check_tls(const TlsPair& pair);

struct ServerOptions {
  std::string host = "127.0.0.1";      ///< an address or a name; IPv6 without brackets
  std::uint16_t port = 4000;           ///< 0: any free one
  std::size_t worker_threads = 2;      ///< I/O threads, each with its own share of the connections
  std::size_t connections_max = 1000;  ///< one more takes the place of that which is idle, or without a whole header,
                                       ///< for longest; where there is none, it gets 503 and is closed
  std::size_t header_bytes_max = 32u << 10;        ///< request line and fields together, else 431
  std::size_t target_bytes_max = 8u << 10;         ///< else 414
  std::size_t fields_max = 100;                    ///< else 431
  std::size_t body_bytes_max = (6u << 20) + 4096;  ///< else 413
  std::uint64_t bodies_bytes_max = 256u << 20;     ///< all bodies under way, beyond 64 KiB of each; else 503, closed
  Duration header_timeout =
      std::chrono::seconds(10);  ///< from the first byte of a request to the end of its header, else 408 and closed;
                                 ///< also for a TLS handshake from accepting on, else closed
  Duration idle_timeout = std::chrono::seconds(75);     ///< between requests; closed without a word
  Duration request_timeout = std::chrono::seconds(30);  ///< for the body to arrive (408), for the Handler to answer
                                                        ///< (503), for the client to take a piece of the reply (closed)
  Duration drain_timeout = std::chrono::seconds(10);    ///< at stop: for what has begun
  std::optional<TlsPair> tls;                           ///< TLS 1.2 and 1.3; without it, all is in the open
};

struct ServerStatus {
  std::size_t connections = 0;
  std::uint64_t requests = 0;
  std::uint64_t refused_malformed = 0;
  std::uint64_t refused_connections = 0;
  std::uint64_t displaced_connections = 0;  ///< ended for another's sake
  std::uint64_t failed_handshakes = 0;
  bool draining = false;
};

class Server {
 public:
  virtual ~Server() = default;

  /// Binds and starts to accept. Errors: input_output ("address_in_use": another process has the port), usage (no such
  /// host, a pair for TLS that cannot be served with).
  [[nodiscard]] static Result<std::unique_ptr<Server>> open(ServerOptions options, Handler handler,
                                                            platform::Platform platform);

  /// The port that is listened on.
  [[nodiscard]] virtual std::uint16_t port() const = 0;

  /// Stops accepting, lets requests that have begun finish (answering with `Connection: close`), closes idle
  /// connections, and returns when all are gone or `drain_timeout` has passed. True when nothing had to be cut off.
  /// Call once, not from an I/O thread.
  virtual bool stop() = 0;

  /// Encrypts connections that come from now on with another certificate; those that are there keep theirs. Only where
  /// the server was opened with one. Errors: usage, when the pair cannot be served with; then all stays as it is.
  [[nodiscard]] virtual Result<> renew_tls(const TlsPair& pair) = 0;

  [[nodiscard]] virtual ServerStatus status() const = 0;
  [[nodiscard]] virtual ServerMetrics metrics() const = 0;
};

}  // namespace annals::http
