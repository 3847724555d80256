#pragma once
// DamageNotes: how often something was read that is not what was written. The first time is told in the log; all of
// them are counted, for health and metrics. Nothing takes them back but the next opening: bytes that were wrong once
// are wrong, or come from a disk or memory that cannot be trusted. Thread-safe.

#include <atomic>
#include <cstdint>

#include "base/log_record.hpp"
#include "base/result.hpp"

namespace annals::store {

class DamageNotes {
 public:
  explicit DamageNotes(Logger& log) : log_(log) {}

  /// `answer`, as it is.
  template <class T>
  [[nodiscard]] Result<T> noted(Result<T> answer) {
    if (!answer) note(answer.error());
    return answer;
  }

  /// An error of any other kind than corrupt is no damage.
  void note(const Error& error) {
    if (error.kind != ErrorKind::corrupt || count_.fetch_add(1) > 0) return;
    log_.error("What is stored is damaged: it is not what was written; stop the server and run annals verify",
               {{"error", error.message}});
  }

  [[nodiscard]] std::uint64_t count() const { return count_.load(); }

 private:
  Logger& log_;
  std::atomic<std::uint64_t> count_{0};
};

}  // namespace annals::store
