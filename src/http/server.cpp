#include "http/server.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <charconv>
#include <exception>
#include <future>

#include "base/invariant.hpp"
#include "http/problem.hpp"
#include "http/server/response_head.hpp"
#include "http/server/tls.hpp"
#include "http/server/worker.hpp"

namespace annals::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Acceptor = asio::basic_socket_acceptor<tcp, IoExecutor>;

constexpr int backlog = 1024;
constexpr int accepted_max = 64;  // in one turn, before the connections that are there get theirs
constexpr Duration accept_pause = std::chrono::milliseconds(100);  // when the system gives no descriptor
constexpr Duration warning_interval = std::chrono::seconds(10);
constexpr std::size_t refusals_max = 64;  // refused connections that are drained at the same time
constexpr Duration refusal_time = std::chrono::seconds(1);
constexpr int drained_max = 64;  // pieces in one look: who sends without a pause does not keep the others waiting
constexpr std::size_t newcomers_max = 64;  // at a full server; each holds a descriptor beyond connections_max

/// Where to listen: the addresses of a name, or one address.
Result<std::vector<tcp::endpoint>> resolve(asio::io_context& io, const std::string& host, std::uint16_t port) {
  error_code error;
  if (const auto address = asio::ip::make_address(host, error); !error)
    return std::vector{tcp::endpoint(address, port)};
  asio::ip::basic_resolver<tcp, IoExecutor> resolver(io.get_executor());
  const auto found = resolver.resolve(host, std::to_string(port), asio::ip::resolver_base::passive, error);
  std::vector<tcp::endpoint> endpoints;
  if (!error && !host.empty()) {
    for (const auto& entry : found) endpoints.push_back(entry.endpoint());
  }
  if (!endpoints.empty()) return endpoints;
  return fail(ErrorKind::usage, "unknown_host",
              "cannot listen on " + host + ": no such host; give an address or a name of this machine");
}

std::string describe(const tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + address + "]" : address) + ":" + std::to_string(endpoint.port());
}

/// `alone`: no other address is listened on, so `::` may take IPv4's connections too.
Result<Acceptor> listen(asio::io_context& io, const tcp::endpoint& endpoint, bool alone) {
  Acceptor acceptor(io.get_executor());
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error && endpoint.address().is_v6() && !alone) acceptor.set_option(asio::ip::v6_only(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(backlog, error);
  if (!error) return acceptor;
  const std::string what = "cannot listen on " + describe(endpoint) + ": ";
  if (error == asio::error::address_in_use) {
    return fail(ErrorKind::input_output, "address_in_use",
                what + "another process has the port; stop it or choose another port");
  }
  if (error == asio::error::access_denied) {
    return fail(ErrorKind::input_output, "address_not_allowed",
                what + "this user may not have the port; choose one above 1023");
  }
  if (error.value() == EADDRNOTAVAIL) {
    return fail(ErrorKind::usage, "unknown_host", what + "this machine does not have the address");
  }
  return fail(ErrorKind::input_output, what + error.message());
}

/// A descriptor kept in hand, to be given up for a moment when the system has no other: then a waiting client can be
/// told.
class SpareDescriptor {
 public:
  SpareDescriptor() { take(); }
  ~SpareDescriptor() { release(); }
  SpareDescriptor(const SpareDescriptor&) = delete;
  SpareDescriptor& operator=(const SpareDescriptor&) = delete;

  void take() {
    if (descriptor_ < 0) descriptor_ = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
  }
  void release() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
  }

 private:
  int descriptor_ = -1;
};

class AsioServer final : public Server {
 public:
  AsioServer(ServerOptions options, Handler handler, platform::Platform platform)
      : shared_(std::move(options), std::move(handler), platform) {
    for (std::size_t number = 0; number < shared_.options.worker_threads; ++number) {
      workers_.push_back(std::make_unique<Worker>(shared_, number));
    }
  }
  ~AsioServer() override { (void)end(Duration{0}); }

  [[nodiscard]] Result<> start();
  [[nodiscard]] std::uint16_t port() const override { return port_; }
  bool stop() override { return end(shared_.options.drain_timeout); }
  [[nodiscard]] Result<> renew_tls(const TlsPair& pair) override;
  [[nodiscard]] ServerStatus status() const override;
  [[nodiscard]] ServerMetrics metrics() const override;

