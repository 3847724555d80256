#pragma once
// ReadInterest: for whom this thread reads from a store, while it is in scope. A store whose reads may wait for another
// machine (EventStore::remote_reads_max) looks at it as it waits, and gives a read up once nobody waits for the answer.
//
// It goes with the thread, as what is read for a request does, so that the functions between the request and the store
// need not hand it on. Scopes may lie within one another; the innermost counts. Confined to the thread that made it.

#include <functional>

namespace annals {

class ReadInterest {
 public:
  /// `wanted` says whether somebody still waits; it is asked several times a second, and must answer at once.
  explicit ReadInterest(std::function<bool()> wanted);
  ~ReadInterest();
  ReadInterest(const ReadInterest&) = delete;
  ReadInterest& operator=(const ReadInterest&) = delete;

  /// True when this thread reads for somebody who may go.
  [[nodiscard]] static bool may_end();
  /// True when whom this thread reads for has gone. False where it reads for nobody in particular.
  [[nodiscard]] static bool has_ended();

 private:
  const std::function<bool()> wanted_;
  const ReadInterest* const outer_;
};

}  // namespace annals
