#include "platform/line_output.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace annals::platform {
namespace {

/// Standard error leads into a pipe for as long as this lives.
class CapturedStandardError {
 public:
  CapturedStandardError() : before_(dup(STDERR_FILENO)) {
    EXPECT_EQ(pipe(ends_), 0);
    dup2(ends_[1], STDERR_FILENO);
    close(ends_[1]);
  }
  ~CapturedStandardError() {
    restore();
    close(before_);
    close_reading_end();
  }
  CapturedStandardError(const CapturedStandardError&) = delete;
  CapturedStandardError& operator=(const CapturedStandardError&) = delete;

  void restore() { dup2(before_, STDERR_FILENO); }
  void close_reading_end() {
    if (ends_[0] >= 0) close(ends_[0]);
    ends_[0] = -1;
  }
  /// All that comes until the last writer is gone.
  [[nodiscard]] std::string read_all() {
    std::string text;
    char piece[4'096];
    for (ssize_t count = 0; (count = read(ends_[0], piece, sizeof piece)) > 0;) {
      text.append(piece, static_cast<std::size_t>(count));
    }
    return text;
  }

 private:
  int before_;
  int ends_[2] = {-1, -1};
};

TEST(line_output, a_file_has_all_lines_in_their_order) {
  char path[] = "/tmp/annals_lines_XXXXXX";
  const int descriptor = mkstemp(path);
  ASSERT_GE(descriptor, 0);
  unlink(path);
  const auto output = make_line_output(descriptor);
  std::string expected;
  for (std::size_t bytes : {10u, 100'000u, 4'096u}) {
    const std::string line = std::string(bytes, static_cast<char>('a' + bytes % 26)) + "\n";
    EXPECT_TRUE(output->write(line));
    expected += line;
  }
  std::string found(expected.size() + 1, '\0');
  const ssize_t count = pread(descriptor, found.data(), found.size(), 0);
  ASSERT_EQ(count, static_cast<ssize_t>(expected.size()));
  found.pop_back();
  EXPECT_EQ(found, expected);
  close(descriptor);
}

TEST(line_output, a_full_file_system_is_an_error) {
  const int descriptor = open("/dev/full", O_WRONLY);
  ASSERT_GE(descriptor, 0);
  EXPECT_EQ(make_line_output(descriptor)->write("a line\n").error().kind, ErrorKind::input_output);
  close(descriptor);
}

TEST(standard_error, lines_of_many_threads_are_whole_though_the_reader_is_slow) {
  constexpr std::size_t writers = 4;
  constexpr std::size_t lines_each = 50;
  constexpr std::size_t line_bytes = 10'000;  // more than a pipe takes at once
  CapturedStandardError captured;
  std::string text;
  std::thread reader([&] { text = captured.read_all(); });
  std::vector<std::thread> threads;
  for (std::size_t writer = 0; writer < writers; ++writer) {
    threads.emplace_back([letter = static_cast<char>('a' + writer)] {
      const std::string line = std::string(line_bytes - 1, letter) + "\n";
      for (std::size_t number = 0; number < lines_each; ++number) EXPECT_TRUE(standard_error().write(line));
    });
  }
  for (std::thread& thread : threads) thread.join();
  captured.restore();
  reader.join();
  ASSERT_EQ(text.size(), writers * lines_each * line_bytes);
  for (std::size_t at = 0; at < text.size(); at += line_bytes) {
    const std::string_view line = std::string_view(text).substr(at, line_bytes);
    ASSERT_EQ(line.back(), '\n');
    ASSERT_EQ(std::count(line.begin(), line.end(), line.front()), static_cast<std::ptrdiff_t>(line_bytes - 1));
  }
}

TEST(standard_error, a_reader_that_has_gone_is_an_error) {
  const auto before = signal(SIGPIPE, SIG_IGN);
  CapturedStandardError captured;
  captured.close_reading_end();
  const Result<> written = standard_error().write("line\n");
  captured.restore();
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::input_output);
  signal(SIGPIPE, before);
}

TEST(line_output, after_hurry_all_lines_that_nobody_reads_have_one_time_together) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const auto output = make_line_output(ends[1]);
  output->hurry(std::chrono::milliseconds(50));
  // Were each of them given a time of its own, this would take minutes.
  const std::string line(2'000, 'x');
  std::size_t refused = 0;
  for (int number = 0; number < 10'000; ++number) refused += !output->write(line);
  EXPECT_GT(refused, 9'000u);
  // Whoever reads again gets what comes from then on.
  std::string taken(1u << 20, '\0');
  EXPECT_GT(read(ends[0], taken.data(), taken.size()), 2'000);
  EXPECT_TRUE(output->write("last\n"));
  close(ends[0]);
  close(ends[1]);
}

TEST(line_output, a_write_that_waits_already_hears_of_the_hurry) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const auto output = make_line_output(ends[1]);
  std::thread writer([&] { EXPECT_FALSE(output->write(std::string(1u << 20, 'x'))); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  output->hurry(Duration{0});
  writer.join();
  close(ends[0]);
  close(ends[1]);
}

TEST(line_output, a_reader_who_keeps_up_loses_nothing_after_hurry) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const auto output = make_line_output(ends[1]);
  output->hurry(std::chrono::minutes(1));
  std::size_t read_bytes = 0;
  std::thread reader([&] {
    char piece[4'096];
    for (ssize_t count = 0; (count = read(ends[0], piece, sizeof piece)) > 0;) {
      read_bytes += static_cast<std::size_t>(count);
    }
  });
  for (int number = 0; number < 1'000; ++number) EXPECT_TRUE(output->write(std::string(999, 'x') + "\n"));
  close(ends[1]);
  reader.join();
  close(ends[0]);
  EXPECT_EQ(read_bytes, 1'000'000u);
}

}  // namespace
}  // namespace annals::platform
