#pragma once
// Request: what came in, checked for form and within every limit. Confined to the connection's I/O thread, and valid
// until the Handler returns: when the answer comes later, the client or the server may have given up before, and the
// connection's buffer, from which the views borrow, be gone.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.hpp"
#include "base/uuid.hpp"
#include "http/trace.hpp"
#include "platform/executor.hpp"

namespace annals::http {

enum class Method : std::uint8_t { get, head, put, post, delete_, patch, options, other };
[[nodiscard]] std::string_view to_string(Method method);

struct Field {
  std::string_view name;   ///< as sent; compare without regard to case
  std::string_view value;  ///< without surrounding white space
};

struct Request {
  Method method = Method::other;
  std::string_view method_text;  ///< as sent
  std::string_view target;       ///< as sent: `/config/a%2Fb?at=...`; origin-form (absolute-form was reduced to it)
  std::string_view path;         ///< the target up to the first '?', still percent-encoded
  std::string_view query;        ///< what follows it, still percent-encoded; may be empty
  std::vector<Field> fields;     ///< in the order sent
  std::string_view body;         ///< whole, de-chunked
  bool body_is_to_come = false;  ///< nothing of it is there yet: see Handler::look
  std::string request_id;        ///< the caller's X-Request-Id when it is sane, else a new one
  Uuid correlation_id;  ///< the trace-id of `traceparent` when there is one, else the request id when it is a UUID,
                        ///< else a new UUID
  Trace trace;          ///< its id is the correlation_id
  Instant received_at;
  bool alone = false;                  ///< its connection is the only one that the server has
  platform::Executor* home = nullptr;  ///< the executor of the connection's I/O thread

  /// The value of the first field of this name (given in lower case), or nullopt.
  [[nodiscard]] std::optional<std::string_view> field(std::string_view lower_case_name) const;
};

/// True when both are the same but for the case of ASCII letters.
[[nodiscard]] bool equal_ignoring_case(std::string_view left, std::string_view right);

/// Percent-decodes; nullopt when an escape is broken. `+` stays `+`.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);
/// The same path with the escapes of unreserved characters decoded (RFC 3986, 6.2.2.2): `/%63onfig/a%2fb` is
/// `/config/a%2fb`. All other escapes stay. Gives `path` itself when nothing is to be decoded, or an escape is broken;
/// else what it gives lies in `storage`.
[[nodiscard]] std::string_view plain_path(std::string_view path, std::string& storage);
/// Percent-encodes everything but RFC 3986's unreserved characters.
[[nodiscard]] std::string percent_encode(std::string_view text);

}  // namespace annals::http
