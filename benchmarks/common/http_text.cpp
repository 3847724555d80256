#include "benchmarks/common/http_text.hpp"

#include <algorithm>
#include <charconv>

namespace annals::benchmarks {
namespace {

constexpr std::string_view length_name = "content-length:";
constexpr std::string_view encoding_name = "transfer-encoding:";

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

/// What follows the name in the field's line and its white space, up to the end of the header; nullopt when there is no
/// such field. `name` is in lower case and ends in a colon.
std::optional<std::string_view> after_name(std::string_view header, std::string_view name) {
  const auto same = [](char one, char other) { return lower(one) == other; };
  for (std::size_t end = header.find('\n'); end != std::string_view::npos; end = header.find('\n')) {
    header.remove_prefix(end + 1);
    if (header.size() < name.size() || !std::ranges::equal(header.substr(0, name.size()), name, same)) continue;
    header.remove_prefix(name.size());
    while (!header.empty() && header.front() == ' ') header.remove_prefix(1);
    return header;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::size_t> header_size(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  return end + 4;
}

std::optional<std::size_t> content_length(std::string_view header) {
  const auto value = after_name(header, length_name);
  if (!value) return std::nullopt;
  std::size_t length = 0;
  const auto [stop, error] = std::from_chars(value->data(), value->data() + value->size(), length);
  if (error != std::errc{} || stop == value->data() + value->size() || *stop != '\r') return std::nullopt;
  return length;
}

bool is_chunked(std::string_view header) {
  const auto value = after_name(header, encoding_name);
  return value && value->starts_with("chunked\r");
}

}  // namespace annals::benchmarks
