#pragma once
// JSON Pointer (RFC 6901), as far as messages point at members. Pure.

#include <string>
#include <string_view>

namespace annals::json {

/// "/name", escaped; of a long name its beginning only.
[[nodiscard]] inline std::string pointer_to(std::string_view member) {
  constexpr std::size_t shown_bytes_max = 64;
  std::string pointer = "/";
  for (char character : member.substr(0, shown_bytes_max))
    pointer += character == '~' ? "~0" : character == '/' ? "~1" : std::string(1, character);
  return pointer;
}

}  // namespace annals::json
