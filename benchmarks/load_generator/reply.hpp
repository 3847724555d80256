#pragma once
// Replies, read as sparely as is safe: the status, and the body by its Content-Length or in its chunks. Pure functions.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace annals::benchmarks {

struct Reply {
  enum class State : std::uint8_t {
    incomplete,
    whole,
    malformed,  ///< no HTTP/1.x status line, no length and no chunks: nothing after it can be told apart
  };

  State state = State::incomplete;
  int status = 0;
  std::size_t size = 0;     ///< header and body together
  std::string_view body{};  ///< borrowed from what was read; of a chunked reply, the chunks as they came
  bool chunked = false;
};

/// Reads the reply that `bytes` begins with.
[[nodiscard]] Reply read_reply(std::string_view bytes);

/// Takes the next chunk off the front of a chunked body: its data; nullopt when it is not there whole, or is none. The
/// last one is empty. Trailers are not read: a body that has some is none.
[[nodiscard]] std::optional<std::string_view> take_chunk(std::string_view& body);

/// A digest of what the body says, however it was cut into chunks.
[[nodiscard]] std::uint64_t digest_of_body(const Reply& reply);

}  // namespace annals::benchmarks
