#include "store/postgres/pool.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

namespace annals::store {
namespace {

constexpr Duration pause_first = std::chrono::milliseconds{50};
constexpr Duration pause_max = std::chrono::seconds{2};
constexpr auto patience = std::chrono::seconds{5};

std::unexpected<Error> given_up() {
  return fail(ErrorKind::unavailable, connection_lost, "nobody waits for the database any more; the server goes down");
}

}  // namespace

ConnectionPool::ConnectionPool(Destination destination, Dialect dialect, std::size_t connections_max,
                               platform::Platform platform, Check check, std::function<void(const Backend&)> given_up)
    : destination_(std::move(destination)),
      dialect_(std::move(dialect)),
      connections_max_(connections_max),
      platform_(platform),
      check_(std::move(check)),
      given_up_(std::move(given_up)),
      ended_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

ConnectionPool::~ConnectionPool() {
  ::close(ended_);
}

Result<ConnectionPool::Lease> ConnectionPool::borrow() {
  std::unique_lock lock(mutex_);
  const bool came = returned_.wait_for(lock, patience, [&] { return !may_wait_ || lent_ < connections_max_; });
  if (!may_wait_) return given_up();
  if (!came) {
    return fail(ErrorKind::overloaded, "all " + std::to_string(connections_max_) + " connections to the " +
                                           destination_.text() + " are in use; raise store.pool_size");
  }
  while (!idle_.empty()) {
    std::unique_ptr<Connection> connection = std::move(idle_.back());
    idle_.pop_back();
    if (!connection->is_whole()) continue;
    ++lent_;
    return Lease(*this, std::move(connection), generation_);
  }
  // Of those who come while the server does not answer, one at a time waits for it.
  const bool pausing = platform_.clock.monotonic() - attempted_at_ < pause_;
  if (refusal_ && (attempting_ > 0 || pausing)) return std::unexpected(*refusal_);
  ++lent_;
  ++attempting_;
  const std::uint64_t generation = generation_;
  lock.unlock();
  auto made = Connection::open(destination_, dialect_, ended_);
  if (made && check_) {
    if (auto checked = check_(**made); !checked) made = std::unexpected(std::move(checked).error());
  }
  lock.lock();
  --attempting_;
  attempted_at_ = platform_.clock.monotonic();
  if (made) {
    refusal_.reset();
    pause_ = Duration{0};
    return Lease(*this, *std::move(made), generation);
  }
  --lent_;
  returned_.notify_one();
  pause_ = std::clamp(pause_ * 2, pause_first, pause_max);
  refusal_ = std::move(made).error();
  return std::unexpected(*refusal_);
}

void ConnectionPool::take_back(std::unique_ptr<Connection> connection, std::uint64_t generation) {
  const bool whole = connection->is_whole();
  if (given_up_ && connection->is_given_up()) given_up_(connection->backend());
  {
    const std::lock_guard lock(mutex_);
    --lent_;
    if (whole && generation == generation_) idle_.push_back(std::move(connection));
  }
  returned_.notify_one();
}

void ConnectionPool::try_again() {
  const std::lock_guard lock(mutex_);
  refusal_.reset();
  pause_ = Duration{0};
}

void ConnectionPool::let_wait(bool allowed) {
  {
    const std::lock_guard lock(mutex_);
    may_wait_ = allowed;
    eventfd_t told = 0;
    (void)::eventfd_read(ended_, &told);  // so that it does not add up
    if (!allowed) (void)::eventfd_write(ended_, 1);
  }
  returned_.notify_all();
}

void ConnectionPool::renew() {
  std::vector<std::unique_ptr<Connection>> forgotten;
  {
    const std::lock_guard lock(mutex_);
    ++generation_;
    forgotten.swap(idle_);
  }
}

}  // namespace annals::store
