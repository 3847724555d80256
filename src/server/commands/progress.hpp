#pragma once
// Progress: how far a long command is, on standard error: now and then where that is a terminal, and in one line at the
// end. Confined to one thread.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/instant.hpp"

namespace annals::server {

class Progress {
 public:
  /// `verb`: "imported".
  explicit Progress(std::string_view verb);

  /// One more name has been dealt with.
  void count();

  /// The line at the end: `annals: imported 3 names in 1 group, in 0.012 s`.
  void finish(std::uint64_t names, const std::string& details);

 private:
  [[nodiscard]] Duration since_begun() const;

  const std::string verb_;
  const bool shown_;
  const Duration begun_;
  Duration shown_at_;
  std::uint64_t names_ = 0;
};

}  // namespace annals::server
