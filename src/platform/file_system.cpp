#include "platform/file_system.hpp"

#include <algorithm>

namespace annals::platform {
namespace {

/// What stands before the last slash; "." when there is none and "/" for the root.
std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

class FileInput final : public Input {
 public:
  explicit FileInput(std::unique_ptr<File> file) : file_(std::move(file)) {}

  [[nodiscard]] Result<std::size_t> read(char* into, std::size_t size) override {
    const std::size_t count = TRY(file_->read_at(place_, into, size));
    place_ += count;
    return count;
  }

 private:
  const std::unique_ptr<File> file_;
  std::uint64_t place_ = 0;
};

// What the size of the file is said to be tells nothing of a pipe, nor of a file that the system makes up.
Result<std::string> read_to_end(Input& input, const std::string& path, std::uint64_t size_max) {
  constexpr std::size_t piece_bytes = 64u << 10;
  std::string bytes;
  while (true) {
    const std::size_t before = bytes.size();
    bytes.resize(before + piece_bytes);
    const std::size_t count = TRY(input.read(bytes.data() + before, piece_bytes));
    bytes.resize(before + count);
    if (bytes.size() > size_max) {
      return fail(ErrorKind::too_large, path + " has more than " + std::to_string(size_max) + " bytes, the limit");
    }
    if (count < piece_bytes) return bytes;
  }
}

/// A new empty file at `path`, in place of one that an earlier attempt may have left.
Result<std::unique_ptr<File>> create_anew(FileSystem& files, const std::string& path) {
  if (TRY(files.exists(path))) TRY(files.remove(path));
  return files.create(path);
}

}  // namespace

Result<> File::write_zeros(std::uint64_t offset, std::uint64_t size) {
  constexpr std::uint64_t piece_bytes = 1u << 20;
  const std::string zeros(static_cast<std::size_t>(std::min(size, piece_bytes)), '\0');
  for (std::uint64_t done = 0; done < size; done += zeros.size()) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(size - done, zeros.size()));
    TRY(write_at(offset + done, std::string_view(zeros).substr(0, count)));
  }
  return {};
}

Result<bool> FileSystem::is_open_to_others(const std::string& path) const {
  if (!TRY(exists(path))) return fail(ErrorKind::not_found, path + " cannot be examined: there is no such file");
  return false;
}

Result<> FileSystem::flush_names_above(const std::string&) {
  return {};
}

Result<std::unique_ptr<DirectoryLock>> FileSystem::lock_directory_to_read(const std::string& path) {
  return lock_directory(path);
}

Result<std::unique_ptr<Input>> FileSystem::open_input(const std::string& path) const {
  return std::make_unique<FileInput>(TRY(open_to_read(path)));
}

Result<std::string> read_whole_file(const FileSystem& files, const std::string& path, std::uint64_t size_max) {
  return read_to_end(*TRY(files.open_input(path)), path, size_max);
}

Result<std::string> read_own_file(const FileSystem& files, const std::string& path, std::uint64_t size_max) {
  FileInput input(TRY(files.open_to_read(path)));
  return read_to_end(input, path, size_max);
}

Result<> replace_file(FileSystem& files, const std::string& path, std::string_view bytes) {
  const std::string fresh_path = path + ".new";
  {
    const std::unique_ptr<File> fresh = TRY(create_anew(files, fresh_path));
    TRY(fresh->write_at(0, bytes));
    TRY(fresh->flush());
  }
  return rename_durably(files, fresh_path, path);
}

Result<> make_directory_again(FileSystem& files, const std::string& path) {
  const std::string directory = parent_of(path);
  if (TRY(files.exists(directory)) || !TRY(files.exists(parent_of(directory)))) return {};
  return files.create_directories(directory);
}

Result<> rename_durably(FileSystem& files, const std::string& from, const std::string& to) {
  TRY(files.rename(from, to));
  return files.flush_directory(parent_of(to));
}

std::string join_path(std::string_view directory, std::string_view name) {
  std::string path(directory);
  if (!path.empty() && path.back() != '/') path += '/';
  path += name;
  return path;
}

}  // namespace annals::platform
