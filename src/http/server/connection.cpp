#include "http/server/connection.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <charconv>

#include "base/invariant.hpp"
#include "http/problem.hpp"

namespace annals::http {
namespace {

namespace asio = boost::asio;

constexpr std::size_t gathered_bytes_max = 64u << 10;    // replies to pipelined requests that one write carries
constexpr std::size_t copied_body_bytes_max = 8u << 10;  // a larger body is handed to the socket from where it lies
constexpr std::size_t kept_output_bytes_max = 16u << 10;
constexpr int unsent_bytes_max =
    256 << 10;  // that the system keeps for a slow reader; by itself it would keep megabytes
constexpr std::size_t progress_bytes = 64u << 10;  // what a slow reader must take within request_timeout
constexpr Duration linger_time = std::chrono::seconds(1);
constexpr Duration stream_poll_interval = std::chrono::milliseconds(50);
constexpr std::string_view continue_reply = "HTTP/1.1 100 Continue\r\n\r\n";

std::string_view body_text(const Response& response) {
  if (const auto* text = std::get_if<std::string>(&response.body)) return *text;
  const auto* shared = std::get_if<SharedText>(&response.body);
  return shared != nullptr ? **shared : std::string_view{};
}

}  // namespace

Connection::Connection(Worker& worker, Socket socket)
    : worker_(worker),
      stream_(worker, std::move(socket)),
      parser_(worker.shared().limits, &worker.shared().bodies),
      exchange_(std::make_shared<Exchange>(worker)) {}

void Connection::start(std::shared_ptr<Connection> connection) {
  const auto executor = connection->worker_.io().get_executor();
  asio::co_spawn(executor, run(std::move(connection)), asio::detached);
}

Coroutine<void> Connection::run(std::shared_ptr<Connection> self) {
  try {
    co_await self->serve();
  } catch (const std::exception& exception) {
    self->worker_.shared().platform.log.error("A connection ended in an exception.", {{"exception", exception.what()}});
  } catch (...) {
    self->worker_.shared().platform.log.error("A connection ended in something that is no exception.");
  }
  (void)self->exchange_->abandon();
  self->stream_.close();
  self->worker_.remove(*self);
}

Coroutine<void> Connection::serve() {
  ::setsockopt(stream_.descriptor(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_bytes_max, sizeof unsent_bytes_max);
  if (worker_.shared().has_tls) {
    const bool opened = co_await open_tls();
    if (!opened) co_return;
  }
  enter(Phase::idle, worker_.shared().options.idle_timeout);
  for (;;) {
    const RequestParser::Step step = parser_.advance();
    if (step == RequestParser::Step::refused) {
      if (parser_.refusal().status != 503) worker_.count_refused_malformed();
      co_await refuse(parser_.refusal());
      co_return;
    }
    if (step == RequestParser::Step::complete) {
      if (!begin_answer()) {
        const bool answered = co_await await_answer();
        if (!answered) co_return;
      }
      Response response = take_answer(parser_.request());
      const BodyForm form = body_form(response, parser_.request().method == Method::head, parser_.framing().http_1_0);
      const bool gathered = append_reply(response, form);
      if (!gathered || closing_) {
        const bool goes_on = co_await finish_answer(response, form, gathered);
        if (!goes_on) co_return;
      }
      parser_.next();
      if (output_.size() < gathered_bytes_max) continue;
      const bool flushed = co_await flush();
      if (!flushed) co_return;
      continue;
    }
    if (step == RequestParser::Step::body && awaits_leave()) {
      std::optional<Response> refusal = look_at_head();
      if (refusal) {
        co_await refuse_leave(*std::move(refusal));
        co_return;
      }
    }
    Reading reading = read_on(step);
    while (reading == Reading::waits) {
      const bool ready = co_await stream_.wait_to_receive();
      if (aborted_) co_return;
      has_read_ = false;
      reading = ready ? read_on(step) : read_last();
    }
    if (reading == Reading::some) continue;
    const bool goes_on = co_await receive(step, reading);
    if (!goes_on) co_return;
  }
}

/// False when the connection is over.
Coroutine<bool> Connection::open_tls() {
  enter(Phase::handshake, worker_.shared().options.header_timeout);
  const std::shared_ptr<const TlsContext> context = worker_.shared().tls();
  std::string reason;
  const ClientStream::Opening opening = co_await stream_.open_tls(*context, reason);
  if (aborted_ || closing_) co_return false;
  if (opening == ClientStream::Opening::encrypted) co_return true;
  if (opening == ClientStream::Opening::in_the_open) {
    worker_.count_refused_malformed();
    co_await refuse({400, "tls_required", "This port speaks HTTP over TLS only; ask it with https://."});
    co_return false;
  }
  worker_.count_failed_handshake();
  worker_.shared().platform.log.debug("A TLS handshake failed.",
                                      {{"reason", std::string_view(expired_ ? "it took too long" : reason)}});
  co_return false;
}

/// Looks once for more bytes, after sending what was gathered. No coroutine, for all requests come by here.
Connection::Reading Connection::read_on(RequestParser::Step step) {
  const ServerOptions& options = worker_.shared().options;
  if (step == RequestParser::Step::body && awaits_leave()) {
    output_ += continue_reply;
    continue_sent_ = true;
  }
  if (!output_.empty() && !may_send_later(step)) {
    const ClientStream::Sent sent = flush_now();
    if (sent == ClientStream::Sent::some) return Reading::flushes;
    if (sent == ClientStream::Sent::failed) return Reading::failed;
  }
  if (step == RequestParser::Step::between && worker_.draining()) {
    // What had arrived before is still answered.
    const ClientStream::Received there = stream_.receive_now(parser_.room());
    parser_.arrived(there.count);
    return there.count > 0 ? Reading::some : Reading::lingers;
  }
  // The time of a head counts from its first byte, that of a body from the end of its head; neither begins anew with a
  // further byte.
  if (step == RequestParser::Step::head && phase_ != Phase::head) enter(Phase::head, options.header_timeout);
  if (step == RequestParser::Step::body && phase_ != Phase::body) enter(Phase::body, options.request_timeout);
  if (step == RequestParser::Step::between && phase_ != Phase::idle) enter(Phase::idle, options.idle_timeout);
  if (!stream_.may_receive()) {
    if (!output_.empty()) worker_.send_later(*this);
    return Reading::waits;
  }
  // Who sends without a pause must not keep the others waiting.
  if (has_read_) return Reading::yields;
  has_read_ = true;
  return read_now();
}

/// True when nothing is to be done but to wait for the next request, and others were ready together with this one.
bool Connection::may_send_later(RequestParser::Step step) const {
  return step == RequestParser::Step::between && worker_.ready_list().tells_several() && !stream_.may_receive() &&
         !worker_.draining();
}

/// What the socket does not take is left to the coroutine, which waits for the next request.
void Connection::send_gathered() {
  if (flush_now() != ClientStream::Sent::all) stream_.wake();
}

Connection::Reading Connection::read_now() {
  const ClientStream::Received received = stream_.receive_now(parser_.room());
  switch (received.outcome) {
    case ClientStream::Outcome::some: parser_.arrived(received.count); return Reading::some;
    case ClientStream::Outcome::none: return Reading::waits;
    case ClientStream::Outcome::ended: return Reading::ended;
    case ClientStream::Outcome::failed: break;
  }
  return Reading::failed;
}

/// When the wait was interrupted. If `drain` did it, what had arrived before is still answered.
Connection::Reading Connection::read_last() {
  const Reading reading = worker_.draining() && !expired_ ? read_now() : Reading::failed;
  return reading == Reading::waits ? Reading::failed : reading;
}

/// Does what `reading` asks for. False when the connection is over.
Coroutine<bool> Connection::receive(RequestParser::Step step, Reading reading) {
  if (reading == Reading::flushes) {
    const bool flushed = co_await flush();
    co_return flushed;
  }
  if (reading == Reading::lingers) {
    co_await linger();
    co_return false;
  }
  if (reading == Reading::yields) {
    co_await asio::post(worker_.io().get_executor(), use_at_once);
    has_read_ = false;
    if (aborted_) co_return false;
    if (!expired_) co_return true;
  }
  if (expired_ && phase_ == Phase::head) {
    co_await refuse({408, "request_timeout", "The head of the request did not arrive in time."});
  } else if (expired_ && phase_ == Phase::body) {
    parser_.describe_head();
    co_await refuse({408, "request_timeout", "The body of the request did not arrive in time."});
  } else if (reading == Reading::ended && step != RequestParser::Step::between) {
    // It may have closed only the side on which it sends, and still read.
    if (parser_.has_head()) parser_.describe_head();
    co_await refuse({400, "incomplete_request", "The request ends before it is whole."});
  } else if (step == RequestParser::Step::between && stream_.is_encrypted()) {
    stream_.finish_sending();  // in the open the end speaks for itself
  }
  co_return false;
}

/// Puts the complete request to the handler: true when that has answered at once. Neither this nor what follows is a
/// coroutine, as long as nothing has to be waited for: a GET out of memory comes by here.
bool Connection::begin_answer() {
  Request& request = parser_.request();
  worker_.count_request();
  begun_ = worker_.shared().platform.clock.monotonic();
  phase_ = Phase::handling;
  continue_sent_ = false;
  closing_ = !parser_.framing().keep_alive || worker_.draining();
  prepare_request(request);
  return call_handler(request);
}

/// Waits for the answer of a handler that did not answer at once. False when the connection is over.
Coroutine<bool> Connection::await_answer() {
  if (!output_.empty()) {
    const bool flushed = co_await flush();
    if (!flushed) co_return false;
  }
  enter(Phase::handling, worker_.shared().options.request_timeout + exchange_->longer());
  co_await wait_for_answer();
  if (aborted_) co_return false;
  closing_ = closing_ || worker_.draining();
  has_read_ = false;
  co_return true;
}

/// Appends the reply's head to the output, and its body when that is small: true when nothing of the reply is left to
/// be sent after the output.
bool Connection::append_reply(Response& response, const BodyForm& form) {
  const Request& request = parser_.request();
  worker_.metrics().record(response, worker_.shared().platform.clock.monotonic() - begun_);
  if (form.framing == BodyForm::Framing::to_close && form.sent) closing_ = true;
  const ConnectionSaying saying = closing_                     ? ConnectionSaying::close
                                  : parser_.framing().http_1_0 ? ConnectionSaying::keep_alive
                                                               : ConnectionSaying::nothing;
  append_head(output_, response, form, saying, worker_.date().at(request.received_at), request.request_id);
  return gather(response, form);
}

/// Has the complete request answered. False when the connection is over.
Coroutine<bool> Connection::finish_answer(Response& response, const BodyForm& form, bool gathered) {
  if (!gathered) {
    const bool sent = co_await send_body(response, form);
    if (!sent) co_return false;
  }
  if (!closing_) co_return true;
  const bool flushed = co_await flush();
  if (flushed) co_await linger();
  co_return false;
}

void Connection::prepare_request(Request& request) {
  request.received_at = worker_.shared().platform.clock.now();
  request.home = &worker_.executor();
  request.alone = worker_.shared().connections.load(std::memory_order_relaxed) == 1;
  worker_.identities().identify(request);
}

/// True when the handler has answered at once.
bool Connection::call_handler(const Request& request) {
  // Whoever still holds the exchange of an earlier request keeps it; its answer is nobody's any more.
  if (exchange_.use_count() > 1) exchange_ = std::make_shared<Exchange>(worker_);
  exchange_->begin(*this);
  if (request.target == "*") {
    Responder(exchange_).send({.status = 204, .content_type = {}, .fields = {}, .body = {}});
    return true;
  }
  if (!request.target.starts_with('/')) {
    // A CONNECT. What follows it may be meant for the other end of a tunnel, and must not be read as requests.
    closing_ = true;
    Response response = problem(request, 405, "method_not_allowed", "This server is no proxy and makes no tunnels.");
    response.add("Allow", "");
    Responder(exchange_).send(std::move(response));
    return true;
  }
  std::string_view what = "something that is no exception";
  std::string text;
  try {
    worker_.shared().handler(request, Responder(exchange_));
    return exchange_->is_answered();
  } catch (const std::exception& exception) {
    text = exception.what();
    what = text;
  } catch (...) {
  }
  write_log(worker_.shared().platform.log, LogLevel::error, "A handler threw an exception; the client gets 500.",
            request.trace, request.request_id, {{"exception", what}});
  closing_ = true;
  // It may have kept the responder; then its answer must find nobody.
  (void)exchange_->abandon();
  exchange_ = std::make_shared<Exchange>(worker_);
  exchange_->begin(*this);
  Responder(exchange_).send(marked(request, problem(request, Error(ErrorKind::internal, std::string(what)))));
  return true;
}

/// No coroutine itself: the one that asio makes of it will do.
Coroutine<void> Connection::wait_for_answer() {
  return asio::async_initiate<const UseCoroutine, void()>(
      [this](auto handler) {
        waiting_ = std::move(handler);
        if (!exchange_->wait()) asio::post(worker_.io(), [this] { resume(); });
      },
      UseCoroutine{});
}

void Connection::resume() {
  auto handler = std::move(waiting_);
  waiting_ = nullptr;
  handler();  // the connection may be gone after this
}

/// The reply to send: the handler's, or a problem when there is none.
Response Connection::take_answer(const Request& request) {
  if (!exchange_->is_answered()) {
    // What a write does is unknown and may still come, so nothing may follow it on this connection.
    closing_ = true;
    const bool reads = request.method == Method::get || request.method == Method::head;
    return marked(request, problem(request, 503, "request_timeout",
                                   reads ? "The request was not answered in time. It only reads: ask again."
                                         : "The request was not answered in time. Whether it has taken effect is not "
                                           "known."));
  }
  if (exchange_->end()) return exchange_->take_response();
  write_log(worker_.shared().platform.log, LogLevel::error,
            "A request was dropped without an answer; the client gets 500.", request.trace, request.request_id);
  closing_ = true;
  return marked(request, problem(request, Error(ErrorKind::internal, "dropped")));
}

/// A reply of the server's own, with what the handler adds to every one.
Response Connection::marked(const Request& request, Response response) const {
  worker_.shared().handler.mark(request, response);
  return response;
}

bool Connection::gather(Response& response, const BodyForm& form) {
  if (!form.sent) return true;
  if (form.framing != BodyForm::Framing::length || form.length > copied_body_bytes_max) return false;
  output_ += body_text(response);
  return true;
}

Coroutine<bool> Connection::send_body(Response& response, const BodyForm& form) {
  const bool chunked = form.framing == BodyForm::Framing::chunked;
  if (auto* source = std::get_if<BodySource>(&response.body)) co_return co_await stream(*source, chunked);
  if (auto* source = std::get_if<LateBodySource>(&response.body)) co_return co_await stream(*source, chunked);
  const bool sent = co_await send({{output_, body_text(response)}});
  output_.clear();
  co_return sent;
}

/// What a call into a source gives; an Error when it throws.
template <class Ask>
Connection::Piece Connection::ask_source(Ask ask) {
  try {
    return ask();
  } catch (const std::exception& exception) {
    return fail(ErrorKind::internal, exception.what());
  } catch (...) {
    return fail(ErrorKind::internal, "the source threw something that is no exception");
  }
}

Coroutine<Connection::Piece> Connection::next_piece(BodySource& source) {
  co_return ask_source([&] { return source(); });
}

Coroutine<Connection::Piece> Connection::next_piece(LateBodySource& source) {
  exchange_->begin(*this);
  Piece asked = ask_source([&]() -> Piece {
    source(PieceTaker(exchange_));
    return std::nullopt;
  });
  if (!asked) {
    (void)exchange_->abandon();
    co_return asked;
  }
  if (!exchange_->is_answered()) {
    enter(Phase::streaming, worker_.shared().options.request_timeout);
    co_await wait_for_answer();
    if (!exchange_->is_answered()) co_return fail(ErrorKind::timed_out, "a piece of it did not come in time");
    enter(Phase::streaming, Duration::max());
  }
  co_return exchange_->take_piece();
}

template <class Source>
Coroutine<bool> Connection::stream(Source& source, bool chunked) {
  enter(Phase::streaming, Duration::max());
  for (;;) {
    const Piece piece = co_await next_piece(source);
    if (aborted_) co_return false;
    if (!piece) {
      write_log(worker_.shared().platform.log, LogLevel::warning,
                "A reply was broken off, because its body could not be read to the end.", parser_.request().trace,
                parser_.request().request_id, {{"error", piece.error().message}});
      break_off();
      co_return false;
    }
    if (!piece->has_value()) break;
    const std::string& text = **piece;
    if (chunked && !text.empty()) {
      char digits[16];
      const auto written = std::to_chars(digits, digits + sizeof digits, text.size(), 16);
      output_.append(digits, written.ptr).append("\r\n");
    }
    const bool sent = co_await send({{output_, text, chunked && !text.empty() ? "\r\n" : ""}});
    output_.clear();
    if (!sent) co_return false;
    if (text.empty()) {
      // Nothing yet: the source is asked again a little later, unless nobody listens or the server goes down.
      enter(Phase::streaming, Duration::max());
      if (worker_.draining() && !chunked) break_off();
      if (worker_.draining() || look_at_peer() != Peer::there) co_return false;
      co_await pause(stream_poll_interval);
    } else if constexpr (std::is_same_v<Source, BodySource>) {
      // What a piece costs only the source knows, so each is a turn, and the other connections get theirs. A late one
      // sees to that itself.
      co_await asio::post(worker_.io().get_executor(), use_at_once);
    }
    if (aborted_) co_return false;
  }
  if (worker_.draining()) closing_ = true;
  if (chunked) output_ += "0\r\n\r\n";
  co_return true;
}

Coroutine<void> Connection::pause(Duration delay) {
  Timer timer(worker_.io().get_executor());
  timer.expires_after(delay);
  co_await timer.async_wait(use_result);
}

Connection::Peer Connection::look_at_peer() {
  pollfd look{stream_.descriptor(), POLLRDHUP, 0};
  if (::poll(&look, 1, 0) <= 0) return Peer::there;
  return (look.revents & (POLLERR | POLLHUP)) != 0 ? Peer::gone : Peer::finished;
}

/// Writes all of `outgoing`. False when the connection is over.
Coroutine<bool> Connection::send(Outgoing outgoing) {
  ClientStream::Sent sent = stream_.send_now(outgoing, worker_.waste());
  std::size_t due = outgoing.size();  // when no more than this is left, the time begins anew
  while (sent == ClientStream::Sent::some) {
    if (outgoing.size() <= due) {
      enter(Phase::writing, worker_.shared().options.request_timeout);
      due = outgoing.size() - std::min(outgoing.size(), progress_bytes);
    }
    const bool ready = co_await stream_.wait_to_send();
    if (!ready || aborted_) co_return false;
    sent = stream_.send_now(outgoing, worker_.waste());
  }
  co_return sent == ClientStream::Sent::all;
}

Coroutine<bool> Connection::flush() {
  const bool sent = co_await send({{output_}});
  forget_output();
  co_return sent;
}

/// Writes what the socket takes at once of what was gathered; after `some` the rest is for `flush`.
ClientStream::Sent Connection::flush_now() {
  Outgoing outgoing{{output_}};
  const ClientStream::Sent sent = stream_.send_now(outgoing, worker_.waste());
  if (sent == ClientStream::Sent::all) {
    forget_output();
  } else {
    output_.erase(0, output_.size() - outgoing.size());
  }
  return sent;
}

void Connection::forget_output() {
  output_.clear();
  if (output_.capacity() > kept_output_bytes_max) output_.shrink_to_fit();
}

/// Answers what is not answered by the handler, as the last reply.
Coroutine<void> Connection::refuse(Refusal refusal) {
  Request& request = parser_.request();
  prepare_request(request);
  Response response = problem(request, refusal.status, refusal.code, refusal.detail);
  if (parser_.has_head()) response = marked(request, std::move(response));
  worker_.metrics().record(response, Duration{0});
  const BodyForm form = body_form(response, request.method == Method::head, false);
  append_head(output_, response, form, ConnectionSaying::close, worker_.date().at(request.received_at),
              request.request_id);
  if (form.sent) output_ += body_text(response);
  const bool flushed = co_await flush();
  if (flushed) co_await linger();
}

/// The client sends the body once it is told to go on.
bool Connection::awaits_leave() const {
  return parser_.framing().expects_continue && !continue_sent_ && !parser_.body_begun();
}

/// What the handler refuses for its head alone.
std::optional<Response> Connection::look_at_head() {
  parser_.describe_head();
  Request& request = parser_.request();
  prepare_request(request);
  begun_ = worker_.shared().platform.clock.monotonic();
  request.body = {};
  request.body_is_to_come = true;
  std::optional<Response> refusal;
  try {
    refusal = worker_.shared().handler.look(request);
  } catch (...) {
    // The answer to the whole request will tell.
  }
  request.body_is_to_come = false;
  return refusal;
}

/// In the place of leave to send the body. Whether the client sends it all the same nobody knows, so nothing that comes
/// is taken for a request (RFC 9110 section 10.1.1).
Coroutine<void> Connection::refuse_leave(Response response) {
  worker_.count_request();
  closing_ = true;
  const BodyForm form = body_form(response, parser_.request().method == Method::head, parser_.framing().http_1_0);
  const bool gathered = append_reply(response, form);
  (void)co_await finish_answer(response, form, gathered);
}

/// Closes our side and reads what still comes, for a while: closing at once with bytes unread would reset the
/// connection, and the client might never see the reply.
Coroutine<void> Connection::linger() {
  stream_.finish_sending();
  parser_.discard();
  enter(Phase::lingering, linger_time);
  while (!expired_ && !aborted_) {
    const ClientStream::Outcome outcome = stream_.receive_waste(worker_.waste()).outcome;
    if (outcome == ClientStream::Outcome::some) {
      co_await asio::post(worker_.io().get_executor(), use_at_once);
    } else if (outcome == ClientStream::Outcome::none) {
      const bool ready = co_await stream_.wait_for_waste();
      if (!ready) co_return;
    } else {
      co_return;
    }
  }
}

void Connection::enter(Phase phase, Duration time) {
  phase_ = phase;
  phase_number_ = worker_.next_phase_number();
  expired_ = false;
  // What `coarse_now` is late by is added, so that no time is cut short.
  deadline_ = time == Duration::max() ? time : worker_.coarse_now() + time + worker_.sweep_interval();
}

void Connection::sweep(Duration now) {
  const Peer peer = waiting_ ? look_at_peer() : Peer::there;
  if (peer != Peer::there && exchange_->watches_client()) exchange_->client_has_left();
  // Nobody is left to take the answer, so whoever works on it may stop.
  if (peer == Peer::gone) return abort();
  if (now < deadline_) return;
  expired_ = true;
  deadline_ = Duration::max();
  if (waiting_) {
    if (exchange_->abandon()) resume();
    return;
  }
  stream_.cancel();
}

bool Connection::has_unread_request() {
  pollfd look{stream_.descriptor(), POLLIN, 0};
  return phase_ == Phase::idle && ::poll(&look, 1, 0) > 0;
}

void Connection::drain() {
  closing_ = true;
  if (phase_ == Phase::idle || phase_ == Phase::handshake) stream_.cancel();
}

void Connection::abort() {
  aborted_ = true;
  stream_.close();
  if (waiting_ && exchange_->abandon()) resume();
}

/// Ends the connection so that the client cannot take what it has for the whole.
void Connection::break_off() {
  const ::linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(stream_.descriptor(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  stream_.close();
}

}  // namespace annals::http
