#include "benchmarks/load_generator/worker.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/invariant.hpp"

namespace annals::benchmarks {
namespace {

constexpr int events_at_once = 1024;
constexpr std::size_t input_bytes_first = 2048;
constexpr std::chrono::seconds fill_time_max{60};
constexpr std::chrono::seconds last_replies_time_max{5};

std::uint64_t nanoseconds_between(Clock::time_point begin, Clock::time_point end) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(end - begin).count());
}

}  // namespace

struct Worker::Connection {
  std::size_t number = 0;  // among the worker's; it writes keys number, number + count, ...
  Descriptor socket;
  std::vector<char> input = std::vector<char>(input_bytes_first);
  std::size_t input_bytes = 0;
  std::string unsent;  // of a request that the socket did not take whole
  bool watched_for_writing = false;

  bool in_flight = false;
  bool is_get = false;
  std::uint64_t key = 0;       // among the worker's; of a path, its place among them
  std::size_t count = 1;       // of keys that a write makes
  std::uint64_t sequence = 0;  // of a write; of a GET, what had been acknowledged when it was sent
  Clock::time_point sent_at;
  std::uint64_t next_write = 0;  // how many of its keys it has filled, or where it writes keys in order
};

void Counts::add(const Counts& other) {
  puts.add(other.puts);
  gets.add(other.gets);
  for (const auto& [cause, count] : other.errors) errors[cause] += count;
}

std::uint64_t Counts::error_count() const {
  std::uint64_t count = 0;
  for (const auto& [cause, errors_of_cause] : errors) count += errors_of_cause;
  return count;
}

Worker::Worker(const Options& options, const ValueMaker& values, std::size_t connections, std::uint64_t first_key,
               std::uint64_t key_count)
    : options_(options),
      requests_(make_requests(options, values)),
      dice_(options.seed * 1'000'003 + first_key),
      first_key_(first_key),
      key_count_(key_count),
      keys_(options.created_at_once > 0 ? 0 : key_count),
      last_sequence_(options.sequences_after) {
  INVARIANT(connections > 0, "every worker has a connection");
  INVARIANT(connections <= key_count || options.created_at_once > 0, "every connection has a key to write");
  for (std::size_t i = 0; i < connections; ++i) {
    connections_.push_back(std::make_unique<Connection>());
    connections_.back()->number = i;
  }
  const std::string host = options.server.host + ":" + std::to_string(options.server.port);
  for (const std::string& path : options.paths) pages_.push_back({get_request(path, host), {}});
}

Worker::~Worker() = default;

Result<> Worker::connect() {
  poll_ = Descriptor(::epoll_create1(EPOLL_CLOEXEC));
  if (!poll_.is_open()) return std::unexpected(system_error("wait for sockets"));
  for (const auto& connection : connections_) TRY(open(*connection));
  return {};
}

Result<> Worker::open(Connection& connection) {
  connection.socket = TRY(connect_to(options_.server));
  TRY(make_non_blocking(connection.socket));
  connection.input_bytes = 0;
  connection.unsent.clear();
  connection.watched_for_writing = false;
  epoll_event event{EPOLLIN, {.ptr = &connection}};
  if (::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, connection.socket.get(), &event) != 0) {
    return std::unexpected(system_error("watch a socket"));
  }
  return {};
}

void Worker::fill() {
  filling_ = true;
  end_ = Clock::now() + fill_time_max;
  begin_ = Clock::time_point::max();
  drive(end_ + last_replies_time_max);
  filling_ = false;
  for (const auto& connection : connections_) connection->next_write = 0;
}

void Worker::run(Clock::time_point begin, Clock::time_point end) {
  begin_ = begin;
  end_ = end;
  drive(end + last_replies_time_max);
}

void Worker::drive(Clock::time_point deadline) {
  std::array<epoll_event, events_at_once> events;
  for (const auto& connection : connections_) send_next(*connection, Clock::now());
  while (in_flight_ > 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    const int count =
        left <= 0 ? 0 : ::epoll_wait(poll_.get(), events.data(), events_at_once, static_cast<int>(left) + 1);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      on_event(*static_cast<Connection*>(event.data.ptr), event.events);
    }
  }
  for (const auto& connection : connections_) {
    if (connection->in_flight) lose(*connection, "no reply");
  }
}

void Worker::on_event(Connection& connection, std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) send_rest(connection);
  if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0 && connection.socket.is_open()) receive(connection);
}

