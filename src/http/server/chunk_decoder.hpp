#pragma once
// ChunkDecoder: takes the `chunked` transfer coding off a body, in place and in pieces. Stricter than the RFC asks: no
// white space in a size's line but in quotes, sizes of 16 digits at most, extensions and trailers limited, read and
// forgotten.
//
// It sees no socket. Confined to one thread. Source: RFC 9112, section 7.1.

#include <cstdint>

#include "http/server/head_parser.hpp"

namespace annals::http {

class ChunkDecoder {
 public:
  enum class Progress : std::uint8_t { more, done, refused };

  struct Limits {
    std::uint64_t body_bytes_max = 0;
    std::size_t extension_bytes_max = 4u << 10;  ///< of all chunks together
    std::size_t trailer_bytes_max = 8u << 10;
  };

  explicit ChunkDecoder(const Limits& limits) : limits_(limits) {}

  void reset();

  /// Reads the coded bytes from `coded_begin` to `coded_end` and moves what they carry down to `body_end`, both counted
  /// from `bytes`; `coded_begin` and `body_end` are moved on. What is left between `coded_begin` and `coded_end`
  /// belongs to the next request when `done`, and is nothing when `more`.
  [[nodiscard]] Progress advance(char* bytes, std::size_t& coded_begin, std::size_t coded_end, std::size_t& body_end);

  [[nodiscard]] const Refusal& refusal() const { return refusal_; }

 private:
  enum class State : std::uint8_t {
    size_first,            // the first digit of a size
    size,                  // further digits
    extension_name_first,  // after ';'
    extension_name,
    extension_value_first,  // after '='
    extension_value,
    extension_quoted,
    extension_escaped,  // after a backslash in quotes
    extension_closed,   // after the quotes
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_first,  // the first character of a trailer or of the closing empty line
    trailer_name,
    trailer_value,
    trailer_lf,
    last_lf,
    done,
    refused,
  };

  [[nodiscard]] State step(char character);
  [[nodiscard]] State step_size(char character);
  [[nodiscard]] State step_extension(char character);
  [[nodiscard]] State step_trailer(char character);
  State refuse(int status, std::string_view code, std::string_view detail);
  State malformed(std::string_view detail) { return refuse(400, "malformed_request", detail); }

  const Limits limits_;
  State state_ = State::size_first;
  unsigned digits_ = 0;
  std::uint64_t size_ = 0;  // of the chunk; then what of it is still to come
  std::uint64_t body_bytes_ = 0;
  std::size_t extension_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
  Refusal refusal_;
};

}  // namespace annals::http
