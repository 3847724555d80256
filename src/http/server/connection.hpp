#pragma once
// Connection: one client's socket, and the coroutine that reads its requests, has them answered one at a time and in
// order, and writes the replies. It lives as long as the coroutine. Confined to its worker's thread.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http/server/exchange.hpp"
#include "http/server/request_parser.hpp"
#include "http/server/response_head.hpp"
#include "http/server/stream.hpp"
#include "http/server/worker.hpp"

namespace annals::http {

class Connection {
 public:
  Connection(Worker& worker, Socket socket);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Runs the coroutine, which keeps `connection` alive, up to its first wait.
  static void start(std::shared_ptr<Connection> connection);

  /// Acts when the time of the present phase is up, or the client has left whom somebody watches.
  void sweep(Duration now);
  /// Closes the connection if no request has begun; else the reply in hand will be the last.
  void drain();
  /// Breaks the connection off.
  void abort();

  /// Nothing of its client's is under way: it is idle, or has not sent a whole header, or is not through its handshake.
  [[nodiscard]] bool may_give_way() const {
    return !aborted_ && (phase_ == Phase::idle || phase_ == Phase::head || phase_ == Phase::handshake);
  }
  /// Grows from phase to phase of all connections of a worker: of two that may give way, that with the lower one has
  /// been so for longer.
  [[nodiscard]] std::uint64_t phase_number() const { return phase_number_; }
  /// A request of its client's is there, or a part of one, and has not been read yet.
  [[nodiscard]] bool has_unread_request();
  /// Sends what was put off by Worker::send_later.
  void send_gathered();
  /// The answer that was waited for has come.
  void resume();

  /// The connection's place in its worker's list.
  [[nodiscard]] std::size_t slot() const { return slot_; }
  void set_slot(std::size_t slot) { slot_ = slot; }

 private:
  /// What the connection is doing, each with a time of its own.
  enum class Phase : std::uint8_t { handshake, idle, head, body, handling, writing, streaming, lingering };

  static Coroutine<void> run(std::shared_ptr<Connection> self);
  Coroutine<void> serve();
  [[nodiscard]] Coroutine<bool> open_tls();
  /// What a look for more bytes has come to.
  enum class Reading : std::uint8_t {
    some,     ///< the parser has more
    waits,    ///< there is nothing now
    yields,   ///< there may be something, and the others are to get their turn first
    flushes,  ///< what was gathered has to be sent first, and the socket did not take it at once
    lingers,  ///< nothing is read any more
    ended,    ///< the client sends nothing more
    failed,   ///< the connection broke, or the wait was interrupted
  };
  [[nodiscard]] Reading read_on(RequestParser::Step step);
  [[nodiscard]] bool may_send_later(RequestParser::Step step) const;
  [[nodiscard]] Reading read_now();
  [[nodiscard]] Reading read_last();
  [[nodiscard]] Coroutine<bool> receive(RequestParser::Step step, Reading reading);
  [[nodiscard]] bool begin_answer();
  [[nodiscard]] Coroutine<bool> await_answer();
  [[nodiscard]] bool append_reply(Response& response, const BodyForm& form);
  [[nodiscard]] Coroutine<bool> finish_answer(Response& response, const BodyForm& form, bool gathered);
  [[nodiscard]] Coroutine<void> wait_for_answer();
  [[nodiscard]] Coroutine<bool> send(Outgoing outgoing);
  [[nodiscard]] Coroutine<bool> flush();
  [[nodiscard]] ClientStream::Sent flush_now();
  void forget_output();
  [[nodiscard]] Coroutine<bool> send_body(Response& response, const BodyForm& form);
  template <class Source>
  [[nodiscard]] Coroutine<bool> stream(Source& source, bool chunked);
  [[nodiscard]] Coroutine<void> pause(Duration delay);
  [[nodiscard]] Coroutine<void> refuse(Refusal refusal);
  [[nodiscard]] bool awaits_leave() const;
  [[nodiscard]] std::optional<Response> look_at_head();
  [[nodiscard]] Coroutine<void> refuse_leave(Response response);
  [[nodiscard]] Coroutine<void> linger();

  [[nodiscard]] bool call_handler(const Request& request);
  [[nodiscard]] Response take_answer(const Request& request);
  [[nodiscard]] Response marked(const Request& request, Response response) const;
  using Piece = Result<std::optional<std::string>>;
  [[nodiscard]] Coroutine<Piece> next_piece(BodySource& source);
  [[nodiscard]] Coroutine<Piece> next_piece(LateBodySource& source);
  template <class Ask>
  [[nodiscard]] static Piece ask_source(Ask ask);
  /// Appends the head, and the body when it is small; true when nothing of the reply is left to be sent.
  [[nodiscard]] bool gather(Response& response, const BodyForm& form);
  void prepare_request(Request& request);
  void enter(Phase phase, Duration time);
  void break_off();
  /// What the system knows of the client's side, whatever it sent before and we have not read.
  enum class Peer : std::uint8_t {
    there,
    finished,  ///< it sends nothing more, and may still read
    gone,      ///< it has reset the connection, and reads nothing more either
  };
  [[nodiscard]] Peer look_at_peer();

  Worker& worker_;
  ClientStream stream_;
  std::size_t slot_ = 0;
  RequestParser parser_;
  std::string output_;                       // replies gathered and not yet written
  std::shared_ptr<Exchange> exchange_;       // shared with whoever holds the responder
  std::move_only_function<void()> waiting_;  // resumes the coroutine that waits for an answer
  Phase phase_ = Phase::idle;
  Duration begun_{0};  // when the request in hand was put to the handler
  Duration deadline_{0};
  std::uint64_t phase_number_ = 0;
  bool has_read_ = false;  // in this turn
  bool expired_ = false;   // the phase's time is up
  bool aborted_ = false;
  bool closing_ = false;        // the reply in hand is the last
  bool continue_sent_ = false;  // 100 Continue, for the request in hand
};

}  // namespace annals::http
