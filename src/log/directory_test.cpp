// The directory of a log: where one begins, and where none does.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/log.hpp"
#include "log/test_log.hpp"

namespace annals::log {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* first_segment_path = "data/log/00000000000000000001.segment";

TEST(LogDirectory, a_first_opening_that_was_cut_short_left_no_store_to_look_at) {
  TestWorld world;
  ASSERT_TRUE(world.files.create_directories("data/log"));
  ASSERT_TRUE(world.files.create("data/log/next.segment"));
  EXPECT_EQ(verify_log(world.files, "data", {}).error().kind, ErrorKind::not_found);
  EXPECT_THAT(verify_log(world.files, "data", {}).error().message, HasSubstr("holds no event store"));
  EXPECT_NE(must_open(world), nullptr);
}

TEST(LogDirectory, a_store_is_made_once_the_names_above_its_directory_are_durable_whoever_made_them) {
  TestWorld world;
  ASSERT_TRUE(world.files.create_directories("data"));
  HookedFiles files(world.files);
  platform::Platform platform = world.platform();
  const platform::Platform hooked{platform.clock, platform.random, files, platform.log};
  const auto open = [&] {
    return open_log({.directory = "data", .segment_bytes = segment_bytes_min}, hooked, world.background, {});
  };
  std::vector<std::string> flushed;
  files.on_flush_names_above([&](const std::string& path) -> Result<> {
    flushed.push_back(path);
    return fail(ErrorKind::input_output, "the disk is broken");
  });
  EXPECT_EQ(open().error().message, "the disk is broken");
  EXPECT_FALSE(world.files.exists("data/STORE").value());
  files.on_flush_names_above([&](const std::string& path) -> Result<> {
    flushed.push_back(path);
    return {};
  });
  EXPECT_TRUE(open());
  EXPECT_TRUE(open());
  EXPECT_THAT(flushed, ElementsAre("data", "data")) << "once they are durable they stay so";
}

TEST(LogDirectory, a_log_never_begins_among_other_files) {
  for (const char* foreign : {"data/notes.txt", "data/log/syslog", "data/index/0000001.summary"}) {
    TestWorld world;
    ASSERT_TRUE(world.files.create_directories("data/log"));
    ASSERT_TRUE(world.files.create_directories("data/index"));
    ASSERT_TRUE(world.files.create(foreign));
    const Error error = must_fail(world);
    EXPECT_EQ(error.kind, ErrorKind::conflict);
    EXPECT_EQ(error.code, "directory_foreign");
    EXPECT_THAT(error.message, HasSubstr(std::string(foreign).substr(5)));
    EXPECT_FALSE(world.files.exists("data/LOCK").value());
    EXPECT_EQ(verify_log(world.files, "data", {}).error().kind, ErrorKind::not_found);
  }
}

TEST(LogDirectory, a_file_in_the_place_of_a_folder_of_a_store_is_told_with_what_to_do) {
  struct Case {
    const char* folder;
    ErrorKind kind;
    const char* advice;
  };
  for (const Case& one : {Case{"data/log", ErrorKind::corrupt, "from a backup"},
                          Case{"data/index", ErrorKind::conflict, "they are made anew from the log"}}) {
    TestWorld world;
    ASSERT_NE(must_open(world), nullptr);
    for (const std::string& name : world.files.list(one.folder).value_or(std::vector<std::string>{}))
      ASSERT_TRUE(world.files.remove(platform::join_path(one.folder, name)));
    (void)world.files.remove_directory(one.folder);
    ASSERT_TRUE(world.files.create(one.folder));
    for (const Error& error : {must_fail(world), verify_log(world.files, "data", {}).error(),
                               open_log_to_read("data", world.platform(), {}, {}).error()}) {
      EXPECT_EQ(error.kind, one.kind) << error.message;
      EXPECT_THAT(error.message, StartsWith(std::string(one.folder) + " is a file; a directory is expected there"));
      EXPECT_THAT(error.message, HasSubstr(one.advice));
    }
  }
}

TEST(LogDirectory, a_file_in_the_place_of_a_folder_where_there_is_no_store_is_somebody_elses) {
  for (const char* folder : {"data/log", "data/index"}) {
    TestWorld world;
    ASSERT_TRUE(world.files.create_directories("data"));
    ASSERT_TRUE(world.files.create(folder));
    const Error error = must_fail(world);
    EXPECT_EQ(error.code, "directory_foreign");
    EXPECT_THAT(error.message, HasSubstr("other things (" + std::string(folder).substr(5) + ")"));
    EXPECT_THAT(verify_log(world.files, "data", {}).error().message, HasSubstr("holds no event store"));
  }
}

TEST(LogDirectory, what_the_file_system_keeps_in_a_directory_is_nobodys_file) {
  TestWorld world;
  ASSERT_TRUE(world.files.create_directories("data/lost+found"));
  ASSERT_TRUE(world.files.create("data/.keep"));
  EXPECT_NE(must_open(world), nullptr);
}

TEST(LogDirectory, nothing_is_written_into_a_directory_that_is_no_longer_there) {
  for (const char* lost : {"data/LOCK", first_segment_path}) {
    TestWorld world;
    const auto log = must_open(world);
    ASSERT_TRUE(append(world, *log, {"a"}));
    log->check_place();
    ASSERT_TRUE(append(world, *log, {"b"}));
    ASSERT_TRUE(world.files.remove(lost));
    log->check_place();
    const auto steps = world.files.steps();
    const auto refused = append(world, *log, {"c"});
    ASSERT_FALSE(refused) << lost;
    EXPECT_EQ(refused.error().kind, ErrorKind::unavailable);
    EXPECT_THAT(refused.error().message, HasSubstr("removed, moved or replaced"));
    EXPECT_EQ(world.files.steps(), steps);
    EXPECT_EQ(log->failure(), refused.error().message);
    const auto lines = world.log.lines().size();
    log->check_place();
    EXPECT_EQ(world.log.lines().size(), lines) << "what is known is said once";
  }
}

}  // namespace
}  // namespace annals::log
