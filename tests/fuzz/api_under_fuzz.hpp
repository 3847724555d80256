#pragma once
// For fuzzers: the whole API, from a request that has been taken apart to what a store in memory keeps, without a
// socket. The one in use is made anew now and then, so that what was recorded does not fill the memory. Confined to one
// thread.

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/invariant.hpp"
#include "http/api.hpp"
#include "http/test_request.hpp"
#include "platform/simulated.hpp"
#include "store/memory_store.hpp"
#include "tests/fuzz/silent_logger.hpp"

namespace annals::fuzz {

struct Reply {
  int status = 0;
  std::string body;
  std::string fields;  ///< each `Name: value\r\n`

  [[nodiscard]] std::string field(std::string_view name) const { return http::field_of(fields, name); }
};

class ApiUnderFuzz {
 public:
  ApiUnderFuzz() { start({}); }

  /// Stops the server and starts another over the same store.
  void restart(engine::EngineOptions options) {
    stop();
    start(std::move(options));
  }
  /// Stops the server, which writes its checkpoints where it has any.
  void stop() {
    api_ = {};
    engine_.reset();
  }

  /// The one that is in use; another after some thousand calls.
  static ApiUnderFuzz& current() {
    constexpr int calls_max = 2000;
    static std::unique_ptr<ApiUnderFuzz> api;
    static int calls = 0;
    if (!api || ++calls % calls_max == 0) {
      api.reset();
      api = std::make_unique<ApiUnderFuzz>();
    }
    return *api;
  }

  /// `target`: as of http::test_request.
  Reply ask(http::Method method, const std::string& target, std::string_view body = {},
            std::vector<http::Field> fields = {}) {
    http::Request request = http::test_request(method, target, body);
    request.fields = std::move(fields);
    request.request_id = "fuzz";
    request.received_at = clock_.now();
    request.home = &home_;
    const auto target_of_reply = std::make_shared<Kept>();
    api_(request, http::Responder(target_of_reply));
    while (background_.run_ready() + home_.run_ready() > 0) continue;
    INVARIANT(target_of_reply->response.has_value(), "every request is answered, once");
    return taken(*std::move(target_of_reply->response));
  }

  [[nodiscard]] Instant now() const { return clock_.now(); }
  void advance(Duration time) { clock_.advance(time); }
  [[nodiscard]] platform::SimulatedFileSystem& files() { return files_; }
  [[nodiscard]] const EventStore& store() const { return *store_; }

 private:
  struct Kept final : http::Responder::Target {
    void respond(http::Response&& answer) override {
      INVARIANT(!response, "no request is answered twice");
      response = std::move(answer);
    }
    void dropped() override { INVARIANT(response.has_value(), "no request is dropped"); }
    void when_client_leaves(std::move_only_function<void()>) override {}
    std::optional<http::Response> response;
  };

  struct KeptPiece final : http::PieceTaker::Target {
    void take(Result<std::optional<std::string>> given) override { piece = std::move(given); }
    void piece_dropped() override { INVARIANT(false, "no piece is dropped"); }
    [[nodiscard]] bool piece_wanted() const override { return true; }
    std::optional<Result<std::optional<std::string>>> piece;
  };

  Reply taken(http::Response response) {
    Reply reply{response.status, {}, std::move(response.fields)};
    if (auto* text = std::get_if<std::string>(&response.body)) reply.body = std::move(*text);
    if (auto* shared = std::get_if<SharedText>(&response.body); shared && *shared) reply.body = std::string(**shared);
    if (auto* source = std::get_if<http::BodySource>(&response.body)) {
      for (;;) {
        const auto piece = (*source)();
        INVARIANT(piece.has_value(), "a store in memory can be read");
        if (!*piece) break;
        reply.body += **piece;
      }
    }
    if (auto* source = std::get_if<http::LateBodySource>(&response.body)) {
      for (;;) {
        const auto kept = std::make_shared<KeptPiece>();
        (*source)(http::PieceTaker(kept));
        while (!kept->piece && background_.run_ready() + home_.run_ready() > 0) continue;
        INVARIANT(kept->piece && kept->piece->has_value(), "a store in memory can be read");
        if (!**kept->piece) break;
        reply.body += ***kept->piece;
      }
    }
    return reply;
  }

  void start(engine::EngineOptions options) {
    const std::vector models{model::Model::kv("config", {"/config"})};
    engine_ = std::make_unique<engine::Engine>(models, *store_, platform(), background_, std::move(options));
    INVARIANT(engine_->start([] {}).has_value(), "an engine over a sound store starts");
    background_.run_ready();
    api_ = http::make_api(*engine_, http::ApiOptions{});
  }

  [[nodiscard]] platform::Platform platform() { return {clock_, random_, files_, log_}; }

  platform::SimulatedClock clock_;
  platform::SimulatedRandom random_{1};
  platform::SimulatedFileSystem files_;
  SilentLogger log_;
  platform::SteppedExecutor background_{clock_};
  platform::SteppedExecutor home_{clock_};
  std::unique_ptr<EventStore> store_ = store::make_memory_store(platform());
  std::unique_ptr<engine::Engine> engine_;
  http::Handler api_;
};

}  // namespace annals::fuzz
