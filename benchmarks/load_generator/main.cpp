// load_generator: puts a configuration service under load and prints what it saw as one JSON object.
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

/// What both sides spent between `begin` and `end`, taken on a thread that otherwise sleeps.
CpuTimes measure_cpu(const Options& options, Clock::time_point begin, Clock::time_point end) {
  const auto server = [&] {
    return options.server_process > 0 ? cpu_seconds_of(options.server_process) : std::nullopt;
  };
  std::this_thread::sleep_until(begin);
  const double own_before = own_cpu_seconds();
  const auto server_before = server();
  std::this_thread::sleep_until(end);
  const double own_after = own_cpu_seconds();
  const auto server_after = server();
  CpuTimes times{own_after - own_before, std::nullopt};
  if (server_before && server_after) times.server_seconds = *server_after - *server_before;
  return times;
}

/// Divides connections and keys among the threads as evenly as they go.
std::vector<std::unique_ptr<Worker>> make_workers(const Options& options, const ValueMaker& values) {
  std::vector<std::unique_ptr<Worker>> workers;
  const auto share = [&](std::uint64_t whole, std::size_t i) { return whole * i / options.threads; };
  for (std::size_t i = 0; i < options.threads; ++i) {
    const std::uint64_t first_key = share(options.keys, i);
    workers.push_back(std::make_unique<Worker>(options, values,
                                               share(options.connections, i + 1) - share(options.connections, i),
                                               first_key, share(options.keys, i + 1) - first_key));
  }
  return workers;
}

CpuTimes run_all(const Options& options, const std::vector<std::unique_ptr<Worker>>& workers) {
  CpuTimes cpu;
  Clock::time_point begin;
  std::barrier filled(static_cast<std::ptrdiff_t>(workers.size() + 1),
                      [&]() noexcept { begin = Clock::now() + options.warm_up; });
  const auto work = [&](Worker& worker) {
    if (options.get_percent > 0 && options.paths.empty()) worker.fill();
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

int fail_with(const Error& error) {
  std::cerr << "load_generator: " << error.message << "\n";
  return error.kind == ErrorKind::usage ? 2 : 1;
}

int run(const Options& options) {
  const ValueMaker values(options.value_bytes, options.seed);
  const auto workers = make_workers(options, values);
  for (const auto& worker : workers) {
    const auto connected = worker->connect();
    if (!connected) return fail_with(connected.error());
  }
  const CpuTimes cpu = run_all(options, workers);

  Counts counts;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> acknowledged;
  for (const auto& worker : workers) {
    counts.add(worker->counts());
    const auto known = worker->acknowledged();
    acknowledged.insert(acknowledged.end(), known.begin(), known.end());
  }
  std::optional<Verification> verification;
  if (options.verified_keys > 0) {
    const auto verified = verify(options, values, acknowledged);
    if (!verified) return fail_with(verified.error());
    verification = *verified;
  }
  std::cout << report(options, counts, verification, cpu) << std::endl;
  const bool lost = verification && verification->wrong > 0;
  const bool failed = counts.error_count() > 0 && !options.errors_allowed;
  return lost || failed ? 1 : 0;
}

}  // namespace
}  // namespace annals::benchmarks

int main(int argc, char** argv) {
  using namespace annals::benchmarks;

  Options options;
  std::string mix = "put";
  double seconds = 3;
  double warm_up_seconds = 0.5;
  const std::map<std::string, unsigned> mixes{{"put", 0}, {"get", 100}, {"mixed", 90}};

  CLI::App app{"Puts a configuration service under load, in a closed loop over keep-alive connections."};
  app.add_option("--host", options.server.host, "IPv4 address in numbers")->capture_default_str();
  app.add_option("--port", options.server.port, "Port of the server")->required();
  app.add_option("--base", options.base, "What keys are appended to")->capture_default_str();
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
  auto* mix_option = app.add_option("--mix", mix, "put, get, or mixed (90 GETs to 10 PUTs)")
                         ->capture_default_str()
                         ->check(CLI::IsMember({"put", "get", "mixed"}));
  auto* percent_option =
      app.add_option("--get-percent", options.get_percent, "GETs in a hundred requests, instead of --mix")
          ->check(CLI::Range(0, 100))
          ->excludes(mix_option);
  app.add_option("--keys", options.keys, "Different keys; each is written by one connection")
      ->capture_default_str()
      ->check(CLI::Range(std::uint64_t{1}, keys_max));
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

  if (percent_option->count() == 0) options.get_percent = mixes.at(mix);
  if (!options.paths.empty()) options.get_percent = 100;
  options.duration = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
  options.warm_up = std::chrono::milliseconds(static_cast<std::int64_t>(warm_up_seconds * 1000));
  if (options.threads > options.connections || options.connections > options.keys) {
    std::cerr << "load_generator: there must be a connection for every thread and a key for every connection\n";
    return 2;
  }
  return run(options);
}
