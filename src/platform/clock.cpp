#include "platform/clock.hpp"

namespace annals::platform {

Uuid make_uuid(Instant now, Random& random) {
  const std::uint64_t high = random.next();
  return Uuid::version_7(now, high, random.next());
}

}  // namespace annals::platform
