#pragma once
// For tests of routes: requests put to the API without a socket. Confined to the test's thread.

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/api.hpp"
#include "projection/test_world.hpp"

namespace annals::http {

/// One request and what became of it.
class Asked final : public Responder::Target {
 public:
  void respond(Response answer) override { response = std::move(answer); }
  void dropped() override { was_dropped = true; }
  void when_client_leaves(std::move_only_function<void()> left) override { client_left = std::move(left); }
  void take_longer(Duration time) override { longer = time; }
  [[nodiscard]] int status() const { return response ? response->status : 0; }
  /// The whole body; one that comes in pieces can be read once.
  [[nodiscard]] std::string body() {
    if (!response) return "(waiting)";
    const auto* text = std::get_if<std::string>(&response->body);
    const auto* shared = std::get_if<SharedText>(&response->body);
    if (text || shared) return text ? *text : std::string(**shared);
    std::string all;
    while (const auto piece = std::get<BodySource>(response->body)().value()) all += *piece;
    return all;
  }
  [[nodiscard]] bool has(std::string_view field) const {
    return response && response->fields.find(field) != std::string::npos;
  }
  std::optional<Response> response;
  bool was_dropped = false;
  std::move_only_function<void()> client_left;
  Duration longer{0};
};

/// The API over a store in memory, on executors that are stepped by hand.
class ApiTest : public testing::Test {
 protected:
  void open(model::Consistency consistency = model::Consistency::live, ApiOptions options = {}) {
    model::Model config = model::Model::kv("config", {"/config"});
    config.consistency = consistency;
    engine = std::make_unique<engine::Engine>(std::vector{config}, *store, world.platform(), background,
                                              engine::EngineOptions{});
    ASSERT_TRUE(engine->start([] {}));
    background.run_ready();
    api = make_api(*engine, options);
  }
  std::shared_ptr<Asked> ask(Method method, const std::string& target, std::vector<Field> fields = {},
                             std::string_view body = {}) {
    Request request;
    request.fields = std::move(fields);
    request.body = body;
    request.method = method;
    request.method_text = to_string(method);
    request.target = target;
    const std::size_t mark = target.find('?');
    request.path = std::string_view(target).substr(0, mark);
    if (mark != std::string::npos) request.query = std::string_view(target).substr(mark + 1);
    request.home = home_of_requests;
    const auto asked = std::make_shared<Asked>();
    api(request, Responder(asked));
    return asked;
  }
  void run() {
    background.run_ready();
    home.run_ready();
  }
  [[nodiscard]] std::string cursor(std::uint64_t position) const { return store->cursor(Position{position}).to_text(); }

  projection::TestWorld world;
  platform::SteppedExecutor background{world.clock};
  platform::SteppedExecutor home{world.clock};
  platform::Executor* home_of_requests = &home;
  std::unique_ptr<projection::ControlledStore> store = std::make_unique<projection::ControlledStore>(world.platform());
  std::unique_ptr<engine::Engine> engine;
  Handler api;
};

}  // namespace annals::http
