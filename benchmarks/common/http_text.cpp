#include "benchmarks/common/http_text.hpp"

#include <charconv>

namespace annals::benchmarks {
namespace {

constexpr std::string_view length_name = "content-length:";

// `name` is in lower case; `line` may have either case, and is at least as long.
bool starts_with_name(std::string_view line, std::string_view name) {
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char letter = line[i];
    const char lower = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    if (lower != name[i]) return false;
  }
  return true;
}

}  // namespace

std::optional<std::size_t> header_size(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  return end + 4;
}

std::optional<std::size_t> content_length(std::string_view header) {
  for (std::size_t end = header.find('\n'); end != std::string_view::npos; end = header.find('\n')) {
    header.remove_prefix(end + 1);
    if (header.size() < length_name.size() || !starts_with_name(header, length_name)) continue;
    header.remove_prefix(length_name.size());
    while (!header.empty() && header.front() == ' ') header.remove_prefix(1);
    std::size_t length = 0;
    const auto [stop, error] = std::from_chars(header.data(), header.data() + header.size(), length);
    if (error != std::errc{} || stop == header.data() + header.size() || *stop != '\r') return std::nullopt;
    return length;
  }
  return std::nullopt;
}

}  // namespace annals::benchmarks
