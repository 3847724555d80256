#pragma once
// Response: what goes out. The server adds Date, Content-Length or Transfer-Encoding, Connection and X-Request-Id.
// A value, moved once.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.hpp"
#include "http/request.hpp"

namespace annals::http {

/// Yields the next piece of a long body, or nullopt at its end. Called on the connection's I/O thread, once the piece
/// before has been handed to the socket. After an Error the connection is broken off, so that the client sees that the
/// body is not whole. An empty piece says that there is nothing yet: the source is asked again some 50 ms later, unless
/// the client has left or the server drains; then too the connection ends without the body's end.
using BodySource = std::move_only_function<Result<std::optional<std::string>>()>;

struct Response {
  int status = 200;
  std::string_view content_type;  ///< static text; empty for a reply without a body
  std::string fields;             ///< further fields, each `Name: value\r\n`; see `add`
  /// Text of our own, text shared with a read table (not copied), or a source (sent chunked).
  std::variant<std::string, std::shared_ptr<const std::string>, BodySource> body;

  /// Appends a field. `value` must be free of control characters: INVARIANT.
  void add(std::string_view name, std::string_view value);
};

/// The reason phrase: 404 -> "Not Found".
[[nodiscard]] std::string_view reason_phrase(int status);

/// Answers one request, exactly once, from any thread. When it is destroyed without an answer, the client gets 500:
/// that is a defect and is logged.
class Responder {
 public:
  class Target {
   public:
    virtual ~Target() = default;
    virtual void respond(Response response) = 0;
    virtual void dropped() = 0;
  };
  explicit Responder(std::shared_ptr<Target> target)
      : target_(std::move(target)) {}  // shared with the connection, which may end first
  Responder(Responder&&) = default;
  Responder& operator=(Responder&&) = default;
  ~Responder() {
    if (target_) target_->dropped();
  }

  void send(Response response) {
    const auto target = std::move(target_);
    target_ = nullptr;
    target->respond(std::move(response));
  }

 private:
  std::shared_ptr<Target> target_;
};

/// Answers requests: called on the connection's I/O thread; must not block.
using Handler = std::function<void(const Request& request, Responder responder)>;

}  // namespace annals::http
