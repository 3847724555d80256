#include "server/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace annals::server {
namespace {

using testing::HasSubstr;
using testing::Not;

/// What is said of a command line of a program with the commands `serve`, `verify` and `export`.
std::string said_of(const std::vector<const char*>& arguments) {
  CLI::App app("", "annals");
  app.require_subcommand(1);
  std::string value;
  CLI::App* serve = app.add_subcommand("serve", "");
  serve->add_option("--listen", value);
  app.add_subcommand("verify", "")->add_option("--data", value);
  app.add_subcommand("export", "")->add_option("--url", value);
  std::vector<const char*> all{"annals"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  try {
    app.parse(static_cast<int>(all.size()), all.data());
  } catch (const CLI::ParseError& error) {
    return explain(app, error, arguments);
  }
  return "(understood)";
}

TEST(command_line, an_unknown_command_is_named_and_the_one_that_was_meant) {
  EXPECT_EQ(said_of({"sevre"}),
            "there is no command \"sevre\"; did you mean \"serve\"?; `annals --help` lists the commands");
  EXPECT_EQ(said_of({"serv"}),
            "there is no command \"serv\"; did you mean \"serve\"?; `annals --help` lists the commands");
  EXPECT_EQ(said_of({"dance", "--listen", "x"}), "there is no command \"dance\"; `annals --help` lists the commands");
  EXPECT_THAT(said_of({std::string(1000, 'x').c_str()}), Not(HasSubstr(std::string(101, 'x'))));
}

TEST(command_line, a_missing_command_is_missed) {
  EXPECT_EQ(said_of({}), "no command was given; `annals --help` lists the commands");
  EXPECT_EQ(said_of({"--data"}), "no command was given before \"--data\"; `annals --help` lists the commands");
}

TEST(command_line, an_unknown_flag_is_named_and_the_one_that_was_meant) {
  EXPECT_EQ(
      said_of({"serve", "--lisen", "x"}),
      "`annals serve` has no flag \"--lisen\"; did you mean \"--listen\"?; `annals serve --help` tells what there is");
  EXPECT_EQ(
      said_of({"serve", "--lisen=x"}),
      "`annals serve` has no flag \"--lisen\"; did you mean \"--listen\"?; `annals serve --help` tells what there is");
  EXPECT_EQ(said_of({"verify", "--listen", "x"}),
            "`annals verify` has no flag \"--listen\"; `annals verify --help` tells what there is");
  EXPECT_EQ(said_of({"verify", "data"}),
            "`annals verify` takes no argument \"data\"; `annals verify --help` tells what there is");
}

TEST(command_line, an_address_in_the_wrong_place_is_shown_without_its_password_and_with_the_flag_that_takes_it) {
  const char* address = "postgres://u:hunter2@h/x";
  EXPECT_EQ(
      said_of({address}),
      "there is no command \"postgres://u:****@h/x\"; did you mean \"--database-url\"?; `annals --help` lists the "
      "commands");
  EXPECT_EQ(said_of({"verify", address}),
            "`annals verify` takes no argument \"postgres://u:****@h/x\"; did you mean \"--data\"?; `annals verify "
            "--help` tells what there is");
  EXPECT_EQ(
      said_of({"export", "http://u:hunter2@h:1/x"}),
      "`annals export` takes no argument \"http://u:****@h:1/x\"; did you mean \"--url\"?; `annals export --help` "
      "tells what there is");
  EXPECT_EQ(said_of({"verify", "http://h:1"}),
            "`annals verify` takes no argument \"http://h:1\"; `annals verify --help` tells what there is");
  EXPECT_EQ(said_of({"export", "all.jsonl"}),
            "`annals export` takes no argument \"all.jsonl\"; it prints to standard output, which `> FILE` writes into "
            "a file; `annals export --help` tells what there is");
  EXPECT_EQ(said_of({"serve", "password=hunter2"}),
            "`annals serve` takes no argument \"password=****\"; `annals serve --help` tells what there is");
}

TEST(command_line, a_flag_without_its_value_is_named) {
  EXPECT_THAT(said_of({"serve", "--listen"}), HasSubstr("`annals serve`: --listen"));
}

}  // namespace
}  // namespace annals::server
