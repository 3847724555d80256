#pragma once
// Response: what goes out. The server adds Date, Content-Length or Transfer-Encoding, Connection and X-Request-Id.
// A value, moved once.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/result.hpp"
#include "base/shared_text.hpp"
#include "http/characters.hpp"
#include "http/request.hpp"

namespace annals::http {

/// Yields the next piece of a long body, or nullopt at its end. Called on the connection's I/O thread, once the piece
/// before has been handed to the socket. After an Error the connection is broken off, so that the client sees that the
/// body is not whole. An empty piece says that there is nothing yet: the source is asked again some 50 ms later, unless
/// the client has left or the server drains; then too the connection ends without the body's end.
using BodySource = std::move_only_function<Result<std::optional<std::string>>()>;

/// Takes a piece of a body, exactly once, from any thread. When it is destroyed without one, the connection is broken
/// off.
class PieceTaker {
 public:
  class Target {
   public:
    virtual ~Target() = default;
    virtual void take(Result<std::optional<std::string>> piece) = 0;
    virtual void piece_dropped() = 0;
    [[nodiscard]] virtual bool piece_wanted() const = 0;
  };
  explicit PieceTaker(std::shared_ptr<Target> target)
      : target_(std::move(target)) {}  // shared with the connection, which may end first
  PieceTaker(PieceTaker&&) = default;
  PieceTaker& operator=(PieceTaker&&) = delete;
  ~PieceTaker() {
    if (target_) target_->piece_dropped();
  }

  /// As what a BodySource gives.
  void give(Result<std::optional<std::string>> piece) { std::exchange(target_, nullptr)->take(std::move(piece)); }
  /// As Responder::wanted.
  [[nodiscard]] bool wanted() const { return target_->piece_wanted(); }
  /// As Responder::interest.
  [[nodiscard]] std::function<bool()> interest() const {
    return [target = target_] { return target->piece_wanted(); };
  }

 private:
  std::shared_ptr<Target> target_;
};

/// As BodySource, for pieces that are made when there is a turn for them, or on another thread: called on the
/// connection's I/O thread, and gives the piece inside the call or later. The connection is broken off when that takes
/// longer than the server's request_timeout.
using LateBodySource = std::move_only_function<void(PieceTaker)>;

/// The name of a field of a reply: a token, which is seen when it is compiled.
class FieldName {
 public:
  template <std::size_t size>
  consteval FieldName(const char (&name)[size]) : text_(name, size - 1) {
    if (!is_token(text_)) throw "a field's name is a token";  // what a constant expression must not come to
  }
  [[nodiscard]] std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

struct Response {
  int status = 200;
  std::string_view content_type;  ///< static text; empty for a reply without a body
  std::string fields;             ///< further fields, each `Name: value\r\n`; see `add`
  /// Text of our own, text shared with a read table (not copied), or a source of either kind (sent chunked).
  std::variant<std::string, SharedText, BodySource, LateBodySource> body;

  // For counting.
  std::uint8_t route = 0;      ///< which of the handler's routes answered, from 1; 0: none
  std::string problem_code{};  ///< of a problem: its code

  /// Appends a field. `value` must be free of control characters: INVARIANT.
  void add(FieldName name, std::string_view value);
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
    virtual void respond(Response&& response) = 0;
    virtual void dropped() = 0;
    /// See Responder::when_client_leaves. A target that has no client to lose never calls it.
    virtual void when_client_leaves(std::move_only_function<void()> left) { (void)left; }
    /// See Responder::take_longer. A target without a time for answers has none to add to.
    virtual void take_longer(Duration time) { (void)time; }
    /// See Responder::wanted.
    [[nodiscard]] virtual bool wanted() const { return true; }
  };
  explicit Responder(std::shared_ptr<Target> target)
      : target_(std::move(target)) {}  // shared with the connection, which may end first
  Responder(Responder&&) = default;
  Responder& operator=(Responder&&) = default;
  ~Responder() {
    if (target_) target_->dropped();
  }

  void send(Response&& response) {
    const auto target = std::move(target_);
    target_ = nullptr;
    target->respond(std::move(response));
  }

  /// Calls `left`, once and on the connection's I/O thread, some time after the client has closed its side of the
  /// connection, unless the answer came before: for a wait that nobody may be waiting for any more. An answer is still
  /// owed, because a client may close only the side on which it sends. To be called on that thread; `left` must not
  /// keep this responder alive.
  void when_client_leaves(std::move_only_function<void()> left) { target_->when_client_leaves(std::move(left)); }

  /// The answer may take this much longer than the server gives others: for waits that the client asked for. To be
  /// called on the connection's I/O thread, before the handler returns.
  void take_longer(Duration time) { target_->take_longer(time); }

  /// False once nobody waits for the answer any more: its time is over, the client has reset the connection (one that
  /// has only closed its side is still owed it), or the server has broken it off. Long work looks from time to time and
  /// then lets go of the responder. From any thread.
  [[nodiscard]] bool wanted() const { return target_->wanted(); }
  /// `wanted` for as long as its holder likes, also once the answer was sent or this has been moved on.
  [[nodiscard]] std::function<bool()> interest() const {
    return [target = target_] { return target->wanted(); };
  }

 private:
  std::shared_ptr<Target> target_;
};

/// Answers requests: called on the connection's I/O thread; must not block. Copies share what the functions share.
class Handler {
 public:
  using Answer = std::function<void(const Request& request, Responder responder)>;
  /// Adds what every reply to `request` has to one that the server makes in the handler's place: the body was too
  /// large, came too late or not whole, or no answer came in time. The head is whole and good; the body is not there.
  using Mark = std::function<void(const Request& request, Response& reply)>;
  /// The refusal of a request for what its head says, if that is enough; nothing else is done. Asked when the client
  /// waits for leave to send the body (Expect: 100-continue), so that it need not send what would be thrown away.
  using Look = std::function<std::optional<Response>(const Request& request)>;

  Handler() = default;
  template <class Callable>
    requires(!std::is_same_v<Callable, Handler> && std::is_invocable_v<const Callable&, const Request&, Responder>)
  Handler(Callable answer) : answer_(std::move(answer)) {}
  Handler(Answer answer, Mark mark, Look look = {})
      : answer_(std::move(answer)), mark_(std::move(mark)), look_(std::move(look)) {}

  explicit operator bool() const { return static_cast<bool>(answer_); }
  void operator()(const Request& request, Responder responder) const { answer_(request, std::move(responder)); }
  void mark(const Request& request, Response& reply) const {
    if (mark_) mark_(request, reply);
  }
  [[nodiscard]] std::optional<Response> look(const Request& request) const {
    return look_ ? look_(request) : std::nullopt;
  }

 private:
  Answer answer_;
  Mark mark_;
  Look look_;
};

}  // namespace annals::http
