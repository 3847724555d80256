// bare_server: the yardstick of `./dev bench`. Prints one line once it is ready, as `annals serve` does.

#include <CLI/CLI.hpp>
#include <iostream>

#include "benchmarks/bare_server/bare_server.hpp"

int main(int argc, char** argv) {
  using namespace annals::benchmarks;

  BareServerOptions options;
  std::uint64_t file_mebibytes = 256;
  CLI::App app{"The barest server that could keep a configuration service's promises: one thread, epoll, one file."};
  app.add_option("--port", options.listen.port, "Port on 127.0.0.1; 0 takes any free one")->capture_default_str();
  app.add_option("--file", options.file, "The file that values are written to; replaced when it is there")->required();
  app.add_option("--file-mebibytes", file_mebibytes, "Its size; writing begins at its start again when it is full")
      ->capture_default_str()
      ->check(CLI::Range(1, 65'536));
  CLI11_PARSE(app, argc, argv);
  options.file_bytes = file_mebibytes << 20;

  const auto server = BareServer::open(options);
  if (!server) {
    std::cerr << "bare_server: " << server.error().message << "\n";
    return 1;
  }
  std::cout << "bare_server: listening on http://127.0.0.1:" << (*server)->port() << std::endl;
  const auto served = (*server)->run();
  if (!served) {
    std::cerr << "bare_server: " << served.error().message << "\n";
    return 1;
  }
  return 0;
}
