#pragma once
// Canceller: ends statements in the database whose connection has been given up here. The process that serves such a
// connection would notice only once its statement is done, and holds a place and perhaps locks until then.
//
// It asks by SQL over a connection of its own, made when there is something to ask: PQcancel waits for a server that is
// silent for as long as that is silent, and goes unencrypted whatever the options say.
//
// Thread-safe. Has a thread of its own.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "platform/platform.hpp"
#include "store/postgres/connection.hpp"

namespace annals::store {

class Canceller {
 public:
  Canceller(Destination destination, Dialect dialect, platform::Platform platform);
  /// Lets what was given to `cancel` be asked for a second more, if the database answers.
  ~Canceller();
  Canceller(const Canceller&) = delete;
  Canceller& operator=(const Canceller&) = delete;

  /// Soon ends the statement of a backend, if it still has one. What cannot be asked is left out: it ends by itself.
  void cancel(const Backend& backend);

 private:
  void work();

  const Destination destination_;
  const Dialect dialect_;
  const platform::Platform platform_;
  const int ended_;  // readable once nothing is to be waited for

  std::mutex mutex_;
  std::condition_variable idle_;
  std::vector<Backend> waiting_;  // guarded by mutex_
  bool working_ = false;          // guarded by mutex_; a task is posted or runs
  std::unique_ptr<platform::Executor> thread_;
};

}  // namespace annals::store
