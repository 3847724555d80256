#pragma once
// For tests: a writer over a controlled store, stepped by hand. Confined to the test's thread.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/writer.hpp"
#include "projection/test_world.hpp"

namespace annals::engine {

using projection::ControlledStore;
using projection::TestWorld;

[[nodiscard]] inline model::Model kv(const std::string& name,
                                     model::Consistency consistency = model::Consistency::live) {
  model::Model model = model::Model::kv(name, {"/" + name});
  model.consistency = consistency;
  return model;
}

[[nodiscard]] inline WriteRequest set_request(const std::string& key, const std::string& value,
                                              std::optional<std::uint64_t> if_match = std::nullopt) {
  WriteRequest request;
  request.command.operation = model::Operation::set;
  request.command.key = key;
  request.command.value = SharedText(value);
  if (if_match)
    request.command.precondition = {model::Precondition::Rule::version_is_one_of, {StreamVersion{*if_match}}};
  request.actor = "anonymous";
  return request;
}

[[nodiscard]] inline WriteRequest remove_request(const std::string& key) {
  WriteRequest request;
  request.command.operation = model::Operation::remove;
  request.command.key = key;
  request.actor = "anonymous";
  return request;
}

/// The same request under an idempotency key; `body` is what makes requests the same.
[[nodiscard]] inline WriteRequest with_key(WriteRequest request, std::string_view key, std::string_view body) {
  request.idempotency = Idempotency{digest_of({key}), digest_of({body})};
  return request;
}

/// What became of a request, in one line: "3" (version), "3 replayed", or the error's code.
[[nodiscard]] inline std::string to_text(const Result<Receipt>& answer) {
  if (!answer) return answer.error().code;
  return to_string(answer->version) + (answer->replayed ? " replayed" : "");
}

class WriterUnderTest {
 public:
  explicit WriterUnderTest(TestWorld& world, ControlledStore& store, WriterOptions options = {},
                           model::Consistency consistency = model::Consistency::live)
      : WriterUnderTest(world, store, std::move(options), kv("config", consistency)) {}
  WriterUnderTest(TestWorld& world, ControlledStore& store, WriterOptions options, model::Model model)
      : WriterUnderTest(world, store, std::move(options), std::vector<model::Model>{std::move(model)}) {}
  WriterUnderTest(TestWorld& world, ControlledStore& store, WriterOptions options, std::vector<model::Model> models)
      : world_(world),
        models_(std::move(models)),
        feeds_(make_feeds(models_, store, world)),
        writer_(store, pointers(feeds_), world.platform(), following(std::move(options), world)) {
    if (!writer_.load()) std::abort();
    for (const auto& feed : feeds_) feed->start([] {});
    world_.executor.run_ready();
  }

  /// Hands a request in and gives the place of its answer, which is there once the executor has run.
  std::size_t submit(WriteRequest request) {
    const std::size_t place = answers_.size();
    answers_.emplace_back();
    writer_.submit(std::move(request), world_.executor, [this, place](Result<Receipt> answer) {
      if (answers_[place]) std::abort();  // answered twice
      answers_[place] = std::move(answer);
      order_.push_back(place);
    });
    return place;
  }
  /// Hands it in and sees it through.
  std::string write(WriteRequest request) {
    const std::size_t place = submit(std::move(request));
    world_.executor.run_ready();
    return text(place);
  }
  [[nodiscard]] const std::optional<Result<Receipt>>& answer(std::size_t place) const { return answers_[place]; }
  [[nodiscard]] std::string text(std::size_t place) const {
    return answers_[place] ? to_text(*answers_[place]) : "(waiting)";
  }
  [[nodiscard]] std::string texts() const {
    std::string all;
    for (std::size_t place = 0; place < answers_.size(); ++place) all += (place == 0 ? "" : ", ") + text(place);
    return all;
  }
  [[nodiscard]] const std::vector<std::size_t>& order() const { return order_; }
  [[nodiscard]] std::string value(std::string_view key, std::size_t model = 0) const {
    const auto record = feeds_[model]->table().get(key).value();
    return record.exists() ? std::string(*record.value) : "(none)";
  }
  Writer& operator*() { return writer_; }
  Writer* operator->() { return &writer_; }
  projection::TableFeed& feed(std::size_t model = 0) { return *feeds_[model]; }

 private:
  using Feeds = std::vector<std::unique_ptr<projection::TableFeed>>;

  static Feeds make_feeds(const std::vector<model::Model>& models, ControlledStore& store, TestWorld& world) {
    Feeds feeds;
    for (const model::Model& model : models)
      feeds.push_back(std::make_unique<projection::TableFeed>(model, store, world.platform(), world.executor));
    return feeds;
  }
  static std::vector<projection::TableFeed*> pointers(const Feeds& feeds) {
    std::vector<projection::TableFeed*> all;
    for (const auto& feed : feeds) all.push_back(feed.get());
    return all;
  }
  static WriterOptions following(WriterOptions options, TestWorld& world) {
    options.follow = &world.executor;
    return options;
  }

  TestWorld& world_;
  const std::vector<model::Model> models_;
  const Feeds feeds_;
  std::vector<std::optional<Result<Receipt>>> answers_;
  std::vector<std::size_t> order_;
  Writer writer_;
};

}  // namespace annals::engine
