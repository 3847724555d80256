#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>

#include "platform/named_file.hpp"
#include "platform/platform.hpp"
#include "platform/posix/descriptor.hpp"
#include "platform/posix/named_input.hpp"

namespace annals::platform {
namespace {

constexpr mode_t owner_only_file = 0600;
constexpr mode_t owner_only_directory = 0700;

constexpr std::uint64_t direct_unit = 4096;  // what writes past the cache must be aligned to, in the file and in memory
alignas(direct_unit) char direct_zeros[1u << 20];

/// "<path> cannot be <tried>: No space left on device", from an error number of the operating system.
std::unexpected<Error> refused(const std::string& path, std::string_view tried, int error) {
  std::string message = path + " cannot be " + std::string(tried) + ": " + std::generic_category().message(error);
  if (error == ENOENT) return fail(ErrorKind::not_found, std::move(message));
  if (error == EEXIST) return fail(ErrorKind::conflict, std::move(message));
  if (error == EMFILE || error == ENFILE) return fail(ErrorKind::input_output, "no_descriptors", std::move(message));
  if (error == ENOSPC || error == EDQUOT) return fail(ErrorKind::input_output, "disk_full", std::move(message));
  return fail(ErrorKind::input_output, std::move(message));
}

/// Calls what returns a negative number and sets errno when it fails, again for as long as a signal interrupts it.
template <class Call>
auto uninterrupted(Call call) {
  auto answer = call();
  while (answer < 0 && errno == EINTR) answer = call();
  return answer;
}

class PosixFile final : public File {
 public:
  PosixFile(std::string path, Descriptor descriptor) : path_(std::move(path)), descriptor_(std::move(descriptor)) {}

  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, char* into, std::size_t size) const override {
    std::size_t done = 0;
    while (done < size) {
      const ssize_t count = uninterrupted(
          [&] { return pread(descriptor_.number(), into + done, size - done, static_cast<off_t>(offset + done)); });
      if (count < 0) return refused(path_, "read", errno);
      if (count == 0) break;
      done += static_cast<std::size_t>(count);
    }
    return done;
  }

  [[nodiscard]] Result<> write_at(std::uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t count = uninterrupted(
          [&] { return pwrite(descriptor_.number(), bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
      if (count < 0) return refused(path_, "written to", errno);
      if (count == 0) return refused(path_, "written to", ENOSPC);
      offset += static_cast<std::uint64_t>(count);
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
  }

  [[nodiscard]] Result<> write_zeros(std::uint64_t offset, std::uint64_t size) override {
    const std::uint64_t begin = (offset + direct_unit - 1) / direct_unit * direct_unit;
    const std::uint64_t end = (offset + size) / direct_unit * direct_unit;
    const Descriptor direct = begin < end ? open_direct() : Descriptor(-1);
    std::uint64_t done = begin;
    while (direct.number() >= 0 && done < end) {
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(end - done, sizeof direct_zeros));
      const ssize_t written =
          uninterrupted([&] { return pwrite(direct.number(), direct_zeros, count, static_cast<off_t>(done)); });
      // Whatever it is that the file system does not like, it says so once more when it is asked the ordinary way.
      if (written <= 0 || written % static_cast<ssize_t>(direct_unit) != 0) break;
      done += static_cast<std::uint64_t>(written);
    }
    if (done == begin) return File::write_zeros(offset, size);
    TRY(File::write_zeros(offset, begin - offset));
    return File::write_zeros(done, offset + size - done);
  }

  [[nodiscard]] Result<> flush() override {
    if (uninterrupted([&] { return fdatasync(descriptor_.number()); }) < 0) return refused(path_, "flushed", errno);
    return {};
  }

  [[nodiscard]] Result<std::uint64_t> size() const override {
    struct stat status{};
    if (fstat(descriptor_.number(), &status) < 0) return refused(path_, "examined", errno);
    return static_cast<std::uint64_t>(status.st_size);
  }

 private:
  /// The same file, opened to be written past the cache; closed when the system has no such thing for it. Not by its
  /// path, which may have become another file's.
  [[nodiscard]] Descriptor open_direct() const {
    const std::string same = "/proc/self/fd/" + std::to_string(descriptor_.number());
    return Descriptor(uninterrupted([&] { return ::open(same.c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC); }));
  }

  std::string path_;
  Descriptor descriptor_;
};

Result<Descriptor> open_descriptor(const std::string& path, int flags, std::string_view tried) {
  const int number = uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, owner_only_file); });
  if (number < 0) return refused(path, tried, errno);
  return Descriptor(number);
}

