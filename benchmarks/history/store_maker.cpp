#include "benchmarks/history/store_maker.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <optional>

#include "benchmarks/history/plan.hpp"
#include "benchmarks/load_generator/process_time.hpp"
#include "engine/event_metadata.hpp"
#include "model/decider.hpp"
#include "platform/logging.hpp"
#include "platform/platform.hpp"
#include "projection/checkpoint.hpp"
#include "projection/table_feed.hpp"
#include "store/embedded_store.hpp"

namespace annals::benchmarks {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t groups_at_once = 1000;
constexpr std::size_t long_times_max = 64;

double seconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

/// What a store needs of the world, and a logger that tells of warnings.
struct World {
  std::unique_ptr<Logger> log = platform::make_json_logger(LogLevel::warning);
  platform::Platform platform{platform::system_clock(), platform::system_random(), platform::posix_files(), *log};
  std::unique_ptr<platform::Executor> background = platform::make_thread_executor("background");
};

/// Decides on events and appends them, a thousand at a time.
class Recorder {
 public:
  Recorder(EventStore& store, const platform::Platform& platform, const HistoryOptions& options)
      : store_(store),
        platform_(platform),
        model_(model::Model::kv("config", {"/config"})),
        values_(options.value_bytes, options.seed),
        versions_(options.keys),
        metadata_(engine::make_metadata("anonymous", std::nullopt)) {
    groups_.reserve(groups_at_once);
    // Drawn before, for the times are told by the store as the versions come.
    const std::uint64_t versions = options.events / 10;
    Dice dice(options.seed + 1);
    while (wanted_.size() < std::min<std::uint64_t>(long_times_max, versions)) {
      wanted_.push_back(1 + dice.below(versions));
      std::ranges::sort(wanted_);
      const auto twins = std::ranges::unique(wanted_);
      wanted_.erase(twins.begin(), twins.end());
    }
  }

  [[nodiscard]] Result<> record(std::uint64_t key) {
    const std::uint64_t version = ++versions_[key];
    const Instant now = platform_.clock.now();
    model::Record before;
    if (version > 1) before = {StreamVersion{version - 1}, SharedText(values_.value(key, version - 1)), now};
    const std::string name = "key-" + decimal(key);
    const model::Command command{model::Operation::set, name, SharedText(values_.value(key, version)), {}};
    auto decisions = TRY(model::decide(model_, before, command, now));
    StreamAppend append{model_.stream(name), ExpectedVersion::any(), {}};
    for (model::Decision& decision : decisions) {
      NewEvent& event = append.events.emplace_back();
      event.id = platform::make_uuid(now, platform_.random);
      event.correlation_id = platform::make_uuid(now, platform_.random);
      event.type = std::move(decision.type);
      event.data = std::move(decision.data);
      event.metadata = metadata_;
    }
    Group& group = groups_.emplace_back();
    group.appends.push_back(std::move(append));
    of_groups_.push_back({key, version});
    return groups_.size() == groups_at_once ? flush() : Result<>{};
  }

  [[nodiscard]] Result<> flush() {
    std::optional<Error> error;
    store_.append(groups_, [&](const std::vector<AppendResult>& results) {
      for (std::size_t at = 0; at < results.size(); ++at) {
        if (results[at]) {
          note(of_groups_[at], results[at]->created_at);
        } else {
          error = results[at].error();
        }
      }
    });
    groups_.clear();
    of_groups_.clear();
    if (error) return std::unexpected(*std::move(error));
    return {};
  }

  void tell(HistoryMade& made) {
    made.keys = static_cast<std::uint64_t>(std::ranges::count_if(versions_, [](auto version) { return version > 0; }));
    made.long_times = std::move(long_times_);
    made.short_times = std::move(short_times_);
  }

 private:
  struct OfGroup {
    std::uint64_t key = 0;
    std::uint64_t version = 0;
  };

  static std::string decimal(std::uint64_t key) {
    std::string digits = std::to_string(key);
    return std::string(key_digits - digits.size(), '0') + digits;
  }

  void note(const OfGroup& group, Instant created_at) {
    if (group.key == short_key) short_times_.push_back({group.version, created_at});
    if (group.key == long_key && std::ranges::binary_search(wanted_, group.version)) {
      long_times_.push_back({group.version, created_at});
    }
  }

  EventStore& store_;
  const platform::Platform platform_;
  const model::Model model_;
  const ValueMaker values_;
  std::vector<std::uint32_t> versions_;
  const std::string metadata_;
  std::vector<Group> groups_;
  std::vector<OfGroup> of_groups_;
  std::vector<std::uint64_t> wanted_;  // versions of the long key, in order
  std::vector<VersionTime> long_times_;
  std::vector<VersionTime> short_times_;
};

/// As if a server had recorded all of it, and had written its audit log.
Result<> keep_audit_checkpoint(const EventStore& store, platform::FileSystem& files, const std::string& directory) {
  const std::string checkpoints = platform::join_path(directory, "checkpoints");
  TRY(files.create_directories(checkpoints));
  return projection::CheckpointFile(files, platform::join_path(checkpoints, "audit"))
      .save(store.cursor(store.status().flushed));
}

}  // namespace

Result<HistoryMade> make_history(const HistoryOptions& options) {
  World world;
  const auto began = SteadyClock::now();
  const auto store =
      TRY(store::open_embedded_store({.directory = options.directory}, world.platform, *world.background));
  if (store->status().visible.value > 0) {
    return fail(ErrorKind::conflict, options.directory + " has a store already; name a directory that has none");
  }
  Recorder recorder(*store, world.platform, options);
  Plan plan(options.events, options.keys, options.seed);
  for (std::uint64_t event = 0; event < options.events; ++event) TRY(recorder.record(plan.next()));
  TRY(recorder.flush());
  TRY(keep_audit_checkpoint(*store, world.platform.files, options.directory));
  HistoryMade made;
  made.log_bytes = store->metrics().log_bytes;
  recorder.tell(made);
  TRY(store->close());
  made.seconds = seconds_since(began);
  return made;
}

Result<Rebuilt> rebuild_table(const std::string& directory) {
  World world;
  const auto store = TRY(store::open_embedded_store_to_read(directory, world.platform));
  const model::Model model = model::Model::kv("config", {"/config"});
  std::promise<void> ready;
  projection::TableFeed feed(model, *store, world.platform, *world.background);
  const double cpu_before = own_cpu_seconds();
  const auto began = SteadyClock::now();
  feed.start([&ready] { ready.set_value(); });
  ready.get_future().wait();
  Rebuilt rebuilt;
  rebuilt.seconds = seconds_since(began);
  rebuilt.cpu_seconds = own_cpu_seconds() - cpu_before;
  rebuilt.events = store->status().visible.value;
  rebuilt.keys = feed.table().size();
  feed.stop();
  return rebuilt;
}

}  // namespace annals::benchmarks
