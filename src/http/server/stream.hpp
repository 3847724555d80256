#pragma once
// ClientStream: a client's socket, in the open or under TLS. In the open it costs nothing but a look at a pointer:
// whoever reads then asks the socket itself.
//
// Confined to its worker's thread.

#include <array>
#include <memory>
#include <span>
#include <string_view>

#include "http/server/tls.hpp"
#include "http/server/worker.hpp"

namespace annals::http {

/// What is left to be written, in order.
struct Outgoing {
  std::array<std::string_view, 3> pieces;
  [[nodiscard]] std::size_t size() const { return pieces[0].size() + pieces[1].size() + pieces[2].size(); }
  void consume(std::size_t count);
};

class ClientStream {
 public:
  explicit ClientStream(Socket socket) : socket_(std::move(socket)) {}

  [[nodiscard]] Socket& socket() { return socket_; }
  [[nodiscard]] bool is_encrypted() const { return tls_ != nullptr; }

  enum class Opening : std::uint8_t {
    encrypted,
    in_the_open,  ///< the client speaks something else than TLS; nothing of it has been read
    failed
  };
  /// Waits for the client's first byte and, if that begins a handshake, for its end. `reason` says why it failed.
  [[nodiscard]] Coroutine<Opening> open_tls(const TlsContext& context, std::string& reason);

  struct Received {
    boost::system::error_code error;
    std::size_t count = 0;
  };
  /// Waits for bytes of an encrypted stream. Errors: as the socket's, eof too.
  [[nodiscard]] Coroutine<Received> receive_encrypted(std::span<char> room);
  /// Reads what is there, would_block when that is nothing.
  [[nodiscard]] Received receive_now(std::span<char> room);

  enum class Sent : std::uint8_t { all, some, failed };
  /// Writes what the socket takes at once, and takes it out of `outgoing`. `scratch` is for the time of the call.
  [[nodiscard]] Sent send_now(Outgoing& outgoing, std::span<char> scratch);
  /// Waits until more can be sent, after `send_now` gave `some`.
  [[nodiscard]] Coroutine<boost::system::error_code> wait_to_send();

  /// Tells the client that nothing more comes.
  void finish_sending();
  /// Interrupts what waits.
  void cancel();
  void close();

 private:
  [[nodiscard]] Coroutine<boost::system::error_code> wait_for(TlsSession::Outcome outcome);
  [[nodiscard]] Sent send_now_encrypted(Outgoing& outgoing, std::span<char> scratch);

  Socket socket_;
  std::unique_ptr<TlsSession> tls_;
  TlsSession::Outcome send_waits_for_ = TlsSession::Outcome::wants_write;
};

}  // namespace annals::http
