#pragma once
// The process: signals that stop it, how many processors it has. Call from main.

#include <cstddef>

namespace annals::platform {

/// Makes SIGTERM, SIGINT and SIGHUP wait for `wait_for_signal` in every thread made from now on, and ignores SIGPIPE
/// and SIGXFSZ (the writes that would raise them fail instead). Call before the first thread is made.
void hold_signals();

/// Opens /dev/null in the place of each of standard input, output and error that the process was started without: the
/// next file opened would otherwise get its number, and the log's records would be written into the store. Call before
/// anything else.
void keep_standard_descriptors();

enum class Signal { stop, reload };

/// Blocks until one of them comes.
[[nodiscard]] Signal wait_for_signal();

/// Processors that this process may run on, at least 1.
[[nodiscard]] std::size_t processors();

}  // namespace annals::platform
