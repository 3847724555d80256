#include "benchmarks/stages/stages.hpp"

#include <memory>
#include <utility>

#include "benchmarks/load_generator/records.hpp"
#include "benchmarks/stages/post_stages.hpp"
#include "benchmarks/stages/whole_requests.hpp"
#include "engine/engine.hpp"
#include "model/model_file.hpp"
#include "platform/logging.hpp"
#include "platform/simulated.hpp"
#include "store/embedded_store.hpp"

namespace annals::benchmarks {
namespace {

constexpr std::uint64_t declaration_bytes_max = 1u << 20;
constexpr std::size_t filled_at_once = 1000;

/// What the server has of the world; executors that are stepped by hand stand for its threads.
struct World {
  std::unique_ptr<Logger> log = platform::make_json_logger(LogLevel::warning);
  platform::Platform platform{platform::system_clock(), platform::system_random(), platform::posix_files(), *log};
  std::unique_ptr<platform::Executor> background = platform::make_thread_executor("background");
  platform::SimulatedClock timers;
  platform::SteppedExecutor tables{timers};
  platform::SteppedExecutor home{timers};

  [[nodiscard]] Result<std::unique_ptr<EventStore>> open(const std::string& directory, store::Sync sync) {
    return store::open_embedded_store({.directory = directory, .sync = sync}, platform, *background);
  }
};

Result<model::Model> read_model(const StagesOptions& options, const platform::FileSystem& files) {
  std::string text = TRY(platform::read_whole_file(files, options.declaration, declaration_bytes_max));
  const model::Declared root = TRY(model::read_declarations(std::move(text), options.declaration));
  const model::Declared* declared = root.find("model");
  if (declared == nullptr) return fail(ErrorKind::usage, options.declaration + " declares no model");
  auto models = TRY(model::read_models(*declared));
  if (models.size() != 1) return fail(ErrorKind::usage, options.declaration + " declares more than one model");
  return std::move(models.front().model);
}

/// Records the numbers from 0 on.
Result<> fill(EventStore& store, const model::Model& model, const platform::Platform& platform,
              const ValueMaker& values, std::uint64_t records) {
  const RecordMaker maker(values);
  std::vector<Group> groups;
  for (std::uint64_t number = 0; number < records; ++number) {
    groups.push_back(TRY(group_of_new(model, platform, maker.text(number, 1))));
    if (groups.size() < filled_at_once && number + 1 < records) continue;
    std::optional<Error> error;
    store.append(groups, [&error](const std::vector<AppendResult>& results) {
      for (const AppendResult& result : results) {
        if (!result) error = result.error();
      }
    });
    if (error) return std::unexpected(*std::move(error));
    groups.clear();
  }
  return {};
}

Result<> measure_steps(World& world, EventStore& store, const model::Model& model, const ValueMaker& values,
                       const StagesOptions& options, Laps& laps) {
  const auto flushing = TRY(world.open(platform::join_path(options.directory, "flushing"), store::Sync::group));
  projection::TableFeed feed(model, store, world.platform, world.tables);
  feed.start([] {});
  world.tables.run_ready();
  PostStages stages(feed, store, *flushing, world.platform, values, laps);
  for (std::size_t batch = 0; batch < options.batches; ++batch) TRY(stages.run(options.records + batch * stages_batch));
  feed.stop();
  world.tables.run_ready();
  return flushing->close();
}

Result<> measure_whole(World& world, EventStore& store, const model::Model& model, const ValueMaker& values,
                       const StagesOptions& options, Laps& laps) {
  engine::Engine engine({model}, store, world.platform, world.tables, {});
  TRY(engine.start([] {}));
  world.tables.run_ready();
  {
    WholeRequests whole(engine, world.home, values, platform::join_path(options.directory, "audit"), laps);
    const std::uint64_t first = options.records + options.batches * stages_batch;
    for (std::size_t batch = 0; batch < options.batches; ++batch) TRY(whole.run(first + batch * stages_batch));
  }
  engine.stop();
  world.tables.run_ready();
  return {};
}

}  // namespace

Result<std::vector<Stage>> measure_stages(const StagesOptions& options) {
  World world;
  const model::Model model = TRY(read_model(options, world.platform.files));
  const ValueMaker values(options.name_bytes, 1);
  const auto store = TRY(world.open(platform::join_path(options.directory, "store"), store::Sync::memory));
  TRY(fill(*store, model, world.platform, values, options.records));
  Laps laps;
  TRY(measure_steps(world, *store, model, values, options, laps));
  TRY(measure_whole(world, *store, model, values, options, laps));
  TRY(store->close());
  return laps.stages();
}

}  // namespace annals::benchmarks
