#include <cstdio>

#include "platform/process.hpp"
#include "server/commands/commands.hpp"
#include "server/wiring.hpp"

namespace annals::server {

int serve(const Settings& settings) {
  auto application = Application::open(settings, [](const std::string& url) {
    std::printf("annals: listening on %s\n", url.c_str());
    std::fflush(stdout);
  });
  if (!application) return report(application.error());
  while (platform::wait_for_signal() != platform::Signal::stop) {
  }
  (*application)->stop();
  return done;
}

}  // namespace annals::server
