#pragma once
// The process: signals that stop it, how many processors it has. Call from main.

#include <cstddef>

namespace annals::platform {

/// Makes SIGTERM, SIGINT and SIGHUP wait for `wait_for_signal` in every thread made from now on, and ignores SIGPIPE.
/// Call before the first thread is made.
void hold_signals();

enum class Signal { stop, reload };

/// Blocks until one of them comes.
[[nodiscard]] Signal wait_for_signal();

/// Processors that this process may run on, at least 1.
[[nodiscard]] std::size_t processors();

}  // namespace annals::platform
