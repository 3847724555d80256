// The contract of platform/file_system.hpp, over the files of the machine and over the simulated ones.

#include "platform/file_system.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "platform/platform.hpp"
#include "platform/simulated.hpp"

namespace annals::platform {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class FileSystemContract : public testing::TestWithParam<std::string> {
 protected:
  FileSystemContract() {
    if (simulated()) {
      directory_ = "/tests";
      EXPECT_TRUE(simulated_.create_directories(directory_));
    } else {
      std::string pattern = (std::filesystem::temp_directory_path() / "annals-files-XXXXXX").string();
      directory_ = mkdtemp(pattern.data());
    }
  }
  ~FileSystemContract() override {
    if (!simulated()) std::filesystem::remove_all(directory_);
  }

  [[nodiscard]] bool simulated() const { return GetParam() == "simulated"; }
  [[nodiscard]] FileSystem& files() { return simulated() ? static_cast<FileSystem&>(simulated_) : posix_files(); }
  [[nodiscard]] std::string path(std::string_view name) const { return join_path(directory_, name); }
  std::unique_ptr<File> create(std::string_view name, std::string_view bytes = {}) {
    auto file = files().create(path(name));
    EXPECT_TRUE(file && (*file)->write_at(0, bytes));
    return *std::move(file);
  }
  [[nodiscard]] std::string content(std::string_view name) {
    return read_whole_file(files(), path(name), 1u << 20).value_or("(cannot be read)");
  }
  template <class T>
  static ErrorKind kind_of(const Result<T>& result) {
    return result ? ErrorKind::internal : result.error().kind;
  }

