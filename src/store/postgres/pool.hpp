#pragma once
// A few connections to one database, lent to whoever has something to ask. Thread-safe; outlives what it lends.
//
// A connection is looked at before it is lent, a new one also by its owner (`check`), and one that broke is not taken
// back. While no connection can be made, attempts are spread out (from 50 ms, doubling, to 2 s), and who asks in
// between is refused at once, with the reason; but while a connection that was made is lent, it is waited for: the
// server may have no further one to give. Unless the server has been found to say nothing to anybody: then nothing is
// asked of it until it is known to answer.

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "event/read_interest.hpp"
#include "platform/platform.hpp"
#include "store/postgres/connection.hpp"

namespace annals::store {

class ConnectionPool {
 public:
  using Check = std::function<Result<>(Connection&)>;
  /// A connection that `check` refuses is not used, as if it could not be made. `given_up` is told of each that comes
  /// back while the server still works on its statement.
  ConnectionPool(Destination destination, Dialect dialect, std::size_t connections_max, platform::Platform platform,
                 Check check, std::function<void(const Backend&)> given_up = {});

  /// A connection for as long as this lives.
  class Lease {
   public:
    Lease(ConnectionPool& pool, std::unique_ptr<Connection> connection, std::uint64_t generation)
        : pool_(&pool), connection_(std::move(connection)), generation_(generation) {}
    Lease(Lease&& other) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (connection_) pool_->take_back(std::move(connection_), generation_);
    }
    Connection* operator->() const { return connection_.get(); }
    Connection& operator*() const { return *connection_; }

   private:
    ConnectionPool* pool_;
    std::unique_ptr<Connection> connection_;
    std::uint64_t generation_;
  };

  ~ConnectionPool();

  /// Waits while all are lent, and where no more can be made than are lent: there as long as somebody waits for what
  /// this thread reads (event/read_interest.hpp), where that is told. Errors: those of Connection::open and of the
  /// check; overloaded, when all are lent and none came free within some seconds.
  [[nodiscard]] Result<Lease> borrow();

  /// Lends no connection again that was made before this call.
  void renew();

  /// Lets the next who borrows try to connect, however short ago an attempt failed: the server is known to answer
  /// again.
  void try_again();

  /// The server has been found to say nothing, neither to who had asked it nor to who connects, because of `why`.
  /// Whoever waits for it on one of these connections gives up, as if that had been lost, and who borrows is refused,
  /// until try_again is called or a connection that is being made comes into being.
  void be_silent(Error why);

  /// With false, whoever waits for the server (but for a connection that is being made) or for a connection gives up,
  /// as if it had been lost, and so does who comes, until it is told true.
  void let_wait(bool allowed);

  /// Runs `work(connection)`, which changes nothing, and once more on another connection when the first was lost,
  /// unless nobody waits for it any more.
  template <class Work>
  [[nodiscard]] auto read(Work work) -> decltype(work(std::declval<Connection&>())) {
    for (int attempt = 0;; ++attempt) {
      auto lease = borrow();
      if (!lease) return std::unexpected(std::move(lease).error());
      auto result = work(**lease);
      if (result || !is_lost(result.error()) || attempt > 0 || ReadInterest::has_ended()) return result;
      renew();  // the others were made to the same server
    }
  }

 private:
  struct Attempt {
    std::unique_ptr<Connection> made;
    std::uint64_t generation = 0;
    bool is_final = false;  ///< it is not for the server's having no connection to give that none was made
  };
  [[nodiscard]] std::unique_ptr<Connection> take_idle();
  [[nodiscard]] Attempt try_to_connect(std::unique_lock<std::mutex>& lock);
  void answers();
  [[nodiscard]] std::unexpected<Error> all_in_use() const;
  void take_back(std::unique_ptr<Connection> connection, std::uint64_t generation);

  const Destination destination_;
  const Dialect dialect_;
  const std::size_t connections_max_;
  const platform::Platform platform_;
  const Check check_;
  const std::function<void(const Backend&)> given_up_;

  const int ended_;   // readable while nobody may wait
  const int silent_;  // readable while is_silent_

  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Connection>> idle_;  // guarded by mutex_
  std::uint64_t generation_ = 0;                   // guarded by mutex_; of the connections that are lent again
  bool may_wait_ = true;                           // guarded by mutex_
  std::size_t lent_ = 0;                           // guarded by mutex_; those being made too
  std::size_t attempting_ = 0;                     // guarded by mutex_; who is making a connection
  std::optional<Error> refusal_;                   // guarded by mutex_; of the last attempt to connect
  bool is_silent_ = false;                         // guarded by mutex_; there is a refusal_ then
  Duration pause_{0};                              // guarded by mutex_; after the attempt at attempted_at_
  Duration attempted_at_{0};                       // guarded by mutex_
};

}  // namespace annals::store
