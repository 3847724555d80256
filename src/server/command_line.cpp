#include "server/command_line.hpp"

#include <algorithm>
#include <vector>

#include "base/did_you_mean.hpp"
#include "server/shown_text.hpp"

namespace annals::server {
namespace {

std::vector<std::string> names_of_commands(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

std::vector<std::string> names_of_flags(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

/// The first argument that the command left over, as it was given.
std::string first_left_over(const CLI::App& command, std::span<const char* const> arguments) {
  const std::vector<std::string> left = command.remaining(true);
  for (const char* argument : arguments) {
    if (std::ranges::find(left, argument) != left.end()) return argument;
  }
  return left.empty() ? "" : left.front();
}

/// The flag that takes what stands where nothing is expected, if that is the address of a database or of a server.
std::string flag_for(const std::string& argument, const CLI::App* command) {
  std::vector<const char*> flags;
  if (is_database_address(argument)) flags = {"--database-url", "--data", "--from"};
  if (is_server_address(argument) && command != nullptr) flags = {"--url"};
  for (const char* const flag : flags) {
    if (command == nullptr || command->get_option_no_throw(flag) != nullptr) {
      return std::string("; did you mean \"") + flag + "\"?";
    }
  }
  if (command == nullptr || command->get_name() != "export" || is_address(argument)) return "";
  return "; it prints to standard output, which `> FILE` writes into a file";
}

}  // namespace

std::string explain(const CLI::App& app, const CLI::ParseError& error, std::span<const char* const> arguments) {
  const std::string look = "; `annals --help` lists the commands";
  if (arguments.empty()) return "no command was given" + look;
  const std::string first = arguments.front();
  const auto commands = names_of_commands(app);
  if (!first.starts_with('-') && std::ranges::find(commands, first) == commands.end()) {
    return "there is no command " + in_quotes(first) +
           (is_database_address(first) ? flag_for(first, nullptr) : did_you_mean(first, commands)) + look;
  }
  const auto used = app.get_subcommands();
  if (used.empty()) return "no command was given before " + in_quotes(first) + look;
  const CLI::App& command = *used.front();
  const std::string name = "`annals " + command.get_name() + "`";
  const std::string look_there = "; `annals " + command.get_name() + " --help` tells what there is";
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    std::string extra = first_left_over(command, arguments);
    if (!extra.starts_with('-'))
      return name + " takes no argument " + in_quotes(extra) + flag_for(extra, &command) + look_there;
    extra = extra.substr(0, extra.find('='));
    return name + " has no flag " + in_quotes(extra) + did_you_mean(extra, names_of_flags(command)) + look_there;
  }
  return name + ": " + error.what() + look_there;
}

}  // namespace annals::server
