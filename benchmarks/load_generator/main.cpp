// load_generator: puts a configuration service, or a server with records of benchmarks/shop, under load and prints what
// it saw as one JSON object.
//
// Exit codes: 0 done; 1 errors in the run (unless allowed), or a value that was acknowledged and is not there; 2 wrong
// usage.

#include <CLI/CLI.hpp>
#include <barrier>
#include <iostream>
#include <map>
#include <optional>
#include <thread>

#include "benchmarks/load_generator/options.hpp"
#include "benchmarks/load_generator/process_time.hpp"
#include "benchmarks/load_generator/report.hpp"
#include "benchmarks/load_generator/verify.hpp"
#include "benchmarks/load_generator/worker.hpp"

namespace annals::benchmarks {
namespace {

CpuTimes cpu_so_far(const Options& options) {
  return {own_cpu_seconds(), options.server_process > 0 ? cpu_seconds_of(options.server_process) : std::nullopt};
}

CpuTimes cpu_between(const CpuTimes& before, const CpuTimes& after) {
  CpuTimes times{after.generator_seconds - before.generator_seconds, std::nullopt};
  if (before.server_seconds && after.server_seconds)
    times.server_seconds = *after.server_seconds - *before.server_seconds;
  return times;
}

/// What both sides spent between `begin` and `end`, taken on a thread that otherwise sleeps.
CpuTimes measure_cpu(const Options& options, Clock::time_point begin, Clock::time_point end) {
  std::this_thread::sleep_until(begin);
  const CpuTimes before = cpu_so_far(options);
  std::this_thread::sleep_until(end);
  return cpu_between(before, cpu_so_far(options));
}

/// Divides connections and keys among the threads as evenly as they go.
std::vector<std::unique_ptr<Worker>> make_workers(const Options& options, const ValueMaker& values) {
  std::vector<std::unique_ptr<Worker>> workers;
  const auto share = [&](std::uint64_t whole, std::size_t i) { return whole * i / options.threads; };
  for (std::size_t i = 0; i < options.threads; ++i) {
    const std::uint64_t begin = share(options.keys, i);
    workers.push_back(std::make_unique<Worker>(options, values,
                                               share(options.connections, i + 1) - share(options.connections, i),
                                               options.first_key + begin, share(options.keys, i + 1) - begin));
  }
  return workers;
}

CpuTimes run_all(const Options& options, const std::vector<std::unique_ptr<Worker>>& workers) {
  CpuTimes cpu;
  Clock::time_point begin;
  std::barrier filled(static_cast<std::ptrdiff_t>(workers.size() + 1),
                      [&]() noexcept { begin = Clock::now() + options.warm_up; });
  const auto work = [&](Worker& worker) {
    if (options.get_percent > 0 && options.paths.empty() && !options.records) worker.fill();
    filled.arrive_and_wait();
    worker.run(begin, begin + options.duration);
  };
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < workers.size(); ++i) threads.emplace_back([&, i] { work(*workers[i]); });
  threads.emplace_back([&] {
    filled.arrive_and_wait();
    cpu = measure_cpu(options, begin, begin + options.duration);
  });
  work(*workers.front());
  for (std::jthread& thread : threads) thread.join();
  return cpu;
}

/// The same without a time: until every worker has made all of its keys.
Run run_until_all(const Options& options, const std::vector<std::unique_ptr<Worker>>& workers) {
  const CpuTimes before = cpu_so_far(options);
  const auto begin = Clock::now();
  {
    std::vector<std::jthread> threads;
    for (const auto& worker : workers) {
      threads.emplace_back([&, one = worker.get()] { one->run(begin, begin + options.duration); });
    }
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  return {seconds, 0, cpu_between(before, cpu_so_far(options))};
}

int fail_with(const Error& error) {
  std::cerr << "load_generator: " << error.message << "\n";
  return error.kind == ErrorKind::usage ? 2 : 1;
}

int generate(const Options& options) {
  const ValueMaker values(options.value_bytes, options.seed);
  const auto workers = make_workers(options, values);
  for (const auto& worker : workers) {
    const auto connected = worker->connect();
    if (!connected) return fail_with(connected.error());
  }
  Run run;
  if (options.until_all) {
    run = run_until_all(options, workers);
  } else {
    run.seconds = std::chrono::duration<double>(options.duration).count();
    run.cpu = run_all(options, workers);
  }

  Counts counts;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> acknowledged;
  for (const auto& worker : workers) {
    counts.add(worker->counts());
    const auto known = worker->acknowledged();
    acknowledged.insert(acknowledged.end(), known.begin(), known.end());
  }
  run.acknowledged = acknowledged.size();
  std::optional<Verification> verification;
  if (options.verified_keys > 0) {
    const auto requests = make_requests(options, values);
    const auto verified = verify(options, *requests, acknowledged);
    if (!verified) return fail_with(verified.error());
    verification = *verified;
  }
  std::cout << report(options, counts, verification, run) << std::endl;
  const bool lost = verification && verification->wrong > 0;
  const bool failed = counts.error_count() > 0 && !options.errors_allowed;
  return lost || failed ? 1 : 0;
}

/// What the words of --mix mean.
struct Mix {
  unsigned get_percent = 0;
  bool of_records = false;  ///< only of records
  std::size_t created_at_once = 0;
};
const std::map<std::string, Mix> mixes{{"put", {}},
                                       {"get", {.get_percent = 100}},
                                       {"mixed", {.get_percent = 90}},
                                       {"patch", {.of_records = true}},
                                       {"post", {.of_records = true, .created_at_once = 1}},
                                       {"load", {.of_records = true, .created_at_once = 1000}}};

/// Why the options do not go together; empty when they do.
std::string unsuitable(const Options& options, const std::string& mix) {
  if (mixes.at(mix).of_records && !options.records) return "--mix " + mix + " is for --records";
  if (options.records && mix == "put" && options.get_percent == 0)
    return "records are written by --mix post, patch or load";
  if (options.threads > options.connections || (options.connections > options.keys && options.created_at_once == 0))
    return "there must be a connection for every thread and a key for every connection";
  if (options.keys < options.threads || options.first_key + options.keys > keys_max)
    return "there are a key for every thread, and " + std::to_string(keys_max) + " at most";
  return "";
}

}  // namespace
}  // namespace annals::benchmarks

