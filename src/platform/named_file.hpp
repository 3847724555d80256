#pragma once
// A file that a user named, such as a configuration, who may have named a pipe: `--config <(sops -d annals.toml)`.

#include <chrono>
#include <cstdint>
#include <string>

#include "base/instant.hpp"
#include "base/result.hpp"

namespace annals::platform {

/// For somebody to open a pipe that was named, and that they are to write into.
inline constexpr Duration pipe_writer_wait = std::chrono::seconds(5);

/// The whole of the file or pipe. A pipe is read until everybody who has it open to write to has closed it, however
/// long that takes; when nobody has it open, that somebody opens it is waited for `wait_max`, in whole milliseconds.
/// Errors: not_found, input_output; too_large, when it has more than `size_max` bytes; timed_out, when nobody came. Any
/// thread.
[[nodiscard]] Result<std::string> read_named_file(const std::string& path, std::uint64_t size_max, Duration wait_max);

}  // namespace annals::platform
