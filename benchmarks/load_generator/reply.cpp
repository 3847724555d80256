#include "benchmarks/load_generator/reply.hpp"

#include "benchmarks/common/http_text.hpp"

namespace annals::benchmarks {
namespace {

constexpr std::string_view version_prefix = "HTTP/1.";
constexpr std::size_t status_offset = 9;  // after "HTTP/1.1 "

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

}  // namespace

Reply read_reply(std::string_view bytes) {
  const auto header_bytes = header_size(bytes);
  if (!header_bytes) return {};
  const std::string_view header = bytes.substr(0, *header_bytes);
  const int status = status_in(header);
  const auto length = content_length(header);
  if (status == 0 || !length) return {Reply::State::malformed, status, 0, {}};
  if (bytes.size() - header.size() < *length) return {};
  return {Reply::State::whole, status, header.size() + *length, bytes.substr(header.size(), *length)};
}

}  // namespace annals::benchmarks
