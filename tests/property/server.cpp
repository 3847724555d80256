#include "tests/property/server.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <variant>

#include "engine/declarations.hpp"
#include "http/test_request.hpp"
#include "model/model_file.hpp"
#include "model/test_cipher.hpp"

namespace annals::property {
namespace {

constexpr const char* checkpoints = "data/checkpoints";

/// Whom a reply goes to.
struct KeptReply final : http::Responder::Target {
  void respond(http::Response&& answer) override { response = std::move(answer); }
  void dropped() override {}
  std::optional<http::Response> response;
};

struct KeptPiece final : http::PieceTaker::Target {
  void take(Result<std::optional<std::string>> given) override { piece = std::move(given); }
  void piece_dropped() override {}
  [[nodiscard]] bool piece_wanted() const override { return true; }
  std::optional<Result<std::optional<std::string>>> piece;
};

const std::shared_ptr<const model::TestCipher>& cipher() {
  static const auto one = std::make_shared<const model::TestCipher>();
  return one;
}

Result<std::vector<model::Model>> models_of(const Shape& shape) {
  const auto root = TRY(model::read_declarations(declaration_of(shape), "annals.toml"));
  std::vector<model::Model> models;
  for (model::DeclaredModel& declared : TRY(model::read_models(*root.find("model")))) {
    declared.model.cipher = cipher();
    models.push_back(std::move(declared.model));
  }
  return models;
}

}  // namespace

std::string Reply::field(std::string_view name) const {
  return http::field_of(fields, name);
}

ServerUnderTest::ServerUnderTest(std::uint64_t seed, std::uint64_t segment_bytes)
    : segment_bytes_(segment_bytes), random_(seed), disk_dice_(seed + 1) {}

ServerUnderTest::~ServerUnderTest() {
  end(End::stop);
}

Result<> ServerUnderTest::start(const Shape& shape) {
  std::vector<model::Model> models = TRY(models_of(shape));
  background_ = std::make_unique<platform::SteppedExecutor>(clock_);
  home_ = std::make_unique<platform::SteppedExecutor>(clock_);
  store::EmbeddedOptions options;
  options.directory = "data";
  options.segment_bytes = segment_bytes_;
  store_ = TRY(store::open_embedded_store(options, platform(), *background_));
  engine::EngineOptions engine_options;
  auto marks = engine::admit_declarations(*store_, models, platform());
  if (!marks) {
    Error error = std::move(marks).error();
    end(End::stop);
    return std::unexpected(std::move(error));
  }
  engine_options.declaration_marks = *std::move(marks);
  engine_options.checkpoint_directory = checkpoints;
  TRY(files_.create_directories(checkpoints));
  for (const std::string& name : TRY(files_.list(checkpoints))) {
    if (name.ends_with(".rows")) TRY(files_.remove(std::string(checkpoints) + "/" + name));
  }
  bool is_ready = false;
  engine_ = std::make_unique<engine::Engine>(std::move(models), *store_, platform(), *background_, engine_options);
  TRY(engine_->start([&] { is_ready = true; }));
  run();
  if (!is_ready) return fail(ErrorKind::unavailable, "the engine does not become ready");
  api_ = http::make_api(*engine_, http::ApiOptions{});
  for (const ModelShape& model : shape.models) {
    for (const FieldShape& field : model.fields) {
      if (field.secret) secrets_.insert(model.name + "." + field.name);
    }
  }
  seen_ = store_->status().visible;
  return {};
}

void ServerUnderTest::end(End how) {
  if (how == End::kill && store_) files_.kill_process();
  if (how == End::power_loss && store_) {
    using Survival = platform::SimulatedFileSystem::Survival;
    files_.crash(static_cast<Survival>(disk_dice_.below(4)), disk_dice_);
  }
  api_ = {};
  if (engine_) {
    engine_->set_draining();
    run();
    engine_->stop_following();
    engine_->stop();
  }
  engine_.reset();
  if (store_ && how == End::stop) (void)store_->close();
  store_.reset();
  home_.reset();
  background_.reset();
  if (how == End::stop) errors_ = errors();  // what dies has nothing to say
  log_ = std::make_unique<platform::CollectingLogger>();
}

std::size_t ServerUnderTest::run() {
  std::size_t all = 0;
  while (const std::size_t count = background_->run_ready() + home_->run_ready()) all += count;
  return all;
}

Reply ServerUnderTest::ask(http::Method method, const std::string& target, std::string_view body,
                           const std::vector<std::pair<std::string, std::string>>& fields) {
  http::Request request = http::test_request(method, target, body);
  for (const auto& [name, value] : fields) request.fields.push_back({name, value});
  request.request_id = "property";
  request.received_at = clock_.now();
  request.home = home_.get();
  const auto kept = std::make_shared<KeptReply>();
  api_(request, http::Responder(kept));
  run();
  if (!kept->response) return {0, "(no reply)", ""};
  return taken(*std::move(kept->response));
}

Reply ServerUnderTest::taken(http::Response response) {
  Reply reply{response.status, {}, std::move(response.fields)};
  if (auto* text = std::get_if<std::string>(&response.body)) reply.body = std::move(*text);
  if (auto* shared = std::get_if<SharedText>(&response.body); shared && *shared) reply.body = std::string(**shared);
  auto* late = std::get_if<http::LateBodySource>(&response.body);
  auto* source = std::get_if<http::BodySource>(&response.body);
  while (late || source) {
    Result<std::optional<std::string>> piece = std::nullopt;
    if (source) {
      piece = (*source)();
    } else {
      const auto kept = std::make_shared<KeptPiece>();
      (*late)(http::PieceTaker(kept));
      while (!kept->piece && run() > 0) continue;
      piece = kept->piece.value_or(fail(ErrorKind::unavailable, "no piece comes"));
    }
    if (!piece) return {0, piece.error().message, ""};
    if (!*piece) break;
    reply.body += **piece;
  }
  return reply;
}

std::vector<StoredEvent> ServerUnderTest::new_events() {
  std::vector<StoredEvent> events;
  for (bool more = true; more;) {
    const auto page = store_->read_all(seen_, Horizon::visible, PageLimit{});
    if (!page) {
      ADD_FAILURE() << page.error().message;
      return events;
    }
    for (const EventView& event : page->events()) {
      if (event.stream.starts_with('$')) continue;
      StoredEvent& one = events.emplace_back();
      one.type = event.type;
      one.stream = event.stream;
      one.version = event.version.value;
      one.data = json_of(event.data);
      open_secrets(one.stream, one.data);
      one.created_at = event.created_at.microseconds;
      one.id = event.id.to_text();
    }
    seen_ = page->next_after(seen_);
    more = page->more();
  }
  return events;
}

void ServerUnderTest::open_secrets(const std::string& stream, Json& data) const {
  const std::string model = stream.substr(0, stream.find('-'));
  const std::string key = stream.substr(stream.find('-') + 1);
  for (auto& [name, value] : data.members) {
    const std::string field = name.starts_with("old_") || name.starts_with("new_") ? name.substr(4) : name;
    if (value.kind == Json::Kind::text && secrets_.contains(model + "." + field)) {
      static const std::vector<std::string> no_names;
      value.text = model::TestCipher::open({model, field, no_names, key}, value.text);
    } else if (value.kind == Json::Kind::object && secrets_.contains(model + "." + field)) {
      // Both sides of a change.
      for (auto& [side, text] : value.members) {
        Json one = json_object({{field, text}});
        open_secrets(stream, one);
        text = one.at(field);
      }
    } else if (name == "values" || name == "old_values" || name == "new_values" || name == "changes") {
      open_secrets(stream, value);
    }
  }
}

void ServerUnderTest::advance(Duration time) {
  clock_.advance(time);
  run();
}

std::vector<std::string> ServerUnderTest::errors() const {
  std::vector<std::string> all = errors_;
  for (const std::string& line : log_->lines()) {
    if (line.starts_with("ERROR")) all.push_back(line);
  }
  return all;
}

}  // namespace annals::property
