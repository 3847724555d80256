#include "benchmarks/bare_server/request.hpp"

#include "benchmarks/common/http_text.hpp"

namespace annals::benchmarks {
namespace {

constexpr std::string_view get_prefix = "GET /config/";
constexpr std::string_view put_prefix = "PUT /config/";
constexpr std::string_view body_prefix = R"({"value":")";
constexpr std::string_view body_suffix = R"("})";

std::string_view key_in(std::string_view header, std::size_t prefix_size) {
  const std::string_view rest = header.substr(prefix_size);
  return rest.substr(0, rest.find_first_of(" \r"));
}

}  // namespace

Request read_request(std::string_view bytes) {
  const auto header_bytes = header_size(bytes);
  if (!header_bytes) return {};
  const std::string_view header = bytes.substr(0, *header_bytes);

  if (header.starts_with(get_prefix)) {
    return {Request::Kind::get, header.size(), key_in(header, get_prefix.size()), {}};
  }
  const Request unknown{Request::Kind::unknown, bytes.size(), {}, {}};
  if (!header.starts_with(put_prefix)) return unknown;
  const auto length = content_length(header);
  if (!length) return unknown;
  if (bytes.size() - header.size() < *length) return {};

  std::string_view body = bytes.substr(header.size(), *length);
  if (!body.starts_with(body_prefix) || !body.ends_with(body_suffix)) return unknown;
  if (body.size() < body_prefix.size() + body_suffix.size()) return unknown;
  body.remove_prefix(body_prefix.size());
  body.remove_suffix(body_suffix.size());
  if (body.find_first_of("\\\"") != std::string_view::npos) return unknown;
  return {Request::Kind::put, header.size() + *length, key_in(header, put_prefix.size()), body};
}

}  // namespace annals::benchmarks
