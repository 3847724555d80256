#include "http/server/chunk_decoder.hpp"

#include <algorithm>
#include <cstring>

#include "http/characters.hpp"

namespace annals::http {
namespace {

constexpr unsigned size_digits_max = 16;

}  // namespace

void ChunkDecoder::reset() {
  state_ = State::size_first;
  digits_ = 0;
  size_ = 0;
  body_bytes_ = 0;
  extension_bytes_ = 0;
  trailer_bytes_ = 0;
  refusal_ = {};
}

ChunkDecoder::Progress ChunkDecoder::advance(char* bytes, std::size_t& coded_begin, std::size_t coded_end,
                                             std::size_t& body_end) {
  while (coded_begin < coded_end && state_ != State::done && state_ != State::refused) {
    if (state_ != State::data) {
      state_ = step(bytes[coded_begin++]);
      continue;
    }
    const std::size_t count = std::min<std::uint64_t>(size_, coded_end - coded_begin);
    if (body_end != coded_begin) std::memmove(bytes + body_end, bytes + coded_begin, count);
    body_end += count;
    coded_begin += count;
    size_ -= count;
    if (size_ == 0) state_ = State::data_cr;
  }
  if (state_ == State::refused) return Progress::refused;
  return state_ == State::done ? Progress::done : Progress::more;
}

ChunkDecoder::State ChunkDecoder::step(char character) {
  switch (state_) {
    case State::size_first:
    case State::size: return step_size(character);
    case State::extension_name_first:
    case State::extension_name:
    case State::extension_value_first:
    case State::extension_value:
    case State::extension_quoted:
    case State::extension_escaped:
    case State::extension_closed: return step_extension(character);
    case State::size_lf:
      if (character != '\n') return malformed("A chunk's size is not followed by CR LF.");
      return size_ == 0 ? State::trailer_first : State::data;
    case State::data_cr: return character == '\r' ? State::data_lf : malformed("A chunk is longer than its size says.");
    case State::data_lf:
      digits_ = 0;
      return character == '\n' ? State::size_first : malformed("A chunk is longer than its size says.");
    case State::trailer_first:
    case State::trailer_name:
    case State::trailer_value:
    case State::trailer_lf:
    case State::last_lf: return step_trailer(character);
    case State::data:
    case State::done:
    case State::refused: break;
  }
  return state_;
}

ChunkDecoder::State ChunkDecoder::step_size(char character) {
  if (const int digit = hex_digit_value(character); digit >= 0) {
    if (digits_ == 0) size_ = 0;
    if (++digits_ > size_digits_max) return malformed("A chunk's size has too many digits.");
    size_ = size_ * 16 + static_cast<std::uint64_t>(digit);
    return State::size;
  }
  if (digits_ == 0 || (character != '\r' && character != ';'))
    return malformed("A chunk does not begin with its size.");
  if (size_ > limits_.body_bytes_max - body_bytes_) {
    return refuse(413, "body_too_large", "The request's body is larger than this server takes.");
  }
  body_bytes_ += size_;
  return character == '\r' ? State::size_lf : State::extension_name_first;
}

/// What is no extension by the letter is refused although nobody reads it: where a line with a stray quote ends, others
/// have understood differently.
ChunkDecoder::State ChunkDecoder::step_extension(char character) {
  if (++extension_bytes_ > limits_.extension_bytes_max)
    return malformed("The chunks' extensions are longer than this server takes.");
  const bool token = characters::in(characters::token, character);
  const bool text = characters::in(characters::text, character);
  const bool may_end =
      state_ == State::extension_name || state_ == State::extension_value || state_ == State::extension_closed;
  if (may_end && character == '\r') return State::size_lf;
  if (may_end && character == ';') return State::extension_name_first;
  switch (state_) {
    case State::extension_name:
      if (character == '=') return State::extension_value_first;
      [[fallthrough]];
    case State::extension_name_first:
      if (token) return State::extension_name;
      break;
    case State::extension_value_first:
      if (character == '"') return State::extension_quoted;
      [[fallthrough]];
    case State::extension_value:
      if (token) return State::extension_value;
      break;
    case State::extension_quoted:
      if (character == '"') return State::extension_closed;
      if (character == '\\') return State::extension_escaped;
      [[fallthrough]];
    case State::extension_escaped:
      if (text) return State::extension_quoted;
      break;
    default: break;
  }
  return malformed("A chunk's extension is not `name`, `name=value` or `name=\"value\"` without blanks around.");
}

ChunkDecoder::State ChunkDecoder::step_trailer(char character) {
  if (++trailer_bytes_ > limits_.trailer_bytes_max) {
    return refuse(431, "header_too_large", "The trailers are larger than this server takes.");
  }
  switch (state_) {
    case State::trailer_first:
      if (character == '\r') return State::last_lf;
      [[fallthrough]];
    case State::trailer_name:
      if (characters::in(characters::token, character)) return State::trailer_name;
      if (character == ':' && state_ == State::trailer_name) return State::trailer_value;
      return malformed("A trailer is not a field: a name, a colon right after it, and a value.");
    case State::trailer_value:
      if (character == '\r') return State::trailer_lf;
      if (characters::in(characters::text, character)) return State::trailer_value;
      return malformed("A control character stands in a trailer.");
    case State::trailer_lf:
      return character == '\n' ? State::trailer_first : malformed("A CR stands in a trailer without its LF.");
    case State::last_lf:
      return character == '\n' ? State::done : malformed("A CR stands in the trailers without its LF.");
    default: return state_;
  }
}

ChunkDecoder::State ChunkDecoder::refuse(int status, std::string_view code, std::string_view detail) {
  refusal_ = {status, code, detail};
  return State::refused;
}

}  // namespace annals::http