void Worker::receive(Connection& connection) {
  if (connection.input_bytes == connection.input.size()) connection.input.resize(connection.input.size() * 2);
  const ssize_t received = ::recv(connection.socket.get(), connection.input.data() + connection.input_bytes,
                                  connection.input.size() - connection.input_bytes, 0);
  if (received < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (received < 0) return lose(connection, "reset");
  if (received == 0) return lose(connection, connection.input_bytes > 0 ? "short reply" : "closed");
  connection.input_bytes += static_cast<std::size_t>(received);

  const Reply reply = read_reply({connection.input.data(), connection.input_bytes});
  if (reply.state == Reply::State::incomplete) return;
  if (reply.state == Reply::State::malformed) return lose(connection, "malformed reply");
  if (!connection.in_flight || reply.size != connection.input_bytes) return lose(connection, "reply without a request");
  connection.input_bytes = 0;
  on_reply(connection, reply);
}

void Worker::on_reply(Connection& connection, const Reply& reply) {
  const auto now = Clock::now();
  const bool success = reply.status >= 200 && reply.status < 300;
  connection.in_flight = false;
  --in_flight_;
  if (!success) {
    count_error("status " + std::to_string(reply.status));
    doubt(connection);
  } else {
    if (now >= begin_ && now < end_) {
      (connection.is_get ? counts_.gets : counts_.puts).record(nanoseconds_between(connection.sent_at, now));
    }
    if (!connection.is_get) {
      check_write(connection, reply.body);
    } else if (pages_.empty()) {
      check_value(connection, reply.body);
    } else {
      check_page(connection, reply);
    }
  }
  send_next(connection, now);
}

void Worker::check_write(const Connection& connection, std::string_view body) {
  if (!requests_->confirms(body, first_key_ + connection.key, connection.count, connection.sequence)) {
    count_error("wrong reply");
    return doubt(connection);
  }
  for (std::size_t i = 0; i < connection.count; ++i) keys_[connection.key + i].acknowledged = connection.sequence;
}

/// Of a write that failed nobody knows what it did.
void Worker::doubt(const Connection& connection) {
  if (connection.is_get) return;
  for (std::size_t i = 0; i < connection.count; ++i) keys_[connection.key + i].uncertain = true;
}

void Worker::check_value(const Connection& connection, std::string_view value) {
  const auto sequence = requests_->sequence_in(value, first_key_ + connection.key);
  if (!sequence) {
    count_error("wrong value");
  } else if (*sequence < connection.sequence && !options_.stale_allowed && !keys_[connection.key].uncertain) {
    count_error("stale value");
  }
}

void Worker::check_page(const Connection& connection, const Reply& reply) {
  std::optional<std::uint64_t>& first = pages_[connection.key].digest;
  const std::uint64_t digest = digest_of_body(reply);
  if (!first) first = digest;
  if (*first != digest) count_error("another body");
}

/// Decides on the next request of a connection; false when it has none.
bool Worker::choose(Connection& connection, Clock::time_point now) {
  if (now >= end_ || !connection.socket.is_open()) return false;
  if (!pages_.empty()) {
    connection.is_get = true;
    connection.key = next_read_++ % pages_.size();
    return true;
  }
  if (options_.created_at_once > 0) return choose_new(connection);
  const std::uint64_t stride = connections_.size();
  const std::uint64_t own_keys = (keys_.size() - connection.number + stride - 1) / stride;

  if (filling_ && connection.next_write == own_keys) return false;
  connection.is_get = !filling_ && dice_.below(100) < options_.get_percent;
  if (connection.is_get) {
    connection.key = options_.keys_in_order ? next_read_++ % keys_.size() : dice_.below(keys_.size());
    connection.sequence = keys_[connection.key].acknowledged;
    return true;
  }
  const bool in_order = filling_ || options_.keys_in_order;
  const std::uint64_t place = in_order ? connection.next_write++ % own_keys : dice_.below(own_keys);
  connection.key = connection.number + place * stride;
  connection.sequence = ++last_sequence_;
  return true;
}

/// The same where keys are made.
bool Worker::choose_new(Connection& connection) {
  const std::uint64_t made = keys_.size();
  if (made == key_count_) {
    if (!options_.until_all) count_error("no key left");
    return false;
  }
  connection.is_get = false;
  connection.key = made;
  connection.count = std::min<std::uint64_t>(options_.created_at_once, key_count_ - made);
  connection.sequence = ++last_sequence_;
  keys_.resize(made + connection.count);
  return true;
}

void Worker::send_next(Connection& connection, Clock::time_point now) {
  if (!choose(connection, now)) return;
  const std::uint64_t key = first_key_ + connection.key;
  connection.in_flight = true;
  ++in_flight_;
  connection.sent_at = now;
  if (!pages_.empty()) return send(connection, pages_[connection.key].request);
  send(connection,
       connection.is_get ? requests_->get(key) : requests_->write(key, connection.count, connection.sequence));
}

void Worker::send(Connection& connection, std::string_view request) {
  const ssize_t sent = ::send(connection.socket.get(), request.data(), request.size(), MSG_NOSIGNAL);
  if (sent == static_cast<ssize_t>(request.size())) return;
  if (sent < 0 && errno != EAGAIN && errno != EINTR) return lose(connection, "reset");
  connection.unsent = request.substr(sent < 0 ? 0 : static_cast<std::size_t>(sent));
  watch(connection, true);
}

void Worker::send_rest(Connection& connection) {
  const ssize_t sent =
      ::send(connection.socket.get(), connection.unsent.data(), connection.unsent.size(), MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) return lose(connection, "reset");
  if (sent > 0) connection.unsent.erase(0, static_cast<std::size_t>(sent));
  if (connection.unsent.empty()) watch(connection, false);
}

void Worker::watch(Connection& connection, bool for_writing) {
  if (connection.watched_for_writing == for_writing) return;
  connection.watched_for_writing = for_writing;
  epoll_event event{for_writing ? EPOLLIN | EPOLLOUT : EPOLLIN, {.ptr = &connection}};
  ::epoll_ctl(poll_.get(), EPOLL_CTL_MOD, connection.socket.get(), &event);
}

/// Counts a connection's end as an error and makes a new one in its place, so that the load stays. What was under way
/// is not sent again: its outcome is unknown.
void Worker::lose(Connection& connection, const char* cause) {
  count_error(cause);
  if (connection.in_flight) {
    connection.in_flight = false;
    --in_flight_;
    doubt(connection);
  }
  connection.socket.close();
  const auto now = Clock::now();
  if (now >= end_) return;
  if (!open(connection)) {
    connection.socket.close();
    return count_error("connect");
  }
  send_next(connection, now);
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> Worker::acknowledged() const {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> known;
  for (std::uint64_t i = 0; i < keys_.size(); ++i) {
    if (keys_[i].acknowledged > 0 && !keys_[i].uncertain) known.emplace_back(first_key_ + i, keys_[i].acknowledged);
  }
  return known;
}

}  // namespace annals::benchmarks
