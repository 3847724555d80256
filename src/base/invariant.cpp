#include "base/invariant.hpp"

#include <cstdio>
#include <cstdlib>

namespace annals {

void invariant_failed(const char* condition, const char* why, const char* file, int line) {
  std::fprintf(stderr, "annals: invariant failed: %s (%s) at %s:%d\n", why, condition, file, line);
  std::fflush(stderr);
  std::abort();
}

}  // namespace annals
