#include "platform/private_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace annals::platform {
namespace {

class PrivateFileTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(mkdtemp(directory.data()), nullptr); }
  ~PrivateFileTest() override { std::filesystem::remove_all(directory); }
  void write(const std::string& text, mode_t mode) {
    std::ofstream(path()) << text;
    ASSERT_EQ(chmod(path().c_str(), mode), 0);
  }
  std::string path() const { return directory + "/keys"; }

  std::string directory = (std::filesystem::temp_directory_path() / "annals-private-XXXXXX").string();
};

TEST_F(PrivateFileTest, is_read_whole_up_to_the_limit) {
  write("k1 abc\n", 0600);
  EXPECT_EQ(read_private_file(path(), 100), Result<std::string>("k1 abc\n"));
  EXPECT_EQ(read_private_file(path(), 7), Result<std::string>("k1 abc\n"));
  EXPECT_EQ(read_private_file(path(), 6).error().kind, ErrorKind::too_large);
  write("", 0400);
  EXPECT_EQ(read_private_file(path(), 0), Result<std::string>(""));
}

TEST_F(PrivateFileTest, is_refused_when_anybody_else_may_read_or_change_it) {
  for (const mode_t mode : {0640u, 0604u, 0620u, 0602u, 0660u}) {
    write("k1 abc\n", mode);
    const auto refused = read_private_file(path(), 100);
    ASSERT_FALSE(refused) << mode;
    EXPECT_EQ(refused.error().kind, ErrorKind::usage);
    EXPECT_NE(refused.error().message.find("chmod 600"), std::string::npos);
    chmod(path().c_str(), 0600);
  }
}

TEST_F(PrivateFileTest, that_is_a_pipe_which_nobody_writes_to_is_not_waited_for_without_end) {
  ASSERT_EQ(mkfifo(path().c_str(), 0600), 0);
  EXPECT_EQ(read_private_file(path(), 100, std::chrono::milliseconds(20)).error().kind, ErrorKind::timed_out);
  std::thread writer([&] { std::ofstream(path()) << "k1 abc\n"; });
  const auto found = read_private_file(path(), 100, std::chrono::minutes(2));
  writer.join();
  EXPECT_EQ(found, Result<std::string>("k1 abc\n"));
}

TEST_F(PrivateFileTest, that_is_not_there_is_not_found) {
  EXPECT_EQ(read_private_file(path(), 100).error().kind, ErrorKind::not_found);
  EXPECT_EQ(read_private_file(directory, 100).error().kind, ErrorKind::input_output);
}

}  // namespace
}  // namespace annals::platform