  std::string directory_;
  SimulatedFileSystem simulated_;
};

TEST_P(FileSystemContract, what_was_written_is_read_back) {
  const auto file = create("a", "hello world");
  std::string text(5, ' ');
  EXPECT_EQ(file->read_at(6, text.data(), 5), Result<std::size_t>(5));
  EXPECT_EQ(text, "world");
  EXPECT_TRUE(file->write_at(0, "J"));
  EXPECT_TRUE(file->flush());
  EXPECT_EQ(content("a"), "Jello world");
  EXPECT_EQ(file->size(), Result<std::uint64_t>(11));
}

TEST_P(FileSystemContract, a_read_is_short_only_at_the_end) {
  const auto file = create("a", "abc");
  std::string text(9, '-');
  EXPECT_EQ(file->read_at(1, text.data(), 9), Result<std::size_t>(2));
  EXPECT_EQ(text, "bc-------");
  EXPECT_EQ(file->read_at(3, text.data(), 9), Result<std::size_t>(0));
  EXPECT_EQ(file->read_at(1'000, text.data(), 9), Result<std::size_t>(0));
}

TEST_P(FileSystemContract, a_write_beyond_the_end_leaves_zeros_between) {
  const auto file = create("a", "ab");
  EXPECT_TRUE(file->write_at(4, "ef"));
  EXPECT_EQ(content("a"), std::string("ab\0\0ef", 6));
}

TEST_P(FileSystemContract, zeros_are_written_just_where_they_were_asked_for) {
  struct Stretch {
    std::size_t offset;
    std::size_t size;
  };
  constexpr std::size_t page = 4096;
  // Within a page, across one border, whole pages, pages with ragged ends, nothing, and beyond the end of the file.
  int number = 0;
  for (const Stretch stretch : {Stretch{100, 50}, Stretch{page - 8, 16}, Stretch{page, 2 * page}, Stretch{8, 3 * page},
                                Stretch{page, 2 * page + 24}, Stretch{page, 0}, Stretch{3 * page + 8, 2 * page}}) {
    SCOPED_TRACE(stretch.offset);
    std::string expected(4 * page, 'x');
    const auto file = create("zeros" + std::to_string(number++), expected);
    ASSERT_TRUE(file->write_zeros(stretch.offset, stretch.size));
    ASSERT_TRUE(file->flush());
    expected.resize(std::max(expected.size(), stretch.offset + stretch.size), 'x');
    expected.replace(stretch.offset, stretch.size, stretch.size, '\0');
    EXPECT_EQ(file->size(), Result<std::uint64_t>(expected.size()));
    std::string found(expected.size(), ' ');
    EXPECT_EQ(file->read_at(0, found.data(), found.size()), Result<std::size_t>(expected.size()));
    EXPECT_TRUE(found == expected);
  }
}

TEST_P(FileSystemContract, large_writes_are_whole) {
  const std::string large(3u << 20, 'x');
  const auto file = create("a");
  EXPECT_TRUE(file->write_at(7, large));
  std::string text(large.size(), ' ');
  EXPECT_EQ(file->read_at(7, text.data(), text.size()), Result<std::size_t>(large.size()));
  EXPECT_EQ(text, large);
}

TEST_P(FileSystemContract, creating_what_exists_conflicts_and_keeps_it) {
  create("a", "kept");
  EXPECT_EQ(kind_of(files().create(path("a"))), ErrorKind::conflict);
  EXPECT_EQ(content("a"), "kept");
}

TEST_P(FileSystemContract, creating_in_a_missing_directory_fails) {
  EXPECT_EQ(kind_of(files().create(path("missing/a"))), ErrorKind::input_output);
}

TEST_P(FileSystemContract, opening_what_does_not_exist_is_not_found) {
  EXPECT_EQ(kind_of(files().open(path("a"))), ErrorKind::not_found);
  EXPECT_EQ(kind_of(files().open_to_read(path("a"))), ErrorKind::not_found);
  EXPECT_EQ(kind_of(files().list(path("missing"))), ErrorKind::not_found);
  EXPECT_EQ(kind_of(files().remove(path("a"))), ErrorKind::not_found);
  EXPECT_EQ(kind_of(files().rename(path("a"), path("b"))), ErrorKind::not_found);
}

TEST_P(FileSystemContract, a_file_opened_again_is_the_same_and_can_be_written) {
  create("a", "abc");
  const auto file = files().open(path("a"));
  ASSERT_TRUE(file);
  EXPECT_TRUE((*file)->write_at(3, "def"));
  EXPECT_EQ(content("a"), "abcdef");
}

TEST_P(FileSystemContract, a_file_opened_to_read_refuses_writes) {
  create("a", "abc");
  const auto file = files().open_to_read(path("a"));
  ASSERT_TRUE(file);
  EXPECT_EQ(kind_of((*file)->write_at(0, "x")), ErrorKind::input_output);
  EXPECT_EQ(content("a"), "abc");
}

TEST_P(FileSystemContract, directories_are_made_with_their_parents_and_again_is_success) {
  EXPECT_TRUE(files().create_directories(path("one/two/three/")));
  EXPECT_TRUE(files().create_directories(path("one/two/three")));
  EXPECT_EQ(files().exists(path("one/two/three")), Result<bool>(true));
  create("one/two/three/a");
  EXPECT_THAT(files().list(path("one/two")).value(), ElementsAre("three"));
  EXPECT_TRUE(files().flush_directory(path("one/two/three")));
}

TEST_P(FileSystemContract, a_file_in_the_way_of_a_directory_is_an_error) {
  create("a");
  EXPECT_EQ(kind_of(files().create_directories(path("a"))), ErrorKind::input_output);
  EXPECT_EQ(kind_of(files().create_directories(path("a/b"))), ErrorKind::input_output);
}

TEST_P(FileSystemContract, a_file_in_the_place_of_a_directory_is_told_from_a_disk_that_fails) {
  create("a");
  const auto listed = files().list(path("a"));
  EXPECT_EQ(kind_of(listed), ErrorKind::corrupt);
  EXPECT_EQ(listed.error().code, "not_a_directory");
  EXPECT_EQ(listed.error().message, path("a") + " is a file; a directory is expected there");
}

TEST_P(FileSystemContract, the_names_of_a_directory_are_listed_in_order) {
  EXPECT_THAT(files().list(directory_).value(), IsEmpty());
  for (const char* name : {"b", "c", "a"}) create(name);
  EXPECT_TRUE(files().create_directories(path("d")));
  create("d/inner");
  EXPECT_THAT(files().list(directory_).value(), ElementsAre("a", "b", "c", "d"));
}

TEST_P(FileSystemContract, exists_tells_what_is_there) {
  create("a");
  EXPECT_EQ(files().exists(path("a")), Result<bool>(true));
  EXPECT_EQ(files().exists(path("b")), Result<bool>(false));
  EXPECT_EQ(files().exists(directory_), Result<bool>(true));
  EXPECT_EQ(files().exists(path("missing/a")), Result<bool>(false));
}

TEST_P(FileSystemContract, renaming_replaces_what_had_the_name) {
  create("a", "new");
  create("b", "old");
  EXPECT_TRUE(files().rename(path("a"), path("b")));
  EXPECT_THAT(files().list(directory_).value(), ElementsAre("b"));
  EXPECT_EQ(content("b"), "new");
}

TEST_P(FileSystemContract, a_removed_file_serves_those_who_have_it_open) {
  const auto file = create("a", "abc");
  EXPECT_TRUE(files().remove(path("a")));
  EXPECT_EQ(files().exists(path("a")), Result<bool>(false));
  std::string text(3, ' ');
  EXPECT_TRUE(file->read_at(0, text.data(), 3));
  EXPECT_EQ(text, "abc");
  create("a", "another");
  EXPECT_EQ(content("a"), "another");
  EXPECT_EQ(file->size(), Result<std::uint64_t>(3));
}

TEST_P(FileSystemContract, one_lock_a_directory_and_the_message_names_its_holder) {
  auto lock = files().lock_directory(directory_);
  ASSERT_TRUE(lock);
  const auto second = files().lock_directory(directory_);
  ASSERT_EQ(kind_of(second), ErrorKind::conflict);
  const std::string holder = simulated() ? "1" : std::to_string(getpid());
  EXPECT_THAT(second.error().message, HasSubstr("process " + holder));
  EXPECT_THAT(second.error().message, HasSubstr(directory_));
  EXPECT_EQ(content("LOCK"), holder + "\n");
  lock->reset();
  EXPECT_TRUE(files().lock_directory(directory_));
}

TEST_P(FileSystemContract, a_lock_tells_when_its_directory_is_another_one_or_gone) {
  const auto lock = files().lock_directory(directory_);
  ASSERT_TRUE(lock);
  EXPECT_EQ((*lock)->is_in_place(), Result<bool>(true));
  EXPECT_TRUE(files().rename(path("LOCK"), path("moved")));
  EXPECT_EQ((*lock)->is_in_place(), Result<bool>(false));
  create("LOCK", "1\n");
  EXPECT_EQ((*lock)->is_in_place(), Result<bool>(false));
}

TEST_P(FileSystemContract, a_lock_holds_when_its_file_is_removed_or_replaced) {
  const auto lock = files().lock_directory(directory_);
  ASSERT_TRUE(lock);
  ASSERT_TRUE(files().remove(path("LOCK")));
  EXPECT_EQ(kind_of(files().lock_directory(directory_)), ErrorKind::conflict);
  EXPECT_EQ(kind_of(files().lock_directory_to_read(directory_)), ErrorKind::conflict);
  EXPECT_EQ(files().exists(path("LOCK")), Result<bool>(false)) << "who is refused leaves nothing behind";
  create("LOCK", "1\n");
  EXPECT_EQ(kind_of(files().lock_directory(directory_)), ErrorKind::conflict);
}

TEST_P(FileSystemContract, nobody_looks_while_somebody_holds_the_lock_and_the_other_way_round) {
  {
    const auto held = files().lock_directory(directory_);
    ASSERT_TRUE(held);
    EXPECT_EQ(kind_of(files().lock_directory_to_read(directory_)), ErrorKind::conflict);
  }
  {
    const auto looking = files().lock_directory_to_read(directory_);
    ASSERT_TRUE(looking);
    EXPECT_NE(*looking, nullptr);
    EXPECT_EQ(kind_of(files().lock_directory(directory_)), ErrorKind::conflict);
  }
  EXPECT_TRUE(files().lock_directory(directory_));
}

TEST_P(FileSystemContract, a_missing_directory_cannot_be_locked) {
  EXPECT_EQ(kind_of(files().lock_directory(path("missing"))), ErrorKind::not_found);
}

TEST_P(FileSystemContract, a_file_can_be_read_while_it_is_written) {
  const auto file = create("a", std::string(4'096, '0'));
  std::thread writer([&] {
    for (char digit = '1'; digit <= '9'; ++digit) EXPECT_TRUE(file->write_at(0, std::string(4'096, digit)));
  });
  std::string text(4'096, ' ');
  for (int round = 0; round < 100; ++round)
    EXPECT_EQ(file->read_at(0, text.data(), text.size()), Result<std::size_t>(4'096));
  writer.join();
  EXPECT_EQ(content("a"), std::string(4'096, '9'));
}

TEST_P(FileSystemContract, a_whole_file_is_read_within_its_limit) {
  create("a", "four");
  EXPECT_EQ(read_whole_file(files(), path("a"), 4), Result<std::string>("four"));
  EXPECT_EQ(kind_of(read_whole_file(files(), path("a"), 3)), ErrorKind::too_large);
  EXPECT_EQ(kind_of(read_whole_file(files(), path("b"), 3)), ErrorKind::not_found);
  create("empty");
  EXPECT_EQ(read_whole_file(files(), path("empty"), 0), Result<std::string>(""));
  const std::string large(300'000, 'x');
  create("large", large);
  EXPECT_EQ(read_whole_file(files(), path("large"), large.size()), Result<std::string>(large));
  EXPECT_EQ(kind_of(read_whole_file(files(), path("large"), large.size() - 1)), ErrorKind::too_large);
}

TEST_P(FileSystemContract, a_directory_that_was_removed_is_made_again_unless_all_around_it_was_removed_too) {
  EXPECT_TRUE(make_directory_again(files(), path("kept/file")));
  EXPECT_EQ(files().exists(path("kept")), Result<bool>(true));
  EXPECT_TRUE(replace_file(files(), path("kept/file"), "x"));
  EXPECT_TRUE(make_directory_again(files(), path("kept/file"))) << "it is there";
  EXPECT_EQ(content("kept/file"), "x");
  EXPECT_TRUE(make_directory_again(files(), path("gone/kept/file")));
  EXPECT_EQ(files().exists(path("gone")), Result<bool>(false));
}

TEST_P(FileSystemContract, an_input_is_read_in_order_to_its_end) {
  create("a", "seven77");
  const auto input = files().open_input(path("a")).value();
  std::string text(4, ' ');
  EXPECT_EQ(input->read(text.data(), 4), Result<std::size_t>(4));
  EXPECT_EQ(text, "seve");
  EXPECT_EQ(input->read(text.data(), 4), Result<std::size_t>(3));
  EXPECT_EQ(text.substr(0, 3), "n77");
  EXPECT_EQ(input->read(text.data(), 4), Result<std::size_t>(0));
  EXPECT_EQ(kind_of(files().open_input(path("b"))), ErrorKind::not_found);
}

TEST(PosixFiles, a_pipe_is_read_to_its_end_however_it_comes) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const std::string sent(200'000, 'p');
  std::thread writer([&] {
    for (std::size_t place = 0; place < sent.size();) {
      const ssize_t count = write(ends[1], sent.data() + place, std::min<std::size_t>(sent.size() - place, 7'777));
      if (count < 0) break;
      place += static_cast<std::size_t>(count);
    }
    close(ends[1]);
  });
  const auto found = read_whole_file(posix_files(), "/dev/fd/" + std::to_string(ends[0]), 1u << 20);
  writer.join();
  close(ends[0]);
  EXPECT_EQ(found, Result<std::string>(sent));
}

TEST(PosixFiles, what_is_no_file_is_told_from_one_without_waiting) {
  const auto kind_of = [](const auto& result) { return result ? std::nullopt : std::optional(result.error().kind); };
  const std::string directory = testing::TempDir() + "annals-no-files-" + std::to_string(getpid());
  std::filesystem::create_directory(directory);
  const std::string pipe_path = directory + "/pipe";
  ASSERT_EQ(mkfifo(pipe_path.c_str(), 0600), 0);
  std::filesystem::create_symlink("pipe", directory + "/link");
  for (const std::string& path : {pipe_path, directory + "/link", directory}) {
    for (const auto& opened : {kind_of(posix_files().open(path)), kind_of(posix_files().open_to_read(path)),
                               kind_of(read_own_file(posix_files(), path, 100))}) {
      EXPECT_EQ(opened, ErrorKind::corrupt) << path;
    }
  }
  EXPECT_EQ(posix_files().open_to_read(pipe_path).error().message,
            pipe_path + " is a pipe or a socket; a file is expected there");
  EXPECT_EQ(posix_files().open(directory).error().message, directory + " is a directory; a file is expected there");
  ASSERT_TRUE(replace_file(posix_files(), directory + "/file", "text"));
  std::filesystem::create_symlink("file", directory + "/link_to_file");
  EXPECT_EQ(read_own_file(posix_files(), directory + "/link_to_file", 4), Result<std::string>("text"));
  EXPECT_EQ(kind_of(read_own_file(posix_files(), directory + "/file", 3)), ErrorKind::too_large);
  EXPECT_EQ(kind_of(read_own_file(posix_files(), directory + "/none", 3)), ErrorKind::not_found);
  std::filesystem::remove_all(directory);
}

TEST(PosixFiles, what_cannot_even_be_examined_is_not_listed_and_that_is_an_error) {
  const std::string directory = testing::TempDir() + "annals-no-list-" + std::to_string(getpid());
  std::filesystem::create_directory(directory);
  std::filesystem::create_symlink("round", directory + "/round");
  const auto listed = posix_files().list(directory + "/round");
  ASSERT_FALSE(listed.has_value());
  EXPECT_EQ(listed.error().kind, ErrorKind::input_output);
  std::filesystem::remove_all(directory);
}

TEST_P(FileSystemContract, what_is_made_is_not_open_to_others) {
  create("a");
  EXPECT_EQ(files().is_open_to_others(path("a")), Result<bool>(false));
  EXPECT_EQ(kind_of(files().is_open_to_others(path("b"))), ErrorKind::not_found);
}

TEST_P(FileSystemContract, files_and_directories_are_told_apart) {
  create("a");
  EXPECT_TRUE(files().create_directories(path("d")));
  EXPECT_EQ(files().kind_of(path("a")), Result<EntryKind>(EntryKind::file));
  EXPECT_EQ(files().kind_of(path("d")), Result<EntryKind>(EntryKind::directory));
  EXPECT_EQ(files().kind_of(path("b")), Result<EntryKind>(EntryKind::none));
  EXPECT_EQ(files().kind_of(path("b/c")), Result<EntryKind>(EntryKind::none));
}

TEST_P(FileSystemContract, a_directory_is_removed_only_when_it_is_empty) {
  EXPECT_TRUE(files().create_directories(path("d")));
  create("d/a");
  EXPECT_EQ(kind_of(files().remove_directory(path("d"))), ErrorKind::input_output);
  EXPECT_TRUE(files().remove(path("d/a")));
  EXPECT_TRUE(files().remove_directory(path("d")));
  EXPECT_EQ(files().exists(path("d")), Result<bool>(false));
  EXPECT_EQ(kind_of(files().remove_directory(path("d"))), ErrorKind::not_found);
}

TEST_P(FileSystemContract, a_file_is_replaced_whatever_an_earlier_attempt_left) {
  EXPECT_TRUE(replace_file(files(), path("a"), "first"));
  create("a.new", "left over and longer than what follows");
  EXPECT_TRUE(replace_file(files(), path("a"), "second"));
  EXPECT_EQ(content("a"), "second");
  EXPECT_THAT(files().list(directory_).value(), ElementsAre("a"));
}

INSTANTIATE_TEST_SUITE_P(every, FileSystemContract, testing::Values("posix", "simulated"),
                         [](const auto& test) { return test.param; });

class PosixFiles : public FileSystemContract {};

TEST_P(PosixFiles, what_is_made_is_for_its_owner_alone) {
  create("a");
  EXPECT_TRUE(files().create_directories(path("d/e")));
  const auto lock = files().lock_directory(path("d"));
  const auto mode_of = [&](std::string_view name) {
    struct stat status{};
    EXPECT_EQ(stat(path(name).c_str(), &status), 0);
    return status.st_mode & 0777;
  };
  EXPECT_EQ(mode_of("a"), 0600u);
  EXPECT_EQ(mode_of("d"), 0700u);
  EXPECT_EQ(mode_of("d/e"), 0700u);
  EXPECT_EQ(mode_of("d/LOCK"), 0600u);
}

TEST_P(PosixFiles, a_link_is_a_link_whatever_it_leads_to) {
  create("a");
  EXPECT_EQ(symlink(path("a").c_str(), path("to_a").c_str()), 0);
  EXPECT_EQ(symlink("nowhere", path("to_nothing").c_str()), 0);
  EXPECT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(files().kind_of(path("to_a")), Result<EntryKind>(EntryKind::link));
  EXPECT_EQ(files().kind_of(path("to_nothing")), Result<EntryKind>(EntryKind::link));
  EXPECT_EQ(files().kind_of(path("pipe")), Result<EntryKind>(EntryKind::other));
}

TEST_P(PosixFiles, what_others_may_read_or_change_is_known) {
  create("a");
  const auto open_with = [&](mode_t mode) {
    EXPECT_EQ(chmod(path("a").c_str(), mode), 0);
    return files().is_open_to_others(path("a"));
  };
  EXPECT_EQ(open_with(0600), Result<bool>(false));
  EXPECT_EQ(open_with(0640), Result<bool>(false));
  EXPECT_EQ(open_with(0644), Result<bool>(true));
  EXPECT_EQ(open_with(0602), Result<bool>(true));
}

TEST_P(PosixFiles, a_device_without_room_is_a_full_disk) {
  const auto full = files().open("/dev/full");
  ASSERT_TRUE(full);
  const Result<> written = (*full)->write_at(0, "x");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::input_output);
  EXPECT_EQ(written.error().code, "disk_full");
  EXPECT_THAT(written.error().message, HasSubstr("/dev/full"));
}

TEST_P(PosixFiles, a_lock_whose_holder_has_gone_is_free) {
  const pid_t child = fork();
  if (child == 0) {
    const auto lock = posix_files().lock_directory(directory_);
    _exit(lock ? 0 : 1);  // without letting go of the lock
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_EQ(content("LOCK"), std::to_string(child) + "\n");
  EXPECT_TRUE(files().lock_directory(directory_));
}

TEST_P(PosixFiles, a_lock_is_never_written_into_what_is_not_ours) {
  create("precious", "of somebody else");
  for (const bool dangling : {false, true}) {
    const std::string target = path(dangling ? "absent" : "precious");
    ASSERT_EQ(symlink(target.c_str(), path("LOCK").c_str()), 0);
    for (const auto& refused : {files().lock_directory(directory_), files().lock_directory_to_read(directory_)}) {
      ASSERT_EQ(kind_of(refused), ErrorKind::conflict);
      EXPECT_EQ(refused.error().code, "directory_foreign");
      EXPECT_THAT(refused.error().message, HasSubstr("LOCK is a symbolic link"));
    }
    ASSERT_TRUE(files().remove(path("LOCK")));
  }
  EXPECT_EQ(content("precious"), "of somebody else");
  EXPECT_EQ(files().exists(path("absent")), Result<bool>(false));

  ASSERT_TRUE(files().create_directories(path("LOCK")));
  EXPECT_FALSE(files().lock_directory(directory_));
  ASSERT_TRUE(files().remove_directory(path("LOCK")));
  for (const char* text : {"notes", "12 monkeys\n", "1\n2\n", "00000000000000000000000000000000000000"}) {
    create("LOCK", text);
    const auto refused = files().lock_directory(directory_);
    ASSERT_EQ(kind_of(refused), ErrorKind::conflict) << text;
    EXPECT_THAT(refused.error().message, HasSubstr("LOCK holds something else than the number of a process"));
    EXPECT_EQ(content("LOCK"), text);
    ASSERT_TRUE(files().remove(path("LOCK")));
  }
  for (const char* text : {"", "12\n"}) {
    create("numbers", text);
    ASSERT_EQ(link(path("numbers").c_str(), path("LOCK").c_str()), 0);
    const auto refused = files().lock_directory(directory_);
    ASSERT_EQ(kind_of(refused), ErrorKind::conflict) << text;
    EXPECT_EQ(refused.error().code, "directory_foreign");
    EXPECT_THAT(refused.error().message, HasSubstr("LOCK is a file that has other names as well"));
    EXPECT_EQ(content("numbers"), text);
    EXPECT_TRUE(files().lock_directory_to_read(directory_)) << "who looks writes nothing";
    ASSERT_TRUE(files().remove(path("LOCK")));
    ASSERT_TRUE(files().remove(path("numbers")));
  }
  for (const char* text : {"", "12", "4194304\n"}) {
    create("LOCK", text);
    EXPECT_TRUE(files().lock_directory(directory_)) << text;
    ASSERT_TRUE(files().remove(path("LOCK")));
  }
}

TEST_P(PosixFiles, a_lock_of_which_a_loss_of_power_left_zeros_is_taken) {
  create("LOCK", std::string(6, '\0'));
  EXPECT_TRUE(files().lock_directory(directory_));
  EXPECT_EQ(content("LOCK"), std::to_string(getpid()) + "\n");
  ASSERT_TRUE(files().remove(path("LOCK")));
  for (const std::string& text : {std::string(40, '\0'), std::string("\0007\n", 3), std::string("\0x", 2)}) {
    create("LOCK", text);
    EXPECT_EQ(kind_of(files().lock_directory(directory_)), ErrorKind::conflict) << text;
    EXPECT_EQ(content("LOCK"), text);
    ASSERT_TRUE(files().remove(path("LOCK")));
  }
}

TEST_P(PosixFiles, the_names_above_a_directory_are_flushed_up_to_the_root) {
  ASSERT_TRUE(files().create_directories(path("one/two")));
  EXPECT_TRUE(files().flush_names_above(path("one/two")));
  ASSERT_EQ(symlink(path("one").c_str(), path("link").c_str()), 0);
  EXPECT_TRUE(files().flush_names_above(path("link/two")));
  EXPECT_EQ(kind_of(files().flush_names_above(path("absent"))), ErrorKind::not_found);
}

TEST_P(PosixFiles, several_may_look_and_who_wants_to_write_hears_that_they_do) {
  const auto one = files().lock_directory_to_read(directory_);
  const auto other = files().lock_directory_to_read(directory_);
  ASSERT_TRUE(one);
  ASSERT_TRUE(other);
  EXPECT_THAT(files().lock_directory(directory_).error().message, HasSubstr("being read"));
}

TEST_P(PosixFiles, who_looks_keeps_writers_out_when_the_file_of_the_lock_is_removed) {
  const auto looking = files().lock_directory_to_read(directory_);
  ASSERT_TRUE(looking);
  ASSERT_TRUE(files().remove(path("LOCK")));
  EXPECT_THAT(files().lock_directory(directory_).error().message, HasSubstr("being read"));
  EXPECT_TRUE(files().lock_directory_to_read(directory_));
}

TEST_P(PosixFiles, a_lock_is_respected_by_and_respects_who_knows_its_file_only) {
  const auto lock_file = [&](int kind) {
    const int descriptor = open(path("LOCK").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    EXPECT_GE(descriptor, 0);
    if (flock(descriptor, kind | LOCK_NB) == 0) return descriptor;
    close(descriptor);
    return -1;
  };
  {
    const auto lock = files().lock_directory(directory_);
    ASSERT_TRUE(lock);
    EXPECT_EQ(lock_file(LOCK_SH), -1);
  }
  const int old = lock_file(LOCK_EX);
  ASSERT_GE(old, 0);
  EXPECT_EQ(kind_of(files().lock_directory(directory_)), ErrorKind::conflict);
  EXPECT_EQ(kind_of(files().lock_directory_to_read(directory_)), ErrorKind::conflict);
  close(old);
  EXPECT_TRUE(files().lock_directory(directory_)) << "nothing is left of the attempts";
}

TEST_P(PosixFiles, looking_needs_no_permission_to_write) {
  ASSERT_TRUE(files().create_directories(path("with")));
  ASSERT_TRUE(files().create_directories(path("without")));
  {
    const auto lock = files().lock_directory(path("with"));
  }
  constexpr uid_t nobody = 65534;
  for (const char* name : {"with/LOCK", "with", "without", ""}) {
    ASSERT_EQ(chmod(path(name).c_str(), std::string_view(name).ends_with("LOCK") ? 0444 : 0555), 0);
  }
  const pid_t child = fork();
  if (child == 0) {
    if (getuid() == 0 && (setgid(nobody) != 0 || setuid(nobody) != 0)) _exit(9);
    const auto with = posix_files().lock_directory_to_read(path("with"));
    if (!with || *with == nullptr) _exit(1);
    const auto without = posix_files().lock_directory_to_read(path("without"));
    if (!without || *without == nullptr) _exit(2);
    if (posix_files().exists(path("without/LOCK")) != Result<bool>(false)) _exit(4);
    _exit(posix_files().lock_directory(path("with")) ? 3 : 0);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  for (const char* name : {"with", "without", ""}) ASSERT_EQ(chmod(path(name).c_str(), 0755), 0);
  EXPECT_EQ(status, 0) << WEXITSTATUS(status);
}

TEST_P(PosixFiles, relative_paths_work_too) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(directory_);
  EXPECT_TRUE(files().create_directories("made/here"));
  EXPECT_TRUE(replace_file(files(), "a", "text"));
  std::filesystem::current_path(before);
  EXPECT_EQ(content("a"), "text");
  EXPECT_EQ(files().exists(path("made/here")), Result<bool>(true));
}

INSTANTIATE_TEST_SUITE_P(machine, PosixFiles, testing::Values("posix"), [](const auto& test) { return test.param; });

TEST(join_path, puts_one_slash_between) {
  EXPECT_EQ(join_path("a", "b"), "a/b");
  EXPECT_EQ(join_path("a/", "b"), "a/b");
  EXPECT_EQ(join_path("/", "b"), "/b");
  EXPECT_EQ(join_path("", "b"), "b");
}

}  // namespace
}  // namespace annals::platform
