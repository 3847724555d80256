#pragma once
// The requests that the bare server understands, and no others:
//
//     PUT /config/<key>    with a Content-Length and exactly the body {"value":"..."}, without escapes or white space
//     GET /config/<key>
//
// Pure functions over borrowed text.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace annals::benchmarks {

struct Request {
  enum class Kind : std::uint8_t { incomplete, get, put, unknown };

  Kind kind = Kind::incomplete;
  std::size_t size = 0;    ///< bytes that the request took; 0 when incomplete
  std::string_view key;    ///< as sent, percent-encoded or not
  std::string_view value;  ///< of a PUT
};

/// Reads the request that `bytes` begins with.
[[nodiscard]] Request read_request(std::string_view bytes);

}  // namespace annals::benchmarks
