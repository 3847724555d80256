#include "benchmarks/bare_server/bare_server.hpp"

#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "benchmarks/bare_server/request.hpp"

namespace annals::benchmarks {
namespace {

constexpr int events_at_once = 1024;
constexpr std::size_t input_bytes_first = 4096;
constexpr std::size_t input_bytes_max = 4u << 20;

constexpr std::string_view stored_reply = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK";
constexpr std::string_view absent_reply = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
constexpr std::string_view refused_reply = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

void append_value_reply(std::string& out, std::string_view value) {
  out.append("HTTP/1.1 200 OK\r\nContent-Length: ")
      .append(std::to_string(value.size()))
      .append("\r\n\r\n")
      .append(value);
}

}  // namespace

struct BareServer::Connection {
  explicit Connection(Descriptor connected) : socket(std::move(connected)), input(input_bytes_first) {}

  [[nodiscard]] std::string_view unread() const { return {input.data() + input_begin, input_end - input_begin}; }

  Descriptor socket;
  std::vector<char> input;
  std::size_t input_begin = 0;  // what lies before has been served
  std::size_t input_end = 0;
  std::string output;  // what the socket has not yet taken
  Request put;         // in the next flush, borrowed from `input`, when `waits`
  bool waits = false;
  bool closes = false;  // once `output` is sent
  bool ended = false;
  bool watched_for_writing = false;
};

BareServer::BareServer(Descriptor listener, std::uint16_t port, std::unique_ptr<Journal> journal)
    : listener_(std::move(listener)), port_(port), journal_(std::move(journal)) {}

BareServer::~BareServer() = default;

Result<std::unique_ptr<BareServer>> BareServer::open(const BareServerOptions& options) {
  Descriptor listener = TRY(listen_at(options.listen));
  const std::uint16_t port = TRY(port_of(listener));
  auto journal = TRY(Journal::open(options.file, options.file_bytes));
  std::unique_ptr<BareServer> server(new BareServer(std::move(listener), port, std::move(journal)));
  TRY(server->prepare());
  return server;
}

Result<> BareServer::prepare() {
  sigset_t stops;
  sigemptyset(&stops);
  sigaddset(&stops, SIGTERM);
  sigaddset(&stops, SIGINT);
  sigprocmask(SIG_BLOCK, &stops, nullptr);
  signals_ = Descriptor(::signalfd(-1, &stops, SFD_NONBLOCK | SFD_CLOEXEC));
  poll_ = Descriptor(::epoll_create1(EPOLL_CLOEXEC));
  if (!signals_.is_open() || !poll_.is_open()) return std::unexpected(system_error("wait for signals and sockets"));
  for (Descriptor* descriptor : {&listener_, &signals_}) {
    epoll_event event{EPOLLIN, {.ptr = descriptor}};
    if (::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, descriptor->get(), &event) != 0) {
      return std::unexpected(system_error("watch a socket"));
    }
  }
  return {};
}

Result<> BareServer::run() {
  std::array<epoll_event, events_at_once> events;
  std::vector<Connection*> continued;
  for (;;) {
    const int count = ::epoll_wait(poll_.get(), events.data(), events_at_once, unfinished_.empty() ? -1 : 0);
    if (count < 0 && errno != EINTR) return std::unexpected(system_error("wait for sockets"));

    continued.swap(unfinished_);
    for (Connection* connection : continued) serve(*connection);
    continued.clear();
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.ptr == &signals_) return {};
      if (event.data.ptr == &listener_) {
        accept_all();
        continue;
      }
      auto& connection = *static_cast<Connection*>(event.data.ptr);
      if ((event.events & EPOLLOUT) != 0) send_replies(connection);
      if ((event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) read_from(connection);
    }
    TRY(commit());

    for (int descriptor : ended_) connections_.erase(descriptor);
    ended_.clear();
  }
}

