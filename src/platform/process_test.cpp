#include "platform/process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>

namespace annals::platform {
namespace {

/// How a process ends that holds its signals, gets `number` and reports what it waited for: 10 for stop, 20 for reload.
int status_after(int number) {
  const pid_t child = fork();
  if (child == 0) {
    hold_signals();
    kill(getpid(), SIGPIPE);  // ignored
    kill(getpid(), SIGXFSZ);  // ignored
    kill(getpid(), number);   // waits until somebody asks
    _exit(wait_for_signal() == Signal::stop ? 10 : 20);
  }
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(process, a_missing_standard_descriptor_is_replaced_so_that_no_other_file_takes_its_place) {
  for (int missing = 0; missing < 8; ++missing) {
    const pid_t child = fork();
    if (child == 0) {
      for (int descriptor = 0; descriptor < 3; ++descriptor) {
        if (missing & (1 << descriptor)) close(descriptor);
      }
      keep_standard_descriptors();
      _exit(dup(1));  // the lowest free number
    }
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_GE(WEXITSTATUS(status), 3) << missing;
  }
}

TEST(process, the_limit_on_descriptors_is_raised_as_far_as_it_goes) {
  const pid_t child = fork();
  if (child == 0) {
    const rlimit limit{.rlim_cur = 40, .rlim_max = 90};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || raise_descriptor_limit() != 90) _exit(1);
    _exit(fcntl(0, F_DUPFD, 89) == 89 ? 0 : 2);
  }
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(process, signals_that_stop_and_reload_wait_to_be_asked_for) {
  EXPECT_EQ(status_after(SIGTERM), 10);
  EXPECT_EQ(status_after(SIGINT), 10);
  EXPECT_EQ(status_after(SIGHUP), 20);
}

TEST(process, a_second_stop_ends_at_once_and_says_so) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    hold_signals();
    kill(getpid(), SIGTERM);
    if (wait_for_signal() != Signal::stop) _exit(9);
    end_at_next_stop(7, Duration{}, [] { return std::string("the last words\n"); });
    kill(getpid(), SIGHUP);  // is no stop
    kill(getpid(), SIGINT);
    for (;;) ::pause();
  }
  close(ends[1]);
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
  std::string said(100, ' ');
  said.resize(static_cast<std::size_t>(std::max<ssize_t>(read(ends[0], said.data(), said.size()), 0)));
  close(ends[0]);
  EXPECT_EQ(said, "the last words\n");
}

TEST(process, a_stop_that_is_told_twice_is_one) {
  const pid_t child = fork();
  if (child == 0) {
    hold_signals();
    kill(getpid(), SIGTERM);
    if (wait_for_signal() != Signal::stop) _exit(9);
    end_at_next_stop(7, std::chrono::hours(1), [] { return std::string(); });
    kill(getpid(), SIGTERM);
    sigset_t pending;
    do {
      sigpending(&pending);
    } while (sigismember(&pending, SIGTERM) == 1);
    usleep(50'000);  // what has taken the signal would end the process meanwhile
    _exit(0);
  }
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(process, there_is_a_processor_and_no_more_than_the_machine_has) {
  EXPECT_GE(processors(), 1u);
  EXPECT_LE(processors(), static_cast<std::size_t>(sysconf(_SC_NPROCESSORS_CONF)));
}

}  // namespace
}  // namespace annals::platform
