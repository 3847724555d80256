#include "engine/engine.hpp"

#include <algorithm>
#include <mutex>

#include "base/wording.hpp"

namespace annals::engine {
namespace {

/// Readers of an eventual table notice a lag long before this; an operator should.
constexpr std::uint64_t lag_events_max = 100'000;

constexpr std::string_view store_has_no_room =
    "there is no room on the disk for further events; writes that need some are refused until there is";
constexpr std::string_view store_is_damaged =
    "a read met something that is not what was written; stop the server and run annals verify, and see its log";
constexpr std::string_view store_takes_no_writes =
    "the store cannot take writes until it is restarted; the log of the server says why";
constexpr std::string_view store_cannot_be_read = "what is stored cannot be read back; the log of the server says why";
constexpr std::string_view store_did_not_answer =
    "the store did not answer when it was asked for the last event; the log of the server says why";
constexpr std::string_view tables_catch_up = "the read tables are still catching up";
constexpr std::string_view tables_are_old =
    "the read tables show what was written down last; they catch up by themselves once the store answers";
constexpr Duration look_for_store_every = std::chrono::milliseconds(100);
constexpr std::string_view store_is_away = "the store cannot take writes now; they go on by themselves once it can";

Health::Check waits_for_store(const std::string& who) {
  return {"down", who + " waits for the store, which cannot be asked for what follows; it goes on once it can"};
}

/// What a store says that takes no writes; the one that is shared finds back by itself.
std::string_view takes_no_writes(const EventStore& store) {
  return store.shared() ? store_is_away : store_takes_no_writes;
}

/// What a table fails at, in words that show no values and name no files.
std::string why_failing(const model::Model& model, const projection::TableFailure& failure) {
  std::string text = "the read table of " + model.name;
  if (failure.position.value > 0) {
    text += " cannot take the event at position " + to_string(failure.position) + ", of type " + failure.type +
            " and at version " + to_string(failure.version) + " of its record";
  } else {
    text += " cannot take in what was recorded";
  }
  for (const Fault& fault : failure.error.faults) text += ": " + fault.detail;
  text += "; it is tried again, and until then nothing of this model is told or recorded; ";
  return text +
         (failure.error.kind == ErrorKind::corrupt
              ? "start the server with a declaration that takes it; `annals plan` tells more, and the log says all"
              : "the log of the server says why");
}

std::vector<std::unique_ptr<const model::Model>> hold(std::vector<model::Model> models) {
  std::vector<std::unique_ptr<const model::Model>> held;
  for (model::Model& model : models) held.push_back(std::make_unique<const model::Model>(std::move(model)));
  return held;
}

std::string checkpoint_path(const std::string& directory, std::string_view name) {
  return directory.empty() ? std::string() : platform::join_path(directory, name);
}

std::vector<std::unique_ptr<projection::TableFeed>> make_feeds(
    const std::vector<std::unique_ptr<const model::Model>>& models, EventStore& store, platform::Platform platform,
    platform::Executor& background, const std::string& checkpoint_directory) {
  std::vector<std::unique_ptr<projection::TableFeed>> feeds;
  for (const auto& model : models) {
    feeds.push_back(std::make_unique<projection::TableFeed>(
        *model, store, platform, background, checkpoint_path(checkpoint_directory, model->name + ".table"),
        checkpoint_path(checkpoint_directory, model->name + ".snapshots"),
        checkpoint_path(checkpoint_directory, model->name + ".rows")));
    projection::TextMemory* memory = feeds.back()->memory();
    if (memory == nullptr) continue;
    const Past past = past_of(store, *feeds.back());
    memory->set_recall([past](std::string_view key, StreamVersion version) -> Result<SharedText> {
      model::Record record = TRY(fold(past, past.model.stream(key), version));
      return record.version == version ? std::move(record.value) : SharedText();
    });
  }
  return feeds;
}

std::vector<projection::TableFeed*> pointers(const std::vector<std::unique_ptr<projection::TableFeed>>& feeds) {
  std::vector<projection::TableFeed*> result;
  for (const auto& feed : feeds) result.push_back(feed.get());
  return result;
}

WriterOptions writer_options(const EngineOptions& options, platform::Executor& background) {
  WriterOptions result = options.writer;
  result.follow = &background;
  result.receipts_path = checkpoint_path(options.checkpoint_directory, "receipts");
  return result;
}

std::vector<projection::StateKeeper*> keepers(const std::vector<std::unique_ptr<projection::TableFeed>>& feeds,
                                              Writer& writer) {
  std::vector<projection::StateKeeper*> result;
  for (const auto& feed : feeds) {
    if (auto* keeper = feed->keeper()) result.push_back(keeper);
  }
  if (auto* keeper = writer.receipts_keeper()) result.push_back(keeper);
  return result;
}

}  // namespace

Engine::Engine(std::vector<model::Model> models, EventStore& store, platform::Platform platform,
               platform::Executor& background, EngineOptions options)
    : models_(hold(std::move(models))),
      declaration_marks_(options.declaration_marks),
      store_(store),
      platform_(platform),
      background_(background),
      feeds_(make_feeds(models_, store, platform, background, options.checkpoint_directory)),
      writer_(store, pointers(feeds_), platform, writer_options(options, background)),
      checkpoints_(keepers(feeds_, writer_), options.checkpoint_rule, platform, background),
      missing_(feeds_.size() + 1),
      prober_(options.probe),
      probe_time_(options.probe_time),
      watch_(store.watch([this](Position flushed) { flushed_.publish(flushed); })) {
  flushed_.publish(store.status().flushed);
}

Engine::~Engine() {
  stop();
}

/// What waits for a store that is away to load the writer.
struct Engine::Loading {
  std::mutex mutex;
  Engine* engine = nullptr;  // guarded by mutex; null once the engine stops
};

Result<> Engine::start(std::function<void()> ready) {
  ready_ = std::move(ready);
  if (!store_.status().away.empty()) TRY(restore_tables());
  // Where there are no checkpoints both read much of the log; so each does it on its own thread.
  for (const auto& feed : feeds_) feed->start([this] { caught_up(); });
  if (from_checkpoints_) {
    ready_();
    loading_ = std::make_shared<Loading>();
    loading_->engine = this;
    load_when_there(background_, loading_);
    return {};
  }
  TRY(writer_.load());
  caught_up();
  checkpoints_.start();
  return {};
}

/// For a store that is away.
Result<> Engine::restore_tables() {
  for (const auto& feed : feeds_) {
    if (feed->restore()) continue;
    return fail(ErrorKind::unavailable, "database_away",
                store_.status().reason + "; there is no checkpoint of the table " + feed->model().name +
                    " that could be served meanwhile");
  }
  from_checkpoints_ = true;
  return {};
}

/// One of the tables, or the writer with its receipts.
void Engine::caught_up() {
  if (--missing_ > 0) return;
  if (!from_checkpoints_) return ready_();
  platform_.log.info("The tables have caught up with the store; writes are taken");
}

void Engine::load_when_there(platform::Executor& background, std::shared_ptr<Loading> loading) {
  background.post_after(look_for_store_every, [&background, loading = std::move(loading)]() mutable {
    {
      const std::lock_guard lock(loading->mutex);
      Engine* const engine = loading->engine;
      if (engine == nullptr) return;
      if (engine->store_.status().away.empty()) {
        const auto loaded = engine->writer_.load();
        if (loaded) {
          engine->caught_up();
          return engine->checkpoints_.start();
        }
        engine->platform_.log.warning("What must be known before the first write could not be read; it is tried again",
                                      {{"error", std::string_view(loaded.error().message)}});
      }
    }
    load_when_there(background, std::move(loading));
  });
}

std::optional<std::string> Engine::why_not_ready() const {
  if (draining_.load()) return "draining";
  for (const auto& feed : feeds_) {
    if (const auto failure = feed->failure()) return why_failing(feed->model(), *failure);
  }
  if (!serving()) return std::string(tables_catch_up);
  const StoreStatus status = store_.status();
  if (!status.writable) return std::string(takes_no_writes(store_));
  if (behind_store()) return std::string(tables_catch_up);
  if (!status.has_room) return std::string(store_has_no_room);
  return std::nullopt;
}

void Engine::set_draining() {
  draining_ = true;
  for (const auto& feed : feeds_) {
    feed->table().watch().wake_all();
    feed->table().progress().wake_all();
  }
  flushed_.wake_all();
}

void Engine::watch_subscriber(std::string name, const projection::Runner& runner) {
  subscribers_.emplace_back(std::move(name), &runner);
}

void Engine::stop_following() {
  if (loading_) {
    const std::lock_guard lock(loading_->mutex);
    loading_->engine = nullptr;
  }
  writer_.stop_following();
}

void Engine::stop() {
  stop_following();
  for (const auto& feed : feeds_) feed->stop();
  checkpoints_.finish();
  watch_.reset();
  subscribers_.clear();
}

const model::Model* Engine::model_of(std::string_view stream) const {
  for (const auto& model : models_) {
    if (model->owns_stream(stream)) return model.get();
  }
  return nullptr;
}

Health::Check Engine::check_projections() const {
  for (const auto& feed : feeds_) {
    if (const auto failure = feed->failure()) return {"error", why_failing(feed->model(), *failure)};
    const projection::RunnerStatus status = feed->status();
    if (status.failing) return {"error", "the read table of " + feed->model().name + " fails and is started again"};
    // Who asks has it tried again: where health turns traffic away, nothing else would.
    if (feed->memory() != nullptr) feed->memory()->make_room();
    if (feed->memory() != nullptr && feed->memory()->status().stuck) {
      return {"error", "records of " + feed->model().name +
                           " take more memory than memory_max, because they cannot be written to the disk"};
    }
    const Position store_at = store_.status().flushed;
    const Position table_at = feed->table().progress().position();
    if (feed->model().consistency == model::Consistency::eventual && table_at.value + lag_events_max < store_at.value) {
      return {"error", "the read table of " + feed->model().name + " is " +
                           counted(store_at.value - table_at.value, "event") + " behind"};
    }
  }
  for (const auto& [name, runner] : subscribers_) {
    if (runner->status().failing) return {"error", "the subscriber " + name + " fails and is started again"};
  }
  if (!store_.status().away.empty()) return {"down", std::string(tables_are_old)};
  for (const auto& feed : feeds_) {
    if (feed->status().waits_for_store) return waits_for_store("the read table of " + feed->model().name);
  }
  for (const auto& [name, runner] : subscribers_) {
    if (runner->status().waits_for_store) return waits_for_store("the subscriber " + name);
  }
  if (!writer_.sees_others()) {
    return {"error", "what other servers recorded cannot be read, so the tables are behind; it is tried again"};
  }
  if (missing_.load() > 0) return {"down", "the read tables are still catching up with the store"};
  return {};
}

/// Whether what is stored can be read back. That the store cannot be asked says nothing of what is stored.
Health::Check Engine::read_back() const {
  store_.check_place();
  const Position visible = store_.status().visible;
  const Position before_last{std::max<std::uint64_t>(visible.value, 1) - 1};
  const auto last = store_.read_all(before_last, Horizon::visible, PageLimit{1, 1});
  if (!last) {
    platform_.log.error("The last event could not be read back", {{"error", last.error().message}});
    const ErrorKind kind = last.error().kind;
    const bool unasked = kind == ErrorKind::unavailable || kind == ErrorKind::overloaded;
    return {"error", std::string(unasked ? store_did_not_answer : store_cannot_be_read)};
  }
  // That the last event was removed for good the store says itself.
  if (last->events().empty() && last->next_after(before_last) < visible) {
    return {"error", "the last event cannot be found"};
  }
  return {};
}

/// `database`: what read_back found, where that was not known without it.
Health Engine::health_with(const Health::Check& database) const {
  Health health;
  const StoreStatus status = store_.status();
  if (!status.writable) {
    health.eventstore = {"error", std::string(takes_no_writes(store_))};
  } else if (!status.has_room) {
    health.eventstore = {"error", std::string(store_has_no_room)};
  } else if (status.last_flush_ok == false) {
    health.eventstore = {"error", "the last flush failed"};
  }
  health.projection = check_projections();
  health.database = database;
  if (const std::string& why = status.why_unread(); !why.empty()) {
    health.database = {"error", why};
  } else if (database.state == "ok" && status.damaged_reads > 0) {
    health.database = {"error", std::string(store_is_damaged)};
  }
  return health;
}

/// Somebody who asked and waits for a read. Confined to `home`.
struct Engine::Asking {
  platform::Executor& home;
  std::move_only_function<void(const Health&)> done;
  bool answered = false;
};

void Engine::check_health(platform::Executor& home, std::move_only_function<void(const Health&)> done) {
  // Of a store that says itself why it cannot be asked, no question would tell more.
  if (!store_.status().why_unread().empty()) return done(health_with({}));
  if (prober_ == nullptr) return done(health_with(read_back()));
  const Health::Check silent{"error", "the database has not answered within " + to_text(probe_time_)};
  const auto asking = std::make_shared<Asking>(home, std::move(done));  // shared by the read and the timer
  bool begins = false;
  {
    const auto state = probe_.lock();
    const Duration now = platform_.clock.monotonic();
    // Who asks while a read is late already is told so at once.
    asking->answered = state->begun && now - *state->begun >= probe_time_;
    if (!asking->answered) state->waiting.push_back(asking);
    begins = !state->begun;
    if (begins) state->begun = now;
  }
  if (asking->answered) return asking->done(health_with(silent));
  if (begins) prober_->post([this] { probe(); });
  home.post_after(probe_time_, [this, asking, silent] {
    if (!std::exchange(asking->answered, true)) asking->done(health_with(silent));
  });
}

void Engine::probe() {
  const Health::Check found = read_back();
  std::vector<std::shared_ptr<Asking>> waiting;
  {
    const auto state = probe_.lock();
    waiting.swap(state->waiting);
    state->begun.reset();
  }
  for (const auto& asking : waiting) {
    asking->home.post([this, asking, found] {
      if (!std::exchange(asking->answered, true)) asking->done(health_with(found));
    });
  }
}

std::vector<ProjectionStatus> Engine::projections() const {
  // Before the positions are looked at, so that nobody seems to lag behind what came meanwhile.
  const std::uint64_t flushed = store_.status().flushed.value;
  const auto lag = [flushed](Position position) { return flushed - std::min(flushed, position.value); };
  std::vector<ProjectionStatus> all;
  for (const auto& feed : feeds_) {
    const projection::RunnerStatus status = feed->status();
    all.push_back({"table " + feed->model().name, lag(feed->table().progress().position()), status.failures,
                   status.failing || feed->failure()});
  }
  for (const auto& [name, runner] : subscribers_) {
    const projection::RunnerStatus status = runner->status();
    all.push_back({name, lag(status.position), status.failures, status.failing});
  }
  return all;
}

void Engine::settle(Instant time, platform::Executor& home, std::move_only_function<void(Result<>)> ready) {
  if (store_.shared()) {
    if (writer_.may_hide(time)) return writer_.barrier(home, std::move(ready), time);
    return ready({});  // others stamp later than the last visible event, too
  }
  auto settled = store_.settle(time);
  if (settled && writer_.may_hide(time)) {
    writer_.barrier(home, std::move(ready));
  } else {
    ready(std::move(settled));
  }
}

}  // namespace annals::engine