 private:
  asio::io_context& io() { return workers_.front()->io(); }
  bool end(Duration drain_timeout);
  void close_acceptors();
  void begin_to_accept(Acceptor& acceptor);
  Coroutine<void> accept_from(Acceptor& acceptor);
  Coroutine<void> refuse(Socket socket);
  void admit(Worker& worker, Socket socket);
  [[nodiscard]] Worker& next_worker();
  void hand_over(Worker& worker, Socket socket);
  void displace(std::size_t number, std::size_t left, Socket socket);
  void turn_away(Socket socket);
  [[nodiscard]] std::string make_overload_reply();
  [[nodiscard]] Coroutine<void> wait_for_descriptors(Acceptor& acceptor, error_code error);

  Shared shared_;
  std::vector<std::unique_ptr<Worker>> workers_;  // the first accepts for all
  std::vector<Acceptor> acceptors_;               // one an address; of the first worker's thread
  std::uint16_t port_ = 0;
  bool ended_ = false;
  SpareDescriptor spare_;
  std::size_t refusals_ = 0;        // of the first worker's thread
  std::size_t next_displaced_ = 0;  // the worker that is asked first; of the first worker's thread
  bool accepting_ = false;
  Duration next_warning_{0};
};

Result<> AsioServer::renew_tls(const TlsPair& pair) {
  INVARIANT(shared_.has_tls, "a server in the open stays so");
  shared_.set_tls(TRY(TlsContext::open(pair)));
  return {};
}

Result<> AsioServer::start() {
  if (shared_.has_tls) TRY(renew_tls(*shared_.options.tls));
  std::vector<tcp::endpoint> endpoints = TRY(resolve(io(), shared_.options.host, shared_.options.port));
  for (tcp::endpoint& endpoint : endpoints) {
    if (port_ != 0) endpoint.port(port_);
    auto acceptor = listen(io(), endpoint, endpoints.size() == 1);
    // A name may have addresses that this machine cannot use, such as ::1 where there is no IPv6; one is enough.
    if (!acceptor && &endpoint == &endpoints.back() && acceptors_.empty())
      return std::unexpected(std::move(acceptor).error());
    if (!acceptor && acceptor.error().code == "address_in_use") return std::unexpected(std::move(acceptor).error());
    if (!acceptor) continue;
    error_code ignored;
    port_ = acceptor->local_endpoint(ignored).port();
    acceptors_.push_back(*std::move(acceptor));
  }
  // In this order: where the system gives no thread, `end` finds nothing that waits for one.
  for (const auto& worker : workers_) worker->start();
  accepting_ = true;
  for (Acceptor& acceptor : acceptors_) begin_to_accept(acceptor);
  return {};
}

/// An exception, such as that there is no memory for one connection, is no reason to accept no others.
void AsioServer::begin_to_accept(Acceptor& acceptor) {
  asio::co_spawn(io().get_executor(), accept_from(acceptor), [this, &acceptor](const std::exception_ptr& failure) {
    if (failure == nullptr || !acceptor.is_open()) return;
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& exception) {
      shared_.platform.log.error("A connection could not be taken.", {{"exception", exception.what()}});
    } catch (...) {
      shared_.platform.log.error("A connection could not be taken.");
    }
    begin_to_accept(acceptor);
  });
}

/// Several connections are taken in one turn: among many that keep the thread busy, one a turn would be few.
Coroutine<void> AsioServer::accept_from(Acceptor& acceptor) {
  error_code ignored;
  acceptor.non_blocking(true, ignored);
  while (acceptor.is_open()) {
    Worker& worker = next_worker();
    auto [error, socket] = co_await acceptor.async_accept(worker.io(), use_result);
    if (!acceptor.is_open()) co_return;
    if (!error) admit(worker, std::move(socket));
    for (int accepted = 1; !error && accepted < accepted_max; ++accepted) {
      Worker& next = next_worker();
      Socket another(next.io().get_executor());
      acceptor.accept(another, error);
      if (!error) admit(next, std::move(another));
    }
    // Any other error is that of a client that has gone before it was accepted, or that nobody else waits.
    if (error == asio::error::no_descriptors || error.value() == ENFILE || error == asio::error::no_memory ||
        error == asio::error::no_buffer_space) {
      co_await wait_for_descriptors(acceptor, error);
    }
  }
}

