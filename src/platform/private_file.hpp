#pragma once
// A file that is nobody's business but its owner's, such as one of keys.

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "platform/named_file.hpp"

namespace annals::platform {

/// The whole of the file or pipe, which is waited for as by `read_named_file`. Its bytes are written to one place in
/// memory only, so that who wipes the result leaves nothing. Errors: not_found, input_output; usage, when its group or
/// others may read or change it; too_large, when it has more than `size_max` bytes; timed_out. Any thread.
[[nodiscard]] Result<std::string> read_private_file(const std::string& path, std::uint64_t size_max,
                                                    Duration wait_max = pipe_writer_wait);

}  // namespace annals::platform
