// `annals verify`: walks a whole store and checks everything.

#include <cstdio>

#include "platform/platform.hpp"
#include "server/commands/commands.hpp"
#include "store/embedded_store.hpp"

namespace annals::server {

int verify(const std::string& directory) {
  const auto report_or = store::verify_embedded_store(directory, platform::posix_files());
  if (!report_or) return report(report_or.error());
  std::printf("%s is sound: %s events in %llu groups and %llu segments, the last at %s.\n", directory.c_str(),
              to_string(report_or->last).c_str(), static_cast<unsigned long long>(report_or->groups),
              static_cast<unsigned long long>(report_or->segments),
              report_or->last.value == 0 ? "no time" : report_or->last_time.to_text().c_str());
  if (report_or->torn) {
    std::printf(
        "It was not stopped cleanly: in %s, what follows byte %llu is of a flush that never finished, and will be cut "
        "off at the next start.\n",
        report_or->last_segment.c_str(), static_cast<unsigned long long>(report_or->end));
  } else if (!report_or->clean) {
    std::printf("It was not stopped cleanly; nothing is missing.\n");
  }
  return done;
}

}  // namespace annals::server