Result<std::unique_ptr<File>> open_file(const std::string& path, int flags, std::string_view tried) {
  return std::make_unique<PosixFile>(path, TRY(open_descriptor(path, flags, tried)));
}

/// One that is there already. A pipe, which nobody might ever write into, a socket and a directory are told from a file
/// without waiting for anything; a device answers at once, too, when it is opened so.
Result<std::unique_ptr<File>> open_existing(const std::string& path, int flags) {
  const auto not_a_file = [&](mode_t mode) -> std::optional<std::string_view> {
    if (S_ISDIR(mode)) return "a directory";
    if (S_ISFIFO(mode) || S_ISSOCK(mode)) return "a pipe or a socket";
    return std::nullopt;
  };
  struct stat status{};
  auto opened = open_descriptor(path, flags | O_NONBLOCK | O_NOCTTY, "opened");
  // Some of them cannot even be opened.
  const int examined = opened ? fstat(opened->number(), &status) : ::stat(path.c_str(), &status);
  if (examined < 0) return opened ? refused(path, "examined", errno) : std::unexpected(std::move(opened).error());
  if (const auto other = not_a_file(status.st_mode)) {
    return fail(ErrorKind::corrupt, "not_a_file", path + " is " + std::string(*other) + "; a file is expected there");
  }
  if (!opened) return std::unexpected(std::move(opened).error());
  return std::make_unique<PosixFile>(path, *std::move(opened));
}

/// The lock goes with the open files: when the process ends, however it ends, the kernel closes the one and frees the
/// other. There are two of it: on the directory itself, which stays what it is whatever becomes of the names in it, and
/// on LOCK, which the versions before knew alone.
class PosixDirectoryLock final : public DirectoryLock {
 public:
  /// One of the two may be closed; `path` is that of the one that must stay in place.
  PosixDirectoryLock(std::string path, Descriptor descriptor, Descriptor other)
      : path_(std::move(path)), descriptor_(std::move(descriptor)), other_(std::move(other)) {}

  [[nodiscard]] Result<bool> is_in_place() const override {
    struct stat held{};
    struct stat found{};
    if (fstat(descriptor_.number(), &held) < 0) return refused(path_, "examined", errno);
    if (::stat(path_.c_str(), &found) < 0) {
      if (errno == ENOENT || errno == ENOTDIR) return false;
      return refused(path_, "examined", errno);
    }
    return held.st_dev == found.st_dev && held.st_ino == found.st_ino;
  }

 private:
  const std::string path_;  // of the file LOCK, or of the directory where that cannot be had
  Descriptor descriptor_;
  Descriptor other_;
};

/// What the holder of a lock wrote into LOCK; "another process" when that cannot be read (it may be writing just now,
/// or somebody has removed the file).
std::string holder_of(const std::string& lock_path) {
  std::string text(32, '\0');
  const auto lock = open_existing(lock_path, O_RDONLY);
  const Result<std::size_t> count = lock ? (*lock)->read_at(0, text.data(), text.size()) : Result<std::size_t>(0);
  text.resize(count.value_or(0));
  text.resize(std::min(text.find_first_not_of("0123456789"), text.size()));
  return text.empty() ? "another process" : "process " + text;
}

