#pragma once
// For tests of routes: requests put to the API without a socket. Confined to the test's thread.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/api.hpp"
#include "http/test_request.hpp"
#include "projection/test_world.hpp"

namespace annals::http {

/// A piece of a body that was asked for.
class AskedPiece final : public PieceTaker::Target {
 public:
  void take(Result<std::optional<std::string>> given) override { piece = std::move(given); }
  void piece_dropped() override { was_dropped = true; }
  [[nodiscard]] bool piece_wanted() const override { return is_wanted; }
  std::optional<Result<std::optional<std::string>>> piece;
  bool was_dropped = false;
  bool is_wanted = true;
};

/// One request and what became of it.
class Asked final : public Responder::Target {
 public:
  void respond(Response&& answer) override { response = std::move(answer); }
  void dropped() override { was_dropped = true; }
  void when_client_leaves(std::move_only_function<void()> left) override { client_left = std::move(left); }
  void take_longer(Duration time) override { longer += time; }
  [[nodiscard]] bool wanted() const override { return is_wanted; }
  [[nodiscard]] int status() const { return response ? response->status : 0; }
  /// The whole body; one that comes in pieces can be read once.
  [[nodiscard]] std::string body() {
    if (!response) return "(waiting)";
    const auto* text = std::get_if<std::string>(&response->body);
    const auto* shared = std::get_if<SharedText>(&response->body);
    if (text || shared) return text ? *text : std::string(**shared);
    std::string all;
    while (const auto piece = next_piece()) all += *piece;
    return all;
  }
  /// Asks for the next piece and runs what waits until it is there.
  std::optional<std::string> next_piece() {
    if (auto* source = std::get_if<BodySource>(&response->body)) return (*source)().value();
    const auto asked = ask_for_piece();
    while (!asked->piece && !asked->was_dropped) run();
    return asked->piece.value().value();
  }
  std::shared_ptr<AskedPiece> ask_for_piece() {
    const auto asked = std::make_shared<AskedPiece>();
    std::get<LateBodySource>(response->body)(PieceTaker(asked));
    return asked;
  }
  [[nodiscard]] bool has(std::string_view field) const {
    return response && response->fields.find(field) != std::string::npos;
  }
  std::optional<Response> response;
  bool was_dropped = false;
  std::move_only_function<void()> client_left;
  Duration longer{0};
  bool is_wanted = true;
  std::function<void()> run;  ///< what waits
};

/// The API over a store in memory, on executors that are stepped by hand.
class ApiTest : public testing::Test {
 protected:
  void open(model::Consistency consistency = model::Consistency::live, ApiOptions options = {}) {
    model::Model config = model::Model::kv("config", {"/config"});
    config.consistency = consistency;
    engine =
        std::make_unique<engine::Engine>(std::vector{config}, *store, world.platform(), background, engine_options);
    ASSERT_TRUE(engine->start([] {}));
    background.run_ready();
    api = make_api(*engine, options);
  }
  std::shared_ptr<Asked> ask(Method method, const std::string& target, std::vector<Field> fields = {},
                             std::string_view body = {}) {
    Request request = test_request(method, target, body);
    request.fields = std::move(fields);
    request.home = home_of_requests;
    const auto asked = std::make_shared<Asked>();
    asked->run = [this] { run(); };
    api(request, Responder(asked));
    return asked;
  }
  virtual void run() {
    background.run_ready();
    home.run_ready();
  }
  [[nodiscard]] std::string cursor(std::uint64_t position) const { return store->cursor(Position{position}).to_text(); }

  projection::TestWorld world;
  platform::SteppedExecutor background{world.clock};
  platform::SteppedExecutor home{world.clock};
  platform::Executor* home_of_requests = &home;
  std::unique_ptr<projection::ControlledStore> store = std::make_unique<projection::ControlledStore>(world.platform());
  engine::EngineOptions engine_options;
  std::unique_ptr<engine::Engine> engine;
  Handler api;
};

}  // namespace annals::http
