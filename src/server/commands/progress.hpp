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
  /// `verb`: "imported"; `thing`: "name", in the singular.
  Progress(std::string_view verb, std::string_view thing);

  /// So many more have been dealt with.
  void count(std::uint64_t things = 1);

  /// The line at the end: `annals: imported 3 names in 1 group, in 0.012 s`.
  void finish(std::uint64_t things, const std::string& details);

 private:
  [[nodiscard]] Duration since_begun() const;

  const std::string verb_;
  const std::string thing_;
  const bool shown_;
  const Duration begun_;
  Duration shown_at_;
  std::uint64_t things_ = 0;
  std::uint64_t looked_at_ = 0;  // things_, when the time was looked at last
};

}  // namespace annals::server