/// The one with the fewest connections.
Worker& AsioServer::next_worker() {
  return **std::ranges::min_element(workers_, {}, [](const auto& candidate) { return candidate->load(); });
}

void AsioServer::admit(Worker& worker, Socket socket) {
  if (shared_.connections.load() >= shared_.options.connections_max) {
    if (shared_.newcomers.load() >= newcomers_max) return turn_away(std::move(socket));
    shared_.newcomers.fetch_add(1);
    shared_.connections.fetch_add(1);  // from now on, so that a stop waits for what becomes of it
    next_displaced_ = (next_displaced_ + 1) % workers_.size();
    return displace(next_displaced_, workers_.size(), std::move(socket));
  }
  shared_.connections.fetch_add(1);
  worker.expect_connection();
  hand_over(worker, std::move(socket));
}

void AsioServer::hand_over(Worker& worker, Socket socket) {
  if (&worker == workers_.front().get()) return worker.adopt(std::move(socket));
  asio::post(worker.io(), [&worker, socket = std::move(socket)]() mutable { worker.adopt(std::move(socket)); });
}

/// Asks the worker of that number, and `left` - 1 others after it, to end a connection that nobody is busy with, for
/// the sake of a newcomer. Whoever keeps connections open without a word, or with half a one, so keeps nobody out.
void AsioServer::displace(std::size_t number, std::size_t left, Socket socket) {
  if (left == 0) {
    asio::post(io(), [this, socket = std::move(socket)]() mutable {
      turn_away(std::move(socket));
      shared_.newcomers.fetch_sub(1);
      shared_.connection_ended();
    });
    return;
  }
  Worker& worker = *workers_[number];
  error_code error;
  const tcp protocol = socket.local_endpoint(error).protocol();
  Socket moved(worker.io().get_executor());
  if (!error) moved.assign(protocol, socket.release(error), error);
  asio::post(worker.io(), [this, number, left, socket = std::move(moved)]() mutable {
    // One that has been lost on the way, and one that comes when the others are being ended, is closed.
    if (socket.is_open() && !shared_.draining.load()) {
      if (!workers_[number]->adopt_in_place_of_another(socket)) {
        return displace((number + 1) % workers_.size(), left - 1, std::move(socket));
      }
      shared_.displaced_connections.fetch_add(1);
      shared_.newcomers.fetch_sub(1);
      return;
    }
    socket = Socket(workers_[number]->io().get_executor());
    shared_.newcomers.fetch_sub(1);
    shared_.connection_ended();
  });
}

void AsioServer::turn_away(Socket socket) {
  shared_.refused_connections.fetch_add(1);
  asio::co_spawn(io().get_executor(), refuse(std::move(socket)), asio::detached);
}

/// The whole reply that one connection too many gets, whatever it asks.
std::string AsioServer::make_overload_reply() {
  if (shared_.has_tls) return std::string(tls_alert_of_overload());
  Worker& worker = *workers_.front();
  Request unread;
  unread.received_at = shared_.platform.clock.now();
  worker.identities().identify(unread);
  const Response response =
      problem(unread, 503, "too_many_connections", "This server has as many connections as it takes. Try again soon.");
  std::string reply;
  append_head(reply, response, body_form(response, false, false), ConnectionSaying::close,
              worker.date().at(unread.received_at), unread.request_id);
  return reply + std::get<std::string>(response.body);
}

