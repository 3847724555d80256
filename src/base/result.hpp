#pragma once
// Result: what the world may do is a value, not an exception.
//
// Every function that can fail for a reason outside this program returns Result<T> and passes failures on with TRY.
// Callers branch on `ErrorKind`, a short list; people read `message`, which names the thing, what was found and what to
// do. `code` is the stable snake_case word that clients of the HTTP API rely on.
//
// Immutable values; no thread rule.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace annals {

/// What went wrong, coarsely enough to branch on. http/problem turns each kind into one HTTP status.
enum class ErrorKind : std::uint8_t {
  invalid,              ///< malformed input: 400
  unauthenticated,      ///< 401
  forbidden,            ///< 403
  not_found,            ///< 404
  conflict,             ///< the state does not allow it, or a stream is at another version: 409
  gone,                 ///< it was there once: 410
  precondition_failed,  ///< the version that the caller named is not the version found: 412
  too_large,            ///< 413
  unsupported,          ///< a media type that is not understood: 415
  unprocessable,        ///< well formed, but wrong: 422
  overloaded,           ///< a queue is full; nothing was done; try again soon: 503
  unavailable,          ///< the store cannot take writes, or it is not known whether it took this one: 503
  timed_out,            ///< a wait ended before what was waited for: 503
  corrupt,              ///< stored bytes are not what was written: exit code 3
  input_output,         ///< the operating system refused a file or socket operation
  usage,                ///< wrong command line or configuration: exit code 2
  internal,             ///< a defect of ours
};

/// The snake_case word for a kind, also the default `code` of an Error.
[[nodiscard]] std::string_view to_string(ErrorKind kind);

/// What is wrong where, in what somebody sent.
struct Fault {
  std::string pointer;  ///< RFC 6901, such as "/price"
  std::string code;     ///< stable snake_case word
  std::string detail;

  bool operator==(const Fault&) const = default;
};

struct Error {
  ErrorKind kind = ErrorKind::internal;
  std::string code;           ///< stable snake_case word, such as "version_conflict"
  std::string message;        ///< one sentence: what was tried, what was found, what to do
  std::vector<Fault> faults;  ///< all of them, where there is more to point at than a sentence says

  Error(ErrorKind error_kind, std::string error_message)
      : kind(error_kind), code(to_string(error_kind)), message(std::move(error_message)) {}
  Error(ErrorKind error_kind, std::string_view error_code, std::string error_message,
        std::vector<Fault> error_faults = {})
      : kind(error_kind), code(error_code), message(std::move(error_message)), faults(std::move(error_faults)) {}

  bool operator==(const Error&) const = default;
};

template <class T = void>
using Result = std::expected<T, Error>;

/// `return fail(ErrorKind::not_found, "stream config-x does not exist");`
[[nodiscard]] inline std::unexpected<Error> fail(ErrorKind kind, std::string message) {
  return std::unexpected<Error>(std::in_place, kind, std::move(message));
}
[[nodiscard]] inline std::unexpected<Error> fail(ErrorKind kind, std::string_view code, std::string message) {
  return std::unexpected<Error>(std::in_place, kind, code, std::move(message));
}

/// The value of a Result, or return its error from the enclosing function (not in coroutines).
#define TRY(expression)                                                        \
  __extension__({                                                              \
    auto try_result_ = (expression);                                           \
    if (!try_result_.has_value()) [[unlikely]]                                 \
      return std::unexpected<::annals::Error>(std::move(try_result_).error()); \
    *std::move(try_result_);                                                   \
  })

}  // namespace annals
