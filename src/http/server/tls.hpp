#pragma once
// TLS 1.2 and 1.3 for connections, by OpenSSL, which no other file of the server knows. TlsContext is a certificate
// with its key and what the server offers to clients; TlsSession is one connection's, over a socket that never blocks.
//
// TlsContext: immutable, shared by the sessions that were made from it, so that a new one takes nothing from them.
// TlsSession: confined to one thread.
//
// Source: RFC 8446, RFC 5246, RFC 7301 (ALPN); versions and ciphers as Mozilla's "intermediate" without those that lack
// forward secrecy or authenticate only after decrypting.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/instant.hpp"
#include "base/result.hpp"
#include "http/server.hpp"

struct ssl_ctx_st;
struct ssl_st;

namespace annals::http {

class TlsContext {
 public:
  /// Errors: usage, when the pair cannot be served with; the message says which of the two is wrong, and how.
  [[nodiscard]] static Result<std::shared_ptr<const TlsContext>> open(const TlsPair& pair);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  /// When the certificate ends to be valid.
  [[nodiscard]] Instant expires() const { return expires_; }
  [[nodiscard]] ssl_ctx_st* get() const { return context_; }

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}

  ssl_ctx_st* context_;
  Instant expires_{};
};

class TlsSession {
 public:
  enum class Outcome : std::uint8_t {
    done,
    wants_read,   ///< nothing happened: try again when the socket can be read
    wants_write,  ///< nothing happened: try again, with the same bytes or more, when the socket can be written to
    ended,        ///< the client sends nothing more
    failed        ///< the connection is of no further use
  };

  /// The socket `descriptor` stays the caller's, and open until `forget_socket` or the end of the session.
  TlsSession(const TlsContext& context, int descriptor);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  [[nodiscard]] Outcome shake_hands();
  /// Reads into `room`, which is not empty; `count` is what was read, when `done`.
  [[nodiscard]] Outcome read(std::span<char> room, std::size_t& count);
  /// Writes of `bytes`, which are not empty; `count` is what was written, when `done`.
  [[nodiscard]] Outcome write(std::string_view bytes, std::size_t& count);
  /// Tells the client that nothing more comes, if the socket takes that at once.
  void say_goodbye();
  /// The socket is closed; from now on everything fails.
  void forget_socket() { descriptor_ = -1; }

  /// Why the last call failed, in OpenSSL's words.
  [[nodiscard]] const std::string& reason() const { return reason_; }

 private:
  [[nodiscard]] Outcome outcome_of(int answer);

  ssl_st* session_;
  int descriptor_;  // what the session's input and output look at
  bool failed_ = false;
  std::string reason_;
};

/// What a client with TLS is told that gets no handshake: the alert internal_error (RFC 8446 section 6).
[[nodiscard]] std::string_view tls_alert_of_overload();

}  // namespace annals::http
