#include "tests/support/postgres_server.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <stdexcept>

namespace annals::test {
namespace {

/// The text of a member of one line of JSON, which has no escapes in it.
std::string member(const std::string& line, const std::string& name) {
  const std::string before = "\"" + name + "\": ";
  const std::size_t found = line.find(before);
  if (found == std::string::npos) throw std::runtime_error("PostgreSQL for tests did not start: " + line);
  std::size_t begin = found + before.size();
  if (line[begin] == '"') return line.substr(begin + 1, line.find('"', begin + 1) - begin - 1);
  return line.substr(begin, line.find_first_of(",}", begin) - begin);
}

}  // namespace

PostgresServer& PostgresServer::of_this_program() {
  static PostgresServer server;
  return server;
}

PostgresServer::PostgresServer() {
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  // Closed in every other child, so that the end of this program is the end of the server.
  if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  std::string script = ANNALS_POSTGRES_SCRIPT;
  std::string python = ANNALS_PYTHON;
  std::array<char*, 3> arguments{python.data(), script.data(), nullptr};
  pid_t child = -1;
  const int failed = ::posix_spawnp(&child, python.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(in[0]);
  ::close(out[1]);
  input_ = in[1];
  output_ = out[0];
  process_ = child;
  if (failed != 0) throw std::runtime_error("python3 cannot be started");
  const std::string line = read_line();
  url_ = "postgres:///postgres?host=" + member(line, "host") + "&port=" + member(line, "port") +
         "&user=" + member(line, "user");
}

PostgresServer::~PostgresServer() {
  ::close(input_);
  ::close(output_);
  int status = 0;
  ::waitpid(process_, &status, 0);
}

void PostgresServer::command(const std::string& word) {
  const std::string line = word + "\n";
  if (::write(input_, line.data(), line.size()) != static_cast<ssize_t>(line.size()) || read_line() != "done") {
    throw std::runtime_error("PostgreSQL for tests did not take the command " + word);
  }
}

std::string PostgresServer::read_line() const {
  std::string line;
  for (char character = 0; ::read(output_, &character, 1) == 1 && character != '\n';) line += character;
  return line;
}

std::string unique_schema() {
  static std::atomic<int> count = 0;
  return "annals-Test_" + std::to_string(++count);  // to be quoted
}

}  // namespace annals::test
