#include "benchmarks/load_generator/reply.hpp"

#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <memory>

#include "benchmarks/common/http_text.hpp"

namespace annals::benchmarks {
namespace {

constexpr std::string_view version_prefix = "HTTP/1.";
constexpr std::size_t status_offset = 9;  // after "HTTP/1.1 "
constexpr std::size_t size_digits_max = 8;

bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

int status_in(std::string_view header) {
  if (!header.starts_with(version_prefix) || header.size() < status_offset + 4) return 0;
  int status = 0;
  for (char letter : header.substr(status_offset, 3)) {
    if (!is_digit(letter)) return 0;
    status = status * 10 + (letter - '0');
  }
  return status;
}

/// The bytes of the chunks that `bytes` begins with, up to and with the last one; nullopt when that has not come yet.
/// Sets `malformed` when what stands there is no chunk.
std::optional<std::size_t> chunks_size(std::string_view bytes, bool& malformed) {
  std::string_view rest = bytes;
  while (const auto chunk = take_chunk(rest)) {
    if (chunk->empty()) return bytes.size() - rest.size();
  }
  // The size of a chunk, and what ends it, is short: if more than that is there, it is no chunk that is still to come.
  const std::size_t digits = std::min(rest.find_first_not_of("0123456789abcdefABCDEF"), rest.size());
  const bool goes_on = digits == rest.size() || rest[digits] == '\r';
  malformed = !rest.empty() && (digits == 0 || digits > size_digits_max || !goes_on);
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> take_chunk(std::string_view& body) {
  std::size_t size = 0;
  const auto [stop, error] = std::from_chars(body.data(), body.data() + body.size(), size, 16);
  const auto digits = static_cast<std::size_t>(stop - body.data());
  if (error != std::errc{} || digits > size_digits_max) return std::nullopt;
  if (!body.substr(digits).starts_with("\r\n")) return std::nullopt;
  const std::size_t begin = digits + 2;
  if (body.size() < begin + size + 2 || body.substr(begin + size, 2) != "\r\n") return std::nullopt;
  const std::string_view data = body.substr(begin, size);
  body.remove_prefix(begin + size + 2);
  return data;
}

std::uint64_t digest_of_body(const Reply& reply) {
  if (!reply.chunked) return XXH3_64bits(reply.body.data(), reply.body.size());
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(), &XXH3_freeState);
  XXH3_64bits_reset(state.get());
  std::string_view rest = reply.body;
  while (const auto chunk = take_chunk(rest)) XXH3_64bits_update(state.get(), chunk->data(), chunk->size());
  return XXH3_64bits_digest(state.get());
}

Reply read_reply(std::string_view bytes) {
  const auto header_bytes = header_size(bytes);
  if (!header_bytes) return {};
  const std::string_view header = bytes.substr(0, *header_bytes);
  const int status = status_in(header);
  const auto length = content_length(header);
  const bool chunked = !length && is_chunked(header);
  if (status == 0 || (!length && !chunked)) return {Reply::State::malformed, status, 0, {}};
  bool malformed = false;
  const auto size = chunked ? chunks_size(bytes.substr(header.size()), malformed) : length;
  if (malformed) return {Reply::State::malformed, status, 0, {}};
  if (!size || bytes.size() - header.size() < *size) return {};
  return {Reply::State::whole, status, header.size() + *size, bytes.substr(header.size(), *size), chunked};
}

}  // namespace annals::benchmarks
