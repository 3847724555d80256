#pragma once
// ClientStream: a client's socket, in the open or under TLS. In the open it costs nothing but a look at a pointer.
//
// It never blocks. Whoever finds nothing to read, or no room to write to, waits by `wait`, which tells of what has come
// since: bytes that come after a look that found no more of them, make the system speak up anew (epoll(7), on
// edge-triggered events). An end that came together with the last bytes does not, and so is remembered.
//
// Confined to its worker's thread.

#include <array>
#include <boost/asio/async_result.hpp>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "http/server/ready_list.hpp"
#include "http/server/tls.hpp"
#include "http/server/worker.hpp"

namespace annals::http {

/// What is left to be written, in order.
struct Outgoing {
  std::array<std::string_view, 3> pieces;
  [[nodiscard]] std::size_t size() const { return pieces[0].size() + pieces[1].size() + pieces[2].size(); }
  void consume(std::size_t count);
};

class ClientStream final : private Watched {
 private:
  enum class Direction : std::uint8_t { read, write };
  [[nodiscard]] auto wait(Direction direction) {
    return boost::asio::async_initiate<const boost::asio::deferred_t, void(bool)>(
        [this, direction](auto handler) {
          waits_for_ = direction;
          waiting_ = std::move(handler);
          if (descriptor_ < 0) cancel();
        },
        use_at_once);
  }

 public:
  ClientStream(Worker& worker, Socket socket);
  ~ClientStream();
  ClientStream(const ClientStream&) = delete;
  ClientStream& operator=(const ClientStream&) = delete;

  /// -1 when it is closed.
  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] bool is_encrypted() const { return tls_ != nullptr; }

  enum class Opening : std::uint8_t {
    encrypted,
    in_the_open,  ///< the client speaks something else than TLS; nothing of it has been read
    failed
  };
  /// Waits for the client's first byte and, if that begins a handshake, for its end. `reason` says why it failed.
  [[nodiscard]] Coroutine<Opening> open_tls(const TlsContext& context, std::string& reason);

  enum class Outcome : std::uint8_t {
    some,    ///< there is something
    none,    ///< there is nothing now: wait
    ended,   ///< the client sends nothing more
    failed,  ///< the connection is of no further use, or the wait was interrupted
  };
  struct Received {
    Outcome outcome = Outcome::failed;
    std::size_t count = 0;
  };
  /// Reads what is there into `room`, which is not empty.
  [[nodiscard]] Received receive_now(std::span<char> room);
  /// Reads what is there, encrypted or not, to throw it away.
  [[nodiscard]] Received receive_waste(std::span<char> room) { return receive_plain(room); }
  [[nodiscard]] auto wait_for_waste() { return wait(Direction::read); }
  /// To be awaited when `receive_now` gave `none`, or nothing may be there: true when it is worth another look, false
  /// when interrupted. So are the other two.
  [[nodiscard]] auto wait_to_receive() { return wait(receive_waits_for_); }
  /// False only when nothing is there to be received, for sure, in the open.
  [[nodiscard]] bool may_receive() const { return may_read_ || tls_ != nullptr; }

  enum class Sent : std::uint8_t { all, some, failed };
  /// Writes what the socket takes at once, and takes it out of `outgoing`. `scratch` is for the time of the call.
  [[nodiscard]] Sent send_now(Outgoing& outgoing, std::span<char> scratch);
  /// To be awaited when `send_now` gave `some`.
  [[nodiscard]] auto wait_to_send() { return wait(send_waits_for_); }

  /// Tells the client that nothing more comes.
  void finish_sending();
  /// Interrupts who waits.
  void cancel() { resume_later(false); }
  /// Lets who waits look again.
  void wake() { resume_later(true); }
  void close();

 private:
  void on_ready(std::uint32_t events) noexcept override;
  void resume_later(bool ready);
  [[nodiscard]] Received receive_plain(std::span<char> room);
  [[nodiscard]] static Direction direction_of(TlsSession::Outcome outcome);
  [[nodiscard]] Sent send_now_encrypted(Outgoing& outgoing, std::span<char> scratch);

  Worker& worker_;
  int descriptor_ = -1;
  bool may_read_ = false;     // something may have come since the last look
  bool look_to_end_ = false;  // the system will not speak up for all that is still to be read
  Direction waits_for_ = Direction::read;
  Direction receive_waits_for_ = Direction::read;
  Direction send_waits_for_ = Direction::write;
  std::move_only_function<void(bool)> waiting_;
  std::unique_ptr<TlsSession> tls_;
};

}  // namespace annals::http
