#include <cstdio>

#include "platform/logging.hpp"
#include "platform/process.hpp"
#include "server/commands/commands.hpp"
#include "server/wiring.hpp"

namespace annals::server {
namespace {

std::string cut_short() {
  std::string line;
  platform::append_json_line(
      line, platform::system_clock().now(), LogLevel::warning,
      "Ended by a second signal while draining; what was acknowledged is recorded, what was under way was cut off", {});
  return line;
}

constexpr Duration same_stop = std::chrono::milliseconds(250);

}  // namespace

int serve(const Settings& settings) {
  platform::hold_signals();
  auto application = Application::open(settings, [](const std::string& url) {
    std::printf("annals: listening on %s\n", url.c_str());
    std::fflush(stdout);
  });
  if (!application) return report(application.error());
  while (platform::wait_for_signal() != platform::Signal::stop) {
    (*application)->reload();
  }
  platform::end_at_next_stop(failed, same_stop, cut_short);
  if (auto stopped = (*application)->stop(); !stopped) return report(stopped.error());
  return done;
}

}  // namespace annals::server
