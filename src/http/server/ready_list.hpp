#pragma once
// ReadyList: tells the sockets of one worker when they can be read from or written to again: an epoll instance of its
// own, edge-triggered, to which a socket is added once, and which the worker's io_context watches as one descriptor. So
// one turn of the io_context serves all sockets that are ready.
//
// The io_context could watch the sockets itself. But it looks into a socket before it waits for it, mostly in vain, and
// makes an operation of every wait, with memory, a queue and a lock.
//
// Confined to the worker's thread. Source: epoll(7).

#include <sys/epoll.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace annals::http {

/// What waits for a socket.
class Watched {
 public:
  /// `events` of epoll have come since the last call. It may end what is watched, with its socket.
  virtual void on_ready(std::uint32_t events) noexcept = 0;

 protected:
  ~Watched() = default;
};

class ReadyList {
 public:
  /// Called after a socket was told of; `last`: it was the last one of this turn.
  using AfterEach = std::function<void(bool last)>;

  /// Throws boost::system::system_error as the io_context's own constructor does, when the system has no descriptor.
  ReadyList(boost::asio::io_context& io, AfterEach after_each);
  ReadyList(const ReadyList&) = delete;
  ReadyList& operator=(const ReadyList&) = delete;

  /// Watches `descriptor` for all that can come of it, until it is closed. What is ready now is told too. False when
  /// the system refuses.
  [[nodiscard]] bool add(int descriptor, Watched& watched);
  /// Tells `watched` nothing more. To be called before its descriptor is closed.
  void remove(const Watched& watched);
  /// True while one of several sockets is told of, which were ready together.
  [[nodiscard]] bool tells_several() const { return count_ > 1; }

 private:
  static constexpr int events_max = 64;  // at once, before the io_context gets its turn

  void wait();
  void tell();

  boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type> epoll_;
  std::array<epoll_event, events_max> events_;
  std::size_t next_ = 0;   // in `events_`, of those that are being told
  std::size_t count_ = 0;  // 0 when none is told of
  const AfterEach after_each_;
};

}  // namespace annals::http
