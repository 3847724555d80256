#pragma once
// Exchange: where the answer to one request is left, by any thread, for the connection that asked; and after it, one at
// a time, the pieces of its body that come late. It outlives the connection when the connection gives up first.
//
// What Responder and PieceTaker call from any thread is thread-safe; all else belongs to the worker's thread.

#include <atomic>
#include <memory>

#include "http/response.hpp"

namespace annals::http {

class Connection;
class Worker;

class Exchange final : public Responder::Target,
                       public PieceTaker::Target,
                       public std::enable_shared_from_this<Exchange> {
 public:
  explicit Exchange(Worker& worker) : worker_(worker) {}

  void respond(Response&& response) override;
  void dropped() override;
  void when_client_leaves(std::move_only_function<void()> left) override { left_ = std::move(left); }

  void take_longer(Duration time) override { longer_ += time; }
  [[nodiscard]] bool wanted() const override { return state_.load(std::memory_order_acquire) != State::abandoned; }

  void take(Result<std::optional<std::string>> piece) override;
  void piece_dropped() override { finish(State::dropped); }
  [[nodiscard]] bool piece_wanted() const override { return wanted(); }

  /// Makes ready for another request, whose exchange nobody else may hold, or for a piece of the answer's body.
  void begin(Connection& connection);

  /// True when the answer is there, or it is known that none will come.
  [[nodiscard]] bool is_answered() const;
  /// The connection wants to be resumed when the answer comes; false when it is there already.
  [[nodiscard]] bool wait();
  /// The connection waits no longer; false when the answer is there already, and the connection is about to be resumed.
  [[nodiscard]] bool abandon();
  /// Somebody wants to know when the client leaves.
  [[nodiscard]] bool watches_client() const { return left_ != nullptr; }
  /// How much longer than others the answer may take.
  [[nodiscard]] Duration longer() const { return longer_; }
  /// Tells them, once.
  void client_has_left();
  /// Lets go of the connection, once `is_answered`; false when the responder was dropped.
  [[nodiscard]] bool end();
  /// The answer, once `end` was true.
  [[nodiscard]] Response take_response() { return std::move(response_); }
  /// The piece, once `is_answered`. Errors: internal, when its taker was dropped.
  [[nodiscard]] Result<std::optional<std::string>> take_piece();

 private:
  enum class State : std::uint8_t { open, waiting, answered, dropped, abandoned };
  void finish(State state);
  [[nodiscard]] static bool is_final(State state) { return state == State::answered || state == State::dropped; }

  Worker& worker_;
  std::atomic<State> state_{State::open};
  Connection* connection_ = nullptr;
  std::move_only_function<void()> left_;
  Duration longer_{0};
  // Written before `answered`, read after.
  Response response_;
  Result<std::optional<std::string>> piece_;
};

}  // namespace annals::http