/// Tells one connection too many so. The socket may belong to any worker's io_context, but no worker has it yet.
Coroutine<void> AsioServer::refuse(Socket socket) {
  error_code error;
  socket.non_blocking(true, error);
  socket.write_some(asio::buffer(make_overload_reply()), error);
  if (error || refusals_ >= refusals_max) co_return;
  // Drained by looking now and then: as long as there are too many connections, they come in crowds.
  ++refusals_;
  socket.shutdown(Socket::shutdown_send, error);
  Timer timer(io().get_executor());
  for (Duration waited{0}; waited < refusal_time && acceptors_.front().is_open(); waited += accept_pause) {
    timer.expires_after(accept_pause);
    co_await timer.async_wait(use_result);
    const std::span<char> waste = workers_.front()->waste();
    for (int pieces = 0; !error && pieces < drained_max; ++pieces)
      socket.read_some(asio::buffer(waste.data(), waste.size()), error);
    if (error && error != asio::error::would_block && error != asio::error::try_again) break;
    error.clear();
  }
  --refusals_;
}

/// Turns the client that waits in front away, if the descriptor in hand suffices for that, and then waits a little.
Coroutine<void> AsioServer::wait_for_descriptors(Acceptor& acceptor, error_code error) {
  const Duration now = shared_.platform.clock.monotonic();
  if (now >= next_warning_) {
    next_warning_ = now + warning_interval;
    shared_.platform.log.warning(
        "A connection could not be accepted. Raise the limit of open files, or lower connections_max.",
        {{"errno", error.value()}, {"connections", std::uint64_t{shared_.connections.load()}}});
  }
  spare_.release();
  Socket socket(io().get_executor());
  acceptor.accept(socket, error);
  if (!error) {
    shared_.refused_connections.fetch_add(1);
    socket.non_blocking(true, error);
    socket.write_some(asio::buffer(make_overload_reply()), error);
    socket.shutdown(Socket::shutdown_send, error);
    socket.close(error);
  }
  spare_.take();
  Timer timer(io().get_executor());
  timer.expires_after(accept_pause);
  co_await timer.async_wait(use_result);
}

bool AsioServer::end(Duration drain_timeout) {
  if (ended_) return true;
  ended_ = true;
  shared_.draining = true;
  bool clean = true;
  if (accepting_) {
    close_acceptors();
    for (const auto& worker : workers_) worker->drain();
    clean = shared_.wait_until_empty(drain_timeout);
    if (!clean) {
      for (const auto& worker : workers_) worker->abort();
      // What is broken off ends as soon as its thread gets to it, which is when the handler there returns.
      while (!shared_.wait_until_empty(std::chrono::seconds(1))) continue;
    }
  }
  for (const auto& worker : workers_) worker->join();
  return clean;
}

/// Returns once nothing more is accepted, so that whoever is handed over is handed over before the workers drain.
void AsioServer::close_acceptors() {
  std::promise<void> closed;
  asio::post(io(), [&] {
    error_code ignored;
    for (Acceptor& acceptor : acceptors_) acceptor.close(ignored);
    closed.set_value();
  });
  closed.get_future().wait();
}

ServerStatus AsioServer::status() const {
  ServerStatus status;
  status.connections = shared_.connections.load();
  status.refused_connections = shared_.refused_connections.load();
  status.displaced_connections = shared_.displaced_connections.load();
  status.draining = shared_.draining.load();
  for (const auto& worker : workers_) {
    status.requests += worker->requests();
    status.refused_malformed += worker->refused_malformed();
    status.failed_handshakes += worker->failed_handshakes();
  }
  return status;
}

ServerMetrics AsioServer::metrics() const {
  ServerMetrics metrics;
  metrics.connections = shared_.connections.load();
  metrics.refused_connections = shared_.refused_connections.load();
  metrics.displaced_connections = shared_.displaced_connections.load();
  metrics.body_bytes = shared_.bodies.taken();
  for (const auto& worker : workers_) {
    std::as_const(*worker).metrics().add_to(metrics);
    metrics.failed_handshakes += worker->failed_handshakes();
  }
  return metrics;
}

}  // namespace

Result<Instant> check_tls(const TlsPair& pair) {
  return TRY(TlsContext::open(pair))->expires();
}

Result<std::unique_ptr<Server>> Server::open(ServerOptions options, Handler handler, platform::Platform platform) {
  INVARIANT(options.worker_threads > 0, "a server has a thread");
  auto server = std::make_unique<AsioServer>(std::move(options), std::move(handler), platform);
  TRY(server->start());
  return server;
}

}  // namespace annals::http
