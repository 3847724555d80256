#include "server/commands/import_target.hpp"

#include <array>
#include <chrono>

#include "engine/writer.hpp"
#include "http/client.hpp"
#include "json/reader.hpp"
#include "platform/logging.hpp"
#include "server/commands/named_store.hpp"
#include "server/commands/remote.hpp"
#include "server/shown_text.hpp"

namespace annals::server {
namespace {

constexpr int attempts_max = 20;
constexpr Duration pause = std::chrono::milliseconds(250);

/// A server: each lane has a connection, and a thread that waits for its replies.
class ServerTarget final : public ImportTarget {
 public:
  ServerTarget(std::string base, const std::string& model)
      : base_(std::move(base)), url_(base_ + "/-/models/" + model + "/import") {
    for (auto& lane : lanes_) lane.executor = platform::make_thread_executor("import");
  }

  void write(std::size_t lane, std::vector<Entry> chunk, Done done) override {
    Sending sending;
    for (const Entry& entry : chunk) {
      if (const auto held = append_entry(EntryFormat::jsonl, sending.body, entry.name, entry.value); !held) {
        return done(held);
      }
    }
    // Under a key of its own the server takes it once, however often it has to be sent.
    sending.fields = {
        "Content-Type: application/x-ndjson",
        "Idempotency-Key: " + platform::make_uuid(platform::system_clock().now(), platform::system_random()).to_text()};
    sending.done = std::move(done);
    lanes_[lane].executor->post(
        [this, lane, sending = std::move(sending)]() mutable { send(lanes_[lane], std::move(sending)); });
  }

 private:
  struct Lane {
    http::Client client{trusted_authorities()};
    bool worked = false;
    std::unique_ptr<platform::Executor> executor;  // goes first: what it runs uses the client
  };
  struct Sending {
    std::string body;
    std::vector<std::string> fields;
    Done done;
    int attempts = 0;
  };

  void send(Lane& lane, Sending sending) {
    const auto reply = lane.client.post(url_, sending.body, sending.fields);
    // A server that was there may come back; that one was never there is told at once.
    const bool again = reply ? reply->status == 503 : lane.worked;
    lane.worked = lane.worked || (reply && reply->status == 200);
    if (again && ++sending.attempts < attempts_max) {
      lane.executor->post_after(
          pause, [this, &lane, sending = std::move(sending)]() mutable { send(lane, std::move(sending)); });
      return;
    }
    if (!reply) return sending.done(std::unexpected(no_reply(base_, reply.error())));
    if (reply->status == 200) return sending.done({});
    Error error = refusal(base_, *reply);
    if (reply->status == 413) error.kind = ErrorKind::too_large;
    if (reply->status == 422) error.kind = ErrorKind::unprocessable;
    sending.done(std::unexpected(std::move(error)));
  }

  const std::string base_;
  const std::string url_;
  std::array<Lane, import_lanes> lanes_;
};

/// A store: a writer without read tables, so that memory does not grow with the number of names.
class StoreTarget final : public ImportTarget {
 public:
  static Result<std::unique_ptr<ImportTarget>> open(const ImportRequest& request, const Settings& settings,
                                                    model::Model model) {
    const std::string name = TRY(name_of_store(request.store, settings));
    model.consistency = model::Consistency::restart;  // its table stays empty; the writer reads states from the store
    std::unique_ptr<StoreTarget> target(new StoreTarget(std::move(model)));
    target->store_ = TRY(open_named_store(name, settings, target->platform_, *target->background_));
    target->feed_ =
        std::make_unique<projection::TableFeed>(target->model_, *target->store_, target->platform_, *target->executor_);
    engine::WriterOptions writer_options;
    writer_options.receipts.retention = std::chrono::seconds(1);  // nothing here has an idempotency key
    writer_options.follow = target->executor_.get();              // servers may write to the same database
    target->writer_ = std::make_unique<engine::Writer>(*target->store_, std::vector{target->feed_.get()},
                                                       target->platform_, writer_options);
    TRY(target->writer_->load());
    return target;
  }

  ~StoreTarget() override {
    if (writer_) writer_->stop_following();
    executor_.reset();  // with what it has in hand, which uses all the others
  }

  void write(std::size_t, std::vector<Entry> chunk, Done done) override {
    engine::WriteRequest write;
    write.actor = "import";
    write.correlation_id = correlation_id_;
    for (Entry& entry : chunk) {
      if (entry.value.size() > model_.value_bytes_max) {
        return done(fail(ErrorKind::too_large, "the value of \"" + entry.name + "\" has " +
                                                   std::to_string(entry.value.size()) + " bytes; the most is " +
                                                   std::to_string(model_.value_bytes_max)));
      }
      engine::KeyCommand& one = write.several.emplace_back();
      one.command.key = std::move(entry.name);
      one.command.value = SharedText(entry.value);
    }
    writer_->submit(std::move(write), *executor_,
                    [done = std::move(done)](const Result<engine::Receipt>& receipt) mutable {
                      done(receipt ? Result<>() : std::unexpected(receipt.error()));
                    });
  }

 private:
  explicit StoreTarget(model::Model model)
      : model_(std::move(model)),
        log_(platform::make_json_logger(LogLevel::warning)),
        platform_{platform::system_clock(), platform::system_random(), platform::posix_files(), *log_},
        background_(platform::make_thread_executor("background")),
        executor_(platform::make_thread_executor("import")),
        correlation_id_(platform::make_uuid(platform_.clock.now(), platform_.random)) {}

  const model::Model model_;
  std::unique_ptr<Logger> log_;
  platform::Platform platform_;
  std::unique_ptr<platform::Executor> background_;
  std::unique_ptr<EventStore> store_;
  std::unique_ptr<projection::TableFeed> feed_;
  std::unique_ptr<engine::Writer> writer_;
  std::unique_ptr<platform::Executor> executor_;
  const Uuid correlation_id_;
};

}  // namespace

Result<std::size_t> place_of_model(const Settings& settings, const std::string& name) {
  const auto& models = settings.models();
  std::string names;
  for (std::size_t place = 0; place < models.size(); ++place) {
    if (models[place].profile != model::Profile::kv) continue;
    if (name.empty() || models[place].name == name) return place;
    names.append(names.empty() ? "" : ", ").append(models[place].name);
  }
  if (names.empty())
    return fail(ErrorKind::usage, "the configuration declares no model of profile kv, and only those have entries");
  return fail(ErrorKind::usage, "--model is " + in_quotes(name) +
                                    "; the models of profile kv that the configuration declares are " + names);
}

Result<std::unique_ptr<ImportTarget>> open_import_target(const ImportRequest& request, const Settings& settings) {
  const model::Model& model = settings.models()[TRY(place_of_model(settings, request.model))];
  if (request.url.empty()) return StoreTarget::open(request, settings, model);
  return std::make_unique<ServerTarget>(TRY(server_address(request.url)), model.name);
}

}  // namespace annals::server
