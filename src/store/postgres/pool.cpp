#include "store/postgres/pool.hpp"

#include <algorithm>

namespace annals::store {
namespace {

constexpr Duration pause_first = std::chrono::milliseconds{50};
constexpr Duration pause_max = std::chrono::seconds{2};
constexpr auto patience = std::chrono::seconds{5};

}  // namespace

Result<ConnectionPool::Lease> ConnectionPool::borrow() {
  std::unique_lock lock(mutex_);
  if (!returned_.wait_for(lock, patience, [&] { return lent_ < connections_max_; })) {
    return fail(ErrorKind::overloaded, "all " + std::to_string(connections_max_) + " connections to the " +
                                           destination_.text() + " are in use; raise store.pool_size");
  }
  while (!idle_.empty()) {
    std::unique_ptr<Connection> connection = std::move(idle_.back());
    idle_.pop_back();
    if (!connection->is_whole()) continue;
    ++lent_;
    return Lease(*this, std::move(connection));
  }
  // Of those who come while the server does not answer, one at a time waits for it.
  const bool pausing = platform_.clock.monotonic() - attempted_at_ < pause_;
  if (refusal_ && (attempting_ > 0 || pausing)) return std::unexpected(*refusal_);
  ++lent_;
  ++attempting_;
  lock.unlock();
  auto made = Connection::open(destination_, dialect_);
  lock.lock();
  --attempting_;
  attempted_at_ = platform_.clock.monotonic();
  if (made) {
    refusal_.reset();
    pause_ = Duration{0};
    return Lease(*this, *std::move(made));
  }
  --lent_;
  returned_.notify_one();
  pause_ = std::clamp(pause_ * 2, pause_first, pause_max);
  refusal_ = std::move(made).error();
  return std::unexpected(*refusal_);
}

void ConnectionPool::take_back(std::unique_ptr<Connection> connection) {
  const bool whole = connection->is_whole();
  {
    const std::lock_guard lock(mutex_);
    --lent_;
    if (whole) idle_.push_back(std::move(connection));
  }
  returned_.notify_one();
}

void ConnectionPool::forget_idle() {
  std::vector<std::unique_ptr<Connection>> forgotten;
  {
    const std::lock_guard lock(mutex_);
    forgotten.swap(idle_);
  }
}

}  // namespace annals::store