class PosixFileSystem final : public FileSystem {
 public:
  /// Flushes the parent of each directory that it makes: what will be flushed inside could not be found again without.
  [[nodiscard]] Result<> create_directories(const std::string& path) override {
    if (mkdir(path.c_str(), owner_only_directory) == 0) return flush_directory(parent_of(path));
    const int error = errno;
    if (error == ENOENT && parent_of(path) != path) {
      TRY(create_directories(parent_of(path)));
      if (mkdir(path.c_str(), owner_only_directory) == 0) return flush_directory(parent_of(path));
      return already_there(path, errno);
    }
    return already_there(path, error);
  }

  [[nodiscard]] Result<std::vector<std::string>> list(const std::string& path) const override {
    std::vector<std::string> names;
    std::error_code error;
    std::filesystem::directory_iterator entry(path, error);
    while (!error && entry != std::filesystem::directory_iterator{}) {
      names.push_back(entry->path().filename().string());
      entry.increment(error);
    }
    if (error) {
      if (error != std::errc::not_a_directory) return refused(path, "listed", error.value());
      std::error_code unknown;
      const bool is_file = std::filesystem::is_regular_file(path, unknown);
      return fail(ErrorKind::corrupt, "not_a_directory",
                  path + (is_file ? " is a file" : " is no directory") + "; a directory is expected there");
    }
    std::ranges::sort(names);
    return names;
  }

  [[nodiscard]] Result<bool> exists(const std::string& path) const override {
    struct stat status{};
    if (::stat(path.c_str(), &status) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return refused(path, "examined", errno);
  }

  [[nodiscard]] Result<EntryKind> kind_of(const std::string& path) const override {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return EntryKind::none;
      return refused(path, "examined", errno);
    }
    if (S_ISREG(status.st_mode)) return EntryKind::file;
    if (S_ISDIR(status.st_mode)) return EntryKind::directory;
    return S_ISLNK(status.st_mode) ? EntryKind::link : EntryKind::other;
  }

