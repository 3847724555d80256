#pragma once
// The process: signals that stop it, how many processors and descriptors it has. Call from main.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "base/instant.hpp"

namespace annals::platform {

/// Ignores SIGPIPE and SIGXFSZ: the writes that would raise them fail instead.
void ignore_signals_of_writes();

/// Makes SIGTERM, SIGINT and SIGHUP wait for `wait_for_signal` in every thread made from now on, and ignores what
/// `ignore_signals_of_writes` does. Call before the first thread is made, and only where somebody will wait.
void hold_signals();

/// Opens /dev/null in the place of each of standard input, output and error that the process was started without: the
/// next file opened would otherwise get its number, and the log's records would be written into the store. Call before
/// anything else.
void keep_standard_descriptors();

enum class Signal { stop, reload };

/// True when SIGTERM or SIGINT has come that nobody has waited for yet: for work before somebody does, which may take
/// long. Always false where signals are not held.
[[nodiscard]] bool stop_is_pending();

/// Blocks until one of them comes.
[[nodiscard]] Signal wait_for_signal();

/// From now on the next SIGTERM or SIGINT ends the process at once, with the exit code `code`, after what `last_line`
/// says has been written to standard error, if that takes it without a wait. `last_line` is called on a thread of its
/// own and uses nothing that goes before the process does. Call once, after `wait_for_signal` said stop.
/// What comes within `same_stop` is the stop that was asked for, told once more: `timeout` signals a process and then
/// its group, a terminal and a supervisor may both.
void end_at_next_stop(int code, Duration same_stop, std::function<std::string()> last_line);

/// What the process uses of the machine, as the operating system counts it.
struct ProcessUsage {
  double processor_seconds = 0;  ///< user and system
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_descriptors = 0;
  std::uint64_t descriptors_max = 0;
};
[[nodiscard]] ProcessUsage process_usage();

/// True when somebody may be looking at what is printed to standard error as it comes.
[[nodiscard]] bool standard_error_is_terminal();

/// Raises the limit on open descriptors as far as this user may; what it then is.
[[nodiscard]] std::size_t raise_descriptor_limit();

/// Lets this thread stand still for so long.
void pause(Duration time);

/// Processors that this process may run on, at least 1.
[[nodiscard]] std::size_t processors();

}  // namespace annals::platform
