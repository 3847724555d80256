#pragma once
// Worker: one I/O thread with its own io_context and its share of the connections. A coarse timer sweeps the
// connections for those whose time is up, so that no request arms a timer of its own.
//
// Everything is confined to the worker's thread but what is marked as thread-safe.

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/guarded.hpp"
#include "http/server.hpp"
#include "http/server/body_budget.hpp"
#include "http/server/identity.hpp"
#include "http/server/ready_list.hpp"
#include "http/server/request_metrics.hpp"
#include "http/server/request_parser.hpp"

namespace annals::http {

using IoExecutor = boost::asio::io_context::executor_type;
using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, IoExecutor>;
using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                boost::asio::wait_traits<std::chrono::steady_clock>, IoExecutor>;
/// A coroutine of a worker's thread.
template <class T>
using Coroutine = boost::asio::awaitable<T, IoExecutor>;
using UseCoroutine = boost::asio::use_awaitable_t<IoExecutor>;
/// For what a coroutine awaits at once, which then needs no coroutine of its own, as it does with UseCoroutine.
inline constexpr boost::asio::deferred_t use_at_once;
/// The same; a failure is an error_code among the results.
inline constexpr auto use_result = boost::asio::as_tuple(use_at_once);

class Connection;
class TlsContext;

/// What the workers of one server share. Thread-safe.
struct Shared {
  Shared(ServerOptions server_options, Handler server_handler, platform::Platform server_platform);
  ~Shared();

  const ServerOptions options;
  const ParserLimits limits;
  const Handler handler;
  const platform::Platform platform;
  const bool has_tls;

  BodyBudget bodies;
  std::atomic<std::size_t> connections{0};
  std::atomic<std::uint64_t> refused_connections{0};
  std::atomic<std::uint64_t> displaced_connections{0};
  std::atomic<std::size_t> newcomers{0};  // accepted, and looking for one to take the place of
  std::atomic<bool> draining{false};

  void connection_ended();
  /// Waits until no connection is left; false when `timeout` has passed before.
  [[nodiscard]] bool wait_until_empty(Duration timeout);

  /// What new connections are encrypted with, where `has_tls`; shared by them and whoever replaces it.
  [[nodiscard]] std::shared_ptr<const TlsContext> tls() const { return *tls_.lock(); }
  void set_tls(std::shared_ptr<const TlsContext> context) { *tls_.lock() = std::move(context); }

 private:
  Guarded<std::shared_ptr<const TlsContext>> tls_;
  std::mutex mutex_;
  std::condition_variable empty_;
};

class Worker {
 public:
  Worker(Shared& shared, std::size_t number);
  /// The thread has been joined before.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void start();
  /// Thread-safe: answers what it has begun and closes what is idle.
  void drain();
  /// Thread-safe: breaks off every connection.
  void abort();
  /// Ends the thread; the connections have ended before. Not from the worker's thread.
  void join();

  /// Takes a connection that `shared.connections` and `load` already count. When it throws (there was no memory), the
  /// connection is closed and counts no more.
  void adopt(Socket socket);
  /// Ends the connection that has been idle, or without a whole header, for longest, and takes this one instead, which
  /// `shared.connections` already counts. False, and nothing is done, when there is none that may give way.
  [[nodiscard]] bool adopt_in_place_of_another(Socket& socket);

  [[nodiscard]] boost::asio::io_context& io() { return io_; }  // thread-safe, as asio's
  [[nodiscard]] ReadyList& ready_list() { return ready_list_; }
  /// Sends what `connection` has gathered together with what others have, before this turn of the ready list is over.
  /// Measured to be cheaper than one by one (benchmarks/README.md), probably because the processor then goes through
  /// our code for several requests, and only then through the system's for their replies.
  void send_later(Connection& connection) { to_send_.push_back(&connection); }
  [[nodiscard]] platform::Executor& executor() { return executor_; }  // thread-safe
  [[nodiscard]] bool on_own_thread() const {
    return std::this_thread::get_id() == thread_id_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::size_t load() const {
    return load_.load(std::memory_order_relaxed);
  }  // thread-safe: its connections
  void expect_connection() { load_.fetch_add(1, std::memory_order_relaxed); }  // thread-safe: one will be adopted
  [[nodiscard]] std::uint64_t requests() const { return requests_.load(std::memory_order_relaxed); }  // thread-safe
  [[nodiscard]] std::uint64_t refused_malformed() const {
    return refused_malformed_.load(std::memory_order_relaxed);
  }  // thread-safe
  [[nodiscard]] std::uint64_t failed_handshakes() const {
    return failed_handshakes_.load(std::memory_order_relaxed);
  }  // thread-safe

  /// For its connections.
  [[nodiscard]] Shared& shared() { return shared_; }
  [[nodiscard]] bool draining() const { return shared_.draining.load(std::memory_order_relaxed); }
  /// The time that counts for the limits of connections, as of the last sweep. It is monotonic time, but for what this
  /// thread was kept from its work beyond two intervals: nobody is to blame for bytes that nobody looked for.
  [[nodiscard]] Duration coarse_now() const { return coarse_now_; }
  [[nodiscard]] Duration sweep_interval() const { return sweep_interval_; }
  [[nodiscard]] IdentitySource& identities() { return identities_; }
  [[nodiscard]] DateText& date() { return date_; }
  /// Bytes that nobody will read, to drain a socket into.
  [[nodiscard]] std::span<char> waste() { return waste_; }
  [[nodiscard]] RequestMetrics& metrics() { return metrics_; }
  [[nodiscard]] const RequestMetrics& metrics() const { return metrics_; }  // thread-safe
  void count_request() { count(requests_); }
  void count_refused_malformed() { count(refused_malformed_); }
  void count_failed_handshake() { count(failed_handshakes_); }
  void remove(Connection& connection);
  [[nodiscard]] std::uint64_t next_phase_number() { return ++phases_; }

 private:
  class HomeExecutor final : public platform::Executor {
   public:
    explicit HomeExecutor(Worker& worker) : worker_(worker) {}
    void post(platform::Task task) override;
    void post_after(Duration delay, platform::Task task) override;

   private:
    Worker& worker_;
  };

  /// Written by the worker's thread alone, so no locked instruction is needed.
  static void count(std::atomic<std::uint64_t>& counter) {
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  void run();
  void uncount();
  void run_task(platform::Task& task) noexcept;
  void arm_sweep();
  void sweep();
  [[nodiscard]] Connection* longest_idle();
  void send_gathered();

  Shared& shared_;
  const std::size_t number_;
  const Duration sweep_interval_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<IoExecutor> work_;
  ReadyList ready_list_;
  HomeExecutor executor_{*this};
  Timer sweep_timer_;
  bool sweeping_ = false;
  Duration coarse_now_{0};
  Duration swept_at_{0};  // monotonic time
  std::uint64_t phases_ = 0;
  std::vector<Connection*> connections_;  // each ends by itself and then calls `remove`
  std::vector<Connection*> to_send_;      // of those; empty outside of a turn of the ready list
  IdentitySource identities_;
  DateText date_;
  std::vector<char> waste_;
  RequestMetrics metrics_;
  std::atomic<std::size_t> load_{0};
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> refused_malformed_{0};
  std::atomic<std::uint64_t> failed_handshakes_{0};
  std::atomic<std::thread::id> thread_id_{};
  std::thread thread_;
};

}  // namespace annals::http
