#pragma once
// Replies, read as sparely as is safe: the status, and the body by its Content-Length. Pure function.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace annals::benchmarks {

struct Reply {
  enum class State : std::uint8_t {
    incomplete,
    whole,
    malformed,  ///< no HTTP/1.x status line, or no Content-Length: nothing after it can be told apart
  };

  State state = State::incomplete;
  int status = 0;
  std::size_t size = 0;   ///< header and body together
  std::string_view body;  ///< borrowed from what was read
};

/// Reads the reply that `bytes` begins with.
[[nodiscard]] Reply read_reply(std::string_view bytes);

}  // namespace annals::benchmarks
