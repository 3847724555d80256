#include "http/server/stream.hpp"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <utility>

namespace annals::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using TlsOutcome = TlsSession::Outcome;

constexpr char tls_handshake = 0x16;  // the first byte of a TLS client (RFC 8446 section 5.1)

bool would_block(int error) {
  return error == EAGAIN || error == EWOULDBLOCK;
}

}  // namespace

void Outgoing::consume(std::size_t count) {
  for (std::string_view& piece : pieces) {
    const std::size_t taken = std::min(count, piece.size());
    piece.remove_prefix(taken);
    count -= taken;
  }
}

ClientStream::ClientStream(Worker& worker, Socket socket) : worker_(worker) {
  error_code error;
  socket.set_option(asio::ip::tcp::no_delay(true), error);
  socket.non_blocking(true, error);
  if (!error) descriptor_ = socket.release(error);
  if (error) descriptor_ = -1;
  if (descriptor_ >= 0 && !worker_.ready_list().add(descriptor_, *this)) close();
}

ClientStream::~ClientStream() {
  close();
}

Coroutine<ClientStream::Opening> ClientStream::open_tls(const TlsContext& context, std::string& reason) {
  char first = 0;
  for (;;) {
    const ssize_t count = ::recv(descriptor_, &first, 1, MSG_PEEK);
    if (count == 1) break;
    if (count < 0 && errno == EINTR) continue;
    if (count == 0 || !would_block(errno)) co_return Opening::failed;
    const bool ready = co_await wait(Direction::read);
    if (!ready) co_return Opening::failed;
  }
  if (first != tls_handshake) co_return Opening::in_the_open;
  tls_ = std::make_unique<TlsSession>(context, descriptor_);
  for (;;) {
    const TlsOutcome outcome = tls_->shake_hands();
    if (outcome == TlsOutcome::done) co_return Opening::encrypted;
    if (outcome == TlsOutcome::ended || outcome == TlsOutcome::failed) {
      reason = tls_->reason();
      co_return Opening::failed;
    }
    const bool ready = co_await wait(direction_of(outcome));
    if (!ready) {
      reason = "it was interrupted";
      co_return Opening::failed;
    }
  }
}

ClientStream::Direction ClientStream::direction_of(TlsOutcome outcome) {
  return outcome == TlsOutcome::wants_read ? Direction::read : Direction::write;
}

void ClientStream::on_ready(std::uint32_t events) noexcept {
  constexpr std::uint32_t last_events = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  // Bytes that are urgent stop a look before its end, too.
  if ((events & (last_events | EPOLLPRI)) != 0) look_to_end_ = true;
  const bool readable = (events & (EPOLLIN | EPOLLPRI | last_events)) != 0;
  if (readable) may_read_ = true;
  const bool is_waited_for =
      waits_for_ == Direction::read ? readable : (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
  if (!waiting_ || !is_waited_for) return;
  auto waiting = std::exchange(waiting_, nullptr);
  waiting(true);  // the stream may be gone after this
}

ClientStream::Received ClientStream::receive_plain(std::span<char> room) {
  const ssize_t count = ::recv(descriptor_, room.data(), room.size(), 0);
  if (count > 0) {
    may_read_ = look_to_end_ || static_cast<std::size_t>(count) == room.size();
    return {Outcome::some, static_cast<std::size_t>(count)};
  }
  if (count == 0) return {Outcome::ended, 0};
  if (errno == EINTR) return receive_plain(room);
  if (!would_block(errno)) return {Outcome::failed, 0};
  may_read_ = false;
  return {Outcome::none, 0};
}

ClientStream::Received ClientStream::receive_now(std::span<char> room) {
  if (tls_ == nullptr) return receive_plain(room);
  Received received;
  const TlsOutcome outcome = tls_->read(room, received.count);
  switch (outcome) {
    case TlsOutcome::done: received.outcome = Outcome::some; break;
    case TlsOutcome::wants_read:
    case TlsOutcome::wants_write:
      receive_waits_for_ = direction_of(outcome);
      received.outcome = Outcome::none;
      break;
    case TlsOutcome::ended: received.outcome = Outcome::ended; break;
    case TlsOutcome::failed: break;
  }
  return received;
}

ClientStream::Sent ClientStream::send_now(Outgoing& outgoing, std::span<char> scratch) {
  if (tls_ != nullptr) return send_now_encrypted(outgoing, scratch);
  while (outgoing.size() > 0) {
    ssize_t count = 0;
    if (outgoing.pieces[1].empty() && outgoing.pieces[2].empty()) {  // a cheaper call of the system
      const std::string_view only = outgoing.pieces[0];
      count = ::send(descriptor_, only.data(), only.size(), MSG_NOSIGNAL);
    } else {
      std::array<iovec, 3> buffers;
      std::ranges::transform(outgoing.pieces, buffers.begin(), [](std::string_view piece) {
        return iovec{const_cast<char*>(piece.data()), piece.size()};
      });
      msghdr message{};
      message.msg_iov = buffers.data();
      message.msg_iovlen = buffers.size();
      count = ::sendmsg(descriptor_, &message, MSG_NOSIGNAL);
    }
    if (count >= 0) {
      outgoing.consume(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      return would_block(errno) ? Sent::some : Sent::failed;
    }
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
      send_waits_for_ = direction_of(outcome);
      return Sent::some;
    }
    if (outcome != TlsOutcome::done) return Sent::failed;
    outgoing.consume(count);
  }
  return Sent::all;
}

void ClientStream::finish_sending() {
  if (tls_ != nullptr) tls_->say_goodbye();
  ::shutdown(descriptor_, SHUT_WR);
}

/// Later, so that whoever resumes never finds itself inside what it has resumed.
void ClientStream::resume_later(bool ready) {
  if (!waiting_) return;
  asio::post(worker_.io(), [ready, waiting = std::exchange(waiting_, nullptr)]() mutable { waiting(ready); });
}

void ClientStream::close() {
  if (descriptor_ >= 0) {
    if (tls_ != nullptr) tls_->forget_socket();
    worker_.ready_list().remove(*this);
    ::close(descriptor_);
    descriptor_ = -1;
  }
  cancel();
}

}  // namespace annals::http
