#include "server/wiring.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <future>

#include "base/invariant.hpp"
#include "engine/declarations.hpp"
#include "platform/logging.hpp"
#include "platform/process.hpp"
#include "projection/checkpoint.hpp"
#include "server/secrets.hpp"
#include "server/shown_text.hpp"

namespace annals::server {
namespace {

LogLevel log_level(const std::string& text) {
  if (text == "debug") return LogLevel::debug;
  if (text == "warning") return LogLevel::warning;
  if (text == "error") return LogLevel::error;
  return LogLevel::info;
}

/// Descriptors that connections must leave to the files of the store and to whatever else is open.
constexpr std::size_t descriptors_kept = 256;
constexpr std::uint64_t tls_file_bytes_max = 1u << 20;
/// For all lines of the logs that are still to be written at a stop, when nobody reads them.
constexpr Duration unread_output_time = std::chrono::seconds(1);
/// For a read that nobody waits for any more.
constexpr Duration unread_time = std::chrono::milliseconds(200);
/// For a search through the log without an index, on a thread that others wait for; the last segment it begins with
/// comes on top.
constexpr Duration search_time = std::chrono::milliseconds(100);
/// For what the last checkpoints ask of a store that is on another machine.
constexpr Duration last_reads_time = std::chrono::seconds(5);

http::ServerOptions server_options(const Settings& settings, const Address& address) {
  http::ServerOptions options;
  options.host = address.host;
  options.port = address.port;
  options.worker_threads = static_cast<std::size_t>(settings.number("server.worker_threads"));
  // The writer flushes, the audit log is written and segments are made on threads of their own, which need a processor.
  if (options.worker_threads == 0) options.worker_threads = std::max<std::size_t>(platform::processors() - 1, 1);
  options.header_bytes_max = static_cast<std::size_t>(settings.number("server.header_bytes_max"));
  options.header_timeout = settings.duration("server.header_timeout");
  options.idle_timeout = settings.duration("server.idle_timeout");
  options.request_timeout = settings.duration("server.request_timeout");
  options.drain_timeout = settings.duration("server.drain_timeout");
  options.bodies_bytes_max = settings.number("server.bodies_bytes_max");
  // A value may be escaped, six bytes for one, and has a little around it.
  options.body_bytes_max = static_cast<std::size_t>(settings.number("kv.value_bytes_max")) * 6 + 4096;
  for (const model::Model& model : settings.models()) {
    options.body_bytes_max = std::max(options.body_bytes_max, model.value_bytes_max * 6 + 4096);
  }
  return options;
}

/// Whether a write may have to wait until the disk of this machine has it.
bool waits_for_flushes(const EventStore& store, const std::vector<model::Model>& models) {
  const auto waits = [&](AskedDurability asked) { return store.durability_of(asked) == Durability::local; };
  return waits(AskedDurability::store) || std::ranges::any_of(models, [&](const model::Model& model) {
           return std::ranges::any_of(model::api_operations, [&](auto one) { return waits(model.durability_of(one)); });
         });
}

/// One of the two files.
Result<std::string> read_tls_file(const Settings& settings, std::string_view key, const platform::FileSystem& files,
                                  Pipes pipes) {
  const auto read = pipes == Pipes::waited_for ? platform::read_whole_file : platform::read_own_file;
  auto text = read(files, settings.text(key), tls_file_bytes_max);
  if (!text) {
    return fail(ErrorKind::usage, settings.value(key).source + ": " + std::string(key) + ": " + text.error().message +
                                      "; name a file that this user may read");
  }
  return text;
}

engine::EngineOptions engine_options(const Settings& settings) {
  engine::EngineOptions options;
  options.writer.batch_size = static_cast<std::size_t>(settings.number("store.batch_size"));
  options.writer.queue_max = static_cast<std::size_t>(settings.number("writer.queue_max"));
  options.writer.queue_bytes_max = static_cast<std::size_t>(settings.number("writer.queue_bytes_max"));
  options.writer.receipts.retention = settings.duration("idempotency.retention");
  options.writer.receipts.keys_max = static_cast<std::size_t>(settings.number("idempotency.keys_max"));
  return options;
}

std::string checkpoints_in(const std::string& directory) {
  return platform::join_path(directory, checkpoints_folder);
}

/// Of the postgres store; its data directory may be that of an embedded one too.
std::string postgres_checkpoints_in(const std::string& directory) {
  return platform::join_path(directory, "checkpoints-postgres");
}

/// What is to leave the memory needs a directory, and a log to be made from again.
Result<> check_memories(const Settings& settings, const store::StoreEntry& kind) {
  for (const model::Model& model : settings.models()) {
    if (model.memory_max == 0 || kind.keeps) continue;
    return fail(ErrorKind::usage, "model." + model.name + ".memory_max: the store \"" + std::string(kind.kind) +
                                      "\" has all events in memory, and no directory; leave memory_max out, or choose "
                                      "another store (store.kind)");
  }
  return {};
}

bool is_file_of_rows(std::string_view name) {
  return name.ends_with(".rows");
}

/// Those that a server left behind which was killed, also of models that have no memory_max any more.
void remove_files_of_rows(platform::FileSystem& files, const std::string& directory) {
  for (const std::string& name : files.list(directory).value_or(std::vector<std::string>{})) {
    // One that stays takes room, and nothing else.
    if (is_file_of_rows(name)) (void)files.remove(platform::join_path(directory, name));
  }
}

bool is_checkpoint(std::string_view name) {
  if (name.ends_with(".new")) name.remove_suffix(4);
  return name == "receipts" || name == "audit" || name.ends_with(".table");
}

std::vector<store::SeenFlushed> seen_in(const platform::FileSystem& files, const std::string& checkpoints) {
  std::vector<store::SeenFlushed> seen;
  for (projection::FoundCheckpoint& found : projection::find_checkpoints(files, checkpoints)) {
    seen.push_back({std::move(found.path), found.cursor, found.event});
  }
  return seen;
}

/// What the operating system refused, with what can be done about it.
Error with_advice(Error error, const std::string& directory) {
  if (error.kind == ErrorKind::input_output || error.kind == ErrorKind::not_found) {
    error.message += "; the store is to live in " + directory +
                     ": give --data a directory that this user may write to, on a disk with room";
  }
  return error;
}

}  // namespace

bool Address::loopback() const {
  return host == "localhost" || host == "::1" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos);
}

