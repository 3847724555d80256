#include "http/server/exchange.hpp"

#include <boost/asio/post.hpp>

#include "http/server/connection.hpp"
#include "http/server/worker.hpp"

namespace annals::http {

void Exchange::respond(Response&& response) {
  response_ = std::move(response);
  finish(State::answered);
}

void Exchange::take(Result<std::optional<std::string>> piece) {
  piece_ = std::move(piece);
  finish(State::answered);
}

void Exchange::dropped() {
  finish(State::dropped);
}

void Exchange::finish(State state) {
  if (state_.exchange(state, std::memory_order_acq_rel) != State::waiting) return;
  // A connection that waits keeps its worker alive. Posted from the worker's own thread this wakes nobody; and it is
  // posted there too, so that whoever answers never finds itself inside the connection's next request.
  boost::asio::post(worker_.io(), [self = shared_from_this()] {
    if (self->connection_ != nullptr) self->connection_->resume();
  });
}

void Exchange::begin(Connection& connection) {
  connection_ = &connection;
  left_ = nullptr;
  longer_ = Duration{0};
  state_.store(State::open, std::memory_order_relaxed);
}

bool Exchange::is_answered() const {
  return is_final(state_.load(std::memory_order_acquire));
}

bool Exchange::wait() {
  State expected = State::open;
  return state_.compare_exchange_strong(expected, State::waiting, std::memory_order_acq_rel);
}

bool Exchange::abandon() {
  State seen = state_.load(std::memory_order_acquire);
  while (!is_final(seen)) {
    if (!state_.compare_exchange_weak(seen, State::abandoned, std::memory_order_acq_rel)) continue;
    connection_ = nullptr;
    left_ = nullptr;
    return true;
  }
  return false;
}

void Exchange::client_has_left() {
  auto left = std::exchange(left_, nullptr);
  if (left) left();
}

bool Exchange::end() {
  connection_ = nullptr;
  left_ = nullptr;
  return state_.load(std::memory_order_acquire) == State::answered;
}

Result<std::optional<std::string>> Exchange::take_piece() {
  connection_ = nullptr;
  if (state_.load(std::memory_order_acquire) == State::dropped) {
    return fail(ErrorKind::internal, "a piece of the body was asked for and dropped");
  }
  return std::move(piece_);
}

}  // namespace annals::http
