// stages: what each step of a POST of a record costs; prints one JSON object.
//
// Exit codes: 0 done; 1 it could not be done; 2 wrong usage.

#include <CLI/CLI.hpp>
#include <iostream>
#include <string>

#include "benchmarks/load_generator/workload.hpp"
#include "benchmarks/stages/stages.hpp"
#include "json/writer.hpp"

namespace annals::benchmarks {
namespace {

std::string_view to_string(Stage::Kind kind) {
  return kind == Stage::Kind::step ? "step" : kind == Stage::Kind::part ? "part" : "aside";
}

int measure(const StagesOptions& options) {
  const auto stages = measure_stages(options);
  if (!stages) {
    std::cerr << "stages: " << stages.error().message << "\n";
    return stages.error().kind == ErrorKind::usage ? 2 : 1;
  }
  std::string text = "{\"records\":" + std::to_string(options.records) + ",\"batch\":" + std::to_string(stages_batch) +
                     ",\"batches\":" + std::to_string(options.batches) + ",\"stages\":[";
  for (const char* separator = ""; const Stage& stage : *stages) {
    text += separator;
    text += "{\"stage\":";
    json::append_string(text, stage.name);
    text += ",\"kind\":\"" + std::string(to_string(stage.kind)) + "\"";
    text += ",\"nanoseconds\":" + std::to_string(stage.median) + ",\"least\":" + std::to_string(stage.least) + "}";
    separator = ",";
  }
  std::cout << text << "]}" << std::endl;
  return 0;
}

}  // namespace
}  // namespace annals::benchmarks

int main(int argc, char** argv) {
  using namespace annals::benchmarks;

  StagesOptions options;
  CLI::App app{"Tells what each step of a POST of a record costs."};
  app.add_option("--declaration", options.declaration, "A file like benchmarks/shop/annals.toml")->required();
  app.add_option("--data", options.directory, "An empty directory for its stores")->required();
  app.add_option("--records", options.records, "Records that are there before")
      ->capture_default_str()
      ->check(CLI::Range(std::uint64_t{1}, keys_max / 2));
  app.add_option("--name-bytes", options.name_bytes, "Size of a record's name")
      ->capture_default_str()
      ->check(CLI::Range(value_bytes_min, std::size_t{200}));
  app.add_option("--batches", options.batches, "Batches that each step is timed for")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return measure(options);
}