std::string Address::url() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return (encrypted ? "https://" : "http://") + (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Address> parse_address(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  Address address;
  bool good = colon != std::string::npos && colon > 0;
  if (good) {
    address.host = text.substr(0, colon);
    const bool bracketed = address.host.front() == '[' && address.host.back() == ']' && address.host.size() > 2;
    if (bracketed) {
      address.host = address.host.substr(1, address.host.size() - 2);
    } else {
      good = address.host.find_first_of(":[]") == std::string::npos;
    }
    const char* begin = text.data() + colon + 1;
    const char* end = text.data() + text.size();
    const auto [parsed, error] = std::from_chars(begin, end, address.port);
    good = good && error == std::errc{} && parsed == end && begin != end;
  }
  if (good) return address;
  return fail(ErrorKind::usage, "the address to listen on is " + in_quotes(text) +
                                    "; expected HOST:PORT, such as 127.0.0.1:4000 or [::1]:4000");
}

Result<Address> listen_address(const Settings& settings) {
  auto parsed = parse_address(settings.text("server.listen"));
  if (!parsed) {
    Error error = std::move(parsed).error();
    error.message = settings.value("server.listen").source + ": " + error.message;
    return std::unexpected(std::move(error));
  }
  Address address = *std::move(parsed);
  address.encrypted = !settings.text("server.tls_certificate").empty();
  if (!address.loopback() && !settings.boolean("server.insecure")) {
    return fail(
        ErrorKind::usage,
        "refused to listen on " + settings.text("server.listen") +
            ", which others can reach, because nobody has to say who they are; listen on 127.0.0.1 behind a proxy that "
            "authenticates, or give --insecure if you mean it");
  }
  return address;
}

Result<std::optional<http::TlsPair>> tls_pair(const Settings& settings, const platform::FileSystem& files,
                                              Pipes pipes) {
  const bool has_certificate = !settings.text("server.tls_certificate").empty();
  const bool has_key = !settings.text("server.tls_key").empty();
  if (!has_certificate && !has_key) return std::nullopt;
  if (has_certificate != has_key) {
    const std::string_view given = has_certificate ? "server.tls_certificate" : "server.tls_key";
    const std::string_view missing = has_certificate ? "server.tls_key" : "server.tls_certificate";
    return fail(ErrorKind::usage, settings.value(given).source + ": " + std::string(given) + " is set and " +
                                      std::string(missing) + " is not; TLS needs both, and HTTP in the open neither");
  }
  http::TlsPair pair;
  pair.certificate = TRY(read_tls_file(settings, "server.tls_certificate", files, pipes));
  pair.key = TRY(read_tls_file(settings, "server.tls_key", files, pipes));
  auto checked = http::check_tls(pair);
  if (!checked) {
    return fail(ErrorKind::usage, "bad_tls_pair",
                settings.text("server.tls_certificate") + " and " + settings.text("server.tls_key") + ": " +
                    checked.error().message);
  }
  return pair;
}

store::StoreOptions store_options(const Settings& settings) {
  store::StoreOptions all;
  store::EmbeddedOptions& options = all.embedded;
  options.directory = settings.text("store.directory");
  options.segment_bytes = settings.number("store.segment_bytes") / 8 * 8;
  const std::string& sync = settings.text("store.sync");
  options.sync = sync == "group"      ? store::Sync::group
                 : sync == "periodic" ? store::Sync::periodic
                                      : store::Sync::memory;
  options.sync_interval = settings.duration("store.sync_interval");
  options.node_id = static_cast<std::uint32_t>(settings.number("store.node_id"));
  store::PostgresOptions& postgres = all.postgres;
  postgres.url = settings.text("store.database_url");
  postgres.hostname = settings.text("store.hostname");
  postgres.port = static_cast<std::uint16_t>(settings.number("store.port"));
  postgres.username = settings.text("store.username");
  postgres.password = settings.text("store.password");
  postgres.database = settings.text("store.database");
  postgres.schema = settings.text("store.schema");
  postgres.pool_size = static_cast<std::size_t>(settings.number("store.pool_size"));
  postgres.node_id = options.node_id;
  postgres.init = settings.boolean("store.init");
  return all;
}

bool lies_with_checkpoints(std::string_view name) {
  return is_checkpoint(name) || name.ends_with(".snapshots") || name.ends_with(".snapshots.old") ||
         is_file_of_rows(name);
}

std::vector<std::string> checkpoint_faults(const platform::FileSystem& files, const std::string& directory) {
  std::vector<std::string> faults;
  const std::string folder = checkpoints_in(directory);
  const auto names = files.list(folder);
  if (!names && names.error().kind != ErrorKind::not_found) {
    const bool in_the_way = names.error().code == "not_a_directory";
    faults.push_back(names.error().message + (in_the_way ? ": move it away before the next start" : ""));
  }
  for (const std::string& name : names.value_or(std::vector<std::string>{})) {
    if (!is_checkpoint(name) || name.ends_with(".new")) continue;
    const auto whole = projection::check_checkpoint(files, platform::join_path(folder, name));
    if (!whole) faults.push_back(whole.error().message);
  }
  return faults;
}

std::vector<store::SeenFlushed> seen_flushed(const platform::FileSystem& files, const std::string& directory) {
  return seen_in(files, checkpoints_in(directory));
}

Application::Application(const Settings& settings) : settings_(settings) {}

Application::~Application() {
  (void)stop();
}

Result<std::unique_ptr<Application>> Application::open(const Settings& settings,
                                                       std::function<void(const std::string& url)> ready) {
  const Address address = TRY(listen_address(settings));
  // Before the `new`: what an early return leaves unfinished there is never freed.
  const Settings with_keys = TRY(with_secret_keys(settings, platform::system_random()));
  std::unique_ptr<Application> application(new Application(with_keys));
  TRY(application->build(address, std::move(ready)));
  return application;
}

/// What the settings ask for, as far as the operating system allows it.
Result<http::ServerOptions> Application::make_server_options(const Address& address) {
  http::ServerOptions options = server_options(settings_, address);
  const auto wanted = static_cast<std::size_t>(settings_.number("server.connections_max"));
  const std::size_t descriptors = platform::raise_descriptor_limit();
  const std::size_t possible = descriptors > 2 * descriptors_kept ? descriptors - descriptors_kept : descriptors / 2;
  options.connections_max = std::min(wanted, std::max<std::size_t>(possible, 1));
  if (options.connections_max < wanted) {
    log_->warning(
        "The limit of open files allows fewer connections than server.connections_max asks for. Raise it "
        "(ulimit -n, LimitNOFILE=), or ask for fewer.",
        {{"connections_max", std::uint64_t{wanted}},
         {"connections_possible", std::uint64_t{options.connections_max}},
         {"open_files_max", std::uint64_t{descriptors}}});
  }
  options.tls = TRY(tls_pair(settings_, platform::posix_files(), Pipes::waited_for));
  if (options.tls) tell_of_tls(*options.tls);
  return options;
}

/// `pair` has been checked.
void Application::tell_of_tls(const http::TlsPair& pair) {
  const std::string& key = settings_.text("server.tls_key");
  const auto open = platform::posix_files().is_open_to_others(key);
  if (open && *open) {
    log_->warning("Other users of this machine may read or change the TLS key. Take that permission away (chmod o-rw).",
                  {{"file", std::string_view(key)}});
  }
  const auto expires = http::check_tls(pair);
  if (!expires) return;
  const std::string time = expires->to_text();
  const bool expired = *expires < platform::system_clock().now();
  log_->write(expired ? LogLevel::warning : LogLevel::info,
              expired ? "The TLS certificate has expired; clients will refuse it." : "Serving with a TLS certificate",
              std::array{LogField("file", std::string_view(settings_.text("server.tls_certificate"))),
                         LogField("expires", std::string_view(time))});
}

void Application::reload() {
  if (settings_.text("server.tls_certificate").empty()) {
    log_->info("Nothing to read anew: SIGHUP is for the TLS certificate and its key, and there are none");
    return;
  }
  const auto pair = tls_pair(settings_, platform::posix_files(), Pipes::refused);
  const Result<> renewed = pair ? server_->renew_tls(**pair) : std::unexpected(pair.error());
  if (!renewed) {
    log_->error("The TLS certificate and its key were not replaced; new connections get the old one.",
                {{"error", std::string_view(renewed.error().message)}});
    return;
  }
  tell_of_tls(**pair);
}

/// Threads for what may wait for another machine, if there is such a thing.
void Application::make_readers(http::ApiOptions& options, engine::EngineOptions& engine_options) {
  const std::size_t count = store_->remote_reads_max();
  if (count == 0) return;
  for (std::size_t number = 0; number < count; ++number) {
    readers_.push_back(platform::make_thread_executor(("reader-" + std::to_string(number)).c_str()));
    options.readers.push_back(readers_.back().get());
  }
  options.reads_max = static_cast<std::size_t>(settings_.number("server.reads_max"));
  probe_ = platform::make_thread_executor("probe");
  engine_options.probe = probe_.get();
}

/// Nobody asks any more, so what is still read is for nobody: it is ended when it does not end soon by itself, and the
/// database is not waited for again.
void Application::end_readers() {
  if (readers_.empty()) return;
  std::vector<platform::Executor*> threads{probe_.get()};
  for (const auto& reader : readers_) threads.push_back(reader.get());
  std::vector<std::future<void>> idle;
  for (platform::Executor* thread : threads) {
    std::promise<void> promise;
    idle.push_back(promise.get_future());
    thread->post([promise = std::move(promise)]() mutable { promise.set_value(); });
  }
  const auto is_idle = [](const std::future<void>& one) {
    return one.wait_for(unread_time) == std::future_status::ready;
  };
  const bool all_idle = std::ranges::all_of(idle, is_idle);
  if (!all_idle) store_->let_reads_wait(false);
  readers_.clear();
  probe_.reset();
}

/// Whoever follows the events (the writer, the audit log, a table that is still catching up) may wait for the database.
/// One that does not answer soon keeps nobody from going down: what was not read, the next start reads. Null where no
/// store is that one waits for; to be held until everybody has stopped.
std::unique_ptr<platform::Executor> Application::end_reads_soon() {
  if (!store_ || store_->remote_reads_max() == 0) return nullptr;
  auto patience = platform::make_thread_executor("patience");
  patience->post_after(last_reads_time, [store = store_.get()] { store->let_reads_wait(false); });
  return patience;
}

/// What was recorded has its line before the server is gone: of a store in memory no later one could write it.
/// Who cannot write, or waits for the store, is not waited for.
void Application::finish_audit() {
  const projection::RunnerStatus status = audit_runner_->status();
  if (status.failing || status.waits_for_store) return;
  std::promise<void> promise;
  const std::future<void> finished = promise.get_future();
  audit_runner_->catch_up([promise = std::move(promise)]() mutable { promise.set_value(); });
  (void)finished.wait_for(unread_output_time);
}

Result<> Application::build(const Address& address, std::function<void(const std::string& url)> ready) {
  const Settings& settings = settings_;
  log_ = platform::make_json_logger(log_level(settings.text("log.level")));
  for (const StrayVariable& one : settings.stray_variables()) {
    log_->warning(
        "A variable of the environment that begins as those of settings do is none of them, and is ignored. Take it "
        "away, or name it as it is meant.",
        {{"variable", std::string_view(one.name)}, {"nearest", std::string_view(one.meant)}});
  }
  const platform::Platform platform{platform::system_clock(), platform::system_random(), platform::posix_files(),
                                    *log_};
  http::ServerOptions server_settings = TRY(make_server_options(address));
  background_ = platform::make_thread_executor("background");
  tables_ = platform::make_thread_executor("tables");
  delivery_ = platform::make_thread_executor("delivery");

  const store::StoreEntry* kind = store::find_store(settings.text("store.kind"));
  INVARIANT(kind != nullptr, "the choices of store.kind are those of the catalogue");
  TRY(check_memories(settings, *kind));
  store::StoreOptions options = store_options(settings);
  const std::string& directory = options.embedded.directory;
  const bool in_database = kind->kind == "postgres";
  const std::string checkpoints = in_database ? postgres_checkpoints_in(directory) : checkpoints_in(directory);
  options.embedded.seen = seen_flushed(platform.files, directory);
  if (in_database) {
    options.postgres.known_path = platform::join_path(checkpoints, "database");
    options.postgres.seen = seen_in(platform.files, checkpoints);
    options.postgres.claims_node = true;
  }
  auto opened = kind->open(options, platform, *background_);
  if (!opened && in_database) return std::unexpected(std::move(opened).error());
  if (!opened) return std::unexpected(with_advice(std::move(opened).error(), directory));
  store_ = *std::move(opened);
  place_watch_ = std::make_unique<PlaceWatch>(*store_, *background_);

  engine::EngineOptions engine_settings = engine_options(settings);
  engine_settings.declaration_marks = TRY(engine::admit_declarations(*store_, settings.models(), platform));
  store_->limit_searches(search_time);
  if (waits_for_flushes(*store_, settings.models())) {
    writer_ = platform::make_thread_executor("writer");
    engine_settings.writer.apart = writer_.get();
  }
  if (kind->keeps) {
    engine_settings.checkpoint_directory = checkpoints;
    if (auto made = platform.files.create_directories(checkpoints); !made) {
      made.error().message +=
          "; checkpoints are to lie there: make room for them, or move away what has the name; what they held is made "
          "anew";
      return made;
    }
    remove_files_of_rows(platform.files, engine_settings.checkpoint_directory);
  }
  http::ApiOptions api_options;
  make_readers(api_options, engine_settings);
  delivery::Audit::Options audit_options;
  audit_options.values = settings.boolean("audit.values");
  if (kind->keeps) audit_options.checkpoint_path = platform::join_path(engine_settings.checkpoint_directory, "audit");
  engine_ = std::make_unique<engine::Engine>(settings.models(), *store_, platform, *tables_, engine_settings);
  audit_ = std::make_unique<delivery::Audit>(audit_options, *engine_, platform::standard_error());
  audit_runner_ =
      std::make_unique<projection::Runner>(*audit_, *store_, projection::Runner::Mode::follow, platform, *delivery_);
  engine_->watch_subscriber("audit", *audit_runner_);

  api_options.min_position_timeout = settings.duration("server.min_position_timeout");
  api_options.version = ANNALS_VERSION;
  api_options.started = platform.clock.now();
  // Requests may come before the server is stored below.
  api_options.server_metrics = [this] {
    const http::Server* server = serving_.load();
    return server != nullptr ? server->metrics() : http::ServerMetrics{};
  };
  api_options.cache_bytes_max = static_cast<std::size_t>(settings.number("server.cache_bytes_max"));
  api_options.waits_max = static_cast<std::size_t>(settings.number("server.waits_max"));
  server_ = TRY(http::Server::open(std::move(server_settings), http::make_api(*engine_, api_options), platform));
  serving_ = server_.get();

  Address served = address;
  served.port = server_->port();
  TRY(engine_->start([this, served, ready = std::move(ready)] {
    log_->info("Ready", {{"url", std::string_view(served.url())}});
    ready(served.url());
  }));
  audit_runner_->start();
  return {};
}

Result<> Application::stop() {
  if (stopped_) return {};
  stopped_ = true;
  if (engine_) engine_->set_draining();
  if (server_ && !server_->stop())
    log_->warning("Some requests were cut off, because they did not finish within the drain timeout");
  end_readers();
  platform::standard_error().hurry(unread_output_time);  // a reader of the logs who does not read keeps nobody
  auto patience = end_reads_soon();
  if (engine_) engine_->stop_following();
  writer_.reset();  // with what it has in hand, whether or not anybody is left to be told
  if (audit_runner_) {
    finish_audit();
    audit_runner_->stop();
    audit_->close();
  }
  if (engine_) engine_->stop();
  patience.reset();
  audit_runner_.reset();
  audit_.reset();
  engine_.reset();
  place_watch_.reset();
  const Result<> closed = store_ ? store_->close() : Result<>{};
  store_.reset();
  server_.reset();
  delivery_.reset();
  tables_.reset();
  background_.reset();
  log_.reset();
  return closed;
}

}  // namespace annals::server
