#include "store/postgres/pool.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "event/read_interest.hpp"

namespace annals::store {
namespace {

constexpr Duration pause_first = std::chrono::milliseconds{50};
constexpr Duration pause_max = std::chrono::seconds{2};
constexpr Duration patience = std::chrono::seconds{5};
/// How often whoever waits for a connection looks whether somebody still waits for what it is for.
constexpr auto look_pause = std::chrono::milliseconds{100};

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
      ended_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      silent_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

ConnectionPool::~ConnectionPool() {
  ::close(ended_);
  ::close(silent_);
}

Result<ConnectionPool::Lease> ConnectionPool::borrow() {
  std::unique_lock lock(mutex_);
  const Duration begun = platform_.clock.monotonic();
  while (true) {
    if (!may_wait_) return given_up();
    if (is_silent_) return std::unexpected(*refusal_);
    if (auto connection = take_idle()) return Lease(*this, std::move(connection), generation_);
    const bool is_full = lent_ == connections_max_;
    // Of those who come while the server does not answer, one at a time waits for it.
    const bool pausing = attempting_ > 0 || platform_.clock.monotonic() - attempted_at_ < pause_;
    if (!is_full && !(refusal_ && pausing)) {
      Attempt attempt = try_to_connect(lock);
      if (attempt.made) return Lease(*this, std::move(attempt.made), attempt.generation);
      if (attempt.is_final) return std::unexpected(*refusal_);
      continue;
    }
    // A server that gives no further connection may yet serve those that it gave.
    if (!is_full && lent_ == attempting_) return std::unexpected(*refusal_);
    const bool patient = is_full || !ReadInterest::may_end() ? platform_.clock.monotonic() - begun < patience
                                                             : !ReadInterest::has_ended();
    if (!patient && is_full) return all_in_use();
    if (!patient) return std::unexpected(*refusal_);
    returned_.wait_for(lock, look_pause);
  }
}

/// One that lies there and is whole, which counts as lent then; else null.
std::unique_ptr<Connection> ConnectionPool::take_idle() {
  while (!idle_.empty()) {
    std::unique_ptr<Connection> connection = std::move(idle_.back());
    idle_.pop_back();
    if (!connection->is_whole()) continue;
    ++lent_;
    return connection;
  }
  return nullptr;
}

/// Lets go of the lock meanwhile. What is made counts as lent; of what is not, refusal_ tells why.
ConnectionPool::Attempt ConnectionPool::try_to_connect(std::unique_lock<std::mutex>& lock) {
  ++lent_;
  ++attempting_;
  Attempt attempt{.made = nullptr, .generation = generation_, .is_final = false};
  lock.unlock();
  auto made = Connection::open(destination_, dialect_, ended_);
  if (made && check_) {
    if (auto checked = check_(**made); !checked) {
      made = std::unexpected(std::move(checked).error());
      attempt.is_final = true;
    }
  }
  lock.lock();
  --attempting_;
  attempted_at_ = platform_.clock.monotonic();
  if (made) {
    answers();
    (*made)->give_up_when(silent_);
    attempt.made = *std::move(made);
    return attempt;
  }
  --lent_;
  returned_.notify_one();
  pause_ = std::clamp(pause_ * 2, pause_first, pause_max);
  refusal_ = std::move(made).error();
  return attempt;
}

std::unexpected<Error> ConnectionPool::all_in_use() const {
  return fail(ErrorKind::overloaded, "all " + std::to_string(connections_max_) + " connections to the " +
                                         destination_.text() + " are in use; raise store.pool_size");
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
  answers();
}

/// Called with the lock.
void ConnectionPool::answers() {
  refusal_.reset();
  pause_ = Duration{0};
  if (!std::exchange(is_silent_, false)) return;
  eventfd_t told = 0;
  (void)::eventfd_read(silent_, &told);
}

void ConnectionPool::be_silent(Error why) {
  std::vector<std::unique_ptr<Connection>> forgotten;
  {
    const std::lock_guard lock(mutex_);
    refusal_ = std::move(why);
    ++generation_;
    forgotten.swap(idle_);
    if (!std::exchange(is_silent_, true)) (void)::eventfd_write(silent_, 1);
  }
  returned_.notify_all();
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