void BareServer::accept_all() {
  for (;;) {
    Descriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket.is_open()) return;
    send_without_delay(socket);
    const int number = socket.get();
    auto connection = std::make_unique<Connection>(std::move(socket));
    epoll_event event{EPOLLIN, {.ptr = connection.get()}};
    if (::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, number, &event) == 0) connections_[number] = std::move(connection);
  }
}

void BareServer::read_from(Connection& connection) {
  if (connection.waits || connection.ended) return;  // the bytes stay where they are, and epoll says so again
  if (connection.input_end == connection.input.size()) {
    if (connection.input_begin > 0) {
      std::memmove(connection.input.data(), connection.input.data() + connection.input_begin,
                   connection.input_end - connection.input_begin);
      connection.input_end -= connection.input_begin;
      connection.input_begin = 0;
    } else if (connection.input.size() < input_bytes_max) {
      connection.input.resize(connection.input.size() * 2);
    } else {
      return give_up(connection);
    }
  }
  const ssize_t received = ::recv(connection.socket.get(), connection.input.data() + connection.input_end,
                                  connection.input.size() - connection.input_end, 0);
  if (received < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (received <= 0) return give_up(connection);
  connection.input_end += static_cast<std::size_t>(received);
  serve(connection);
}

/// Answers what has arrived whole, up to the first PUT: what lies behind that waits until the PUT has been answered.
void BareServer::serve(Connection& connection) {
  while (!connection.waits && !connection.ended && !connection.closes) {
    const Request request = read_request(connection.unread());
    if (request.kind == Request::Kind::incomplete) break;
    connection.input_begin += request.size;
    switch (request.kind) {
      case Request::Kind::get: {
        const auto found = values_.find(request.key);
        if (found == values_.end()) {
          connection.output.append(absent_reply);
        } else {
          append_value_reply(connection.output, found->second);
        }
        break;
      }
      case Request::Kind::put:
        journal_->add(request.key, request.value);
        connection.put = request;
        connection.waits = true;
        waiting_.push_back(&connection);
        break;
      default:
        connection.output.append(refused_reply);
        connection.closes = true;
        break;
    }
  }
  if (connection.input_begin == connection.input_end && !connection.waits) {
    connection.input_begin = connection.input_end = 0;
  }
  if (!connection.output.empty()) send_replies(connection);
}

Result<> BareServer::commit() {
  if (waiting_.empty()) return {};
  TRY(journal_->flush());
  for (Connection* connection : waiting_) {
    const auto found = values_.find(connection->put.key);
    if (found == values_.end()) {
      values_.emplace(connection->put.key, connection->put.value);
    } else {
      found->second.assign(connection->put.value);
    }
    connection->waits = false;
    connection->output.append(stored_reply);
    send_replies(*connection);
    if (connection->input_begin == connection->input_end) {
      connection->input_begin = connection->input_end = 0;
    } else if (!connection->ended) {
      unfinished_.push_back(connection);
    }
  }
  waiting_.clear();
  return {};
}

void BareServer::send_replies(Connection& connection) {
  if (connection.ended || connection.output.empty()) return;
  const ssize_t sent =
      ::send(connection.socket.get(), connection.output.data(), connection.output.size(), MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) return give_up(connection);
  if (sent > 0) connection.output.erase(0, static_cast<std::size_t>(sent));
  if (connection.output.empty() && connection.closes) return give_up(connection);
  watch(connection, !connection.output.empty());
}

void BareServer::watch(Connection& connection, bool for_writing) {
  if (connection.watched_for_writing == for_writing) return;
  connection.watched_for_writing = for_writing;
  epoll_event event{for_writing ? EPOLLIN | EPOLLOUT : EPOLLIN, {.ptr = &connection}};
  ::epoll_ctl(poll_.get(), EPOLL_CTL_MOD, connection.socket.get(), &event);
}

void BareServer::give_up(Connection& connection) {
  if (connection.ended) return;
  connection.ended = true;
  ended_.push_back(connection.socket.get());
}

}  // namespace annals::benchmarks
