#include "platform/named_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace annals::platform {
namespace {

constexpr Duration shortly = std::chrono::milliseconds(20);
constexpr Duration for_long = std::chrono::minutes(2);

class NamedFileTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(mkdtemp(directory.data()), nullptr);
    ASSERT_EQ(mkfifo(pipe_path().c_str(), 0600), 0);
  }
  ~NamedFileTest() override { std::filesystem::remove_all(directory); }
  std::string path() const { return directory + "/file"; }
  std::string pipe_path() const { return directory + "/pipe"; }

  std::string directory = (std::filesystem::temp_directory_path() / "annals-named-XXXXXX").string();
};

TEST_F(NamedFileTest, a_file_is_read_whole_up_to_the_limit) {
  std::ofstream(path()) << std::string(200'000, 'x');
  EXPECT_EQ(read_named_file(path(), 200'000, shortly), Result<std::string>(std::string(200'000, 'x')));
  EXPECT_EQ(read_named_file(path(), 199'999, shortly).error().kind, ErrorKind::too_large);
  std::ofstream(path(), std::ios::trunc).flush();
  EXPECT_EQ(read_named_file(path(), 0, for_long), Result<std::string>("")) << "only a pipe is waited for";
  EXPECT_EQ(read_named_file(directory + "/none", 9, shortly).error().kind, ErrorKind::not_found);
  EXPECT_EQ(read_named_file(directory, 9, shortly).error().kind, ErrorKind::input_output);
}

TEST_F(NamedFileTest, a_pipe_that_nobody_writes_to_is_not_waited_for_longer_than_asked) {
  const auto refused = read_named_file(pipe_path(), 9, shortly);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::timed_out);
  EXPECT_EQ(refused.error().message,
            pipe_path() + " is a pipe that nobody has open to write to, and nobody came within 20ms");
}

TEST_F(NamedFileTest, who_opens_a_pipe_in_time_is_read_to_the_end) {
  const std::string sent(200'000, 'p');
  std::thread writer([&] { std::ofstream(pipe_path()) << sent; });
  const auto found = read_named_file(pipe_path(), 1u << 20, for_long);
  writer.join();
  EXPECT_EQ(found, Result<std::string>(sent));
}

TEST_F(NamedFileTest, who_has_a_pipe_open_is_waited_for_however_long_it_takes) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  std::thread writer([&] {
    std::this_thread::sleep_for(10 * shortly);
    EXPECT_EQ(write(ends[1], "text", 4), 4);
    close(ends[1]);
  });
  const auto found = read_named_file("/dev/fd/" + std::to_string(ends[0]), 9, shortly);
  writer.join();
  close(ends[0]);
  EXPECT_EQ(found, Result<std::string>("text"));
}

TEST_F(NamedFileTest, a_pipe_whose_writer_has_gone_is_read_to_its_end_at_once) {
  for (const std::string text : {"", "text"}) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    EXPECT_EQ(write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
    close(ends[1]);
    EXPECT_EQ(read_named_file("/dev/fd/" + std::to_string(ends[0]), 9, for_long), Result<std::string>(text));
    close(ends[0]);
  }
}

}  // namespace
}  // namespace annals::platform
