#include "http/server/worker.hpp"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <boost/asio/post.hpp>

#include "base/invariant.hpp"
#include "http/server/connection.hpp"
#include "http/server/tls.hpp"

namespace annals::http {
namespace {

constexpr Duration sweep_interval_max = std::chrono::milliseconds(250);
constexpr Duration sweep_interval_min = std::chrono::milliseconds(5);
constexpr std::size_t waste_bytes = 16u << 10;
constexpr int looks_at_unread_max = 8;
constexpr std::size_t sent_together = 8;  // replies; the first of more would wait for too long, and its client with it

/// A quarter of the shortest time that is watched.
Duration choose_sweep_interval(const ServerOptions& options) {
  const Duration shortest = std::min({options.header_timeout, options.idle_timeout, options.request_timeout});
  return std::clamp(shortest / 4, sweep_interval_min, sweep_interval_max);
}

ParserLimits limits_from(const ServerOptions& options) {
  return {.head = {.header_bytes_max = options.header_bytes_max,
                   .target_bytes_max = options.target_bytes_max,
                   .fields_max = options.fields_max},
          .body_bytes_max = options.body_bytes_max};
}

}  // namespace

Shared::Shared(ServerOptions server_options, Handler server_handler, platform::Platform server_platform)
    : options(std::move(server_options)),
      limits(limits_from(options)),
      handler(std::move(server_handler)),
      platform(server_platform),
      has_tls(options.tls.has_value()),
      bodies(options.bodies_bytes_max) {}

Shared::~Shared() = default;

void Shared::connection_ended() {
  if (connections.fetch_sub(1) > 1) return;
  // The lock makes sure that whoever waits is either before its look at the count or already asleep.
  const std::lock_guard lock(mutex_);
  empty_.notify_all();
}

bool Shared::wait_until_empty(Duration timeout) {
  std::unique_lock lock(mutex_);
  return empty_.wait_for(lock, timeout, [&] { return connections.load() == 0; });
}

Worker::Worker(Shared& shared, std::size_t number)
    : shared_(shared),
      number_(number),
      sweep_interval_(choose_sweep_interval(shared.options)),
      work_(io_.get_executor()),
      ready_list_(io_,
                  [this](bool last) {
                    if (last || to_send_.size() >= sent_together) send_gathered();
                  }),
      sweep_timer_(io_.get_executor()),
      identities_(shared.platform.random),
      waste_(waste_bytes) {}

Worker::~Worker() {
  INVARIANT(!thread_.joinable() && connections_.empty(), "a worker is joined before it goes");
}

void Worker::start() {
  thread_ = std::thread([this] { run(); });
}

void Worker::run() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);  // signals are the business of the main thread
  const std::string name = "annals-http-" + std::to_string(number_);
  pthread_setname_np(pthread_self(), name.c_str());
  thread_id_.store(std::this_thread::get_id());
  for (;;) {
    try {
      io_.run();
      return;
    } catch (const std::exception& exception) {
      shared_.platform.log.error("An exception reached the loop of an I/O thread.", {{"exception", exception.what()}});
    } catch (...) {
      shared_.platform.log.error("An exception of no known kind reached the loop of an I/O thread.");
    }
  }
}

void Worker::join() {
  if (!thread_.joinable()) return;
  io_.stop();
  thread_.join();
}

void Worker::adopt(Socket socket) {
  std::shared_ptr<Connection> connection;
  bool listed = false;
  try {
    if (!sweeping_) {
      swept_at_ = shared_.platform.clock.monotonic();
      arm_sweep();
      sweeping_ = true;
    }
    connection = std::make_shared<Connection>(*this, std::move(socket));
    connections_.push_back(connection.get());
    connection->set_slot(connections_.size() - 1);
    listed = true;
    Connection::start(connection);
  } catch (...) {
    // What is counted and never ends would keep a stop waiting for good.
    if (listed) {
      remove(*connection);
    } else {
      uncount();
    }
    throw;
  }
}

/// A look at each: this happens to newcomers at a full server only, and costs those who are served nothing.
Connection* Worker::longest_idle() {
  std::uint64_t after = 0;
  for (int tries = 0; tries < looks_at_unread_max; ++tries) {
    Connection* longest = nullptr;
    for (Connection* connection : connections_) {
      if (!connection->may_give_way() || connection->phase_number() <= after) continue;
      if (!longest || connection->phase_number() < longest->phase_number()) longest = connection;
    }
    if (!longest || !longest->has_unread_request()) return longest;
    after = longest->phase_number();
  }
  return nullptr;
}

bool Worker::adopt_in_place_of_another(Socket& socket) {
  Connection* longest = longest_idle();
  if (!longest) return false;
  longest->abort();
  expect_connection();
  adopt(std::move(socket));
  return true;
}

/// No connection is resumed in here, so none comes or goes meanwhile.
void Worker::send_gathered() {
  for (Connection* connection : to_send_) connection->send_gathered();
  to_send_.clear();
}

void Worker::remove(Connection& connection) {
  std::erase(to_send_, &connection);
  Connection* last = connections_.back();
  connections_[connection.slot()] = last;
  last->set_slot(connection.slot());
  connections_.pop_back();
  uncount();
}

void Worker::uncount() {
  load_.fetch_sub(1, std::memory_order_relaxed);
  shared_.connection_ended();
}

void Worker::arm_sweep() {
  sweep_timer_.expires_after(sweep_interval_);
  sweep_timer_.async_wait([this](boost::system::error_code error) {
    if (!error) sweep();
  });
}

void Worker::sweep() {
  const Duration now = shared_.platform.clock.monotonic();
  coarse_now_ += std::min(now - swept_at_, 2 * sweep_interval_);
  swept_at_ = now;
  // From the back: a connection that ends takes itself out and puts the last, already looked at, in its place.
  for (std::size_t place = connections_.size(); place-- > 0;) connections_[place]->sweep(coarse_now_);
  sweeping_ = !connections_.empty();
  if (sweeping_) arm_sweep();
}

void Worker::drain() {
  boost::asio::post(io_, [this] {
    for (std::size_t place = connections_.size(); place-- > 0;) connections_[place]->drain();
  });
}

void Worker::abort() {
  boost::asio::post(io_, [this] {
    for (std::size_t place = connections_.size(); place-- > 0;) connections_[place]->abort();
  });
}

void Worker::run_task(platform::Task& task) noexcept {
  try {
    task();
  } catch (const std::exception& exception) {
    shared_.platform.log.error("A task of an I/O thread threw an exception.", {{"exception", exception.what()}});
  } catch (...) {
    shared_.platform.log.error("A task of an I/O thread threw something that is no exception.");
  }
}

void Worker::HomeExecutor::post(platform::Task task) {
  boost::asio::post(worker_.io_, [this, task = std::move(task)]() mutable { worker_.run_task(task); });
}

void Worker::HomeExecutor::post_after(Duration delay, platform::Task task) {
  // A timer belongs to the worker's thread alone, so it is made there.
  boost::asio::post(worker_.io_, [this, delay, task = std::move(task)]() mutable {
    auto timer = std::make_unique<Timer>(worker_.io_.get_executor());
    timer->expires_after(delay);
    Timer& waiting = *timer;
    waiting.async_wait(
        [this, timer = std::move(timer), task = std::move(task)](boost::system::error_code error) mutable {
          if (!error) worker_.run_task(task);
        });
  });
}

}  // namespace annals::http
