// history: makes stores with long histories, and reads them back; prints what it saw as one JSON object.
//
// Exit codes: 0 done; 1 it could not be done; 2 wrong usage.

#include <CLI/CLI.hpp>
#include <iostream>
#include <string>

#include "benchmarks/history/plan.hpp"
#include "benchmarks/history/store_maker.hpp"

namespace annals::benchmarks {
namespace {

std::string times_text(const std::vector<VersionTime>& times) {
  std::string text = "[";
  for (const VersionTime& time : times) {
    if (text.size() > 1) text += ',';
    text += "[" + std::to_string(time.version) + ",\"" + time.created_at.to_text() + "\"]";
  }
  return text + "]";
}

int fail_with(const Error& error) {
  std::cerr << "history: " << error.message << "\n";
  return 1;
}

int make(const HistoryOptions& options) {
  const auto made = make_history(options);
  if (!made) return fail_with(made.error());
  std::cout << "{\"seconds\":" << made->seconds << ",\"keys\":" << made->keys << ",\"log_bytes\":" << made->log_bytes
            << ",\"long\":" << times_text(made->long_times) << ",\"short\":" << times_text(made->short_times) << "}"
            << std::endl;
  return 0;
}

int rebuild(const std::string& directory) {
  const auto rebuilt = rebuild_table(directory);
  if (!rebuilt) return fail_with(rebuilt.error());
  std::cout << "{\"seconds\":" << rebuilt->seconds << ",\"cpu_seconds\":" << rebuilt->cpu_seconds
            << ",\"events\":" << rebuilt->events << ",\"keys\":" << rebuilt->keys << "}" << std::endl;
  return 0;
}

}  // namespace
}  // namespace annals::benchmarks

int main(int argc, char** argv) {
  using namespace annals::benchmarks;

  HistoryOptions options;
  CLI::App app{"Makes stores with long histories, and reads them back."};
  app.require_subcommand(1);
  auto* maker = app.add_subcommand("make", "Make a store: one key has a tenth of its events, one has ten of them");
  maker->add_option("--data", options.directory, "Directory of the store, where there is none yet")->required();
  maker->add_option("--events", options.events, "Events, a multiple of 100")
      ->required()
      ->check(CLI::Range(events_unit, std::uint64_t{1'000'000'000}))
      ->check([](const std::string& text) { return text.ends_with("00") ? "" : "not a multiple of 100"; });
  maker->add_option("--keys", options.keys, "Keys that they are about")
      ->required()
      ->check(CLI::Range(std::uint64_t{3}, keys_max));
  maker->add_option("--value-bytes", options.value_bytes, "Size of a value")
      ->capture_default_str()
      ->check(CLI::Range(value_bytes_min, std::size_t{1} << 20));
  maker->add_option("--seed", options.seed, "Of values and of the choice of keys")->capture_default_str();
  auto* rebuilder = app.add_subcommand("rebuild", "Make a read table from the log alone, on one thread");
  rebuilder->add_option("--data", options.directory, "Directory of a store that no server holds")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return maker->parsed() ? make(options) : rebuild(options.directory);
}
