#include "http/server/stream.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <cerrno>

namespace annals::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using TlsOutcome = TlsSession::Outcome;

constexpr char tls_handshake = 0x16;  // the first byte of a TLS client (RFC 8446 section 5.1)

bool would_block(const error_code& error) {
  return error == asio::error::would_block || error == asio::error::try_again;
}

}  // namespace

void Outgoing::consume(std::size_t count) {
  for (std::string_view& piece : pieces) {
    const std::size_t taken = std::min(count, piece.size());
    piece.remove_prefix(taken);
    count -= taken;
  }
}

Coroutine<ClientStream::Opening> ClientStream::open_tls(const TlsContext& context, std::string& reason) {
  char first = 0;
  for (;;) {
    const auto [error] = co_await socket_.async_wait(Socket::wait_read, use_result);
    if (error || !socket_.is_open()) co_return Opening::failed;
    const ssize_t count = ::recv(socket_.native_handle(), &first, 1, MSG_PEEK);
    if (count == 1) break;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) continue;
    co_return Opening::failed;
  }
  if (first != tls_handshake) co_return Opening::in_the_open;
  tls_ = std::make_unique<TlsSession>(context, socket_.native_handle());
  for (;;) {
    const TlsOutcome outcome = tls_->shake_hands();
    if (outcome == TlsOutcome::done) co_return Opening::encrypted;
    if (outcome == TlsOutcome::ended || outcome == TlsOutcome::failed) {
      reason = tls_->reason();
      co_return Opening::failed;
    }
    const error_code error = co_await wait_for(outcome);
    if (error) {
      reason = error.message();
      co_return Opening::failed;
    }
  }
}

Coroutine<error_code> ClientStream::wait_for(TlsOutcome outcome) {
  const auto direction = outcome == TlsOutcome::wants_read ? Socket::wait_read : Socket::wait_write;
  const auto [error] = co_await socket_.async_wait(direction, use_result);
  co_return error;
}

Coroutine<ClientStream::Received> ClientStream::receive_encrypted(std::span<char> room) {
  for (;;) {
    // The session may hold what it read ahead, so it is asked before the socket is waited for.
    Received received;
    const TlsOutcome outcome = tls_->read(room, received.count);
    if (outcome == TlsOutcome::done) co_return received;
    if (outcome == TlsOutcome::ended) co_return Received{asio::error::eof, 0};
    if (outcome == TlsOutcome::failed) co_return Received{asio::error::connection_reset, 0};
    const error_code error = co_await wait_for(outcome);
    if (error) co_return Received{error, 0};
  }
}

ClientStream::Received ClientStream::receive_now(std::span<char> room) {
  Received received;
  if (tls_ == nullptr) {
    received.count = socket_.read_some(asio::buffer(room.data(), room.size()), received.error);
    return received;
  }
  switch (tls_->read(room, received.count)) {
    case TlsOutcome::done: break;
    case TlsOutcome::wants_read:
    case TlsOutcome::wants_write: received.error = asio::error::would_block; break;
    case TlsOutcome::ended: received.error = asio::error::eof; break;
    case TlsOutcome::failed: received.error = asio::error::connection_reset; break;
  }
  return received;
}

ClientStream::Sent ClientStream::send_now(Outgoing& outgoing, std::span<char> scratch) {
  if (tls_ != nullptr) return send_now_encrypted(outgoing, scratch);
  while (outgoing.size() > 0) {
    error_code error;
    if (outgoing.pieces[1].empty() && outgoing.pieces[2].empty()) {
      outgoing.consume(socket_.write_some(asio::buffer(outgoing.pieces[0]), error));  // a cheaper call of the system
    } else {
      const std::array<asio::const_buffer, 3> buffers{
          asio::buffer(outgoing.pieces[0]), asio::buffer(outgoing.pieces[1]), asio::buffer(outgoing.pieces[2])};
      outgoing.consume(socket_.write_some(buffers, error));
    }
    if (would_block(error)) return Sent::some;
    if (error) return Sent::failed;
  }
  return Sent::all;
}

/// The pieces are put together first: each write becomes a record of its own. One that the socket did not take is tried
/// again with the same bytes, as TLS needs it, because `outgoing` is what it was and so is the size of `scratch`.
ClientStream::Sent ClientStream::send_now_encrypted(Outgoing& outgoing, std::span<char> scratch) {
  while (outgoing.size() > 0) {
    std::size_t size = 0;
    for (const std::string_view piece : outgoing.pieces) {
      size += piece.copy(scratch.data() + size, scratch.size() - size);
    }
    std::size_t count = 0;
    const TlsOutcome outcome = tls_->write({scratch.data(), size}, count);
    if (outcome == TlsOutcome::wants_read || outcome == TlsOutcome::wants_write) {
      send_waits_for_ = outcome;
      return Sent::some;
    }
    if (outcome != TlsOutcome::done) return Sent::failed;
    outgoing.consume(count);
  }
  return Sent::all;
}

Coroutine<error_code> ClientStream::wait_to_send() {
  return wait_for(send_waits_for_);
}

void ClientStream::finish_sending() {
  if (tls_ != nullptr) tls_->say_goodbye();
  error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void ClientStream::cancel() {
  error_code ignored;
  socket_.cancel(ignored);
}

void ClientStream::close() {
  if (tls_ != nullptr) tls_->forget_socket();
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace annals::http
