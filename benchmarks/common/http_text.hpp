#pragma once
// The little of HTTP/1.1 that both sides of a benchmark read: where a header ends and how long the body is.
// Pure functions over borrowed text.

#include <cstddef>
#include <optional>
#include <string_view>

namespace annals::benchmarks {

/// The bytes up to and with the empty line; nullopt when it has not come yet.
[[nodiscard]] std::optional<std::size_t> header_size(std::string_view bytes);

/// The value of Content-Length in a header (its first line skipped); nullopt when there is none or it is no number.
[[nodiscard]] std::optional<std::size_t> content_length(std::string_view header);

/// Whether a header (its first line skipped) says `Transfer-Encoding: chunked`.
[[nodiscard]] bool is_chunked(std::string_view header);

}  // namespace annals::benchmarks
