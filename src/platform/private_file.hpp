#pragma once
// A file that is nobody's business but its owner's, such as one of keys.

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace annals::platform {

/// The whole of the file. Its bytes are written to one place in memory only, so that who wipes the result leaves
/// nothing. Errors: not_found, input_output; usage, when its group or others may read or change it; too_large, when it
/// has more than `size_max` bytes. Any thread.
[[nodiscard]] Result<std::string> read_private_file(const std::string& path, std::uint64_t size_max);

}  // namespace annals::platform