  [[nodiscard]] Result<bool> is_open_to_others(const std::string& path) const override {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) return refused(path, "examined", errno);
    return (status.st_mode & (S_IROTH | S_IWOTH)) != 0;
  }

  [[nodiscard]] Result<std::unique_ptr<File>> create(const std::string& path) override {
    Result<std::unique_ptr<File>> made = open_file(path, O_RDWR | O_CREAT | O_EXCL, "made");
    // A missing directory is no answer to "make a file"; callers look for conflict and input_output only.
    if (!made && made.error().kind == ErrorKind::not_found) {
      return fail(ErrorKind::input_output, made.error().message);
    }
    return made;
  }

  [[nodiscard]] Result<std::unique_ptr<File>> open(const std::string& path) override {
    return open_existing(path, O_RDWR);
  }

  [[nodiscard]] Result<std::unique_ptr<File>> open_to_read(const std::string& path) const override {
    return open_existing(path, O_RDONLY);
  }

  [[nodiscard]] Result<std::unique_ptr<Input>> open_input(const std::string& path) const override {
    return TRY(NamedInput::open(path, pipe_writer_wait));
  }

  [[nodiscard]] Result<> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) < 0) return refused(from, "renamed to " + to, errno);
    return {};
  }

  [[nodiscard]] Result<> remove(const std::string& path) override {
    if (unlink(path.c_str()) < 0) return refused(path, "removed", errno);
    return {};
  }

  [[nodiscard]] Result<> remove_directory(const std::string& path) override {
    if (rmdir(path.c_str()) == 0) return {};
    // Of "File exists" and "Directory not empty", which mean the same here, the latter is understood.
    return refused(path, "removed", errno == EEXIST ? ENOTEMPTY : errno);
  }

  [[nodiscard]] Result<> flush_directory(const std::string& path) override {
    const Descriptor directory = TRY(open_descriptor(path, O_RDONLY | O_DIRECTORY, "opened"));
    if (uninterrupted([&] { return fsync(directory.number()); }) < 0) return refused(path, "flushed", errno);
    return {};
  }

  [[nodiscard]] Result<> flush_names_above(const std::string& path) override {
    std::error_code error;
    std::filesystem::path directory = std::filesystem::canonical(path, error);
    if (error) return refused(path, "examined", error.value());
    while (directory != directory.parent_path()) {
      directory = directory.parent_path();
      const int number = uninterrupted([&] { return ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
      if (number < 0 && (errno == EACCES || errno == EPERM)) continue;
      if (number < 0) return refused(directory.string(), "opened", errno);
      const Descriptor opened(number);
      // A file system that cannot be written to, above the one that can, has its names already.
      if (uninterrupted([&] { return fsync(number); }) < 0 && errno != EROFS && errno != EINVAL) {
        return refused(directory.string(), "flushed", errno);
      }
    }
    return {};
  }

  [[nodiscard]] Result<std::unique_ptr<DirectoryLock>> lock_directory(const std::string& path) override {
    Descriptor directory = TRY(open_to_lock(path));
    if (directory.number() >= 0) directory = TRY(lock_itself(path, std::move(directory), LOCK_EX));
    const std::string lock_path = join_path(path, "LOCK");
    Descriptor descriptor = TRY(open_lock(lock_path, O_RDWR | O_CREAT));
    const int number = descriptor.number();
    if (!take(number, LOCK_EX)) {
      if (errno != EWOULDBLOCK) return refused(lock_path, "locked", errno);
      return held(path, number);
    }
    TRY(check_is_ours(lock_path, number));
    // The process id is a help to whoever meets the lock; the lock holds without it, so a full disk is no reason to
    // refuse.
    const std::string holder = std::to_string(getpid()) + "\n";
    if (ftruncate(number, 0) == 0) {
      [[maybe_unused]] const ssize_t written = pwrite(number, holder.data(), holder.size(), 0);
    }
    return std::make_unique<PosixDirectoryLock>(lock_path, std::move(descriptor), std::move(directory));
  }

  [[nodiscard]] Result<std::unique_ptr<DirectoryLock>> lock_directory_to_read(const std::string& path) override {
    Descriptor directory = TRY(open_to_lock(path));
    if (directory.number() >= 0) directory = TRY(lock_itself(path, std::move(directory), LOCK_SH));
    const std::string lock_path = join_path(path, "LOCK");
    if (TRY(kind_of(lock_path)) == EntryKind::none) {
      // So that nobody begins to serve meanwhile who knows of no other lock.
      auto made = create(lock_path);
      if (!made && TRY(kind_of(lock_path)) == EntryKind::none) {
        if (directory.number() < 0) return nullptr;
        return std::make_unique<PosixDirectoryLock>(path, std::move(directory), Descriptor(-1));
      }
    }
    Descriptor descriptor = TRY(open_lock(lock_path, O_RDONLY));
    if (!take(descriptor.number(), LOCK_SH)) {
      if (errno != EWOULDBLOCK) return refused(lock_path, "locked", errno);
      return held(path, descriptor.number());
    }
    return std::make_unique<PosixDirectoryLock>(lock_path, std::move(descriptor), std::move(directory));
  }

 private:
  static bool take(int number, int kind) {
    return uninterrupted([&] { return flock(number, kind | LOCK_NB); }) == 0;
  }

  /// The directory, to lock it; closed when it may not be read. Errors: not_found.
  static Result<Descriptor> open_to_lock(const std::string& path) {
    auto directory = open_descriptor(path, O_RDONLY | O_DIRECTORY, "opened");
    if (!directory && directory.error().kind != ErrorKind::not_found) return Descriptor(-1);
    return directory;
  }

  /// LOCK, which is written to: never what a link of that name leads to. Errors: conflict, when it is no file.
  static Result<Descriptor> open_lock(const std::string& path, int flags) {
    auto opened = open_descriptor(path, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, "opened");
    struct stat status{};
    const int examined = opened ? fstat(opened->number(), &status) : lstat(path.c_str(), &status);
    if (examined == 0 && !S_ISREG(status.st_mode)) {
      return fail(ErrorKind::conflict, "directory_foreign",
                  path + " is " + (S_ISLNK(status.st_mode) ? "a symbolic link" : "no file") +
                      " where a store has a file of its own; remove it by hand, or choose another directory");
    }
    return opened;
  }

  /// That LOCK, which is about to be written anew, holds what it is for, or nothing, and is no other file by a second
  /// name: it may be somebody else's, in a directory that was never ours. Errors: conflict; input_output.
  static Result<> check_is_ours(const std::string& path, int number) {
    struct stat status{};
    if (fstat(number, &status) < 0) return refused(path, "examined", errno);
    // Not those without a name: it may be removed right now, and some file systems do not count.
    if (status.st_nlink > 1) {
      return fail(ErrorKind::conflict, "directory_foreign",
                  path +
                      " is a file that has other names as well (hard links), and what is written to it would be "
                      "written there; nothing was: remove it by hand, or choose another directory");
    }
    std::array<char, 32> text{};
    const ssize_t count = uninterrupted([&] { return pread(number, text.data(), text.size(), 0); });
    if (count < 0) return refused(path, "read", errno);
    std::string_view held(text.data(), static_cast<std::size_t>(count));
    if (held.ends_with('\n')) held.remove_suffix(1);
    const bool is_number = held.find_first_not_of("0123456789") == held.npos;
    // What a loss of power may leave of a file that was just written, where its size went to the disk before its bytes.
    const bool is_nothing = held.find_first_not_of('\0') == held.npos;
    if (count < static_cast<ssize_t>(text.size()) && (is_number || is_nothing)) return {};
    return fail(ErrorKind::conflict, "directory_foreign",
                path +
                    " holds something else than the number of a process; nothing was written to it: remove it by "
                    "hand, or choose another directory");
  }

  /// The directory, locked; closed where there are no locks on directories (NFS wants a file that is open to be
  /// written to): there LOCK alone must do. Errors: conflict.
  static Result<Descriptor> lock_itself(const std::string& path, Descriptor directory, int kind) {
    if (take(directory.number(), kind)) return directory;
    if (errno == EWOULDBLOCK) return held(path, directory.number());
    return Descriptor(-1);
  }

  /// `number`, which is LOCK or the directory, is locked by somebody else.
  static std::unexpected<Error> held(const std::string& path, int number) {
    const bool only_read = flock(number, LOCK_SH | LOCK_NB) == 0;
    if (only_read) {
      return fail(ErrorKind::conflict, "directory_locked",
                  "directory " + path +
                      " is being read by another process (annals verify or annals events); wait until it has ended, "
                      "or choose another directory");
    }
    return fail(ErrorKind::conflict, "directory_locked",
                "directory " + path + " is in use by " + holder_of(join_path(path, "LOCK")) +
                    "; stop that one or choose another directory");
  }

  static std::string parent_of(const std::string& path) {
    const std::size_t last = path.find_last_not_of('/');
    const std::size_t slash = last == std::string::npos ? std::string::npos : path.rfind('/', last);
    if (slash == std::string::npos) return path.starts_with('/') ? "/" : ".";
    const std::size_t end = path.find_last_not_of('/', slash);
    return end == std::string::npos ? "/" : path.substr(0, end + 1);
  }

  static Result<> already_there(const std::string& path, int error) {
    std::error_code ignored;
    if (error == EEXIST && std::filesystem::is_directory(path, ignored)) return {};
    const std::string why = error == EEXIST    ? "something else has its name"
                            : error == ENOTDIR ? "something else is where a directory above it should be"
                                               : std::generic_category().message(error);
    return fail(ErrorKind::input_output, "directory " + path + " cannot be made: " + why);
  }
};

}  // namespace

FileSystem& posix_files() {
  static PosixFileSystem files;
  return files;
}

}  // namespace annals::platform
