#include "store/postgres/canceller.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

namespace annals::store {
namespace {

/// More than there are connections, by far: what comes beyond that waits for a database that does not answer.
constexpr std::size_t waiting_max = 1000;
constexpr auto last_moment = std::chrono::seconds{1};

}  // namespace

Canceller::Canceller(Destination destination, Dialect dialect, platform::Platform platform)
    : destination_(std::move(destination)),
      dialect_(std::move(dialect)),
      platform_(platform),
      ended_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_(platform::make_thread_executor("cancel")) {}

Canceller::~Canceller() {
  {
    std::unique_lock lock(mutex_);
    idle_.wait_for(lock, last_moment, [&] { return !working_; });
    waiting_.clear();
  }
  (void)::eventfd_write(ended_, 1);
  thread_.reset();
  ::close(ended_);
}

void Canceller::cancel(const Backend& backend) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= waiting_max) return;
  waiting_.push_back(backend);
  if (std::exchange(working_, true)) return;
  thread_->post([this] { work(); });
}

void Canceller::work() {
  while (true) {
    std::vector<Backend> backends;
    {
      const std::lock_guard lock(mutex_);
      backends.swap(waiting_);
      if (backends.empty()) {
        working_ = false;
        break;
      }
    }
    std::vector<Call> calls;
    calls.reserve(backends.size());
    for (const Backend& backend : backends) {
      calls.push_back({Sql::cancel, std::move(Parameters().add(backend.process).add(backend.began))});
    }
    auto connection = Connection::open(destination_, dialect_, ended_);
    Result<> asked;
    if (!connection) asked = std::unexpected(connection.error());
    if (asked) {
      if (auto ran = (*connection)->run(calls); !ran) asked = std::unexpected(ran.error());
    }
    if (!asked) {
      platform_.log.debug("Statements that nobody waits for any more could not be cancelled; they end by themselves",
                          {{"statements", backends.size()}, {"error", std::string_view(asked.error().message)}});
    }
  }
  idle_.notify_all();
}

}  // namespace annals::store
