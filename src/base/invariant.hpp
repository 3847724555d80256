#pragma once
// INVARIANT: what only this program can do wrong. On in every build: stopping beats continuing wrong, because a
// process that no longer understands its own state must not write to somebody's log.

namespace annals {

/// Prints `why` with the place to standard error and aborts.
[[noreturn]] void invariant_failed(const char* condition, const char* why, const char* file, int line);

#define INVARIANT(condition, why)                                      \
  do {                                                                 \
    if (!(condition)) [[unlikely]]                                     \
      ::annals::invariant_failed(#condition, why, __FILE__, __LINE__); \
  } while (false)

}  // namespace annals
