#include "platform/process.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace annals::platform {
namespace {

/// How a process ends that holds its signals, gets `number` and reports what it waited for: 10 for stop, 20 for reload.
int status_after(int number) {
  const pid_t child = fork();
  if (child == 0) {
    hold_signals();
    kill(getpid(), SIGPIPE);  // ignored
    kill(getpid(), number);   // waits until somebody asks
    _exit(wait_for_signal() == Signal::stop ? 10 : 20);
  }
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(process, signals_that_stop_and_reload_wait_to_be_asked_for) {
  EXPECT_EQ(status_after(SIGTERM), 10);
  EXPECT_EQ(status_after(SIGINT), 10);
  EXPECT_EQ(status_after(SIGHUP), 20);
}

TEST(process, there_is_a_processor_and_no_more_than_the_machine_has) {
  EXPECT_GE(processors(), 1u);
  EXPECT_LE(processors(), static_cast<std::size_t>(sysconf(_SC_NPROCESSORS_CONF)));
}

}  // namespace
}  // namespace annals::platform
