#pragma once
// For tests and fuzzers that put requests to a Handler without a socket: a request as the server would have taken it
// apart, and a field of what comes back. Pure functions.

#include <algorithm>
#include <string>
#include <string_view>

#include "http/request.hpp"

namespace annals::http {

/// `target` is what the parser lets through: visible ASCII without a fragment, and it begins with a slash. Borrowed.
[[nodiscard]] inline Request test_request(Method method, std::string_view target, std::string_view body = {}) {
  Request request;
  request.method = method;
  request.method_text = to_string(method);
  request.target = target;
  const std::size_t mark = std::min(target.find('?'), target.size());
  request.path = target.substr(0, mark);
  request.query = target.substr(std::min(mark + 1, target.size()));
  request.body = body;
  return request;
}

/// The value of the first field of this name, as it is written there, of `Name: value\r\n` one after another; empty
/// when there is none.
[[nodiscard]] inline std::string field_of(std::string_view fields, std::string_view name) {
  const std::string begin = std::string(name) + ": ";
  const std::size_t place = fields.starts_with(begin) ? 0 : fields.find("\r\n" + begin);
  if (place == std::string_view::npos) return {};
  const std::size_t value = place + begin.size() + (place == 0 ? 0 : 2);
  return std::string(fields.substr(value, fields.find("\r\n", value) - value));
}

}  // namespace annals::http