int main(int argc, char** argv) {
  using namespace annals::benchmarks;

  Options options;
  std::string mix = "put";
  double seconds = 3;
  double warm_up_seconds = 0.5;

  CLI::App app{
      "Puts a configuration service, or records of benchmarks/shop, under load, in a closed loop over keep-alive "
      "connections."};
  app.add_option("--host", options.server.host, "IPv4 address in numbers")->capture_default_str();
  app.add_option("--port", options.server.port, "Port of the server")->required();
  auto* base_option = app.add_option("--base", options.base, "What keys are appended to")->capture_default_str();
  app.add_flag(
      "--records", options.records,
      "Keys are records of the model in benchmarks/shop (at /api/products/, if --base does not say otherwise); "
      "those that are not made are there");
  app.add_option("--path", options.paths,
                 "GET this instead of keys; of several, one after another. Each must give the same body every time")
      ->allow_extra_args(false)
      ->check([](const std::string& path) { return path.starts_with('/') ? "" : "a path begins with /"; });
  app.add_option("--connections", options.connections, "Connections, each with one request under way")
      ->capture_default_str()
      ->check(CLI::Range(1, 60'000));
  app.add_option("--threads", options.threads, "Threads that share them")
      ->capture_default_str()
      ->check(CLI::Range(1, 64));
  auto* mix_option =
      app.add_option("--mix", mix,
                     "put, get, or mixed (90 GETs to 10 writes); of records get, mixed, patch, post (new ones, as long "
                     "as the time lasts) or load (all of them, by POST /batch, however long that takes)")
          ->capture_default_str()
          ->check(CLI::IsMember({"put", "get", "mixed", "patch", "post", "load"}));
  std::size_t batch = 0;
  app.add_option("--batch", batch, "Records of one POST /batch (1000)")->check(CLI::Range(2, 1000));
  auto* percent_option =
      app.add_option("--get-percent", options.get_percent, "GETs in a hundred requests, instead of --mix")
          ->check(CLI::Range(0, 100))
          ->excludes(mix_option);
  auto* keys_option = app.add_option("--keys", options.keys, "Different keys; each is written by one connection")
                          ->capture_default_str()
                          ->check(CLI::Range(std::uint64_t{1}, keys_max));
  app.add_option("--first-key", options.first_key, "Where they begin")->check(CLI::Range(std::uint64_t{0}, keys_max));
  app.add_option("--sequences-after", options.sequences_after,
                 "What writes are numbered after: more than the writes of any run before on the same keys");
  app.add_flag("--keys-in-order", options.keys_in_order, "Go through the keys in order instead of at random");
  app.add_option("--value-bytes", options.value_bytes, "Size of a value")
      ->capture_default_str()
      ->check(CLI::Range(value_bytes_min, std::size_t{1} << 20));
  app.add_option("--seconds", seconds, "Time that is measured")
      ->capture_default_str()
      ->check(CLI::Range(0.05, 86'400.0));
  app.add_option("--warm-up", warm_up_seconds, "Seconds before that")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 3600.0));
  app.add_option("--verify", options.verified_keys,
                 "After the run, read back this many keys and compare with the last acknowledged value");
  app.add_flag("--allow-errors", options.errors_allowed,
               "Exit 0 although there were errors; they are never counted as replies");
  app.add_flag("--allow-stale", options.stale_allowed,
               "A GET may return an older value than the last acknowledged one");
  app.add_option("--server-process", options.server_process,
                 "Process id of the server, to tell how much processor time it used");
  app.add_option("--seed", options.seed, "Of values and of the choice of keys")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }

  if (options.records && base_option->count() == 0) options.base = "/api/products/";
  if (percent_option->count() == 0) options.get_percent = mixes.at(mix).get_percent;
  options.created_at_once = mix == "load" && batch > 0 ? batch : mixes.at(mix).created_at_once;
  options.until_all = mix == "load";
  if (mix == "post" && keys_option->count() == 0) options.keys = keys_max - options.first_key;
  if (options.until_all) seconds = 86'400;
  if (!options.paths.empty()) options.get_percent = 100;
  options.duration = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
  options.warm_up = std::chrono::milliseconds(static_cast<std::int64_t>(warm_up_seconds * 1000));
  if (const std::string why = unsuitable(options, mix); !why.empty()) {
    std::cerr << "load_generator: " << why << "\n";
    return 2;
  }
  return generate(options);
}
