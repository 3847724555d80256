#pragma once
// Blemishes: bytes of the last segment that are not what was written, although no event lies there and no crash leaves
// them so. They are harmless: the next opening to serve takes the place for torn and mends it. But a disk that does
// this once will do it again, so whoever looks for damage shall hear of it.
//
// Pure apart from reading; confined to the window's thread. Source: "Torn or damaged" in log/FORMAT.md.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "log/segment/window.hpp"

namespace annals::log {

struct Blemish {
  std::uint64_t offset = 0;
  std::string found;  ///< what is wrong there: one clause
};

/// Looks at what stands from `end`, the end of the last valid frame, up to `size`, the end of the segment, where
/// something other than zeros stands. `stop_mark` is the mark of a clean stop that would belong at `end`. nullopt when
/// a crash may have left it. Errors: input_output.
[[nodiscard]] Result<std::optional<Blemish>> find_blemish(Window& window, std::uint64_t end, std::uint64_t size,
                                                          std::string_view stop_mark);

}  // namespace annals::log
