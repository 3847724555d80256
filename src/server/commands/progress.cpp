#include "server/commands/progress.hpp"

#include <chrono>
#include <cstdio>

#include "base/wording.hpp"
#include "platform/platform.hpp"
#include "platform/process.hpp"

namespace annals::server {
namespace {

constexpr std::uint64_t things_between_looks = 256;
constexpr Duration interval = std::chrono::milliseconds(200);

}  // namespace

Progress::Progress(std::string_view verb, std::string_view thing)
    : verb_(verb),
      thing_(thing),
      shown_(platform::standard_error_is_terminal()),
      begun_(platform::system_clock().monotonic()),
      shown_at_(begun_) {}

Duration Progress::since_begun() const {
  return platform::system_clock().monotonic() - begun_;
}

void Progress::count(std::uint64_t things) {
  things_ += things;
  if (!shown_ || things_ - looked_at_ < things_between_looks) return;
  looked_at_ = things_;
  const Duration now = platform::system_clock().monotonic();
  if (now - shown_at_ < interval) return;
  shown_at_ = now;
  std::fprintf(stderr, "\rannals: %s %s", verb_.c_str(), counted(things_, thing_).c_str());
}

void Progress::finish(std::uint64_t things, const std::string& details) {
  const double seconds = std::chrono::duration<double>(since_begun()).count();
  std::fprintf(stderr, "%sannals: %s %s%s, in %.3f s\n", shown_ ? "\r\x1B[K" : "", verb_.c_str(),
               counted(things, thing_).c_str(), details.c_str(), seconds);
}

}  // namespace annals::server
